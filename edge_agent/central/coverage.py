"""How far each terminal is known to have reported: the ground under every "not yet tapped".

A terminal is complete up to an instant T if every entry of its journal is stored from 1 on without
a gap, and

    either  the last of those entries was made at T or later,
    or      the terminal is online: its last will has not fired, the serving program has its broker
            and said so within the last minute, and nothing above those entries was announced.

What an entry says about its time counts no further than the moment it was received, so a clock that
runs ahead proves nothing about the future. A dead link is noticed when the broker fires the last
will, one and a half keepalives after it died: until then such a terminal still counts as online.
If a terminal began a new journal during the day, what the old one had not yet sent may be lost; the
terminal is then complete only as far as the old journal is.
"""

import json
from dataclasses import dataclass, replace

from sqlite_utils.db import Database

from edge_agent.central.reports import spans_of

#: The serving program writes its heartbeat six times as often.
FRESH_MS = 60_000
#: A clock that nobody has set within so many entries dates no beginning.
_EARLY = 50


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far one terminal has reported.

    Attributes:
        reported_ms: every punch up to here is stored; None if that can be said of no instant.
        complete: that reaches the instant asked about.
        why: what the statement rests on, or what is in its way.
        vouched: somebody vouches for the clock behind `reported_ms`.
    """

    terminal: str
    reported_ms: int | None
    complete: bool
    why: str
    vouched: bool


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far the gapless beginning of one journal goes.

    Attributes:
        since_ms: when the central first heard of it.
        began_ms: when its first entry was made, None if that is not known for certain.
        at_ms: when the last entry without a gap before it was made, None if there is none.
    """

    journal: str
    since_ms: int
    began_ms: int | None
    upto: int
    gap: bool
    at_ms: int | None
    vouched: bool


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
        return Coverage(terminal, None, False, "nothing received of its journal", False)
    newest = newest or reaches[-1]
    others = [one for one in reaches if one is not newest]
    if others and min(newest.since_ms, newest.began_ms or newest.since_ms) > day_ms:
        return _judge(terminal, others[-1], at_ms, "began a new journal; known as far as the old")
    if state == "online" and seen.listening and last_seq <= newest.upto and not newest.gap:
        newest = replace(newest, at_ms=seen.now_ms, vouched=True)
        return _judge(terminal, newest, at_ms, "online, everything received")
    return _judge(terminal, newest, at_ms, _why(newest, state))


def _judge(terminal: str, reach: _Reach, at_ms: int, why: str) -> Coverage:
    complete = reach.at_ms is not None and reach.at_ms >= at_ms
    return Coverage(terminal, reach.at_ms, complete, why, reach.vouched)


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
    row = db.conn.execute(
        "SELECT min(at_ms, received_ms), json_extract(text, '$.at.source') <> 'none' FROM entry"
        " WHERE stream = ? AND seq = ?",
        (stream, upto),
    ).fetchone()
    at_ms, vouched = row or (None, False)
    began_ms = _began_ms(db, stream) if upto else None
    return _Reach(journal, since_ms, began_ms, upto, upto == 0 or len(spans) > 1, at_ms, vouched)


def _began_ms(db: Database, stream: int) -> int | None:
    """When entry 1 was made, by the first clock of that boot that somebody vouched for.

    A terminal starts before its clock is set, so entry 1 itself often cannot say.
    """
    stamps = [
        json.loads(text)["at"]
        for (text,) in db.conn.execute(
            "SELECT text FROM entry WHERE stream = ? ORDER BY seq LIMIT ?", (stream, _EARLY)
        )
    ]
    for at in stamps:
        if at["boot"] == stamps[0]["boot"] and at["source"] != "none":
            return int(at["utc_ms"]) - int(at["mono_ms"]) + int(stamps[0]["mono_ms"])
    return None
