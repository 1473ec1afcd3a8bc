"""Whether a site lies in its kelurahan, by a table of middles and extents.

One row a kelurahan, found by its code of the Ministry of Home Affairs (``74.72.04.1003``), never by
its name: spellings vary and names are shared. Columns::

    kode_kemendagri,kecamatan,kelurahan,lat_centroid,lon_centroid,
    lat_min,lat_max,lon_min,lon_max,max_km_centroid_to_boundary

The table is the organisation's, computed from open boundaries (cahyadsn/wilayah_boundaries, MIT).
Boxes and circles are larger than a kelurahan, so what is found is a site that is far outside, not
one that is a little; it is a warning and never a refusal.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from edge_agent.errors import ConfigError
from edge_agent.technician.survey import Point

TABLE = Path("/etc/edge-agent/kelurahan.csv")
#: Boundaries are drawn coarsely, and an office stands on the other side of a road.
MARGIN_M = 500

_NUMBERS = ("lat_centroid", "lon_centroid", "lat_min", "lat_max", "lon_min", "lon_max")
_REACH = "max_km_centroid_to_boundary"
_COLUMNS = ("kode_kemendagri", "kecamatan", "kelurahan", *_NUMBERS, _REACH)
_READ = "read the table of kelurahan"


@dataclass(frozen=True, slots=True)
class Kelurahan:
    """One row: its middle, its box, and how far from the middle its boundary is at most."""

    code: str
    district: str
    name: str
    centre: Point
    south_west: Point
    north_east: Point
    reach_m: float

    def __str__(self) -> str:
        return f"{self.code} ({self.name}, {self.district})"

    def outside_m(self, site: Point) -> float:
        """How far `site` lies outside of what the row can say: box and circle; 0 within both."""
        nearest = Point(
            min(max(site.lat_e7, self.south_west.lat_e7), self.north_east.lat_e7),
            min(max(site.lon_e7, self.south_west.lon_e7), self.north_east.lon_e7),
        )
        beyond_m = self.centre.away_m(site) - self.reach_m
        return max(0.0, nearest.away_m(site), beyond_m)


def read(path: Path) -> tuple[Kelurahan, ...]:
    """The table. Raises ConfigError, naming the line."""
    try:
        return parse(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        hint = "copy it there, or name it with --table"
        raise ConfigError(_READ, str(path), error.strerror or str(error), hint) from None
    except UnicodeDecodeError:
        raise ConfigError(_READ, str(path), "not UTF-8 text", "save it as UTF-8") from None


def parse(text: str, name: str) -> tuple[Kelurahan, ...]:
    """The rows of `text`, a file called `name`. Raises ConfigError."""
    try:
        return tuple(_rows(csv.DictReader(text.splitlines()), name))
    except csv.Error as error:
        raise ConfigError(_READ, name, str(error), f"a table is: {','.join(_COLUMNS)}") from None


def _rows(rows: "csv.DictReader[str]", name: str) -> Iterator[Kelurahan]:
    missing = [one for one in _COLUMNS if one not in (rows.fieldnames or ())]
    if missing:
        hint = f"its first line is to be {','.join(_COLUMNS)}"
        raise ConfigError(_READ, name, f"no column {missing[0]}", hint)
    for row in rows:
        try:
            yield _row(row)
        except (ValueError, TypeError):
            cause = f"line {rows.line_num} is no row of numbers"
            raise ConfigError(_READ, name, cause, "mend that line") from None


def find(table: Sequence[Kelurahan], code: str) -> Kelurahan:
    """The row of `code`. Raises ConfigError, which lists near codes."""
    for one in table:
        if one.code == code:
            return one
    codes = {one.code: one for one in table}
    near = [str(codes[one]) for one in get_close_matches(code, codes, n=3, cutoff=0.7)]
    hint = f"near ones: {', '.join(near)}" if near else "a code is like 74.72.04.1003, not a name"
    raise ConfigError("find the kelurahan", code, f"not one of {len(table)} in the table", hint)


def misplaced(table: Sequence[Kelurahan], code: str, site: Point) -> str:
    """A warning if `site` lies far outside the kelurahan `code`; "" if it does not.

    Raises ConfigError if there is no such code.
    """
    own = find(table, code)
    outside_m = own.outside_m(site)
    if outside_m <= MARGIN_M:
        return ""
    best = min(table, key=lambda one: (one.outside_m(site), one.centre.away_m(site) / one.reach_m))
    fits = (
        f"; it fits {best}" if best.outside_m(site) <= MARGIN_M else "; it fits none in the table"
    )
    return f"the site lies {_far(outside_m)} outside kelurahan {own}{fits}"


def _row(row: dict[str | Any, str]) -> Kelurahan:
    numbers = [float(row[one]) for one in (*_NUMBERS, _REACH)]
    cut = None in row or None in row.values()  # None holds what stands beyond the last column
    if cut or not all(map(math.isfinite, numbers)) or numbers[-1] <= 0:
        raise ValueError("row")
    lat, lon, south, north, west, east = (round(one * 10**7) for one in numbers[:-1])
    return Kelurahan(
        row["kode_kemendagri"].strip(),
        row["kecamatan"],
        row["kelurahan"],
        Point(lat, lon),
        Point(south, west),
        Point(north, east),
        numbers[-1] * 1000,
    )


def _far(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 950 else f"{metres:.0f} m"
