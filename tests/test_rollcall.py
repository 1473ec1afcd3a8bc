"""The roll-call: everybody in one place, and nobody called absent whose terminal is silent."""

from pathlib import Path

import pytest
from central_wall import (
    HARUN,
    MORNING,
    NOW,
    ORGANISATION,
    ROSTER,
    SITI,
    WA_ODE,
    WITA,
    Wall,
    ms,
    wall_at,
)
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.central import roster
from edge_agent.central.rollcall import Presence, rollcall, shares
from edge_agent.central.store import Store
from edge_agent.errors import EdgeAgentError


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        one.enlist(roster.parse(ROSTER, ORGANISATION, "roster.csv"), NOW)
        yield one


def presences(store: Store, at_ms: int = NOW, now_ms: int = NOW, **more: str) -> dict[str, str]:
    """Presence by person, and by card for those that nobody knows."""
    called: dict[str, str] = {}
    for office in rollcall(store.db, at_ms, now_ms, **more).offices:
        for one in office.people:
            who = one.person or "stranger"
            assert who not in called, "one person in two places"
            called[who] = str(one.presence)
    return called


def test_who_punched_is_present_and_the_rest_not_yet_where_the_terminal_has_reported(store):
    """An entry made after the instant, with no gap before it, shows that nothing is missing."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    wall.punch(SITI, NOW)
    store.take(wall.batch(), NOW)
    called = presences(store, site="kec-bungi")
    assert called == {"p-1": "present", "p-2": "not yet tapped"}
    (coverage,) = rollcall(store.db, NOW, NOW, "kec-bungi").offices[0].terminals
    assert (coverage.reported_ms, coverage.complete) == (NOW, True)


def test_a_silent_terminal_makes_nobody_absent(store):
    """The last entry is older than the instant and nobody says the terminal is online."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    store.take(wall.batch(), NOW)
    assert presences(store, site="kec-bungi") == {"p-1": "present", "p-2": "terminal silent"}
    office = rollcall(store.db, NOW, NOW, "kec-bungi").offices[0]
    assert (office.complete, office.reported_ms) == (False, MORNING)


