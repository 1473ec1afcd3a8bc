"""What the central makes of surveys: figures computed by hand, nothing counted that nobody said."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from central_surveys import HOUR, LTE, SILENT, hour, make_old, report
from central_wall import NOW, WITA, ms, rows, stamp, take, wall_at

from edge_agent.central import surveys
from edge_agent.central.signal import Period, SiteSignal, Verdict, signal
from edge_agent.central.store import Store
from edge_agent.contract.canonical import MAX_INTEGER
from edge_agent.records import Reception


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        yield one


def test_the_figures_of_a_planted_site_are_those_computed_by_hand(store):
    """Every field of the report, from three hours of one morning."""
    wall = wall_at()
    fine = {"attempts": 2, "connections": 1, "bytes_up": 4000, "bytes_down": 1000}
    hour(wall, "2026-11-23T06:00", attempts=60, backlog=9, oldest_ms=5 * HOUR)
    hour(wall, "2026-11-23T07:00", online_ms=HOUR, latency_ms=700, reception=LTE, **fine)
    weak = replace(LTE, rssi_dbm=-97, rsrp_dbm=None, technology="edge", registration="roaming")
    last = {"online_ms": HOUR // 2, "latency_ms": 901, "backlog": 2, "oldest_ms": HOUR // 4}
    hour(wall, "2026-11-23T08:00", reception=weak, **last, **(fine | {"attempts": 8}))
    take(store, wall.batch())
    assert report(store) == {
        "kec-bungi": SiteSignal(
            site="kec-bungi",
            site_name="Kec-Bungi",
            zone=WITA,
            lat=-5.39,
            lon=122.65,
            verdict=Verdict.UNKNOWN,
            terminals=1,
            since="2026-11-23 00:00:00",
            until="2026-11-23 09:00:00",
            posted_h=9.0,
            surveyed_h=3.0,
            not_surveyed_h=6.0,
            reported="2026-11-23 08:00:00",
            reported_ms=ms("2026-11-23T08:00", WITA),
            surveys=3,
            left_out=0,
            undated=0,
            link=0.5,
            best_hours=(6,),
            latency_ms=800,
            attempts_per_connection=35.0,
            bytes_a_day=80_000,
            bearer="modem",
            technology="edge",
            operator="51010",
            registration="home",
            rssi_dbm=-92,
            rsrp_dbm=-101,
            backlog=2,
            backlog_age_ms=HOUR // 4,
            worst_age_ms=5 * HOUR,
        )
    }


def test_time_without_a_survey_is_never_time_without_a_link(store):
    """One hour of twenty-four was surveyed, all of it with a link: that is all that is known."""
    wall = wall_at()
    hour(wall, "2026-11-22T13:00", online_ms=HOUR)
    take(store, wall.batch())
    one = report(store, days=2)["kec-bungi"]
    assert (one.link, one.surveyed_h, one.not_surveyed_h) == (1.0, 1.0, 32.0)
    assert (one.reported, one.verdict) == ("2026-11-22 13:00:00", Verdict.UNKNOWN)


@pytest.mark.parametrize(
    ("online", "verdict"),
    [
        (0, Verdict.NONE),
        (0.0099, Verdict.NONE),
        (0.01, Verdict.WEAK),
        (0.8999, Verdict.WEAK),
        (0.9, Verdict.GOOD),
    ],
)
def test_a_verdict_is_by_the_share_of_a_day_or_more(store, online, verdict):
    """The thresholds that the command's help names; an hour less, and nobody judges."""
    wall = wall_at()
    for number in range(24):
        at = stamp(ms("2026-11-22T07:30", WITA) + number * HOUR)
        hour(wall, "", at=at, online_ms=round(HOUR * online))
    take(store, wall.batch(1, 24))
    assert report(store, days=2)["kec-bungi"].verdict is Verdict.UNKNOWN
    take(store, wall.batch(25, 25))
    assert report(store, days=2)["kec-bungi"].verdict is verdict


