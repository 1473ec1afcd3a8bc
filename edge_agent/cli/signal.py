"""`edge-agent central signal`: how well each office hears the network, as a table or as a map."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from edge_agent.central import settings
from edge_agent.central.schema import opened
from edge_agent.central.serve import wall_ms
from edge_agent.central.signal import Period, SiteSignal
from edge_agent.central.signal import signal as report
from edge_agent.cli.table import as_json, output_options, show
from edge_agent.errors import EdgeAgentError

_DAY = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True, slots=True)
class _Line:
    site: str
    name: str
    terminals: int
    verdict: str
    link: str
    best_hours: str
    surveyed_h: str
    not_surveyed_h: str
    reported_up_to: str
    latency_ms: int | None
    attempts: float | None
    kb_a_day: str
    heard: str
    backlog: int | None
    oldest: str
    worst: str
    remark: str


@click.command()
@click.option("--from", "first", type=_DAY, help="First local day, e.g. 2026-11-01.")
@click.option("--to", "last", type=_DAY, help="Last local day; today by default.")
@output_options
@click.option("--geojson", "form", flag_value="geojson", help="Print a map, RFC 7946.")
def signal(path: Path, first: datetime | None, last: datetime | None, form: str | None) -> None:
    """What the network was worth to each site, by the hourly surveys of its terminals.

    Of 30 local days up to today, if nothing else is said. Time of which there is no survey (no
    power, or not reported yet) is never counted as time without a link.

    \b
    verdict         none below 1 % of the surveyed time with a link, weak below 90 %, else good;
                    unknown below 24 surveyed hours
    link            share of the surveyed time in which the broker had accepted the connection
    best hours      local hours with a link at least three quarters as long as in the best of them
    surveyed h      hours of which a survey tells
    not surveyed h  hours in which a terminal belonged here and of which none tells
    reported up to  all that was made until then has come; unless it has, nothing is known
    latency ms      from a publish to its PUBACK, median over surveys
    attempts        for one connection, on average
    kb a day        up and down, of one terminal, in 24 surveyed hours
    heard           median strength; technology, operator, registration said most often
    backlog         entries not received at the last survey; oldest, worst: age of the oldest of
                    them then, and the greatest such age of the period
    """
    if first and last and last < first:
        cause = f"it ends before it begins on {first.date()}"
        raise EdgeAgentError("report until", str(last.date()), cause, "put --from before --to")
    period = Period(wall_ms(), first and first.date(), last and last.date())
    with opened(Path(settings.load(path).database)) as db:
        found = report(db, period)
    if form == "geojson":
        click.echo(as_json(collection(found)))
    elif form:
        show(found, SiteSignal, form)
    else:
        show([_line(one) for one in found], _Line, None)


def collection(found: Sequence[SiteSignal]) -> dict[str, Any]:
    """Sites as a FeatureCollection; one whose position is not known has no geometry."""
    return {"type": "FeatureCollection", "features": [_feature(one) for one in found]}


def _feature(one: SiteSignal) -> dict[str, Any]:
    said = asdict(one)
    lat, lon = said.pop("lat"), said.pop("lon")
    place = None if lat is None else {"type": "Point", "coordinates": [lon, lat]}
    return {"type": "Feature", "id": one.site, "geometry": place, "properties": said}


def _line(one: SiteSignal) -> _Line:
    remarks = {
        f"{one.left_out} not counted": one.left_out,
        f"{one.undated} at an unknown hour": one.undated,
        "zone unknown": not one.zone,
        "position unknown": one.lat is None,
    }
    return _Line(
        one.site,
        one.site_name,
        one.terminals,
        one.verdict.value,
        "" if one.link is None else f"{one.link:.0%}",
        _hours(one.best_hours),
        f"{one.surveyed_h:.0f}",
        f"{one.not_surveyed_h:.0f}",
        one.reported[:16],
        one.latency_ms,
        one.attempts_per_connection,
        "" if one.bytes_a_day is None else f"{one.bytes_a_day / 1000:.0f}",
        _heard(one),
        one.backlog,
        _age(one.backlog_age_ms),
        _age(one.worst_age_ms),
        ", ".join(word for word, applies in remarks.items() if applies),
    )


def _hours(hours: Sequence[int]) -> str:
    """Hours that follow each other as one: 7 and 8 are 7-9; all of them 0-24."""
    runs: list[list[int]] = []
    for hour in hours:
        if not runs or runs[-1][1] != hour:
            runs.append([hour, hour])
        runs[-1][1] = hour + 1
    return " ".join(f"{first}-{last}" for first, last in runs)


def _heard(one: SiteSignal) -> str:
    strength = one.rssi_dbm if one.rsrp_dbm is None else one.rsrp_dbm
    said = "" if strength is None else f"{strength} dBm"
    return " ".join(filter(None, (said, one.technology, one.operator, one.registration)))


def _age(age_ms: int | None) -> str:
    if age_ms is None:
        return ""
    hours = age_ms / 3_600_000
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} d"
