"""The boots of a journal: which entries are of which, and what one boot is certain of for others.

    known boot      somebody vouches for a stamp of it: what is certain at its end and at its
                    beginning comes from the last and the first of these
    unknown boot    nobody does: it lies between the end of the boot before it and the beginning of
                    the boot after it, and what it hands on is that, less or more what it ran

The rows are what the stored entries say, so they do not depend on the order of arrival. Entries
that the chain does not bear out have no say.
"""

import sqlite3
from collections.abc import Container, Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from typing import Any

from edge_agent.central.timeline import CLOSE_MS, NONE, Edge, claim
from edge_agent.contract import entries

_COLUMNS = (
    "stream, boot, first, last, mono_ms, known_first, known_last, floor_ms, floor_mono_ms,"
    " after_ms, before_ms, verdict"
)
_PUT = f"""
INSERT INTO boot ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (stream, boot) DO UPDATE SET first = excluded.first, last = excluded.last,
    mono_ms = excluded.mono_ms, known_first = excluded.known_first,
    known_last = excluded.known_last, floor_ms = excluded.floor_ms,
    floor_mono_ms = excluded.floor_mono_ms, after_ms = excluded.after_ms,
    before_ms = excluded.before_ms, verdict = excluded.verdict
"""  # noqa: S608  # our own words


@dataclass(frozen=True, slots=True)
class Boot:
    """One boot of a terminal, as far as a journal tells of it.

    Attributes:
        first, last: seqs of its first and last stored entry.
        mono_ms: the latest monotonic time seen of it.
        known_first, known_last: seqs of the first and last stamp that somebody vouches for.
        floor_ms, floor_mono_ms: at this monotonic time UTC was this or later, by a ``start`` entry.
        after_ms: UTC when it began was this or later, by the boots before it.
        before_ms: UTC at `mono_ms` was this or earlier, by the boots after it.
        verdict: seq of the last ``clock`` entry that judges the others, see `timeline.judged`.
    """

    stream: int
    boot: str
    first: int
    last: int
    mono_ms: int
    known_first: int | None = None
    known_last: int | None = None
    floor_ms: int | None = None
    floor_mono_ms: int | None = None
    after_ms: int | None = None
    before_ms: int | None = None
    verdict: int | None = None

    @property
    def known(self) -> bool:
        return self.known_first is not None

    @property
    def lower(self) -> tuple[Edge, ...]:
        """What bounds an unknown boot from below."""
        found = []
        if self.after_ms is not None:
            found.append(Edge(self.after_ms, 0))
        if self.floor_ms is not None and self.floor_mono_ms is not None:
            found.append(Edge(self.floor_ms, self.floor_mono_ms))
        return tuple(found)

    @property
    def upper(self) -> tuple[Edge, ...]:
        """What bounds an unknown boot from above."""
        return () if self.before_ms is None else (Edge(self.before_ms, self.mono_ms),)

    def joined(self, more: "Boot") -> "Boot":
        """With more of its entries."""
        floors = [one for one in (self, more) if one.floor_ms is not None]
        floor = max(floors, key=_floor_rank, default=self)
        return replace(
            self,
            first=min(self.first, more.first),
            last=max(self.last, more.last),
            mono_ms=max(self.mono_ms, more.mono_ms),
            known_first=_least(self.known_first, more.known_first),
            known_last=_most(self.known_last, more.known_last),
            floor_ms=floor.floor_ms,
            floor_mono_ms=floor.floor_mono_ms,
            verdict=_most(self.verdict, more.verdict),
        )


def _floor_rank(one: Boot) -> tuple[int, int]:
    floor_ms, mono_ms = one.floor_ms or 0, one.floor_mono_ms or 0
    return floor_ms - mono_ms, mono_ms


def _least(one: int | None, other: int | None) -> int | None:
    return min((seq for seq in (one, other) if seq is not None), default=None)


def _most(one: int | None, other: int | None) -> int | None:
    return max((seq for seq in (one, other) if seq is not None), default=None)


@dataclass(slots=True)
class Stretch:
    """Entries of one boot that were stored at once.

    Attributes:
        boot: what they say of it.
        loose: those that are not vouched for closely.
        others: those that are no punches.
        clocks: seqs of the first and last ``clock`` entry among them.
    """

    boot: Boot
    loose: list[dict[str, Any]]
    others: list[dict[str, Any]]
    clocks: tuple[int, int] | None = None


