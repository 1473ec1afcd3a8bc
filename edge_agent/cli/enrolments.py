"""`edge-agent central enrolments`: who was given which credential, and whether that holds."""

from dataclasses import dataclass
from pathlib import Path

import click

from edge_agent.central import enrolments as central
from edge_agent.central import settings
from edge_agent.central.schema import opened
from edge_agent.cli.table import output_options, show


@dataclass(frozen=True, slots=True)
class _Line:
    date: str
    time: str
    terminal: str
    scanner: str
    technology: str
    slot: int | None
    person: str
    name: str
    the_roster: str
    force: str
    told: bool


@click.command()
@output_options
def enrolments(path: Path, form: str | None) -> None:
    """What terminals enrolled, what the roster says to it, and whether all terminals are told."""
    with opened(Path(settings.load(path).database)) as db:
        found = central.enrolments(db)
    if form == "json":
        show(found, central.EnrolmentLine, form)
        return
    show([_line(one) for one in found], _Line, form)


def _line(one: central.EnrolmentLine) -> _Line:
    return _Line(
        one.local.date,
        one.local.time,
        one.terminal,
        one.scanner,
        one.technology,
        one.slot,
        one.person,
        one.name or "",
        one.roster.value,
        one.force.value,
        one.told,
    )
