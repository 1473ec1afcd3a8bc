"""What the central's database says, as frozen dataclasses. Nothing here writes.

    with reading(db := open_database(path)): ...        see `schema`
    punches(db, site="kec-bungi", since_ms=...)         punches, by the local time of their site
    gaps(db)                                            what is missing of each journal
    refusals(db)                                        what was not accepted, and why

The date of a punch is the one on the wall where it was made: 07:30 in Baubau is 23:30 UTC of the
day before. Its zone is the one that the terminal's last ``start`` entry before the punch states; if
none is known, UTC is used and `zone_known` is False.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from sqlite_utils.db import Database

from edge_agent.central.bindings import Bindings
from edge_agent.contract.canonical import MAX_INTEGER
from edge_agent.ranges import Ranges

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant on the wall of a site.

    Attributes:
        date: ISO date, "" if the instant lies outside the years 1 to 9999.
        time: hours, minutes and seconds.
        zone: IANA name of the zone used.
        zone_known: False if the site's zone is unknown and UTC was used.
    """

    date: str
    time: str
    zone: str
    zone_known: bool


@dataclass(frozen=True, slots=True)
class PunchLine:
    """One stored punch, with who and where as far as the central knows.

    Attributes:
        site: "" if no ``start`` entry and no status has said where the terminal belongs.
        local: when, on the site's wall.
        at_ms: when, by the terminal's clock; `source` vouches for it within `error_ms`.
        person: by the central's roster, else by an enrolment at a terminal (see `bindings`), else
            as the punch stated it, else None.
        named_by: ``roster``, ``enrolment``, ``terminal`` or "".
        repeat_of: seq of the punch that this one repeats.
        broken: the chain does not bear this entry out.
    """

    terminal: str
    journal: str
    seq: int
    site: str
    site_name: str
    local: LocalTime
    at_ms: int
    source: str
    error_ms: int | None
    person: str | None
    name: str | None
    named_by: str
    credential: str
    technology: str
    scanner: str
    grade: str
    distance_m: int | None
    repeat_of: int | None
    received_ms: int
    broken: bool


@dataclass(frozen=True, slots=True)
class JournalGaps:
    """What is stored of one journal, and what is not.

    Attributes:
        stored: number of entries stored.
        upto: every entry from 1 to here is stored.
        last: highest stored seq.
        missing: inclusive ranges below `last` that are not stored.
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


def local(at_ms: int, zone: str | None) -> LocalTime:
    """The wall time at `at_ms` in the IANA `zone`; in UTC if that is None or no zone."""
    found = _zone(zone)
    name = zone if found and zone else "UTC"
    try:
        when = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(found or UTC)
    except OverflowError:
        return LocalTime("", "", name, found is not None)
    text = when.isoformat(sep=" ", timespec="seconds")
    return LocalTime(text[:10], text[11:19], name, found is not None)


@cache
def _zone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # unknown, malformed, the name of a folder
        return None


# The two hints make the cost that of the punches between the two instants, not of all entries.
_PUNCHES = """
SELECT e.stream, s.terminal, s.journal, e.seq, e.at_ms, e.received_ms, e.broken, e.text,
    coalesce(p.site, t.site, '') AS site, coalesce(p.site_name, '') AS site_name, p.zone,
    h.person, r.name, k.name AS stated_name
FROM entry e INDEXED BY entry_punch
CROSS JOIN stream s ON s.id = e.stream
LEFT JOIN terminal t ON t.name = s.terminal
LEFT JOIN posting p ON p.stream = e.stream AND p.seq = coalesce(
    (SELECT max(seq) FROM posting WHERE stream = e.stream AND seq < e.seq),
    (SELECT min(seq) FROM posting WHERE stream = e.stream))
LEFT JOIN holder h ON h.credential = json_extract(e.text, '$.credential')
LEFT JOIN person r ON r.id = h.person
LEFT JOIN person k ON k.id = json_extract(e.text, '$.person')
WHERE e.kind = 'punch' AND e.at_ms BETWEEN :since AND :until
    AND (:terminal IS NULL OR s.terminal = :terminal)
    AND (:site IS NULL OR coalesce(p.site, t.site, '') = :site)
ORDER BY e.at_ms DESC, s.terminal DESC, e.stream DESC, e.seq DESC
LIMIT coalesce(:limit, -1)
"""


def punches(
    db: Database,
    *,
    site: str | None = None,
    terminal: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    limit: int | None = None,
) -> tuple[PunchLine, ...]:
    """Stored punches in the order of their time; with `limit`, the latest so many.

    Args:
        site: only punches made where the terminal belonged to this site.
        terminal: only punches of this terminal.
        since_ms, until_ms: only punches from here to there, both included.
    """
    found = db.query(
        _PUNCHES,
        {
            "site": site,
            "terminal": terminal,
            "since": -MAX_INTEGER if since_ms is None else since_ms,
            "until": MAX_INTEGER if until_ms is None else until_ms,
            "limit": limit,
        },
    )
    bindings = Bindings(db)
    return tuple(_punch(row, bindings) for row in found)[::-1]


def _punch(row: dict[str, Any], bindings: Bindings) -> PunchLine:
    entry = json.loads(row["text"])
    person, name, named_by = _named(row, entry, bindings)
    return PunchLine(
        terminal=row["terminal"],
        journal=row["journal"],
        seq=row["seq"],
        site=row["site"],
        site_name=row["site_name"],
        local=local(row["at_ms"], row["zone"]),
        at_ms=row["at_ms"],
        source=entry["at"]["source"],
        error_ms=_number(entry["at"].get("error_ms")),
        person=person,
        name=name,
        named_by=named_by,
        credential=entry["credential"],
        technology=entry["technology"],
        scanner=entry["scanner"],
        grade=entry["place"]["grade"],
        distance_m=_number(entry["place"].get("distance_m")),
        repeat_of=_number(entry.get("repeat_of")),
        received_ms=row["received_ms"],
        broken=bool(row["broken"]),
    )


def _named(
    row: dict[str, Any], entry: dict[str, Any], bindings: Bindings
) -> tuple[str | None, str | None, str]:
    """Person, name, and who says so."""
    if row["person"]:
        return row["person"], row["name"], "roster"
    place = row["stream"], row["seq"]
    enrolled = bindings.at_punch(entry["credential"], row["terminal"], *place)
    if enrolled:
        return enrolled.person, enrolled.name, "enrolment"
    stated = _text(entry.get("person"))
    return stated, row["stated_name"], "terminal" if stated else ""


def gaps(db: Database) -> tuple[JournalGaps, ...]:
    """Each journal's gaps, by terminal and in the order the journals were first heard of."""
    return tuple(
        _journal(db, row)
        for row in db.query(
            "SELECT s.id, s.terminal, s.journal, t.heard_ms, t.state,"
            " (SELECT count(*) FROM entry WHERE stream = s.id AND broken = 1) AS broken"
            " FROM stream s JOIN terminal t ON t.name = s.terminal ORDER BY s.terminal, s.id"
        )
    )


def _journal(db: Database, row: dict[str, Any]) -> JournalGaps:
    spans = spans_of(db, row["id"])
    last = spans[-1][1] if spans else 0
    stored = Ranges(spans)
    return JournalGaps(
        terminal=row["terminal"],
        journal=row["journal"],
        stored=stored.count,
        upto=spans[0][1] if spans and spans[0][0] == 1 else 0,
        last=last,
        missing=tuple(Ranges([(1, last)]).minus(stored)),
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


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if type(value) is int else None
