"""The stored stamps of a boot, as far as their time can be improved or improves that of others.

Those that nobody vouches for within `timeline.CLOSE_MS` are in the table ``loose``. Entries that
the chain does not bear out are no evidence for others.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from edge_agent.central import timeline
from edge_agent.central.boots import Boot
from edge_agent.central.timeline import Claim, Resolved
from edge_agent.contract import entries

#: So many ``clock`` entries to each side are asked: the first that came may be a rough one.
CLOCKS = 4
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored entry whose time can be improved, or that improves others."""

    claim: Claim
    seq: int
    at_ms: int
    received_ms: int
    broken: int
    low_ms: int | None
    high_ms: int | None
    source: str | None


# The seq between two bounds always, so that a boot's part of a table is all that is looked at.
_LOOSE = """
SELECT json_extract(e.text, '$.at'), e.seq, e.at_ms, e.received_ms, e.broken,
    l.low_ms, l.high_ms, l.source
FROM loose l CROSS JOIN entry e ON e.stream = l.stream AND e.seq = l.seq
WHERE l.stream = ? AND l.seq BETWEEN ? AND ? AND json_extract(e.text, '$.at.boot') = ?
ORDER BY l.seq
"""
_SOUND = """
SELECT json_extract(e.text, '$.at'), e.seq, e.at_ms, e.received_ms, e.broken, NULL, NULL, NULL
FROM {} = e.seq WHERE {}.stream = ? AND {}.seq BETWEEN ? AND ?
    AND e.broken = 0 AND json_extract(e.text, '$.at.boot') = ? {} ORDER BY {}.seq
"""
_VOUCHED = _SOUND.format(
    "entry e LEFT JOIN loose l ON l.stream = e.stream AND l.seq",
    *("e", "e", "AND l.vouched IS NOT 0", "e"),
)
_BEFORE = f"{_VOUCHED} DESC LIMIT 1"
_AFTER = f"{_VOUCHED} LIMIT 1"
_CLOCK = _SOUND.format(
    "clock c CROSS JOIN entry e ON e.stream = c.stream AND c.seq", *("c", "c", "", "c")
)
_CLOCKS_BEFORE = f"{_CLOCK} DESC LIMIT {CLOCKS}"
_CLOCKS_AFTER = f"{_CLOCK} LIMIT {CLOCKS}"
_KEEP_CLOSE = """
INSERT OR IGNORE INTO loose
    SELECT stream, seq, 1, json_extract(text, '$.at.utc_ms') - json_extract(text, '$.at.error_ms'),
        json_extract(text, '$.at.utc_ms') + json_extract(text, '$.at.error_ms'),
        json_extract(text, '$.at.source')
    FROM entry WHERE stream = ? AND seq BETWEEN ? AND ? AND json_extract(text, '$.at.boot') = ?
"""


