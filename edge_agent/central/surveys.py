"""Surveys of the network as they are stored, and what many of them say together.

A survey tells of the time before its stamp, about an hour. It does not count if the chain does not
bear it out, or if it contradicts itself: no length, a length that no terminal can be set to, more
time with a link than time.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import median
from typing import NamedTuple

from sqlite_utils.db import Database

from edge_agent.central.reports import local
from edge_agent.ranges import Ranges

DAY_MS, HOUR_MS, _QUARTER_MS = 86_400_000, 3_600_000, 900_000
#: Twice the longest time between two surveys that a terminal can be set to.
LONGEST_MS = 2 * DAY_MS
#: A best hour has at least this part of the best one's share. A month has thirty of each hour,
#: and the same hour of so many days is by chance a tenth better or worse.
_NEAR_BEST = 0.75

# The index holds all that is needed of `entry`, in the order of time.
_SURVEYS = f"""
SELECT v.stream, v.seq, e.at_ms, e.broken,
    l.seq IS NOT NULL AND ifnull(l.high_ms - l.low_ms > {HOUR_MS}, 1),
    v.length_ms, v.online_ms, v.attempts, v.connections, v.bytes_up + v.bytes_down, v.backlog,
    v.latency_ms, v.oldest_ms, v.bearer, v.registration, v.technology, v.operator, v.rssi_dbm,
    v.rsrp_dbm
FROM entry e INDEXED BY entry_survey
CROSS JOIN survey v ON v.stream = e.stream AND v.seq = e.seq
LEFT JOIN loose l ON l.stream = e.stream AND l.seq = e.seq
WHERE e.kind = 'survey' AND e.at_ms > ? AND e.at_ms <= ?
ORDER BY e.at_ms
"""  # noqa: S608  # our own number


class Survey(NamedTuple):
    """One stored survey; the fields from `length_ms` on as in `contract.entries.Survey`.

    Not a dataclass: a report reads half a million of them.

    Attributes:
        at_ms: when it ended, by the best single statement; see `resolution`.
        broken: the chain does not bear it out.
        undated: `at_ms` is not known within half an hour.
        bytes: up and down.
    """

    stream: int
    seq: int
    at_ms: int
    broken: int
    undated: int
    length_ms: int
    online_ms: int
    attempts: int
    connections: int
    bytes: int
    backlog: int
    latency_ms: int | None
    oldest_ms: int | None
    bearer: str | None
    registration: str | None
    technology: str | None
    operator: str | None
    rssi_dbm: int | None
    rsrp_dbm: int | None


def surveys(db: Database, since_ms: int, until_ms: int) -> Iterator[Survey]:
    """Surveys that end after `since_ms` and not after `until_ms`, in the order of time."""
    return map(Survey._make, db.conn.execute(_SURVEYS, (since_ms, until_ms)))


@dataclass(slots=True)
class Reception:
    """What surveys by one bearer heard: words with how often they were said, figures."""

    surveys: int = 0
    registration: Counter[str] = field(default_factory=Counter)
    technology: Counter[str] = field(default_factory=Counter)
    operator: Counter[str] = field(default_factory=Counter)
    rssi_dbm: list[int] = field(default_factory=list)
    rsrp_dbm: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What the surveys of one site say together.

    Attributes:
        left_out: how many do not count; all else is of those that do.
        told: the milliseconds of which any of them tells.
        by_hour: surveyed time and time with a link in each local hour.
        worst_ms: the greatest age of a backlog.
        last: the last one of each terminal here, by its name.
    """

    zone: str
    surveys: int = 0
    left_out: int = 0
    undated: int = 0
    length_ms: int = 0
    online_ms: int = 0
    attempts: int = 0
    connections: int = 0
    bytes: int = 0
    worst_ms: int | None = None
    told: Ranges = field(default_factory=Ranges)
    latencies_ms: list[int] = field(default_factory=list)
    by_hour: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(24)])
    heard: dict[str, Reception] = field(default_factory=dict)
    last: dict[str, Survey] = field(default_factory=dict)

    def add(self, terminal: str, one: Survey) -> None:
        if one.broken or not 0 < one.length_ms <= LONGEST_MS or one.online_ms > one.length_ms:
            self.left_out += 1
            return
        self.surveys += 1
        self.length_ms += one.length_ms
        self.online_ms += one.online_ms
        self.attempts += one.attempts
        self.connections += one.connections
        self.bytes += one.bytes
        self.told.add(one.at_ms - one.length_ms + 1, one.at_ms)
        if one.latency_ms is not None:
            self.latencies_ms.append(one.latency_ms)
        if one.oldest_ms is not None:
            self.worst_ms = max(self.worst_ms or 0, one.oldest_ms)
        self._place_in_day(one)
        if one.bearer is not None:
            self._hear(one.bearer, one)
        before = self.last.get(terminal)
        if before is None or (before.stream, before.seq) < (one.stream, one.seq):
            self.last[terminal] = one

    def _place_in_day(self, one: Survey) -> None:
        hour = _hour(self.zone, (one.at_ms - one.length_ms // 2) // _QUARTER_MS)
        if one.undated:
            self.undated += 1
        elif hour is not None:
            self.by_hour[hour][0] += one.length_ms
            self.by_hour[hour][1] += one.online_ms

    def _hear(self, bearer: str, one: Survey) -> None:
        heard = self.heard.get(bearer)
        if heard is None:
            heard = self.heard[bearer] = Reception()
        heard.surveys += 1
        for words, word in (
            (heard.registration, one.registration),
            (heard.technology, one.technology),
            (heard.operator, one.operator),
        ):
            if word is not None:
                words[word] += 1
        if one.rssi_dbm is not None:
            heard.rssi_dbm.append(one.rssi_dbm)
        if one.rsrp_dbm is not None:
            heard.rsrp_dbm.append(one.rsrp_dbm)

    @property
    def best_hours(self) -> tuple[int, ...]:
        """Local hours with nearly the best share of time with a link; none where there is none."""
        shares = [
            online_ms / length_ms if length_ms else 0 for length_ms, online_ms in self.by_hour
        ]
        best = max(shares)
        return tuple(
            hour for hour, share in enumerate(shares) if share and share >= best * _NEAR_BEST
        )


@lru_cache(maxsize=100_000)
def _hour(zone: str, quarter: int) -> int | None:
    """The local hour of a quarter of an hour since 1970; no zone has an offset between them."""
    at = local(quarter * _QUARTER_MS, zone).time
    return int(at[:2]) if at else None


def middle(values: Sequence[int]) -> int | None:
    """The median, rounded; None of none."""
    return round(median(values)) if values else None


def usual(words: Counter[str]) -> str | None:
    """The word that was said most often, the first in the alphabet of several; None of none."""
    return min(words, key=lambda word: (-words[word], word)) if words else None
