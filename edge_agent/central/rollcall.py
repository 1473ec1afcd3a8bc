"""The roll-call (sidak): office by office, who is present, and what cannot be known.

Each person of the roster, and each who punched, stands in exactly one office as exactly one of

    present          a punch certainly of that local day, up to the instant asked about, at any
                     terminal
    not yet tapped   no punch that may be one, and the office's terminals have reported everything
                     up to then
    terminal silent  no certain punch, but a terminal of the office has not reported so far, or the
                     office has none, or there is a punch that may be one, because its time is not
                     known closely enough: nothing is known, and nobody is called absent

Somebody of the roster stands in the office that the roster names, wherever the punch was made.
Somebody unknown to it stands where the first punch was made. A punch is certain if all of its
resolved time, from bound to bound, lies in the day; where the zone is unknown there is no day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlite_utils.db import Database

from edge_agent.central.coverage import Coverage, coverage, watch
from edge_agent.central.reports import LocalTime, PunchLine, local, may_be, punches
from edge_agent.errors import EdgeAgentError


class Presence(StrEnum):
    """What the roll-call can say of a person."""

    PRESENT = "present"
    NOT_YET = "not yet tapped"
    SILENT = "terminal silent"


@dataclass(frozen=True, slots=True)
class Called:
    """One person of the roll-call.

    Attributes:
        person: person id, None for a credential that nobody knows.
        name: "" if unknown.
        enlisted: the central's roster has this person.
        punch: the first certain punch of the day, None if there is none.
        unsure: if there is none, the first that may be one.
    """

    person: str | None
    name: str
    enlisted: bool
    presence: Presence
    punch: PunchLine | None
    unsure: PunchLine | None


@dataclass(frozen=True, slots=True)
class Office:
    """One site: its people, and how far its terminals have reported.

    Attributes:
        local: the instant asked about, on this site's wall.
        terminals: coverage of each of its terminals; none, and everybody without a punch is silent.
    """

    site: str
    site_name: str
    local: LocalTime
    people: tuple[Called, ...]
    terminals: tuple[Coverage, ...]

    @property
    def complete(self) -> bool:
        """Every terminal has reported everything up to the instant asked about."""
        return bool(self.terminals) and all(one.complete for one in self.terminals)

    @property
    def reported_ms(self) -> int | None:
        """Every punch of this site up to here is stored; None if that is true of no instant."""
        known = [one.reported_ms for one in self.terminals]
        reached = [ms for ms in known if ms is not None]
        return min(reached) if reached and len(reached) == len(known) else None

    def count(self, presence: Presence) -> int:
        return sum(one.presence is presence for one in self.people)


@dataclass(frozen=True, slots=True)
class RollCall:
    """Every office at the instant `at_ms`.

    Attributes:
        listening: the serving program has its broker and said so within the last minute.
    """

    at_ms: int
    offices: tuple[Office, ...]
    listening: bool

    @property
    def total(self) -> int:
        return sum(len(office.people) for office in self.offices)

    def count(self, presence: Presence) -> int:
        return sum(office.count(presence) for office in self.offices)


def rollcall(db: Database, at_ms: int, now_ms: int, site: str | None = None) -> RollCall:
    """Call the roll at `at_ms`; `now_ms` is the present, for judging who is online.

    Raises:
        EdgeAgentError: nobody and no terminal belongs to `site`.
    """
    seen = watch(db, now_ms)
    names, terminals = _places(db, at_ms)
    firsts, maybes = _first_punches(db, at_ms)
    homes: dict[str, list[tuple[str, str]]] = {}
    for person, name, home in db.conn.execute("SELECT id, name, site FROM person ORDER BY name"):
        homes.setdefault(home, []).append((person, name))
    enlisted = {person for people in homes.values() for person, _ in people}
    strangers: dict[str, list[PunchLine]] = {}
    for who, punch in (maybes | firsts).items():
        if who not in enlisted:
            strangers.setdefault(punch.site, []).append(punch)
    sites = sorted({*homes, *terminals, *strangers})
    if site is not None:
        sites = [_known(site, sites)]
    offices = []
    for one in sites:
        site_name, zone = names.get(one, ("", None))
        day_ms = _midnight_ms(at_ms, zone)
        reports = (coverage(db, t, day_ms, at_ms, seen) for t in terminals.get(one, ()))
        covered = tuple(report for report in reports if report)
        called = _call(homes.get(one, ()), strangers.get(one, ()), firsts, maybes, covered)
        offices.append(Office(one, site_name, local(at_ms, zone), called, covered))
    return RollCall(at_ms, tuple(offices), seen.listening)


def _known(site: str, sites: Sequence[str]) -> str:
    if site not in sites:
        known = ", ".join(sites) or "none"
        raise EdgeAgentError(
            "call the roll of", site, "nobody and no terminal belongs to it", f"known: {known}"
        )
    return site


def shares(counts: Sequence[int]) -> tuple[int, ...]:
    """Each count in tenths of a percent of their sum, by largest remainder: they add up to 1000.

    All zero if the sum is zero.
    """
    total = sum(counts)
    if not total:
        return (0,) * len(counts)
    parts = [1000 * count // total for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda i: -(1000 * counts[i] % total))
    for index in by_remainder[: 1000 - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


def _call(
    people: Iterable[tuple[str, str]],
    strangers: Iterable[PunchLine],
    firsts: dict[str, PunchLine],
    maybes: dict[str, PunchLine],
    covered: Sequence[Coverage],
) -> tuple[Called, ...]:
    known = bool(covered) and all(one.complete for one in covered)
    who: list[tuple[str, str | None, str, bool]]
    who = [(person, person, name, True) for person, name in people]
    who += [(_who(p), p.person, p.name or "", False) for p in strangers]
    called = []
    for key, person, name, enlisted in who:
        punch = firsts.get(key)
        unsure = None if punch else maybes.get(key)
        presence = Presence.NOT_YET if known and not unsure else Presence.SILENT
        presence = Presence.PRESENT if punch else presence
        called.append(Called(person, name, enlisted, presence, punch, unsure))
    return tuple(called)


def _who(punch: PunchLine) -> str:
    """A person's id; a credential that nobody knows stands for its holder."""
    return punch.person or f"credential {punch.credential}"


