"""`edge-agent central rollcall`: who is present, office by office, with its coverage beside it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import click

from edge_agent.central import rollcall as roll
from edge_agent.central import settings
from edge_agent.central.reports import LocalTime, local
from edge_agent.central.rollcall import Called, Office, Presence, RollCall
from edge_agent.central.schema import opened
from edge_agent.central.serve import wall_ms
from edge_agent.cli.table import as_json, output_options, plain, show
from edge_agent.errors import EdgeAgentError


@dataclass(frozen=True, slots=True)
class _Line:
    site: str
    person: str
    name: str
    presence: str
    since: str
    grade: str
    remark: str


@click.command()
@click.option("--site", help="Only this office.")
@click.option("--at", help="As of this instant, ISO 8601 with its offset; now by default.")
@output_options
def rollcall(path: Path, site: str | None, at: str | None, form: str | None) -> None:
    """Who is present, who has not tapped yet, and whose terminal is silent."""
    now_ms = wall_ms()
    at_ms = now_ms if at is None else _instant(at)
    with opened(Path(settings.load(path).database)) as db:
        called = roll.rollcall(db, at_ms, now_ms, site)
    if form == "json":
        click.echo(as_json(asdict(called)))
    elif form == "csv":
        show(
            [_line(office, one) for office in called.offices for one in office.people], _Line, form
        )
    else:
        _print(called)


def _print(called: RollCall) -> None:
    for office in called.offices:
        click.echo(plain(f"{office.site}  {office.site_name}  {_moment(office.local)}"))
        show([_line(office, one) for one in office.people], _Line, None)
        for terminal in office.terminals:
            reach = "nothing" if terminal.reported_ms is None else "reported up to"
            until = local(terminal.reported_ms, _zone(office)) if terminal.reported_ms else None
            said = f"{reach} {_moment(until)}" if until else "has reported nothing"
            click.echo(f"  terminal {terminal.terminal}: {said} ({terminal.why})")
        click.echo(f"  {_counts(office)}\n")
    counts = [called.count(presence) for presence in Presence]
    click.echo(f"together: {_shares(counts, called.total)}")
    if not called.listening:
        click.echo("the central is not connected to its broker: nobody is known to be online")


def _counts(office: Office) -> str:
    counts = [office.count(presence) for presence in Presence]
    return _shares(counts, len(office.people))


def _shares(counts: list[int], total: int) -> str:
    tenths = roll.shares(counts)
    parts = [
        f"{presence.value} {count} of {total} ({share / 10:.1f} %)"
        for presence, count, share in zip(Presence, counts, tenths, strict=True)
    ]
    return ", ".join(parts)


def _line(office: Office, one: Called) -> _Line:
    punch = one.punch
    return _Line(
        office.site,
        one.person or "? not in the roster",
        one.name,
        one.presence.value,
        punch.local.time if punch else "",
        punch.grade if punch else "",
        "has a punch whose time is not certain" if one.unsure else "",
    )


def _moment(at: LocalTime) -> str:
    return f"{at.date} {at.time} {at.zone}" if at.zone_known else "(zone unknown)"


def _zone(office: Office) -> str | None:
    return office.local.zone if office.local.zone_known else None


def _instant(text: str) -> int:
    hint = 'write it as in "2026-11-23T07:30+08:00"'
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise EdgeAgentError("call the roll at", text, "that is no instant", hint) from None
    if at.tzinfo is None:
        raise EdgeAgentError("call the roll at", text, "it has no offset from UTC", hint)
    return round(at.timestamp() * 1000)
