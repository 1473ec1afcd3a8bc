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
        elif kind == entries.CLOCK and timeline.claim(entry["at"]).vouched:
            db.execute("INSERT INTO clock VALUES (?, ?)", (stream, entry["seq"]))


def _post(db: sqlite3.Connection, stream: int, entry: dict[str, Any]) -> None:
    said = [entry.get(key) for key in ("site", "site_name", "zone")]
    if all(type(word) is str for word in said):
        db.execute("INSERT INTO posting VALUES (?, ?, ?, ?, ?)", (stream, entry["seq"], *said))


def _enrol(db: sqlite3.Connection, stream: int, entry: dict[str, Any], now_ms: int) -> None:
    """The roster that terminals are told changes with it, and they take only a newer one."""
    said = [entry[key] for key in ("credential", "technology", "scanner", "person")]
    db.execute(
        "INSERT INTO enrolment VALUES (?, ?, ?, ?, ?, ?, ?)",
        (stream, entry["seq"], *said, entry.get("slot")),
    )
    db.execute("UPDATE roster SET version = max(version + 1, ?)", (now_ms,))
