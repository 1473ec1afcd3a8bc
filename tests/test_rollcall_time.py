"""The roll-call where the time of a punch is not known to the millisecond."""

from pathlib import Path

import pytest
from central_wall import (
    HARUN,
    MORNING,
    NOW,
    ORGANISATION,
    PLACE,
    ROSTER,
    SITI,
    WA_ODE,
    WITA,
    Wall,
    ms,
    stamp,
    wall_at,
)

from edge_agent.central import roster
from edge_agent.central.rollcall import Called, rollcall
from edge_agent.central.store import Store
from edge_agent.contract.credentials import conceal
from edge_agent.records import Punch, Stamp


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        one.enlist(roster.parse(ROSTER, ORGANISATION, "roster.csv"), NOW)
        yield one


def called(store: Store, at_ms: int = NOW) -> tuple[Called, ...]:
    return rollcall(store.db, at_ms, NOW, "kec-bungi").offices[0].people


def presences(store: Store, at_ms: int = NOW) -> dict[str | None, str]:
    return {one.person: str(one.presence) for one in called(store, at_ms) if one.enlisted}


def punch(card: str) -> Punch:
    return Punch(conceal(card, ORGANISATION), "em4100", "front", PLACE)


def dark(mono_ms: int) -> Stamp:
    """A stamp of a later boot, in which time never becomes known."""
    return stamp(mono_ms, "none", mono_ms, boot="ff" * 16)


def bright(wall: Wall) -> None:
    """A boot after that one, in which time is known; up to now it has run for an hour."""
    wall.add(punch(WA_ODE), stamp(NOW, mono_ms=3_600_000, boot="ee" * 16))


def test_a_punch_that_may_be_of_another_day_makes_nobody_present_nor_absent(store):
    """A boot without time, between the evening before and now: nothing is known of that person."""
    wall = wall_at()
    wall.punch(HARUN, ms("2026-11-22T23:00", WITA))
    wall.add(punch(SITI), dark(60_000))
    bright(wall)
    store.take(wall.batch(), NOW)
    assert presences(store) == {"p-1": "terminal silent", "p-2": "not yet tapped"}
    (siti,) = (one for one in called(store) if one.person == "p-1")
    assert siti.punch is None
    assert siti.unsure.source == "between"
    wall.add(punch(SITI), stamp(NOW, mono_ms=3_600_001, boot="ee" * 16))
    store.take(wall.batch(5, 5), NOW)
    assert presences(store)["p-1"] == "present"


def test_a_punch_of_a_boot_without_time_is_present_if_all_of_it_lies_in_the_day(store):
    """Between two certain instants of one morning."""
    wall = wall_at()
    wall.punch(HARUN, MORNING)
    wall.add(punch(SITI), dark(60_000))
    bright(wall)
    store.take(wall.batch(), NOW)
    assert presences(store)["p-1"] == "present"


@pytest.mark.parametrize(
    ("seconds", "presence"),
    [(-3, "not yet tapped"), (-1, "terminal silent"), (1, "terminal silent"), (3, "present")],
)
def test_around_midnight_the_error_of_the_clock_decides(store, seconds, presence):
    """Two seconds give or take: a second beside midnight the day is not known."""
    wall = wall_at()
    wall.punch(SITI, ms("2026-11-23T00:00", WITA) + 1000 * seconds, error_ms=2000)
    wall.punch(HARUN, NOW)
    store.take(wall.batch(), NOW)
    assert presences(store)["p-1"] == presence


def test_a_punch_is_present_as_soon_as_it_is_received(store):
    """The error of its clock may reach beyond now, but it was not made after it came."""
    wall = wall_at()
    wall.punch(SITI, NOW - 100, error_ms=500)
    store.take(wall.batch(), NOW - 50)
    assert presences(store)["p-1"] == "present"
    assert presences(store, NOW - 90)["p-1"] == "terminal silent"


def test_a_terminal_has_reported_as_far_as_its_last_entry_was_certainly_made(store):
    """The lower bound counts, and an entry of no known time reports nothing beyond it."""
    wall = wall_at()
    wall.punch(SITI, NOW, error_ms=2000)
    store.take(wall.batch(), NOW + 5000)
    (office,) = rollcall(store.db, NOW, NOW, "kec-bungi").offices
    assert (office.reported_ms, office.complete) == (NOW - 2000, False)
