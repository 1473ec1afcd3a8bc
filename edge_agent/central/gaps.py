"""What is missing of each journal, and what was not accepted. Nothing here writes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlite_utils.db import Database

from edge_agent.ranges import Ranges


@dataclass(frozen=True, slots=True)
class JournalGaps:
    """What is stored of one journal, and what is not.

    Attributes:
        stored: number of entries stored.
        upto: every entry from 1 to here is stored.
        last: highest stored seq.
        missing: inclusive ranges below `last` that are not stored.
        lost: those of them that the terminal, as it said itself, does not hold any more: it was
            told once that they are stored, and that database is no more. They never come.
        forks: seqs whose entry does not follow from the entry before, so no receipt goes beyond.
        broken: number of entries that the chain does not bear out.
        heard_ms: when the terminal was last heard.
    """

    terminal: str
    journal: str
    stored: int
    upto: int
    last: int
    missing: tuple[tuple[int, int], ...]
    lost: tuple[tuple[int, int], ...]
    forks: tuple[int, ...]
    broken: int
    state: str
    heard_ms: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Messages that were not accepted; `source` is a terminal, "" if the topic named none."""

    source: str
    reason: str
    count: int
    detail: str
    last_ms: int


def gaps(db: Database) -> tuple[JournalGaps, ...]:
    """Each journal's gaps, by terminal and in the order the journals were first heard of."""
    return tuple(
        _journal(db, row)
        for row in db.query(
            "SELECT s.id, s.terminal, s.journal, t.heard_ms, t.state,"
            " iif(t.journal = s.journal, t.first_seq, 1) AS first_seq,"
            " (SELECT count(*) FROM entry WHERE stream = s.id AND broken = 1) AS broken"
            " FROM stream s JOIN terminal t ON t.name = s.terminal ORDER BY s.terminal, s.id"
        )
    )


def _journal(db: Database, row: dict[str, Any]) -> JournalGaps:
    spans = spans_of(db, row["id"])
    last = spans[-1][1] if spans else 0
    stored = Ranges(spans)
    missing = Ranges([(1, last)]).minus(stored)
    return JournalGaps(
        terminal=row["terminal"],
        journal=row["journal"],
        stored=stored.count,
        upto=spans[0][1] if spans and spans[0][0] == 1 else 0,
        last=last,
        missing=tuple(missing),
        lost=tuple(missing.minus(Ranges([(row["first_seq"], last)]))),
        forks=tuple(b[0] for a, b in pairwise(spans) if a[1] + 1 == b[0]),
        broken=row["broken"],
        state=row["state"],
        heard_ms=row["heard_ms"],
    )


def spans_of(db: Database, stream: int) -> list[tuple[int, int]]:
    """The stored ranges of a journal, ascending; they touch only where the journal forks."""
    return db.conn.execute(
        "SELECT first, last FROM span WHERE stream = ? ORDER BY first", (stream,)
    ).fetchall()


def refusals(db: Database) -> tuple[Refusal, ...]:
    """What was refused, by sender and reason."""
    found = db.query("SELECT source, reason, count, detail, last_ms FROM refusal ORDER BY 1, 2")
    return tuple(Refusal(**row) for row in found)