class Stamps:
    """Asks for stored stamps, and writes what was found of their time."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def loose(self, boot: Boot, first: int, last: int) -> list[Stored]:
        """Those of a range that are not close."""
        return self._find(_LOOSE, boot, first, last)

    def before(self, boot: Boot, seq: int) -> Stored | None:
        """The vouched one nearest before an entry."""
        if boot.known_first is None or seq <= boot.known_first:
            return None
        return next(iter(self._find(_BEFORE, boot, boot.known_first, seq - 1)), None)

    def after(self, boot: Boot, seq: int) -> Stored | None:
        """The vouched one nearest after an entry."""
        if boot.known_last is None or seq >= boot.known_last:
            return None
        return next(iter(self._find(_AFTER, boot, seq + 1, boot.known_last)), None)

    def clocks(self, boot: Boot, first: int, last: int) -> list[Stored]:
        """The ``clock`` entries of a range and the nearest few to each side of it, ascending."""
        return [
            *reversed(self.clocks_before(boot, first)),
            *self._find(_CLOCK, boot, first, last),
            *self.clocks_after(boot, last),
        ]

    def clocks_before(self, boot: Boot, seq: int) -> list[Stored]:
        """The nearest few before an entry, nearest first."""
        return self._find(_CLOCKS_BEFORE, boot, boot.first, seq - 1)

    def clocks_after(self, boot: Boot, seq: int) -> list[Stored]:
        """The nearest few after an entry, nearest first."""
        return self._find(_CLOCKS_AFTER, boot, seq + 1, boot.last)

    def _find(self, query: str, boot: Boot, first: int, last: int) -> list[Stored]:
        rows = self._conn.execute(query, (boot.stream, first, last, boot.boot)).fetchall()
        return [Stored(timeline.claim(json.loads(at)), *row) for at, *row in rows]

    def bounds(self, stream: int, seq: int) -> tuple[int | None, int | None, int]:
        """`low_ms` and `high_ms` of an entry as they are resolved, and its `mono_ms`."""
        low_ms, high_ms, source, at = self._conn.execute(
            "SELECT l.low_ms, l.high_ms, l.source, json_extract(e.text, '$.at')"
            " FROM entry e LEFT JOIN loose l ON l.stream = e.stream AND l.seq = e.seq"
            " WHERE e.stream = ? AND e.seq = ?",
            (stream, seq),
        ).fetchone()
        claim = timeline.claim(json.loads(at))
        if source is None:
            own = timeline.own(claim)
            return own.low_ms, own.high_ms, claim.mono_ms
        return low_ms, high_ms, claim.mono_ms

    def entries(self, boot: Boot) -> Iterator[tuple[list[dict[str, Any]], set[int]]]:
        """All entries in a boot's range, parsed, and which of them are broken, some at a time."""
        at = boot.first
        while rows := self._conn.execute(
            "SELECT seq, broken, text FROM entry WHERE stream = ? AND seq BETWEEN ? AND ?"
            " ORDER BY seq LIMIT ?",
            (boot.stream, at, boot.last, _CHUNK),
        ).fetchall():
            yield [json.loads(text) for _, _, text in rows], {seq for seq, bad, _ in rows if bad}
            at = rows[-1][0] + 1

    def write(self, stream: int, found: Iterable[tuple[Stored, Resolved]]) -> None:
        """Put down resolved times, as far as they are news."""
        news = [
            (best_ms, row.seq, one)
            for row, one in found
            if (best_ms := row.claim.utc_ms if one.best_ms is None else one.best_ms) != row.at_ms
            or (one.low_ms, one.high_ms, one.source) != (row.low_ms, row.high_ms, row.source)
        ]
        self._conn.executemany(
            "UPDATE loose SET low_ms = ?, high_ms = ?, source = ? WHERE stream = ? AND seq = ?",
            ((one.low_ms, one.high_ms, one.source, stream, seq) for _, seq, one in news),
        )
        self._conn.executemany(
            "UPDATE entry SET at_ms = ? WHERE stream = ? AND seq = ?",
            ((best_ms, stream, seq) for best_ms, seq, _ in news),
        )

    def verdict(self, stream: int, seq: int) -> tuple[Claim, bool]:
        """The stamp of the ``clock`` entry that judges its boot; whether it settles the matter."""
        at, why = self._conn.execute(
            "SELECT json_extract(text, '$.at'), json_extract(text, '$.why') FROM entry"
            " WHERE stream = ? AND seq = ?",
            (stream, seq),
        ).fetchone()
        return timeline.claim(json.loads(at)), why == entries.SETTLED

    def keep_close(self, boot: Boot, first: int, last: int) -> None:
        """Also those of a range that are close are loose: their boot has a verdict."""
        self._conn.execute(_KEEP_CLOSE, (boot.stream, first, last, boot.boot))

    def keep(self, stream: int, loose: Iterable[dict[str, Any]]) -> None:
        """Entries that are stored and are loose, for now with what they claim."""
        rows = ((entry["seq"], timeline.claim(entry["at"])) for entry in loose)
        claims = ((seq, claim.vouched, timeline.own(claim)) for seq, claim in rows)
        self._conn.executemany(
            "INSERT INTO loose VALUES (?, ?, ?, ?, ?, ?)",
            (
                (stream, seq, vouched, own.low_ms, own.high_ms, own.source)
                for seq, vouched, own in claims
            ),
        )
