"""Entries out of SQLite: one by one with all that can be wrong with a row, or many as they stand.

A row of a worn card may hold anything: what cannot be a head becomes zeros, which no text has.
"""

import sqlite3
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from edge_agent.contract import chain
from edge_agent.records import Entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """The texts of entries that follow each other without a hole, and the head after the last."""

    texts: list[str]
    head: bytes


def read_stretch(db: sqlite3.Connection, first: int, last: int, max_bytes: int) -> Stretch | None:
    """Entries from `first` as far as `last` and `max_bytes` of text, at least one; no object each.

    None if one is missing or cannot be read as it should: `read_entries` then says more.
    """
    query = "SELECT CAST(text AS TEXT) FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq"
    try:
        texts = [text for (text,) in db.execute(query, (first, last))]
        if len(texts) != last - first + 1:
            return None
        if sum(map(len, texts)) > max_bytes:
            texts = texts[: max(1, bisect_right(list(accumulate(map(len, texts))), max_bytes))]
        query = "SELECT CAST(head AS BLOB) FROM entry WHERE seq = ?"
        (head,) = db.execute(query, (first + len(texts) - 1,)).fetchone()
    except sqlite3.Error:
        return None
    return Stretch(texts, head)


def read_entries(db: sqlite3.Connection, first: int, last: int, max_bytes: int) -> list[Entry]:
    """Entries from `first` on, as far as `last` and `max_bytes` of text; at least one.

    Raises sqlite3.Error.
    """
    rows = db.execute(
        "SELECT seq, kind, CAST(text AS TEXT), CAST(head AS BLOB) FROM entry"
        " WHERE seq BETWEEN ? AND ? ORDER BY seq",
        (first, last),
    )
    found: list[Entry] = []
    for seq, kind, text, head in rows:
        max_bytes -= len(text)
        if found and max_bytes < 0:
            break
        found.append(Entry(seq, kind, text, as_head(head)))
    rows.close()
    return found


def as_head(found: object) -> bytes:
    """A head as it stands in a row."""
    if isinstance(found, bytes) and len(found) == chain.HEAD_BYTES:
        return found
    return bytes(chain.HEAD_BYTES)


def lenient(data: bytes) -> str:
    """Text of a row, with a mark for each byte that is none."""
    return data.decode(errors="replace")
