"""The roll-call after a loss: a central without its past, a terminal that holds it no more."""

from dataclasses import replace
from pathlib import Path

import pytest
from central_wall import HARUN, NOW, ORGANISATION, ROSTER, SITI, Wall, wall_at

from edge_agent.central import roster
from edge_agent.central.coverage import Coverage
from edge_agent.central.rollcall import Presence, rollcall
from edge_agent.central.store import Store


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        one.enlist(roster.parse(ROSTER, ORGANISATION, "roster.csv"), NOW)
        yield one


def called(store: Store, which: int = 0) -> tuple[Coverage, Presence]:
    """How far a terminal has reported now, and what is said of somebody who did not punch."""
    office = rollcall(store.db, NOW, NOW, "kec-bungi").offices[0]
    (harun,) = [one.presence for one in office.people if one.person == "p-2"]
    return office.terminals[which], harun


def restored(store: Store, wall: Wall, first: int, have: int = 0) -> None:
    """`wall` holds its journal from `first` on, the central was restored with `have`."""
    if have:
        store.take(wall.batch(1, have), NOW)
    store.note(replace(wall.status("offline"), first_seq=first), NOW)
    store.take(wall.batch(first), NOW)


@pytest.mark.parametrize("have", [0, 2])
def test_what_is_lost_does_not_silence_a_terminal_for_ever(store, have):
    """It lies before what was certainly made before today, so no punch of today is among it."""
    wall = wall_at()
    for hour in (60, 50, 40, 30, 20, 0):
        wall.punch(SITI, NOW - hour * 3_600_000)
    restored(store, wall, 5, have)
    coverage, harun = called(store)
    assert (coverage.reported_ms, coverage.complete) == (NOW, True)
    assert harun is Presence.NOT_YET


@pytest.mark.parametrize("have", [0, 2])
def test_a_day_of_which_something_may_be_lost_stays_silent(store, have):
    """The oldest entry that the terminal holds is of this very day."""
    wall = wall_at()
    for hour in (60, 50, 40, 1, 0):
        wall.punch(SITI, NOW - hour * 3_600_000)
    restored(store, wall, 5, have)
    coverage, harun = called(store)
    assert (coverage.complete, coverage.why) == (False, f"entry {have + 1} is lost")
    assert harun is Presence.SILENT


def test_above_what_is_lost_a_gap_is_a_gap_and_a_fork_a_fork(store):
    """Only what the terminal holds no more is waited for no longer."""
    wall = wall_at()
    for hour in (60, 50, 40, 30, 20, 0):
        wall.punch(SITI, NOW - hour * 3_600_000)
    store.note(replace(wall.status("offline"), first_seq=3), NOW)
    store.take(wall.batch(3, 5), NOW)
    store.take(wall.batch(7), NOW)
    coverage, _ = called(store)
    assert (coverage.complete, coverage.why) == (False, "entry 6 is missing")
    other = wall_at(terminal="bungi-2")
    twin = wall_at(terminal="bungi-2")
    for hour in (50, 40, 0):
        other.punch(SITI, NOW - hour * 3_600_000)
        twin.punch(HARUN, NOW - hour * 3_600_000)
    store.take(other.batch(1, 2), NOW)
    store.take(twin.batch(3), NOW)
    store.note(replace(other.status("offline"), first_seq=3), NOW)
    coverage, _ = called(store, 1)
    assert (coverage.complete, coverage.terminal) == (False, "bungi-2")


def test_what_one_journal_has_lost_excuses_no_other(store):
    """The old journal of a terminal whose card was replaced today; its status is of the new one."""
    wall, new = wall_at(), Wall(journal="ab" * 16)
    for hour in (60, 50, 40, 30, 0):
        wall.punch(SITI, NOW - hour * 3_600_000)
    store.take(wall.batch(1, 2), NOW)
    store.take(wall.batch(4), NOW)
    new.start(NOW - 60_000)
    store.take(new.batch(), NOW)
    store.note(replace(new.status("offline"), first_seq=5), NOW)
    coverage, harun = called(store)
    assert (coverage.complete, harun) == (False, Presence.SILENT)
    assert coverage.reported_ms == NOW - 60 * 3_600_000