def stretches(
    stream: int, new: Iterable[dict[str, Any]], broken: Container[int]
) -> Iterator[Stretch]:
    """What `new` entries, ascending, say of their boots; those whose seq is `broken` have no say.

    Each stretch is of one boot, in the order of seq. This looks at every entry that comes in.
    """
    boot = ""
    first = last = most = known_first = known_last = 0
    loose: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for entry in new:
        at = entry["at"]
        if at["boot"] != boot:
            if boot:
                one = Boot(stream, boot, first, last, most, known_first or None, known_last or None)
                yield _stretch(one, loose, others, broken)
            boot, first, loose, others = at["boot"], entry["seq"], [], []
            most = known_first = known_last = 0
        last = entry["seq"]
        error_ms = at.get("error_ms")
        vouched = error_ms is not None and at["source"] != NONE
        if not vouched or error_ms > CLOSE_MS:
            loose.append(entry)
        if entry["kind"] != entries.PUNCH:
            others.append(entry)
        if broken and last in broken:
            continue
        if at["mono_ms"] > most:  # noqa: PLR1730  # max() takes three times as long
            most = at["mono_ms"]
        if vouched:
            known_last = last
            known_first = known_first or last
    if boot:
        one = Boot(stream, boot, first, last, most, known_first or None, known_last or None)
        yield _stretch(one, loose, others, broken)


def _stretch(
    boot: Boot, loose: list[dict[str, Any]], others: list[dict[str, Any]], broken: Container[int]
) -> Stretch:
    clocks = []
    for entry in others:
        floor_ms, mono_ms = entry.get("floor_ms"), entry["at"]["mono_ms"]
        if entry["seq"] in broken:
            continue
        if entry["kind"] == entries.CLOCK:
            clocks.append(entry["seq"])
            if claim(entry["at"]).vouched and entry["why"] in (entries.DOUBTED, entries.SETTLED):
                boot = boot.joined(replace(boot, verdict=entry["seq"]))
        elif entry["kind"] == entries.START and type(floor_ms) is int:
            boot = boot.joined(replace(boot, floor_ms=floor_ms, floor_mono_ms=mono_ms))
    return Stretch(boot, loose, others, (clocks[0], clocks[-1]) if clocks else None)


class Boots:
    """The table of boots."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def get(self, stream: int, boot: str) -> Boot | None:
        return self._one("boot = ?", stream, boot)

    def at(self, key: tuple[int, str]) -> Boot:
        """One that is there. Raises KeyError."""
        if boot := self.get(*key):
            return boot
        raise KeyError(key)

    def next(self, one: Boot) -> Boot | None:
        """The boot after it that has entries here."""
        return self._one("first > ? ORDER BY first LIMIT 1", one.stream, one.first)

    def previous(self, one: Boot) -> Boot | None:
        return self._one("first < ? ORDER BY first DESC LIMIT 1", one.stream, one.first)

    def _one(self, where: str, *given: int | str) -> Boot | None:
        row = self._conn.execute(
            f"SELECT {_COLUMNS} FROM boot WHERE stream = ? AND {where}",  # noqa: S608
            given,
        ).fetchone()
        return Boot(*row) if row else None

    def put(self, one: Boot) -> None:
        self._conn.execute(_PUT, astuple(one))

    def doubt(self, stream: int, seq: int) -> None:
        """What an entry says does not count any more: its boot has to be told again."""
        self._conn.execute(
            "UPDATE boot SET stale = 1 WHERE stream = ? AND first <= ? AND last >= ?",
            (stream, seq, seq),
        )

    def told(self, one: Boot) -> None:
        """It has been told again."""
        self.put(one)
        self._conn.execute(
            "UPDATE boot SET stale = 0 WHERE stream = ? AND boot = ?", (one.stream, one.boot)
        )

    def stale(self) -> list[Boot]:
        """Those that have to be told again from their entries."""
        rows = self._conn.execute(
            f"SELECT {_COLUMNS} FROM boot INDEXED BY boot_stale"  # noqa: S608
            " WHERE stale = 1 ORDER BY stream, first"
        )
        return [Boot(*row) for row in rows]