def _first_punches(db: Database, at_ms: int) -> tuple[dict[str, PunchLine], dict[str, PunchLine]]:
    """The first punch of everybody on the local day of `at_ms` where it was made, up to then.

    Returns:
        Those that are certain, and those that may be such, by `_who`.
    """
    zones: list[str | None] = [None]
    zones += [zone for (zone,) in db.conn.execute("SELECT DISTINCT zone FROM posting")]
    since_ms = min(_midnight_ms(at_ms, zone) for zone in zones)
    firsts: dict[str, PunchLine] = {}
    maybes: dict[str, PunchLine] = {}
    for punch in punches(db, since_ms=since_ms, until_ms=at_ms):
        day_ms = _midnight_ms(at_ms, punch.local.zone)
        certain = punch.local.zone_known and _within(punch, day_ms, at_ms)
        if certain or may_be(punch, day_ms, at_ms):
            (firsts if certain else maybes).setdefault(_who(punch), punch)
    return firsts, maybes


def _within(punch: PunchLine, since_ms: int, until_ms: int) -> bool:
    """Whether a punch was certainly made between two instants; it was not after it was received."""
    low_ms, high_ms = punch.not_before_ms, punch.not_after_ms
    if low_ms is None or low_ms < since_ms:
        return False
    if low_ms <= punch.received_ms:
        high_ms = min(punch.received_ms, punch.received_ms if high_ms is None else high_ms)
    return high_ms is not None and high_ms <= until_ms


def _midnight_ms(at_ms: int, zone: str | None) -> int:
    """When the local day of `at_ms` began in `zone`; the soonest that can be if that is unknown."""
    here = local(at_ms, zone)
    if not here.date:
        return at_ms - _LONGEST_DAY_MS
    midnight = datetime.fromisoformat(here.date).replace(tzinfo=ZoneInfo(here.zone))
    return int(midnight.timestamp()) * 1000


#: With the hour that summer time puts in.
_LONGEST_DAY_MS = 25 * 3_600_000


def _places(db: Database, at_ms: int) -> tuple[dict[str, tuple[str, str]], dict[str, list[str]]]:
    """Name and zone of each site, and its terminals at `at_ms` without those retired before.

    A terminal belongs where its last ``start`` entry before then says (or its first, if there is
    none before), and where its status says: the ``start`` entry of a move may still be on its way.
    """
    names, belongs = {}, {}
    for terminal, since_ms, site, site_name, zone in db.conn.execute(
        "SELECT s.terminal, e.at_ms, p.site, p.site_name, p.zone FROM posting p"
        " JOIN stream s ON s.id = p.stream"
        " JOIN entry e ON e.stream = p.stream AND e.seq = p.seq ORDER BY p.stream, p.seq"
    ):
        names[site] = (site_name, zone)
        if since_ms <= at_ms or terminal not in belongs:
            belongs[terminal] = site
    terminals: dict[str, list[str]] = {}
    for terminal, site, heard_ms, retired_ms in db.conn.execute(
        "SELECT name, site, heard_ms, retired_ms FROM terminal ORDER BY name"
    ):
        if retired_ms is not None and retired_ms <= at_ms and (heard_ms or 0) <= retired_ms:
            continue
        for one in {belongs.get(terminal), site} - {None}:
            terminals.setdefault(one, []).append(terminal)
    return names, terminals
