"""The map of weak links: what the network was worth to each site over some days, by its surveys.

A survey counts, whole, at the site where its terminal belonged and in the period in which it ends,
by its resolved time; `surveys` says which do not count. Time of which there is no survey says
nothing of the network: the terminal had no power, or did not run, or did not know the time and
nothing tells it, or has not reported yet. It is never counted as time without a link.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from sqlite_utils.db import Database

from edge_agent.central.coverage import Watch, coverage, watch
from edge_agent.central.reports import known_zone, local
from edge_agent.central.sites import Site, Sites
from edge_agent.central.surveys import (
    DAY_MS,
    HOUR_MS,
    Reception,
    Survey,
    Tally,
    middle,
    surveys,
    usual,
)
from edge_agent.ranges import Ranges

#: Below this much surveyed time nobody should judge a site.
ENOUGH_MS = DAY_MS
#: Shares of the surveyed time with a link: below the first is none, from the second on good.
NONE_BELOW, GOOD_FROM = 0.01, 0.9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Verdict(StrEnum):
    """A site's link in a word, by the share of its surveyed time with a link."""

    UNKNOWN = "unknown"
    NONE = "none"
    WEAK = "weak"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` to `last`, both included, as far as they have passed at `now_ms`.

    Without `last` it ends now; without `first` it has so many `days`.
    """

    now_ms: int
    first: date | None = None
    last: date | None = None
    days: int = 30

    def bounds(self, zone: str) -> tuple[int, int]:
        """UTC at its beginning and end on the wall in `zone`, UTC's if that is unknown."""
        wall = known_zone(zone) or UTC
        today = (_EPOCH + timedelta(milliseconds=self.now_ms)).astimezone(wall).date()
        last = min(self.last or today, today)
        most = (last - date.min).days
        first = self.first or last - timedelta(days=min(self.days - 1, most))
        end_ms = self.now_ms if last == today else _midnight_ms(last + timedelta(days=1), wall)
        return _midnight_ms(first, wall), end_ms


def _midnight_ms(day: date, wall: tzinfo) -> int:
    return (datetime.combine(day, time(), wall) - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class SiteSignal:
    """One site over the period. None where nothing can be said.

    Attributes:
        lat, lon: WGS 84 degrees; None if the site's position is not known.
        verdict: `UNKNOWN` below a day of surveyed time, else `NONE` for a link in less than 1 % of
            it, `WEAK` below 90 %, `GOOD` from there on.
        terminals: that belonged here within the period.
        since, until: the period on the site's wall; UTC where its zone is unknown.
        posted_h: hours of the period in which a terminal belonged here.
        surveyed_h: hours of the period of which a survey of any of them tells.
        not_surveyed_h: hours of `posted_h` of which none tells.
        reported: every entry up to then is stored, on the site's wall: of the terminal here that
            has reported least; "" if that can be said of no instant. `reported_ms`: the same.
        surveys: how many count; `left_out`: how many do not.
        undated: of those that count, those whose time is not known within half an hour.
        link: share of the surveyed time with a link: `online_ms` over `length_ms`, of all together.
        best_hours: local hours, 7 is from 07:00 to 08:00, with at least three quarters of the
            best one's share; by the middle of each survey, without those that are `undated`.
        latency_ms: from a publish to its PUBACK: the median over surveys, each of which says one.
        attempts_per_connection: of all together; None if there was no connection.
        bytes_a_day: up and down, of one terminal, in 24 surveyed hours on average.
        bearer: heard by most surveys; the next five are of those surveys.
        technology, operator, registration: those said most often.
        rssi_dbm, rsrp_dbm: medians over surveys.
        backlog: entries not received at the last survey of each terminal that still belongs here,
            together; `backlog_age_ms`: age of the oldest of them, None if nobody can tell.
        worst_age_ms: the greatest such age at any survey of the period.
    """

    site: str
    site_name: str
    zone: str
    lat: float | None
    lon: float | None
    verdict: Verdict
    terminals: int
    since: str
    until: str
    posted_h: float
    surveyed_h: float
    not_surveyed_h: float
    reported: str
    reported_ms: int | None
    surveys: int
    left_out: int
    undated: int
    link: float | None
    best_hours: tuple[int, ...]
    latency_ms: int | None
    attempts_per_connection: float | None
    bytes_a_day: int | None
    bearer: str | None
    technology: str | None
    operator: str | None
    registration: str | None
    rssi_dbm: int | None
    rsrp_dbm: int | None
    backlog: int | None
    backlog_age_ms: int | None
    worst_age_ms: int | None


def signal(db: Database, period: Period) -> tuple[SiteSignal, ...]:
    """Every site where a terminal belonged within the `period`, or of which a survey tells."""
    sites, seen = Sites(db), watch(db, period.now_ms)
    tallies = _tallies(db, sites, period)
    stays = sites.stays(period.now_ms)
    found = []
    for site in sorted({*stays, *tallies}):
        known = sites.get(site)
        within = period.bounds(known.zone)
        here = {
            terminal: clipped
            for terminal, stay in stays.get(site, {}).items()
            if (clipped := _clipped(stay, within)) or not stay
        }
        if here or site in tallies:
            reported_ms = _reported_ms(db, here, within[1], seen)
            tally = tallies.get(site) or Tally(known.zone)
            found.append(_line(known, within, here, reported_ms, tally))
    return tuple(found)


def _tallies(db: Database, sites: Sites, period: Period) -> dict[str, Tally]:
    """By site; those of a terminal's last surveys that were made elsewhere since are not kept."""
    bounds = {site: period.bounds(sites.get(site).zone) for site in sites.all}
    nowhere = period.bounds("")
    since_ms = min(since for since, _ in [nowhere, *bounds.values()])
    until_ms = max(until for _, until in [nowhere, *bounds.values()])
    tallies: dict[str, Tally] = {}
    for one in surveys(db, since_ms, until_ms):
        site = sites.at(one.stream, one.seq)
        first_ms, last_ms = bounds.get(site, nowhere)
        if first_ms < one.at_ms <= last_ms:
            tally = tallies.get(site)
            if tally is None:
                tally = tallies[site] = Tally(sites.get(site).zone)
            tally.add(sites.terminal_of(one.stream), one)
    newest: dict[str, Survey] = {}
    for tally in tallies.values():
        for terminal, one in tally.last.items():
            newest[terminal] = max(newest.get(terminal, one), one)
    for tally in tallies.values():
        tally.last = {name: one for name, one in tally.last.items() if newest[name] is one}
    return tallies


def _clipped(stay: Ranges, within: tuple[int, int]) -> Ranges:
    since_ms, until_ms = within
    return Ranges((max(first, since_ms + 1), min(last, until_ms)) for first, last in stay)


def _reported_ms(db: Database, terminals: Iterable[str], until_ms: int, seen: Watch) -> int | None:
    """Everything that these terminals made up to here is stored; None if that can not be said."""
    reached = []
    for terminal in terminals:
        # As if the day began at the end: what an older journal of it still holds is a gap's matter.
        one = coverage(db, terminal, until_ms, until_ms, seen)
        if one is not None:
            reached.append(one.reported_ms)
    known = [ms for ms in reached if ms is not None]
    return min(known) if known and len(known) == len(reached) else None


def _line(
    site: Site,
    within: tuple[int, int],
    here: Mapping[str, Ranges],
    reported_ms: int | None,
    tally: Tally,
) -> SiteSignal:
    posted = Ranges(pair for stay in here.values() for pair in stay)
    told = _clipped(tally.told, within)
    link = tally.online_ms / tally.length_ms if tally.length_ms else None
    bearer = min(tally.heard, key=lambda one: (-tally.heard[one].surveys, one), default=None)
    heard = tally.heard[bearer] if bearer is not None else Reception()
    ages_ms = [one.oldest_ms for one in tally.last.values() if one.oldest_ms is not None]
    zone = site.zone if known_zone(site.zone) else ""
    return SiteSignal(
        site=site.id,
        site_name=site.name,
        zone=zone,
        lat=_degrees(site.lat_e7),
        lon=_degrees(site.lon_e7),
        verdict=_verdict(tally.length_ms, link),
        terminals=len(here),
        since=_wall(within[0], zone),
        until=_wall(within[1], zone),
        posted_h=_hours(posted),
        surveyed_h=_hours(told),
        not_surveyed_h=_hours(posted.minus(told)),
        reported="" if reported_ms is None else _wall(reported_ms, zone),
        reported_ms=reported_ms,
        surveys=tally.surveys,
        left_out=tally.left_out,
        undated=tally.undated,
        link=None if link is None else round(link, 4),
        best_hours=tally.best_hours,
        latency_ms=middle(tally.latencies_ms),
        attempts_per_connection=_ratio(tally.attempts, tally.connections),
        bytes_a_day=None if link is None else round(tally.bytes * DAY_MS / tally.length_ms),
        bearer=bearer,
        technology=usual(heard.technology),
        operator=usual(heard.operator),
        registration=usual(heard.registration),
        rssi_dbm=middle(heard.rssi_dbm),
        rsrp_dbm=middle(heard.rsrp_dbm),
        backlog=sum(one.backlog for one in tally.last.values()) if tally.last else None,
        backlog_age_ms=max(ages_ms, default=None),
        worst_age_ms=tally.worst_ms,
    )


def _verdict(length_ms: int, link: float | None) -> Verdict:
    if link is None or length_ms < ENOUGH_MS:
        return Verdict.UNKNOWN
    if link < NONE_BELOW:
        return Verdict.NONE
    return Verdict.GOOD if link >= GOOD_FROM else Verdict.WEAK


def _degrees(angle_e7: int | None) -> float | None:
    return None if angle_e7 is None else angle_e7 / 10**7


def _hours(times_ms: Ranges) -> float:
    return round(times_ms.count / HOUR_MS, 1)


def _ratio(above: int, below: int) -> float | None:
    return round(above / below, 2) if below else None


def _wall(at_ms: int, zone: str) -> str:
    at = local(at_ms, zone or "UTC")
    return f"{at.date} {at.time}".strip()