@pytest.mark.parametrize(
    ("zone", "best"),
    [("Asia/Jakarta", 5), (WITA, 6), ("Asia/Jayapura", 7), ("America/St_Johns", 19)],
)
def test_the_best_hour_is_one_on_the_wall_of_the_site(store, zone, best):
    """06:00 to 07:00 in Baubau is 05:00 in Blora and 07:00 in Jayapura."""
    wall = wall_at(zone=zone)
    for end, online_ms in (("06:00", 100), ("07:00", HOUR), ("08:00", HOUR * 74 // 100)):
        hour(wall, f"2026-11-23T{end}", online_ms=online_ms)
    take(store, wall.batch())
    assert report(store, days=3)["kec-bungi"].best_hours == (best,)


def test_hours_nearly_as_good_as_the_best_are_best_hours(store):
    """Three quarters of its share are near enough; hours without a survey are none."""
    wall = wall_at()
    for end, online_ms in (
        ("06:00", HOUR // 2),
        ("07:00", HOUR * 3 // 8),
        ("08:00", HOUR * 3 // 9),
    ):
        hour(wall, f"2026-11-23T{end}", online_ms=online_ms)
    take(store, wall.batch())
    assert report(store)["kec-bungi"].best_hours == (5, 6)


def test_without_a_zone_there_are_no_best_hours_and_the_period_is_of_utc(store):
    """UTC's hours would be wrong by seven to nine."""
    wall = wall_at(zone="Mars/Base")
    hour(wall, "2026-11-23T08:30", online_ms=HOUR)
    take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.zone, one.best_hours, one.link) == ("", (), 1.0)
    assert (one.since, one.until) == ("2026-11-23 00:00:00", "2026-11-23 01:00:00")


def test_an_hour_is_of_the_day_in_which_it_ends_on_the_wall(store):
    """A period is of local days: midnight in Baubau is four in the afternoon in UTC."""
    wall = wall_at()
    for end in ("2026-11-21T23:59", "2026-11-22T00:00", "2026-11-22T01:00", "2026-11-23T00:00"):
        hour(wall, end)
    hour(wall, "2026-11-23T00:01", online_ms=HOUR)
    take(store, wall.batch())
    day = date(2026, 11, 22)
    (one,) = signal(store.db, Period(NOW, day, day))
    assert (one.surveys, one.link, one.posted_h) == (2, 0.0, 24.0)
    assert (one.since, one.until) == ("2026-11-22 00:00:00", "2026-11-23 00:00:00")
    (one,) = signal(store.db, Period(NOW, date(2026, 11, 22)))
    assert (one.surveys, one.until) == (3, "2026-11-23 09:00:00")
    (one,) = signal(store.db, Period(NOW, None, day, days=2))
    assert (one.surveys, one.since) == (4, "2026-11-21 00:00:00")


def test_a_survey_with_the_fewest_fields_leaves_what_it_does_not_say_open(store):
    """No modem, no link, no backlog: None is not nought."""
    wall = wall_at()
    hour(wall, "2026-11-23T08:00")
    take(store, wall.batch())
    one = report(store)["kec-bungi"]
    assert (one.link, one.best_hours, one.backlog, one.bytes_a_day) == (0.0, (), 0, 0)
    unknown = (one.latency_ms, one.attempts_per_connection, one.backlog_age_ms, one.worst_age_ms)
    heard = (one.bearer, one.technology, one.operator, one.registration, one.rssi_dbm, one.rsrp_dbm)
    assert {*unknown, *heard} == {None}


@pytest.mark.parametrize(
    "hostile",
    [
        {"length_ms": 0},
        {"length_ms": MAX_INTEGER, "online_ms": MAX_INTEGER},
        {"length_ms": 48 * HOUR + 1},
        {"length_ms": 1000, "online_ms": 1001},
        {"length_ms": 0, "online_ms": HOUR, "oldest_ms": MAX_INTEGER, "latency_ms": MAX_INTEGER},
    ],
)
def test_a_survey_that_contradicts_itself_is_not_counted_and_said_to_be_there(store, hostile):
    """It changes no figure but the number of those left out."""
    wall = wall_at()
    hour(wall, "2026-11-23T07:00", online_ms=HOUR // 4, latency_ms=5)
    take(store, wall.batch())
    before = report(store)["kec-bungi"]
    wall.add(replace(SILENT, reception=LTE, **hostile), stamp(ms("2026-11-23T08:00", WITA)))
    take(store, wall.batch(3, 3))
    reached = {"reported": "2026-11-23 08:00:00", "reported_ms": ms("2026-11-23T08:00", WITA)}
    assert report(store)["kec-bungi"] == replace(before, left_out=1, **reached)


def test_numbers_as_large_as_the_contract_allows_break_nothing(store):
    """Their own site's figures are silly then; other sites' are not."""
    odd, fair = wall_at(), wall_at("dinkes", "dinkes-1")
    huge = dict.fromkeys(("attempts", "bytes_up", "bytes_down", "backlog"), MAX_INTEGER)
    huge |= dict.fromkeys(("latency_ms", "oldest_ms"), MAX_INTEGER)
    heard = Reception("x", "y", "z", "\x1b[2J" * 20, -MAX_INTEGER, MAX_INTEGER)
    for end in ("07:00", "08:00"):
        hour(odd, f"2026-11-23T{end}", connections=1, reception=heard, **huge)
    hour(fair, "2026-11-23T08:00", online_ms=HOUR)
    for wall in (odd, fair):
        take(store, wall.batch())
    found = report(store)
    one = found["kec-bungi"]
    assert (one.latency_ms, one.worst_age_ms, one.rssi_dbm) == (MAX_INTEGER,) * 2 + (-MAX_INTEGER,)
    assert one.bytes_a_day == pytest.approx(2 * 24 * MAX_INTEGER)
    assert (found["dinkes"].link, found["dinkes"].worst_age_ms) == (1.0, None)


def test_a_survey_that_the_chain_does_not_bear_out_is_not_counted(store):
    """Whoever edits the card in his laptop does not make the office's link better."""
    wall = wall_at()
    hour(wall, "2026-11-23T07:00")
    hour(wall, "2026-11-23T08:00")
    wall.texts[2] = wall.texts[2].replace('"online_ms":0', f'"online_ms":{HOUR}')
    take(store, wall.batch(1, 2))
    take(store, wall.batch(3, 3))
    one = report(store)["kec-bungi"]
    assert (one.surveys, one.left_out, one.link, one.surveyed_h) == (1, 1, 0.0, 1.0)


def test_surveys_that_came_before_the_central_knew_them_are_found(tmp_path):
    """An older central stored them, as entries of a kind it did not know, in whatever form."""
    wall = wall_at()
    full = {"latency_ms": 5, "oldest_ms": 7, "reception": LTE}
    hour(wall, "2026-11-23T07:00", online_ms=HOUR, **full)
    hour(wall, "2026-11-23T08:00")
    path = tmp_path / "central.db"
    with Store(path) as store:
        take(store, wall.batch())
        expected = rows(store, "survey"), rows(store, "posting"), report(store)
    numbers = ("length_ms", "online_ms", "attempts", "connections", "bytes_up", "bytes_down")
    fewest = dict.fromkeys((*numbers, "backlog"), 1)
    strange = [{}, *({**fewest, key: wrong} for key in fewest for wrong in (-1, "1", {}))]
    strange += [{key: 1 for key in fewest if key != missing} for missing in fewest]
    may = {"latency_ms": -1, "oldest_ms": "x", "reception": {"rssi_dbm": "x", "bearer": 5}}
    make_old(path, [*strange, {**fewest, **may}, {**fewest, "reception": "modem"}])
    with Store(path) as store:
        found = rows(store, "survey")
        assert (found[:2], rows(store, "posting")) == expected[:2]
        assert [row[2:] for row in found[2:]] == [(1,) * 7 + (None,) * 8] * 2
        store.db.conn.execute("DELETE FROM entry WHERE seq >= 90")
        assert report(store) == expected[2]


def test_a_report_reads_surveys_and_not_the_entries_between_them(store):
    """The index holds the time and whether it is broken: three times the speed of looking it up."""
    plan = store.db.conn.execute(f"EXPLAIN QUERY PLAN {surveys._SURVEYS}", (0, 1)).fetchall()
    assert "USING COVERING INDEX entry_survey (at_ms>? AND at_ms<?)" in plan[0][3]
    assert not any("TEMP B-TREE" in step[3] or "SCAN" in step[3] for step in plan)
