"""Terminals with surveys, as the central sees them: planted hours whose figures are known."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from central_wall import NOW, WITA, Wall, ms, stamp

from edge_agent.central.signal import Period, SiteSignal, signal
from edge_agent.central.store import Store
from edge_agent.contract import entries
from edge_agent.records import Reception, Stamp

HOUR = 3_600_000
#: An hour with nothing in it but its length.
SILENT = entries.Survey(HOUR, 0, 0, 0, 0, 0, 0)
LTE = Reception("modem", "home", "lte", "51010", -87, -101)


def hour(wall: Wall, ended: str, zone: str = WITA, at: Stamp | None = None, **said: object) -> int:
    """Append the survey of the hour that ended then on the wall in `zone`."""
    record = replace(SILENT, **said)  # type: ignore[arg-type]  # any field, by its name
    return wall.add(record, at or stamp(ms(ended, zone)))


def report(store: Store, days: int = 1, now_ms: int = NOW) -> dict[str, SiteSignal]:
    """Sites by id, over so many local days up to `now_ms`."""
    return {one.site: one for one in signal(store.db, Period(now_ms, days=days))}


def make_old(path: Path, strange: list[object]) -> None:
    """Bring a database back to the shape before surveys, and put strange ones into it."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            "DROP TABLE survey; DROP INDEX entry_survey;"
            "ALTER TABLE posting DROP COLUMN lat_e7; ALTER TABLE posting DROP COLUMN lon_e7;"
            "DELETE FROM _sqlite_migrations WHERE name = 'surveys'"
        )
        at = {"boot": "0f" * 16, "mono_ms": 0, "utc_ms": NOW, "source": "none"}
        for seq, said in enumerate(strange, 90):
            text = json.dumps({**said, "kind": "survey", "seq": seq, "at": at})
            row = (1, seq, "survey", NOW, text, NOW, 0)
            db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def check_geojson(text: str) -> dict[str, dict[str, object]]:
    """Hold a text against RFC 7946 as far as points go; gives its features by id."""
    table = json.loads(text)
    assert table.keys() == {"type", "features"}
    assert table["type"] == "FeatureCollection"
    for one in table["features"]:
        assert one.keys() == {"type", "id", "geometry", "properties"}
        assert one["type"] == "Feature"
        assert isinstance(one["id"], str | int)
        assert isinstance(one["properties"], dict)
        if one["geometry"] is not None:
            assert one["geometry"].keys() == {"type", "coordinates"}
            assert one["geometry"]["type"] == "Point"
            lon, lat = one["geometry"]["coordinates"]
            assert all(type(angle) in (int, float) for angle in (lon, lat))
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
    return {one["id"]: one for one in table["features"]}