def test_a_gap_makes_a_terminal_silent_from_the_gap_on(store):
    """The missing entry may be the very punch; before the gap all is known."""
    wall = wall_at()
    for minute in range(4):
        wall.punch(SITI, MORNING + minute * 60_000)
    wall.punch(SITI, NOW)
    store.take(wall.batch(1, 3), NOW)
    store.take(wall.batch(5, 6), NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent"
    assert presences(store, MORNING + 60_000, site="kec-bungi")["p-2"] == "not yet tapped"
    store.take(wall.batch(4, 4), NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "not yet tapped"


@pytest.mark.parametrize(
    ("state", "listening", "behind", "expected"),
    [
        ("online", True, 0, "not yet tapped"),
        ("offline", True, 0, "terminal silent"),
        ("unknown", True, 0, "terminal silent"),
        ("online", False, 0, "terminal silent"),
        ("online", True, 1, "terminal silent"),
        ("online", True, 61, "terminal silent"),
    ],
)
def test_an_online_terminal_is_complete_only_if_the_central_would_have_heard(
    store, state, listening, behind, expected
):
    """Online, everything announced received, and the serving program connected a moment ago."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    store.beat(listening, NOW - (behind - 1) * 1000 if behind > 1 else NOW)
    if behind == 1:
        wall.punch(HARUN, MORNING)
        store.note(wall.status("online"), NOW)
        store.take(wall.batch(1, 2), NOW)
    else:
        store.take(wall.batch(), NOW)
        store.note(wall.status("online" if state == "unknown" else state), NOW)
    if state == "unknown":
        store.connected(NOW)
    assert presences(store, site="kec-bungi", now_ms=NOW + 1)["p-2"] == expected


def test_an_online_terminal_with_a_gap_is_silent(store):
    """Its status is older than the gap; the missing entry may be a punch of a moment ago."""
    wall = wall_at()
    store.note(wall.status(), MORNING)
    wall.punch(HARUN, MORNING)
    wall.punch(SITI, MORNING)
    store.take(wall.batch(1, 1), NOW)
    store.take(wall.batch(3, 3), NOW)
    store.beat(True, NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent"


def test_an_online_terminal_says_nothing_about_the_future(store):
    """A roll-call for an instant that has not come is answered with silence."""
    wall = wall_at()
    store.take(wall.batch(), NOW)
    store.note(wall.status(), NOW)
    store.beat(True, NOW)
    assert presences(store, NOW, NOW, site="kec-bungi")["p-1"] == "not yet tapped"
    assert presences(store, NOW + 1, NOW, site="kec-bungi")["p-1"] == "terminal silent"


def test_a_clock_that_runs_ahead_proves_nothing_about_later(store):
    """An entry counts as made no later than it was received."""
    wall = wall_at()
    wall.punch(SITI, NOW + 86_400_000, source="none")
    store.take(wall.batch(), MORNING)
    office = rollcall(store.db, NOW, NOW, "kec-bungi").offices[0]
    assert office.terminals[0].reported_ms == MORNING
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent"


def test_an_office_without_a_terminal_is_silent(store):
    """Nobody there could have tapped, so nothing is known of anybody there."""
    assert presences(store, site="dinkes") == {"p-3": "terminal silent", "p-4": "terminal silent"}


def test_one_silent_terminal_of_two_makes_an_office_silent(store):
    """Somebody may have tapped at the other door."""
    front, back = wall_at(), wall_at(terminal="bungi-2")
    front.punch(SITI, NOW)
    for wall in (front, back):
        store.take(wall.batch(), NOW)
    assert presences(store, site="kec-bungi") == {"p-1": "present", "p-2": "terminal silent"}
    store.retire("bungi-2", MORNING)
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent", "heard after that"
    store.retire("bungi-2", NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "not yet tapped"
    assert presences(store, MORNING, site="kec-bungi")["p-2"] == "terminal silent"
    assert not store.retire("bungi-9", NOW)


def test_a_terminal_installed_later_does_not_silence_the_days_before(store):
    """It could not have been tapped; its clock was set only after its first entries."""
    old, new = wall_at(), Wall("bungi-2")
    old.punch(SITI, NOW)
    new.start(0, source="none", mono_ms=1_000)
    new.punch(HARUN, NOW + 3_600_000, mono_ms=61_000)
    for wall in (old, new):
        store.take(wall.batch(), NOW + 3_700_000)
    assert presences(store, NOW, site="kec-bungi")["p-2"] == "not yet tapped"
    (coverage,) = rollcall(store.db, NOW, NOW, "kec-bungi").offices[0].terminals
    assert coverage.terminal == "bungi-1"


def test_a_journal_replaced_during_the_day_leaves_the_terminal_silent_for_that_day(store):
    """What the old card had not sent may be lost; the next day all is well."""
    wall, again = wall_at(), Wall(journal="ab" * 16)
    wall.punch(SITI, MORNING)
    store.take(wall.batch(), MORNING)
    again.start(MORNING + 600_000)
    again.punch(SITI, NOW)
    store.take(again.batch(), NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent"
    tomorrow = NOW + 86_400_000
    again.punch(SITI, tomorrow)
    store.take(again.batch(3, 3), tomorrow)
    assert presences(store, tomorrow, tomorrow, site="kec-bungi")["p-2"] == "not yet tapped"


def test_a_status_of_a_journal_that_was_never_received_leaves_the_terminal_silent(store):
    """A new card is in, and nothing it holds has come yet."""
    wall = wall_at()
    wall.punch(SITI, NOW)
    store.take(wall.batch(), NOW)
    again = Wall(journal="ab" * 16)
    again.start(NOW)
    store.note(again.status(), NOW)
    store.beat(True, NOW)
    assert presences(store, site="kec-bungi")["p-2"] == "terminal silent"


def test_everybody_stands_in_exactly_one_office(store):
    """Guests of the roster at their own office, strangers where they tapped first, once each."""
    bungi, dinkes = wall_at(), wall_at("dinkes", "dinkes-1")
    bungi.punch(WA_ODE, MORNING)
    bungi.punch("em4100:0000000077", MORNING + 1)
    dinkes.punch("em4100:0000000077", MORNING + 2)
    dinkes.punch(WA_ODE, NOW)
    for wall in (bungi, dinkes):
        store.take(wall.batch(), NOW)
    called = rollcall(store.db, NOW, NOW)
    assert called.total == 5
    by_site = {office.site: office for office in called.offices}
    stranger = by_site["kec-bungi"].people[-1]
    assert (stranger.person, stranger.enlisted, stranger.presence) == (None, False, "present")
    guest = next(one for one in by_site["dinkes"].people if one.person == "p-3")
    assert guest.punch.site == "kec-bungi"
    counts = [called.count(presence) for presence in Presence]
    assert counts == [2, 1, 2]
    assert sum(counts) == called.total


def test_yesterday_and_the_time_after_the_instant_do_not_count(store):
    """Present means a punch of this local day up to the instant asked about."""
    wall = wall_at()
    wall.punch(SITI, ms("2026-11-22T23:59:59", WITA))
    wall.punch(HARUN, NOW + 1)
    store.take(wall.batch(), NOW + 1)
    assert set(presences(store, site="kec-bungi").values()) == {"not yet tapped"}
    midnight = ms("2026-11-23T00:00", WITA)
    wall.punch(SITI, midnight)
    store.take(wall.batch(4, 4), NOW + 1)
    assert presences(store, site="kec-bungi")["p-1"] == "present"


def test_a_roll_call_of_an_unknown_site_names_the_known_ones(store):
    """A misspelt site is an error with a cure, not an empty office."""
    with pytest.raises(EdgeAgentError, match="known: dinkes, kec-bungi"):
        rollcall(store.db, NOW, NOW, "kec-bungo")


@given(st.lists(st.integers(0, 20_000), max_size=5))
def test_shares_add_up_to_the_whole(counts):
    """Printed percentages of one whole sum to 100.0, and each is off by less than a tenth."""
    parts = shares(counts)
    total = sum(counts)
    assert sum(parts) == (1000 if total else 0)
    for part, count in zip(parts, counts, strict=True):
        assert abs(part - 1000 * count / (total or 1)) < 1
