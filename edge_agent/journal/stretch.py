"""Many entries at once, for the drain of a backlog: no object for each."""

import sqlite3
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Stretch:
    """The texts of entries that follow each other without a hole, and the head after the last."""

    texts: list[str]
    head: bytes


def read_stretch(db: sqlite3.Connection, first: int, last: int, max_bytes: int) -> Stretch | None:
    """Entries from `first` as far as `last` and `max_bytes` of text, at least one.

    None if one is missing or cannot be read as it should: `Journal.read` then says more.
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
