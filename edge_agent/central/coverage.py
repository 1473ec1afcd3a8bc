"""How far each terminal is known to have reported: the ground under every "not yet tapped".

A terminal is complete up to an instant T if every entry of its journal is stored from 1 on without
a gap, and

    either  the last of those entries was made at T or later,
    or      the terminal is online: its last will has not fired, the serving program has its broker
            and said so within the last minute, and nothing above those entries was announced.

That entry counts as made when it certainly had been made: at the lower bound of its resolved time,
and no later than it was received, so a clock that runs ahead proves nothing about the future. A
dead link is noticed when the broker fires the last will, one and a half keepalives after it died:
until then such a terminal still counts as online. If a terminal began a new journal during the day,
what the old one had not yet sent may be lost; the terminal is then complete only as far as the old
journal is. What a terminal says that it holds no more (see `gaps`) is waited for no longer: above
it, it is complete for a day that began when the first entry above had certainly been made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlite_utils.db import Database

from edge_agent.central.gaps import spans_of
from edge_agent.central.stamps import Stamps

#: The serving program writes its heartbeat six times as often.
FRESH_MS = 60_000


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one terminal has reported.

    Attributes:
        reported_ms: every punch up to here is stored; None if that can be said of no instant.
        complete: that reaches the instant asked about.
        why: what the statement rests on, or what is in its way.
    """

    terminal: str
    reported_ms: int | None
    complete: bool
    why: str


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far the gapless beginning of one journal goes, or what is gapless above a loss.

    Attributes:
        since_ms: when the central first heard of it.
        began_ms: its first entry was made no sooner, None if nothing is certain.
        begun_ms: its first entry was made no later.
        at_ms: the last entry without a gap before it was made no sooner, None if there is none or
            nothing is certain.
        upto: the last entry without a gap; `gap`: something above it is stored, or nothing below;
            `lost`: the next is missing and never comes.
    """

    journal: str
    since_ms: int
    began_ms: int | None
    begun_ms: int
    upto: int
    gap: bool
    lost: bool
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Watch:
    """Whether the central itself would have heard: the serving program's heartbeat, judged now."""

    now_ms: int
    listening: bool


def watch(db: Database, now_ms: int) -> Watch:
    """The state of the serving program at `now_ms`."""
    row = db.conn.execute("SELECT connected, beat_ms FROM serving").fetchone()
    return Watch(now_ms, bool(row and row[0] and abs(now_ms - row[1]) < FRESH_MS))


def coverage(db: Database, terminal: str, day_ms: int, at_ms: int, seen: Watch) -> Coverage | None:
    """How far `terminal` has reported on the day that began at `day_ms`, up to `at_ms`.

    Returns:
        None if the terminal certainly made its first entry only after `at_ms`.
    """
    state, journal, last_seq = db.conn.execute(
        "SELECT state, journal, coalesce(last_seq, 0) FROM terminal WHERE name = ?", (terminal,)
    ).fetchone()
    reaches = _reaches(db, terminal, day_ms)
    if reaches and all(one.began_ms is not None and one.began_ms > at_ms for one in reaches):
        return None
    newest = next((one for one in reaches if one.journal == journal), None)
    if not reaches or (journal is not None and newest is None):
        return Coverage(terminal, None, False, "nothing received of its journal")
    newest = newest or reaches[-1]
    others = [one for one in reaches if one is not newest]
    if others and newest.begun_ms > day_ms:
        return _judge(terminal, others[-1], at_ms, "began a new journal; known as far as the old")
    if state == "online" and seen.listening and last_seq <= newest.upto and not newest.gap:
        newest = replace(newest, at_ms=seen.now_ms)
        return _judge(terminal, newest, at_ms, "online, everything received")
    return _judge(terminal, newest, at_ms, _why(newest, state))


def _judge(terminal: str, reach: _Reach, at_ms: int, why: str) -> Coverage:
    complete = reach.at_ms is not None and reach.at_ms >= at_ms
    return Coverage(terminal, reach.at_ms, complete, why)


def _why(reach: _Reach, state: str) -> str:
    if reach.gap:
        return f"entry {reach.upto + 1} is {'lost' if reach.lost else 'missing'}"
    if state == "online":
        return "online, not everything received"
    return f"{state}, last entry received"


def _reaches(db: Database, terminal: str, day_ms: int) -> list[_Reach]:
    streams = db.conn.execute(
        "SELECT s.id, s.journal, s.since_ms, iif(t.journal = s.journal, t.first_seq, 1)"
        " FROM stream s JOIN terminal t ON t.name = s.terminal WHERE s.terminal = ? ORDER BY s.id",
        (terminal,),
    ).fetchall()
    return [_reach(db, day_ms, *row) for row in streams]


def _reach(
    db: Database, day_ms: int, stream: int, journal: str, since_ms: int, first_seq: int
) -> _Reach:
    spans = spans_of(db, stream)
    stamps = Stamps(db.conn)
    first, upto = spans[0] if spans and spans[0][0] == 1 else (1, 0)
    above = _above_loss(spans, first_seq)
    if above is not None:
        _, high_ms, _ = stamps.bounds(stream, above[0])
        if high_ms is not None and high_ms <= day_ms:
            first, upto = above
    at_ms = began_ms = None
    begun_ms = since_ms
    if upto:
        began_ms, high_ms, _ = stamps.bounds(stream, first)
        begun_ms = min(since_ms, since_ms if high_ms is None else high_ms)
        low_ms, _, _ = stamps.bounds(stream, upto)
        (received_ms,) = db.conn.execute(
            "SELECT received_ms FROM entry WHERE stream = ? AND seq = ?", (stream, upto)
        ).fetchone()
        at_ms = None if low_ms is None else min(low_ms, received_ms)
    gap = upto == 0 or upto != spans[-1][1]
    lost = upto + 1 < first_seq
    return _Reach(journal, since_ms, began_ms, begun_ms, upto, gap, lost, at_ms)


def _above_loss(spans: Sequence[tuple[int, int]], first_seq: int) -> tuple[int, int] | None:
    """The stored range with the terminal's oldest entry, if there is a hole below, not a fork."""
    for at, (first, last) in enumerate(spans):
        if first <= first_seq <= last:
            return (first, last) if first - 1 > (spans[at - 1][1] if at else 0) else None
    return None
