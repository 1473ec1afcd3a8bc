"""When a survey is due and what it says, through restarts and power cuts, in time made by hand."""

import random
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import punch, stamp
from wall import Wall

from edge_agent.errors import JournalError
from edge_agent.events import Surveyed
from edge_agent.records import Reception, Stamp
from edge_agent.terminal.surveying import Surveying
from edge_agent.uplink.usage import Usage

MINUTE, HOUR = 60_000, 3_600_000
HEARD = Reception("modem", "home", "lte", rsrp_dbm=-88)
WIFI = Reception("wifi", "home", "wifi", rssi_dbm=-56)


class Site:
    """A terminal whose surveys are looked at, and its clocks."""

    def __init__(self, folder: Path, *ears: str) -> None:
        self._wall = Wall(folder)
        self.journal = self._wall.journal
        self.delivery = self._wall.agent._delivery
        self.boots = self.mono_ms = self.utc_ms = 0
        self.source = "ntp"
        self.asked: list[str] = []
        self._ask: dict[str, Callable[[], None]] = {
            name: partial(self.asked.append, name) for name in ears
        }
        self.status: dict[str, Any] = {}
        self.begin()

    def stamp(self) -> Stamp:
        utc_ms = stamp().utc_ms + self.utc_ms
        error_ms = None if self.source == "none" else 20
        return Stamp(f"{self.boots:032x}", self.mono_ms, utc_ms, self.source, error_ms)

    def begin(self) -> None:
        """An agent begins, with what is left of the one before."""
        self.delivery.metering.usage = Usage()
        self.one = Surveying(self.journal, self.delivery, self.stamp, HOUR, self._ask, self.status)
        self.one.port(is_open=True)

    def restart(self) -> None:
        """The agent is killed and started again; its status was written a moment before."""
        self.say()
        self.begin()

    def cut_power(self, off_ms: int = 0) -> None:
        self.boots, self.mono_ms, self.utc_ms = self.boots + 1, 0, self.utc_ms + off_ms
        self.status = {}
        self.begin()

    def say(self) -> None:
        self.status = {"at": asdict(self.stamp()), "survey": self.one.status()}

    def live(self, for_ms: int, step_ms: int = MINUTE // 2) -> None:
        """Time passes; a connection is tried in each half minute."""
        for _ in range(0, for_ms, step_ms):
            self.mono_ms += step_ms
            self.utc_ms += step_ms
            self.delivery.usage.attempted()
            self.one.settle(self.mono_ms)

    @property
    def surveys(self) -> list[dict[str, Any]]:
        return self._wall.entries("survey")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """With nothing to hear with."""
    return Site(tmp_path)


def test_the_first_survey_comes_soon_and_the_others_by_the_hour(site: Site) -> None:
    """Without modem and Wi-Fi, and offline all the time; together they leave no time out."""
    site.live(MINUTE)
    assert len(site.surveys) == 1
    site.live(10 * HOUR)
    surveys = site.surveys
    assert len(surveys) == 11
    assert sum(one["length_ms"] for one in surveys) == surveys[-1]["at"]["mono_ms"]
    assert sum(one["attempts"] for one in surveys) == surveys[-1]["at"]["mono_ms"] // 30_000
    assert {one["online_ms"] for one in surveys} == {0}
    assert all("reception" not in one and "latency_ms" not in one for one in surveys)


def test_an_agent_restarted_every_three_minutes_loses_and_doubles_nothing(site: Site) -> None:
    """One survey an hour, about the whole hour."""
    for _ in range(20 * 6):
        site.live(3 * MINUTE)
        site.restart()
    surveys = site.surveys
    assert len(surveys) in (6, 7)
    assert sum(one["length_ms"] for one in surveys) == surveys[-1]["at"]["mono_ms"]
    assert sum(one["attempts"] for one in surveys) == surveys[-1]["at"]["mono_ms"] // 30_000


def test_what_a_survey_said_is_not_said_again_after_a_kill(site: Site) -> None:
    """The status file is older than the last survey: its counts are in that survey already."""
    site.live(HOUR)
    site.say()
    site.live(10 * MINUTE)
    assert len(site.surveys) == 2
    site.begin()
    assert site.one.status()["counts"]["attempts"] == 0
    assert site.one.status()["since_ms"] == site.mono_ms


def test_an_agent_that_was_away_for_long_begins_anew(site: Site) -> None:
    """An hour in which nobody counted is no hour without a network."""
    site.live(30 * MINUTE)
    site.say()
    site.mono_ms += 2 * HOUR
    site.utc_ms += 2 * HOUR
    site.begin()
    site.live(11 * MINUTE)
    assert site.surveys[-1]["length_ms"] <= 11 * MINUTE
    assert site.surveys[-1]["attempts"] <= 22


@pytest.mark.parametrize("source", ["ntp", "none"])
@pytest.mark.parametrize("on_min", [2, 5, 9, 12, 25, 61])
def test_power_cuts_make_short_surveys_or_none_and_never_a_flood(
    site: Site, source: str, on_min: int
) -> None:
    """Where time is known one an hour at the most; where it is not, one for each boot."""
    site.source = source
    site.live(2 * MINUTE)
    boots = 24 * 60 // on_min
    for _ in range(boots):
        site.cut_power(MINUTE)
        site.live(on_min * MINUTE)
    surveys = site.surveys[1:]
    assert all(one["length_ms"] >= HOUR // 6 for one in surveys)
    assert all(one["length_ms"] <= on_min * MINUTE for one in surveys)
    most = boots * (on_min + 1) // 60 + 1 if source == "ntp" else boots
    assert len(surveys) <= most
    assert (len(surveys) > 0) is (on_min >= 12)


def test_a_clock_that_was_ahead_silences_nobody(site: Site) -> None:
    """The last survey was stamped a year from now."""
    year_ms = 365 * 24 * HOUR
    site.utc_ms += year_ms
    site.live(2 * MINUTE)
    site.cut_power(-year_ms)
    site.live(3 * HOUR)
    assert len(site.surveys) == 4


def test_the_age_of_the_oldest_entry_is_known_within_a_boot_or_by_the_clock(site: Site) -> None:
    """By the monotonic clock; by UTC only where both ends are vouched for; else it is not said."""
    site.delivery.window.received.add(1, 1)
    entry = site.journal.append(punch(), site.stamp())
    site.delivery.window.appended(entry.seq)
    site.live(2 * MINUTE)
    (first,) = site.surveys
    assert (first["backlog"], first["oldest_ms"]) == (1, first["at"]["mono_ms"])
    site.cut_power(HOUR)
    site.live(11 * MINUTE)
    assert site.surveys[-1]["oldest_ms"] == site.surveys[-1]["at"]["utc_ms"] - stamp().utc_ms
    site.source = "none"
    site.cut_power(HOUR)
    site.live(11 * MINUTE)
    assert "oldest_ms" not in site.surveys[-1]
    site.delivery.window.received.add(1, site.journal.last_seq)
    site.live(HOUR)
    assert site.surveys[-1]["backlog"] == 0
    assert "oldest_ms" not in site.surveys[-1]


def test_what_was_heard_is_in_the_survey_for_which_it_was_asked(tmp_path: Path) -> None:
    """Asked when the survey is due; an answer from before is shown, and not written."""
    site = Site(tmp_path, "modem", "wifi")
    site.one.begin()
    assert site.asked == ["wifi"]
    site.one.heard(Surveyed(WIFI, site.mono_ms))
    site.live(MINUTE)
    assert site.asked == ["wifi", "modem", "wifi"]
    site.one.heard(Surveyed(HEARD, site.mono_ms - 1))
    site.one.heard(Surveyed(WIFI, site.mono_ms))
    site.one.settle(site.mono_ms)
    assert site.surveys == []
    site.one.heard(Surveyed(HEARD, site.mono_ms))
    site.one.settle(site.mono_ms)
    (survey,) = site.surveys
    assert survey["reception"] == {k: v for k, v in asdict(HEARD).items() if v is not None}
    assert site.one.status()["reception"] == asdict(HEARD)


def test_a_modem_that_does_not_answer_holds_no_survey_up(tmp_path: Path) -> None:
    """Not there: not asked. In trouble meanwhile: not waited for. Silent: a minute, no more."""
    site = Site(tmp_path, "modem")
    site.live(MINUTE)
    assert site.asked == ["modem"]
    site.one.port(is_open=False)
    site.one.settle(site.mono_ms)
    assert len(site.surveys) == 1
    site.live(HOUR + MINUTE)
    assert len(site.surveys) == 2
    assert site.asked == ["modem"]
    site.one.port(is_open=True)
    site.live(HOUR - MINUTE // 2)
    assert (len(site.asked), len(site.surveys)) == (2, 2)
    site.live(MINUTE)
    assert len(site.surveys) == 3
    assert all("reception" not in one for one in site.surveys)


def test_a_wifi_interface_speaks_where_the_modem_does_not(tmp_path: Path) -> None:
    """Of two the modem's word is written, if there is one."""
    site = Site(tmp_path, "modem", "wifi")
    site.one.port(is_open=False)
    site.live(MINUTE)
    site.one.heard(Surveyed(WIFI, site.mono_ms))
    site.one.settle(site.mono_ms)
    assert site.surveys[0]["reception"]["bearer"] == "wifi"


def test_a_journal_that_cannot_be_written_is_tried_again_and_nothing_is_lost(site: Site) -> None:
    """After a minute; the survey then tells of the whole time."""
    site.delivery.usage.acked(250)
    site.journal._db.execute("PRAGMA query_only = ON")
    with pytest.raises(JournalError):
        site.live(5 * MINUTE)
    site.live(MINUTE // 2)  # not at every turn
    site.journal._db.execute("PRAGMA query_only = OFF")
    site.live(2 * MINUTE)
    (survey,) = site.surveys
    assert survey["length_ms"] == survey["at"]["mono_ms"]
    assert survey["latency_ms"] == 250


def test_the_last_survey_is_found_behind_many_punches(site: Site) -> None:
    """A busy hour lies between; a restart without a status does not make another survey."""
    site.live(2 * MINUTE)
    for _ in range(1200):
        site.journal.append(punch(), site.stamp())
    site.status = {}
    site.begin()
    site.live(50 * MINUTE)
    assert len(site.surveys) == 1
    site.live(12 * MINUTE)
    assert len(site.surveys) == 2


def test_a_status_that_is_damaged_is_not_taken_up(site: Site) -> None:
    """Another version's, half of one, or somebody's joke: counting begins anew."""
    site.live(20 * MINUTE)
    site.say()
    good = site.status
    broken: list[dict[str, Any]] = [{}, {"survey": 3}, {"at": good["at"]}, {"survey": [], "at": {}}]
    for key, value in (("counts", {"online_ms": "x"}), ("since_ms", "x"), ("since_ms", 10**12)):
        broken.append({**good, "survey": {**good["survey"], key: value}})
    counts = good["survey"]["counts"]
    for value in (-1, 1.5, None, "7"):
        survey = {**good["survey"], "counts": {**counts, "attempts": value}}
        broken.append({**good, "survey": survey})
    random.shuffle(broken)
    for one in broken:
        site.status = one
        site.begin()
        assert site.one.status()["since_ms"] == site.mono_ms, one
        site.live(0)
    site.status = good
    site.begin()
    assert site.one.status()["counts"]["attempts"] > 0
