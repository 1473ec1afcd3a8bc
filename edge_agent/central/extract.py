"""What is drawn out of entries, as they are stored, into tables of their own."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from edge_agent.central import timeline
from edge_agent.contract import entries


def extract(
    db: sqlite3.Connection, stream: int, new: Iterable[dict[str, Any]], now_ms: int
) -> None:
    """Note what `new` entries of a stream, those that are no punches, say."""
    for entry in new:
        kind = entry["kind"]
        if kind == entries.START:
            _post(db, stream, entry)
        elif kind == entries.ENROLMENT:
            _enrol(db, stream, entry, now_ms)
        elif kind == entries.SURVEY:
            _survey(db, stream, entry)
        elif kind == entries.CLOCK and timeline.claim(entry["at"]).vouched:
            db.execute("INSERT INTO clock VALUES (?, ?)", (stream, entry["seq"]))


def _post(db: sqlite3.Connection, stream: int, entry: dict[str, Any]) -> None:
    said = [entry.get(key) for key in ("site", "site_name", "zone")]
    if all(type(word) is str for word in said):
        place = (entry.get("lat_e7"), entry.get("lon_e7"))
        if any(type(angle) is not int for angle in place):
            place = (None, None)
        db.execute(
            "INSERT INTO posting VALUES (?, ?, ?, ?, ?, ?, ?)",
            (stream, entry["seq"], *said, *place),
        )


def _enrol(db: sqlite3.Connection, stream: int, entry: dict[str, Any], now_ms: int) -> None:
    """The roster that terminals are told changes with it, and they take only a newer one."""
    said = [entry[key] for key in ("credential", "technology", "scanner", "person")]
    db.execute(
        "INSERT INTO enrolment VALUES (?, ?, ?, ?, ?, ?, ?)",
        (stream, entry["seq"], *said, entry.get("slot")),
    )
    db.execute("UPDATE roster SET version = max(version + 1, ?)", (now_ms,))


_ALWAYS = ("length_ms", "online_ms", "attempts", "connections", "bytes_up", "bytes_down", "backlog")
_MAY = ("latency_ms", "oldest_ms")
_HEARD = ("bearer", "registration", "technology", "operator", "rssi_dbm", "rsrp_dbm")


def _survey(db: sqlite3.Connection, stream: int, entry: dict[str, Any]) -> None:
    """What the contract allows is kept; whether it can be true is asked by who counts it."""
    heard = entry.get("reception", {})
    said = [entry[key] for key in _ALWAYS]
    said += [entry.get(key) for key in _MAY]
    said += [heard.get(key) for key in _HEARD]
    slots = ", ".join("?" * (2 + len(said)))  # question marks only
    db.execute(f"INSERT INTO survey VALUES ({slots})", (stream, entry["seq"], *said))  # noqa: S608
