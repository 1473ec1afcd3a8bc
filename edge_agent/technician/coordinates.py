"""Coordinates as people type them: read strictly, and asked back where they cannot be meant.

A comma for a dot, latitude and longitude swapped, a minus forgotten: each gives a number, and a
terminal that would be "outside" for ever. Nothing is guessed; the error shows what to type. South
of the equator that needs more than the box around Indonesia, of which 6 degrees north is a part:
where it ends in the north depends on the longitude. That line is drawn coarsely, on the generous
side, from the best-known outermost islands and towns; nobody has surveyed it for us.
"""

import math
import re
from itertools import product

from edge_agent.errors import ConfigError
from edge_agent.technician.survey import Point

_SOUTH, _WEST, _EAST = -11.1, 95.0, 141.1
#: From this longitude on there is nothing Indonesian north of this latitude.
_NORTH_FROM = (
    (95.0, 6.1),  # Aceh: Rondo
    (98.3, 4.6),  # North Sumatra
    (103.0, 3.6),  # Anambas
    (107.3, 5.0),  # Natuna: Laut, Sekatung
    (109.4, 2.2),  # West Kalimantan: Sambas
    (114.0, 4.5),  # North Kalimantan, Sebatik
    (118.1, 2.6),  # Maratua
    (119.5, 1.8),  # Tolitoli, Buol, Gorontalo
    (124.4, 5.7),  # Sangihe, Talaud: Miangas
    (127.3, 2.8),  # Morotai
    (129.5, 1.2),  # Raja Ampat, Mapia
)
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,15})?", re.ASCII)
#: What people write around a number; LS, LU and BT are lintang selatan, lintang utara, bujur timur.
_SIDED = re.compile(r"([+-]?)(\d{1,3}(?:\.\d{1,15})?)(S|LS|N|LU|E|BT|)", re.IGNORECASE | re.ASCII)
_WRITTEN = str.maketrans({"−": "-", "–": "-", ",": ".", "°": "", " ": ""})  # noqa: RUF001

#: Between which longitudes a zone is kept in Indonesia, generously.
_ZONES = {
    "Asia/Jakarta": (95.0, 115.0),
    "Asia/Pontianak": (108.0, 115.0),
    "Asia/Makassar": (113.5, 127.6),
    "Asia/Jayapura": (124.0, 141.1),
}
_TAKE = "take the position"


def typed(latitude: str, longitude: str, *, anyway: bool = False) -> Point:
    """The point that somebody typed, `anyway` also outside Indonesia.

    Raises ConfigError with what to type instead.
    """
    lat, lon = number(latitude, "latitude"), number(longitude, "longitude")
    subject = f"{latitude}, {longitude}"
    if lat == lon == 0:
        hint = "read it from the receiver (edge-agent site survey) or from a map"
        raise ConfigError(_TAKE, subject, "0, 0 lies in the Gulf of Guinea", hint)
    if not in_indonesia(lat, lon):
        meant = list(dict.fromkeys(_mistaken(lat, lon)))
        if meant and not anyway:
            hint = " or ".join(f"--latitude {one} --longitude {two}" for one, two in meant)
            cause = "not in Indonesia; swapped, or a minus too few"
            raise ConfigError(_TAKE, subject, cause, f"did you mean {hint}?")
        if not anyway:
            hint = "look again; --anyway for a site elsewhere"
            raise ConfigError(_TAKE, subject, "not in Indonesia", hint)
        if abs(lat) > 90 or abs(lon) > 180:
            hint = "latitude first: -90 to 90, then longitude: -180 to 180"
            raise ConfigError(_TAKE, subject, "nowhere on earth", hint)
    return Point(round(lat * 10**7), round(lon * 10**7))


def number(text: str, what: str) -> float:
    """Decimal degrees. Raises ConfigError, with what to write if that is clear."""
    if _NUMBER.fullmatch(text):
        return float(text)
    hint = "decimal degrees with a dot, south negative, e.g. -5.36944"
    sided = _SIDED.fullmatch(text.translate(_WRITTEN))
    if sided:
        sign, digits, side = sided.groups()
        minus = "-" if sign == "-" or side.upper() in ("S", "LS") else ""
        hint = f"write {minus}{digits}"
    raise ConfigError(f"take the {what}", text, "not a number of degrees", hint)


def in_indonesia(latitude: float, longitude: float) -> bool:
    """Whether this can be a place in Indonesia, in degrees; sea nearby counts."""
    if not _WEST <= longitude <= _EAST:
        return False
    north = max((from_, limit) for from_, limit in _NORTH_FROM if from_ <= longitude)[1]
    return _SOUTH <= latitude <= north


def coarseness_m(text: str) -> float:
    """How far off a number of degrees can be for want of decimals, in metres."""
    return 111_320 / 2 / 10.0 ** len(text.partition(".")[2])


def zone_doubt(zone: str, longitude: float) -> str:
    """Why `zone` is strange at this longitude; "" if it is not, or nothing is known of it."""
    west, east = _ZONES.get(zone, (-math.inf, math.inf))
    if west <= longitude <= east:
        return ""
    usual = [name for name, (low, high) in _ZONES.items() if low <= longitude <= high]
    return f"{zone} is not kept at longitude {longitude:.2f}; usual there: {', '.join(usual)}"


def _mistaken(lat: float, lon: float) -> list[tuple[float, float]]:
    """What may have been meant: a minus more or less, the two swapped, or both."""
    pairs = [(lat, lon), (lon, lat)]
    signs = list(product((1, -1), repeat=2))
    candidates = [(one * a, two * b) for one, two in pairs for a, b in signs]
    return [one for one in candidates if in_indonesia(*one)]
