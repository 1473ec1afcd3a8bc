"""Punches as the central knows them, as frozen dataclasses. Nothing here writes.

    with reading(db := open_database(path)): ...        see `schema`
    punches(db, site="kec-bungi", since_ms=...)         punches, by their resolved time

The date of a punch is the one on the wall where it was made: 07:30 in Baubau is 23:30 UTC of the
day before. Its zone is the one that the terminal's last ``start`` entry before the punch states; if
none is known, there is no date and no hour, and `zone_known` is False: UTC's would be wrong.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlite_utils.db import Database

from edge_agent.central import timeline
from edge_agent.central.bindings import Bindings
from edge_agent.central.timeline import Resolved
from edge_agent.contract.canonical import MAX_INTEGER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant on the wall of a site.

    Attributes:
        date: ISO date, "" if the zone is unknown or the instant lies outside the years 1 to 9999.
        time: hours, minutes and seconds, "" likewise.
        zone: IANA name of the zone, "" if it is unknown.
        zone_known: False if the site's zone is unknown.
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
        local: when, on the site's wall: that of `at_ms`.
        at_ms: when, by the best single statement; see `resolution`.
        not_before_ms, not_after_ms: the truth lies between these; None where nothing bounds it.
        source: whose word that is: who vouched for this stamp or for the anchor that dates it,
            ``between`` for what is bounded by other boots only, ``none``.
        error_ms: how far the truth can be from `at_ms`, None if a bound is missing.
        claimed_ms, claimed_source: what the terminal's clock said then.
        person: by the central's roster, else by an enrolment at a terminal (see `bindings`), else
            as the punch stated it, else None.
        named_by: ``roster``, ``enrolment``, ``terminal`` or "".
        grade: how sure the place is; the rest to `reasons` is its evidence, as in `records.Place`.
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
    not_before_ms: int | None
    not_after_ms: int | None
    source: str
    error_ms: int | None
    claimed_ms: int
    claimed_source: str
    person: str | None
    name: str | None
    named_by: str
    credential: str
    technology: str
    scanner: str
    grade: str
    reasons: str | None
    age_ms: int | None
    distance_m: int | None
    satellites: int | None
    hdop_e2: int | None
    cn0: int | None
    repeat_of: int | None
    received_ms: int
    broken: bool


def local(at_ms: int, zone: str | None) -> LocalTime:
    """The wall time at `at_ms` in the IANA `zone`; no time at all if that is None or no zone."""
    found = known_zone(zone)
    if not found or not zone:
        return LocalTime("", "", "", False)
    try:
        when = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(found)
    except OverflowError:
        return LocalTime("", "", zone, True)
    text = when.isoformat(sep=" ", timespec="seconds")
    return LocalTime(text[:10], text[11:19], zone, True)


@cache
def known_zone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # unknown, malformed, the name of a folder
        return None


#: No punch but the vague ones lies farther from its `at_ms` than this.
_NEAR_MS = 60_000
_VAGUE = f"(l.low_ms IS NULL OR l.high_ms IS NULL OR l.high_ms - l.low_ms > {2 * _NEAR_MS})"

# The hints make the cost that of the punches between the two instants, not of all entries.
_PUNCHES = """
SELECT e.stream, s.terminal, s.journal, e.seq, e.at_ms, e.received_ms, e.broken, e.text,
    l.low_ms, l.high_ms, l.source,
    coalesce(p.site, t.site, '') AS site, coalesce(p.site_name, '') AS site_name, p.zone,
    h.person, r.name, k.name AS stated_name
FROM {}
CROSS JOIN stream s ON s.id = e.stream
LEFT JOIN terminal t ON t.name = s.terminal
LEFT JOIN posting p ON p.stream = e.stream AND p.seq = coalesce(
    (SELECT max(seq) FROM posting WHERE stream = e.stream AND seq < e.seq),
    (SELECT min(seq) FROM posting WHERE stream = e.stream))
