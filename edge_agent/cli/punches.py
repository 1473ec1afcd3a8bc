"""`edge-agent central punches`: every punch, with its time as far as that is known."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from edge_agent.central import settings
from edge_agent.central.reports import LocalTime, PunchLine, local
from edge_agent.central.reports import punches as stored
from edge_agent.central.schema import opened
from edge_agent.central.timeline import BETWEEN, NONE
from edge_agent.cli.table import output_options, show
from edge_agent.errors import EdgeAgentError


@dataclass(frozen=True, slots=True)
class _Line:
    date: str
    time: str
    site: str
    terminal: str
    seq: int
    person: str
    name: str
    grade: str
    clock: str
    remark: str


@click.command()
@click.option("--site", help="Only punches made at this site.")
@click.option("--terminal", help="Only punches of this terminal.")
@click.option("--date", help="Only what may be of this local date, e.g. 2026-11-23.")
@click.option("--limit", type=click.IntRange(1), help="Only so many, the newest.")
@output_options
def punches(
    path: Path,
    site: str | None,
    terminal: str | None,
    date: str | None,
    limit: int | None,
    form: str | None,
) -> None:
    """Every punch, by the local time of its site."""
    since_ms, until_ms = _around(date) if date else (None, None)
    with opened(Path(settings.load(path).database)) as db:
        found = stored(
            db,
            site=site,
            terminal=terminal,
            since_ms=since_ms,
            until_ms=until_ms,
            limit=None if date else limit,
        )
    dateless = 0
    if date:
        dateless = sum(not one.local.zone_known for one in found)
        found = tuple(one for one in found if _may_be_of(one, date))[-(limit or 0) :]
    if form == "json":
        show(found, PunchLine, form)
    else:
        show([_line(one) for one in found], _Line, form)
    if dateless:
        said = "of about this date are not shown: the zone of their site is unknown"
        click.echo(f"{dateless} punches {said}", err=True)


def _around(date: str) -> tuple[int, int]:
    """The instants at which it may be `date` somewhere on earth, in UTC milliseconds."""
    try:
        midnight = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        hint = "write it as in 2026-11-23"
        raise EdgeAgentError("show the punches of", date, "that is no date", hint) from None
    first, last = midnight - timedelta(hours=14), midnight + timedelta(hours=36)
    return round(first.timestamp() * 1000), round(last.timestamp() * 1000)


def _may_be_of(punch: PunchLine, date: str) -> bool:
    """Whether a punch may have been made on this local date; one of `_around` it."""
    if not punch.local.zone_known:
        return False
    low, high = (_local(ms, punch) for ms in (punch.not_before_ms, punch.not_after_ms))
    # ISO dates sort as days do; what lies outside the calendar has none.
    return (low.date or date) <= date <= (high.date or date)


def _local(ms: int | None, punch: PunchLine) -> LocalTime:
    return LocalTime("", "", "", False) if ms is None else local(ms, punch.local.zone)


def _line(punch: PunchLine) -> _Line:
    remarks = {
        f"repeats {punch.repeat_of}": punch.repeat_of is not None,
        "BROKEN CHAIN": punch.broken,
        "zone unknown": not punch.local.zone_known,
        punch.reasons: punch.reasons != "none",  # there was no fix, as the grade says
    }
    return _Line(
        punch.local.date,
        punch.local.time,
        punch.site,
        punch.terminal,
        punch.seq,
        punch.person or f"? {punch.credential[:12]}",
        punch.name or "",
        punch.grade,
        _clock(punch),
        ", ".join(word for word, applies in remarks.items() if word and applies),
    )


def _clock(punch: PunchLine) -> str:
    """How the time is known: by whose word and how closely, or between which instants."""
    if punch.source not in (BETWEEN, NONE):
        return f"{punch.source} +-{punch.error_ms} ms"
    low = _moment(punch.not_before_ms, punch)
    high = _moment(punch.not_after_ms, punch)
    if low and high:
        return f"between {low} and {high}"
    return f"not before {low}" if low else f"not after {high}" if high else NONE


def _moment(ms: int | None, punch: PunchLine) -> str:
    """A bound on the site's wall, with its date where that is not the line's own; "" for none."""
    at = _local(ms, punch)
    return at.time if at.date == punch.local.date else f"{at.date} {at.time}".strip()
