"""Surveys where and when they were made: restarts, moves, several terminals, unknown times."""

from dataclasses import replace
from pathlib import Path

import pytest
from central_surveys import HOUR, SILENT, hour, report
from central_wall import JOURNAL, NOW, WITA, Wall, ms, stamp, take, wall_at

from edge_agent.central.signal import Verdict
from edge_agent.central.store import Store
from edge_agent.contract import entries


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        yield one


def test_restarts_and_overlaps_count_no_hour_twice(store):
    """A survey is cut short by a restart; two terminals hear the same hour."""
    wall = wall_at()
    hour(wall, "2026-11-23T07:00")
    hour(wall, "2026-11-23T07:20", length_ms=HOUR // 3)
    wall.start(ms("2026-11-23T07:30", WITA))
    hour(wall, "2026-11-23T08:30")
    take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.surveyed_h, one.not_surveyed_h) == (3, 2.3, 6.7)
    assert (one.terminals, one.posted_h) == (1, 9.0)


def test_two_terminals_at_a_site_are_one_line(store):
    """Their time with a link together, the hours that either knows of, the one that lags."""
    first, second = wall_at(), wall_at(terminal="bungi-2")
    hour(first, "2026-11-23T07:00", online_ms=HOUR, backlog=3, oldest_ms=HOUR, bytes_up=500)
    hour(first, "2026-11-23T08:00", online_ms=HOUR, backlog=1, oldest_ms=10, bytes_up=500)
    hour(second, "2026-11-23T07:30", backlog=5, oldest_ms=77, bytes_down=2000)
    for wall in (first, second):
        take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.terminals, one.surveys, one.posted_h) == (2, 3, 9.0)
    assert (one.surveyed_h, one.not_surveyed_h, one.link) == (2.0, 7.0, 0.6667)
    assert (one.backlog, one.backlog_age_ms, one.worst_age_ms) == (6, 77, HOUR)
    assert (one.reported, one.bytes_a_day) == ("2026-11-23 07:30:00", 24_000)


def test_a_terminal_that_moved_is_counted_where_it_was(store):
    """Its hours stay where they were made; its backlog went with it."""
    wall = wall_at()
    hour(wall, "2026-11-23T05:00", backlog=4, oldest_ms=HOUR)
    wall.start(ms("2026-11-23T06:00", WITA), site="dinkes", zone="Asia/Jakarta")
    hour(wall, "2026-11-23T08:00", online_ms=HOUR, backlog=2, oldest_ms=9)
    take(store, wall.batch())
    found = report(store)
    old, new = found["kec-bungi"], found["dinkes"]
    assert (old.surveys, old.posted_h, old.not_surveyed_h) == (1, 6.0, 5.0)
    assert (old.backlog, old.backlog_age_ms, old.worst_age_ms) == (None, None, HOUR)
    assert (new.surveys, new.posted_h, new.not_surveyed_h) == (1, 3.0, 2.0)
    assert (new.backlog, new.backlog_age_ms, new.best_hours) == (2, 9, (6,))


def test_a_silent_site_is_there_without_figures_and_a_retired_terminal_is_not_waited_for(store):
    """A terminal without power: hours that nobody surveyed, and no share at all."""
    dark, gone = wall_at(), wall_at("dinkes", "dinkes-1")
    for wall in (dark, gone):
        take(store, wall.batch())
    store.retire("dinkes-1", ms("2026-11-22T12:00", WITA))
    store.db.conn.execute("UPDATE terminal SET heard_ms = 0")
    found = report(store)
    assert [*found] == ["kec-bungi"]
    one = found["kec-bungi"]
    assert (one.surveys, one.link, one.verdict) == (0, None, Verdict.UNKNOWN)
    assert (one.not_surveyed_h, one.reported, one.backlog) == (9.0, "2026-11-20 06:00:00", None)
    assert report(store, days=2)["dinkes"].posted_h == 12.0


