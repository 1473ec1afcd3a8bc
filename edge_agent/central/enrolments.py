"""What terminals enrolled, one line each, and what the roster and other terminals say to it."""

from dataclasses import dataclass

from sqlite_utils.db import Database

from edge_agent.central.bindings import Binding, Bindings, Force, Verdict
from edge_agent.central.reports import LocalTime, local


@dataclass(frozen=True, slots=True)
class EnrolmentLine:
    """One enrolment.

    Attributes:
        local: when, on the site's wall; `at_ms`: when, by the best single statement.
        slot: of a finger, its slot in the module.
        name: None if the roster does not know the person.
        roster: what the roster says to it.
        force: whether it holds.
        told: whether all terminals learn it when the roster is published.
    """

    local: LocalTime
    at_ms: int
    terminal: str
    seq: int
    scanner: str
    technology: str
    slot: int | None
    credential: str
    person: str
    name: str | None
    roster: Verdict
    force: Force
    told: bool


def enrolments(db: Database) -> tuple[EnrolmentLine, ...]:
    """Every enrolment, in the order of their time."""
    bindings = Bindings(db)
    lines = [_line(one, bindings) for one in bindings.all]
    return tuple(sorted(lines, key=lambda line: (line.at_ms, line.terminal, line.seq)))


def _line(one: Binding, bindings: Bindings) -> EnrolmentLine:
    return EnrolmentLine(
        local=local(one.at_ms, one.zone),
        at_ms=one.at_ms,
        terminal=one.terminal,
        seq=one.seq,
        scanner=one.scanner,
        technology=one.technology,
        slot=one.slot,
        credential=one.credential,
        person=one.person,
        name=one.name,
        roster=one.verdict,
        force=bindings.force(one),
        told=bindings.told(one),
    )