LEFT JOIN holder h ON h.credential = json_extract(e.text, '$.credential')
LEFT JOIN person r ON r.id = h.person
LEFT JOIN person k ON k.id = json_extract(e.text, '$.person')
WHERE e.kind = 'punch' AND {}
    AND (:terminal IS NULL OR s.terminal = :terminal)
    AND (:site IS NULL OR coalesce(p.site, t.site, '') = :site)
ORDER BY e.at_ms DESC, s.terminal DESC, e.stream DESC, e.seq DESC
LIMIT coalesce(:limit, -1)
"""
_BY_TIME = _PUNCHES.format(
    "entry e INDEXED BY entry_punch LEFT JOIN loose l ON l.stream = e.stream AND l.seq = e.seq",
    "e.at_ms BETWEEN :since AND :until",
)
_NOT_VAGUE = _BY_TIME.replace(
    "AND (:terminal", f"AND (l.seq IS NULL OR NOT {_VAGUE}) AND (:terminal"
)
_ONLY_VAGUE = _PUNCHES.format(
    "loose l INDEXED BY loose_vague CROSS JOIN entry e ON e.stream = l.stream AND e.seq = l.seq",
    f"{_VAGUE} AND ifnull(l.low_ms, :since) <= :until AND ifnull(l.high_ms, :until) >= :since",
)


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
        since_ms, until_ms: only punches that may have been made from here to there, both included.
    """
    asked: dict[str, Any] = {"site": site, "terminal": terminal, "limit": limit}
    bindings = Bindings(db)
    if since_ms is None and until_ms is None:
        found = db.query(_BY_TIME, asked | {"since": -_EVER, "until": _EVER})
        return tuple(_punch(row, bindings) for row in found)[::-1]
    since = -_EVER if since_ms is None else since_ms
    until = _EVER if until_ms is None else until_ms
    asked["limit"] = None  # what is found near an end may lie beyond it
    near = {"since": since - _NEAR_MS, "until": until + _NEAR_MS}
    rows = [
        *db.query(_NOT_VAGUE, asked | near),
        *db.query(_ONLY_VAGUE, asked | {"since": since, "until": until}),
    ]
    rows.sort(key=lambda row: (row["at_ms"], row["terminal"], row["stream"], row["seq"]))
    lines = (_punch(row, bindings) for row in rows)
    return tuple(line for line in lines if may_be(line, since, until))[-(limit or 0) :]


#: Farther than any clock can say.
_EVER = 4 * MAX_INTEGER


def may_be(punch: PunchLine, since_ms: int, until_ms: int) -> bool:
    """Whether a punch may have been made between two instants, both included."""
    low_ms, high_ms = punch.not_before_ms, punch.not_after_ms
    return (low_ms is None or low_ms <= until_ms) and (high_ms is None or high_ms >= since_ms)


def _punch(row: dict[str, Any], bindings: Bindings) -> PunchLine:
    entry = json.loads(row["text"])
    claim = timeline.claim(entry["at"])
    time = timeline.own(claim)
    if row["source"] is not None:
        time = Resolved(row["low_ms"], row["high_ms"], row["source"], row["at_ms"])
    place = entry["place"]
    person, name, named_by = _named(row, entry, bindings)
    return PunchLine(
        terminal=row["terminal"],
        journal=row["journal"],
        seq=row["seq"],
        site=row["site"],
        site_name=row["site_name"],
        local=local(row["at_ms"], row["zone"]),
        at_ms=row["at_ms"],
        not_before_ms=time.low_ms,
        not_after_ms=time.high_ms,
        source=time.source,
        error_ms=time.error_ms,
        claimed_ms=claim.utc_ms,
        claimed_source=claim.source,
        person=person,
        name=name,
        named_by=named_by,
        credential=entry["credential"],
        technology=entry["technology"],
        scanner=entry["scanner"],
        grade=place["grade"],
        reasons=_text(place.get("reasons")),
        **{key: _number(place.get(key)) for key in _PLACE},
        repeat_of=_number(entry.get("repeat_of")),
        received_ms=row["received_ms"],
        broken=bool(row["broken"]),
    )


_PLACE = ("age_ms", "distance_m", "satellites", "hdop_e2", "cn0")


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


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if type(value) is int else None
