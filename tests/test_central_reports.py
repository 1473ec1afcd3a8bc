"""Punches as the central reports them: on the right day, of the right person, with evidence."""

from pathlib import Path

import pytest
from central_wall import (
    HARUN,
    MORNING,
    NOW,
    ORGANISATION,
    POWER_ON,
    ROSTER,
    SITI,
    WA_ODE,
    WITA,
    ms,
    wall_at,
)

from edge_agent.central import roster
from edge_agent.central.gaps import gaps
from edge_agent.central.reports import LocalTime, local, punches
from edge_agent.central.rollcall import rollcall
from edge_agent.central.schema import reading
from edge_agent.central.store import Store
from edge_agent.contract.credentials import conceal


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        one.enlist(roster.parse(ROSTER, ORGANISATION, "roster.csv"), NOW)
        yield one


def test_half_past_seven_in_baubau_belongs_to_that_day_and_not_to_the_utc_day_before(store):
    """The date is the one on the wall where the punch was made."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    store.take(wall.batch(), NOW)
    (line,) = punches(store.db)
    assert line.at_ms == ms("2026-11-22T23:30")
    assert (line.local.date, line.local.time, line.local.zone) == ("2026-11-23", "07:30:00", WITA)
    assert rollcall(store.db, NOW, NOW, "kec-bungi").offices[0].people[1].punch == line


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../../etc/passwd", "Asia"])
def test_where_the_zone_is_unknown_there_is_no_date_and_no_hour(store, zone):
    """UTC's would be those of another day; nobody is present or absent by them."""
    wall = wall_at(zone=zone)
    wall.punch(SITI, MORNING)
    store.take(wall.batch(), NOW)
    (line,) = punches(store.db)
    assert line.local == LocalTime("", "", "", False)
    (office,) = rollcall(store.db, NOW, NOW, "kec-bungi").offices
    assert office.local == LocalTime("", "", "", False)
    assert {one.presence for one in office.people} == {"terminal silent"}
    assert [one.unsure for one in office.people if one.person == "p-1"] == [line]


def test_an_instant_outside_the_calendar_does_not_break_a_report(store):
    """A clock gone mad is shown without a date, and the other punches are still there."""
    wall = wall_at()
    wall.punch(SITI, 2**53 - 1)
    wall.punch(HARUN, MORNING)
    store.take(wall.batch(), NOW)
    assert [line.local.date for line in punches(store.db)] == ["2026-11-23", ""]
    rollcall(store.db, 2**53 - 1, NOW)


def test_the_central_roster_names_the_person_before_the_terminal_does(store):
    """The terminal's roster may be old; its word counts where the central knows nothing."""
    wall = wall_at()
    wall.punch(SITI, MORNING, person="p-9")
    wall.punch("em4100:0000000099", MORNING + 1, person="p-2")
    wall.punch("em4100:0000000098", MORNING + 2, person="p-77")
    wall.punch("em4100:0000000097", MORNING + 3)
    store.take(wall.batch(), NOW)
    said = [(line.person, line.name, line.named_by) for line in punches(store.db)]
    assert said == [
        ("p-1", "Siti Rahma", "roster"),
        ("p-2", "La Ode Harun", "terminal"),
        ("p-77", None, "terminal"),
        (None, None, ""),
    ]


def test_punches_are_chosen_by_site_terminal_and_time(store):
    """Each filter alone and together; a limit keeps the latest, in the order of time."""
    bungi, dinkes = wall_at(), wall_at("dinkes", "dinkes-1")
    for minute in range(4):
        bungi.punch(SITI, MORNING + minute * 60_000)
        dinkes.punch(WA_ODE, MORNING + minute * 60_000 + 1)
    for wall in (bungi, dinkes):
        store.take(wall.batch(), NOW)
    assert len(punches(store.db)) == 8
    assert {line.site for line in punches(store.db, site="dinkes")} == {"dinkes"}
    assert {line.terminal for line in punches(store.db, terminal="bungi-1")} == {"bungi-1"}
    some = punches(store.db, since_ms=MORNING + 60_000, until_ms=MORNING + 120_000)
    assert [line.at_ms - MORNING for line in some] == [60_000, 60_001, 120_000]
    last = punches(store.db, site="dinkes", limit=2)
    assert [line.at_ms - MORNING for line in last] == [120_001, 180_001]


def test_a_terminal_that_moved_keeps_its_old_punches_at_the_old_site(store):
    """A punch belongs to the site of the start entry before it."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    wall.start(MORNING + 60_000, site="dinkes", zone="Asia/Jakarta")
    wall.punch(SITI, MORNING + 120_000)
    store.take(wall.batch(), NOW)
    assert [(line.site, line.local.time) for line in punches(store.db)] == [
        ("kec-bungi", "07:30:00"),
        ("dinkes", "06:32:00"),
    ]


def test_live_punches_that_overtake_the_start_entry_still_have_a_site(store):
    """Live entries come before the backlog; until that is in, the status names the site."""
    wall = wall_at()
    wall.punch(SITI, MORNING)
    store.note(wall.status(), NOW)
    store.take(wall.batch(2, 2), NOW)
    (line,) = punches(store.db, site="kec-bungi")
    assert not line.local.zone_known
    store.take(wall.batch(1, 1), NOW)
    assert punches(store.db, site="kec-bungi")[0].local.zone == WITA


def test_evidence_stands_beside_the_punch(store):
    """Source, error, grade, distance, repeat and break are shown with every punch."""
    wall = wall_at()
    first = wall.punch(SITI, MORNING, error_ms=12)
    wall.punch(SITI, 1, source="none", mono_ms=MORNING - POWER_ON + 1, repeat_of=first)
    store.take(wall.batch(1, 2), NOW)
    wall.tamper(3)
    store.take(wall.batch(3, 3), NOW)
    one, two = punches(store.db)
    assert (one.source, one.error_ms, one.grade, one.distance_m) == ("ntp", 12, "verified", 6)
    assert (one.repeat_of, one.broken) == (None, False)
    assert (one.not_before_ms, one.not_after_ms) == (MORNING - 12, MORNING + 12)
    assert (one.age_ms, one.satellites, one.hdop_e2, one.cn0, one.reasons) == (400, 9, 90, 47, "x")
    assert (two.source, two.claimed_source, two.claimed_ms) == ("ntp", "none", 1)
    assert (two.at_ms, two.error_ms, two.repeat_of, two.broken) == (MORNING + 1, 13, 2, True)
    assert two.credential == conceal(SITI, ORGANISATION)


def test_a_report_is_one_view_of_the_database_while_entries_come_in(tmp_path):
    """Figures of one report agree with each other."""
    wall = wall_at()
    for minute in range(3):
        wall.punch(SITI, MORNING + minute)
    with Store(tmp_path / "c.db") as writer, Store(tmp_path / "c.db") as reader:
        writer.take(wall.batch(1, 2), NOW)
        with reading(reader.db):
            before = len(punches(reader.db))
            writer.take(wall.batch(3, 4), NOW)
            assert gaps(reader.db)[0].last == before + 1
        assert len(punches(reader.db)) == before + 2


def test_without_a_zone_there_is_no_local_time():
    """The function that every report uses says when it does not know."""
    assert local(0, None) == local(0, "Mars/Base") == LocalTime("", "", "", False)
    assert local(0, WITA).time == "08:00:00"
