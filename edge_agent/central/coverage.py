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
journal is.
"""

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
    """How far the gapless beginning of one journal goes.

    Attributes:
        since_ms: when the central first heard of it.
        began_ms: its first entry was made no sooner, None if nothing is certain.
        begun_ms: its first entry was made no later.
        at_ms: the last entry without a gap before it was made no sooner, None if there is none or
            nothing is certain.
    """

    journal: str
    since_ms: int
    began_ms: int | None
    begun_ms: int
    upto: int
    gap: bool
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
    reaches = _reaches(db, terminal)
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
        return f"entry {reach.upto + 1} is missing"
    if state == "online":
        return "online, not everything received"
    return f"{state}, last entry received"


def _reaches(db: Database, terminal: str) -> list[_Reach]:
    streams = db.conn.execute(
        "SELECT id, journal, since_ms FROM stream WHERE terminal = ? ORDER BY id", (terminal,)
    ).fetchall()
    return [_reach(db, *row) for row in streams]


def _reach(db: Database, stream: int, journal: str, since_ms: int) -> _Reach:
    spans = spans_of(db, stream)
    upto = spans[0][1] if spans and spans[0][0] == 1 else 0
    stamps = Stamps(db.conn)
    at_ms = began_ms = None
    begun_ms = since_ms
    if upto:
        began_ms, high_ms, _ = stamps.bounds(stream, 1)
        begun_ms = min(since_ms, since_ms if high_ms is None else high_ms)
        low_ms, _, _ = stamps.bounds(stream, upto)
        (received_ms,) = db.conn.execute(
            "SELECT received_ms FROM entry WHERE stream = ? AND seq = ?", (stream, upto)
        ).fetchone()
        at_ms = None if low_ms is None else min(low_ms, received_ms)
    gap = upto == 0 or len(spans) > 1
    return _Reach(journal, since_ms, began_ms, begun_ms, upto, gap, at_ms)