def test_surveys_that_overtake_the_start_entry_belong_where_the_status_says(store):
    """Nothing is known of that site but its id; it has no position."""
    wall = wall_at()
    hour(wall, "2026-11-23T08:30", online_ms=HOUR)
    store.note(wall.status(), NOW)
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.terminals, one.reported, one.lat, one.lon) == (0, 1, "", None, None)
    take(store, wall.batch(2, 2))
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.link, one.zone, one.lat) == (1, 1.0, "", None)
    take(store, wall.batch(1, 1))
    one = report(store)["kec-bungi"]
    assert (one.zone, one.lat, one.lon, one.best_hours) == (WITA, -5.39, 122.65, (8,))


def test_an_hour_whose_time_becomes_known_later_moves_to_its_place(store):
    """A machine without a clock chip: its surveys claim 1970 until the receiver has a fix."""
    wall = Wall()
    wall.start(0, source="none", mono_ms=0)
    wall.add(replace(SILENT, online_ms=HOUR), stamp(HOUR, "none", HOUR))
    take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.not_surveyed_h) == (0, 9.0)
    known = stamp(ms("2026-11-23T08:00", WITA), "gnss", 3 * HOUR, 500)
    wall.add(entries.Clock("known"), known)
    take(store, wall.batch(3, 3))
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.undated, one.best_hours, one.surveyed_h) == (1, 0, (5,), 1.0)


def test_an_hour_that_lies_somewhere_in_a_day_counts_but_is_no_best_hour(store):
    """Nobody knew the time in that boot: it lies between the boots around it."""
    wall = Wall()
    wall.start(ms("2026-11-22T06:00", WITA))
    boot = "aa" * 16
    wall.add(replace(SILENT, online_ms=HOUR), stamp(5, "none", 2 * HOUR, boot=boot))
    wall.add(SILENT, stamp(ms("2026-11-23T08:30", WITA), mono_ms=HOUR, boot="bb" * 16))
    take(store, wall.batch())
    one = report(store, days=2)["kec-bungi"]
    assert (one.surveys, one.undated, one.link, one.best_hours) == (2, 1, 0.5, ())


def test_what_was_sent_twice_or_to_a_new_journal_is_counted_once_each(store):
    """A re-imaged card begins a new journal at the same site."""
    wall = wall_at()
    hour(wall, "2026-11-23T05:00")
    again = Wall(journal=JOURNAL[::-1])
    again.start(ms("2026-11-23T06:00", WITA))
    hour(again, "2026-11-23T08:00", online_ms=HOUR, backlog=7)
    for one in (wall, again, wall):
        take(store, one.batch())
    line = report(store)["kec-bungi"]
    assert (line.surveys, line.terminals, line.link, line.backlog) == (2, 1, 0.5, 7)
    assert (line.posted_h, line.reported) == (9.0, "2026-11-23 08:00:00")


def test_the_newest_start_entry_of_a_site_says_where_and_in_which_zone_it_lies(store):
    """Whoever corrected a wrong zone restarted that terminal; the other's word is older."""
    corrected, older = wall_at(zone="Asia/Jakarta"), wall_at(terminal="bungi-2", zone="Asia/Tokyo")
    corrected.start(ms("2026-11-22T06:00", WITA))
    hour(older, "2026-11-23T07:00", online_ms=HOUR)
    for wall in (corrected, older):
        take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.zone, one.best_hours, one.since) == (WITA, (6,), "2026-11-23 00:00:00")


def test_each_site_has_its_own_midnight(store):
    """The day of Jayapura begins two hours before that of Jakarta, and includes no hour of it."""
    west, east = wall_at(zone="Asia/Jakarta"), wall_at("dinkes", "dinkes-1", zone="Asia/Jayapura")
    for wall, zone in ((west, "Asia/Jakarta"), (east, "Asia/Jayapura")):
        hour(wall, "2026-11-23T00:00", zone)
        hour(wall, "2026-11-23T00:01", zone)
        take(store, wall.batch())
    found = report(store)
    assert [(one.surveys, one.posted_h) for one in found.values()] == [(1, 10.0), (1, 8.0)]
