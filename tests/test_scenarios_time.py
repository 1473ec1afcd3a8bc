"""When: what the central makes of taps while clocks are wrong, missing, or against each other.

That each resolved time lies within its stated bounds is asserted for every scenario, in `outcomes`.
"""

from datetime import UTC, datetime, timedelta

import pytest
from scenario import MORNING, MakeScene, Outcome

NEW_YEAR = datetime(MORNING.year + 1, 1, 1, tzinfo=UTC)
SECOND_MS, HOUR_MS = 1_000, 3_600_000
#: A receiver vouches for its time within this: sentences come late, and a first epoch is read late.
RECEIVER_MS = 2_000


def told(found: dict[str, Outcome]) -> dict[str, tuple[str, str]]:
    """Grade and source of each tap."""
    return {name: (one.grade, one.source) for name, one in found.items()}


def sure(one: Outcome, within_ms: int) -> bool:
    """Whether the central states an error, and no larger one."""
    return one.bound_ms is not None and one.bound_ms <= within_ms


def test_boot_in_1970_with_no_network_and_a_fix_after_20_minutes(scene: MakeScene) -> None:
    """The taps before are dated by the fix that came after them, to the oscillator's drift."""
    with scene("1970, no network", MORNING, drift_ppm=40) as stage:
        stage.office.cut()
        stage.office.power_cut(3600)
        stage.tap("at boot")
        stage.pass_s(600)
        stage.tap("after 10 min")
        stage.pass_s(600)
        stage.believe()
        stage.tap("with a fix")
        found = stage.outcomes()
    assert [grade for grade, _ in told(found).values()] == ["no_sky", "no_sky", "verified"]
    assert found["at boot"].claimed_wrong_ms < -50 * 365 * 24 * HOUR_MS
    assert all(sure(one, RECEIVER_MS + 120) for one in found.values())


def test_boot_in_1970_and_never_any_time_until_the_second_boot(scene: MakeScene) -> None:
    """Such taps lie between what was certain before and what was certain after."""
    with scene("1970, never any time", MORNING) as stage:
        stage.believe()
        stage.tap("before the first cut")
        stage.module.stop()
        stage.office.power_cut(600)
        stage.tap("no time, at boot")
        stage.pass_s(3600)
        stage.tap("no time, an hour on")
        stage.office.power_cut(1800)
        stage.believe()
        stage.tap("second boot")
        found = stage.outcomes()
    grades = [grade for grade, _ in told(found).values()]
    assert grades == ["verified", "no_sky", "no_sky", "verified"]
    # From the first cut to the second boot it is 100 minutes, of which 60 are accounted for.
    for name in ("no time, at boot", "no time, an hour on"):
        assert sure(found[name], 41 * 60 * SECOND_MS), found[name]
    assert sure(found["second boot"], RECEIVER_MS)


def test_the_first_boot_ever_without_time_is_bounded_by_the_program(scene: MakeScene) -> None:
    """Nothing was certain before: not before the program was made, not after the next boot."""
    with scene("1970, nothing before", MORNING) as stage:
        stage.tap("no time")
        stage.office.power_cut(60)
        stage.believe()
        stage.tap("second boot")
        found = stage.outcomes()
    one = found["no time"]
    assert one.low_ms is not None
    assert one.high_ms is not None
    assert sure(found["second boot"], RECEIVER_MS)


def test_ntp_without_a_receiver(scene: MakeScene) -> None:
    """The kernel vouches; there is no place."""
    with scene("NTP, no receiver", MORNING) as stage:
        stage.office.gnss.unplug()
        stage.tap("before NTP")
        stage.machine.synchronise(30, wrong_ms=12)
        stage.knows("ntp")
        stage.tap("with NTP")
        found = stage.outcomes()
    assert told(found)["with NTP"] == ("no_sky", "ntp")
    assert found["before NTP"].grade == "no_sky"
    assert sure(found["with NTP"], 60)
    assert sure(found["before NTP"], 60)
    assert abs(found["with NTP"].error_ms) <= 60


@pytest.mark.parametrize("late_s", [0.0, 0.8])
def test_a_receiver_without_ntp(scene: MakeScene, late_s: float) -> None:
    """It is the only teacher, and enough, whether its sentences come at once or late."""
    name = f"receiver {late_s:g} s late, no NTP"
    with scene(name, MORNING, late_s=late_s, drift_ppm=-60) as stage:
        stage.believe()
        stage.tap("with a fix")
        stage.module.stop()
        stage.pass_s(6 * 3600)
        stage.tap("6 h without")
        found = stage.outcomes()
    assert told(found)["with a fix"] == ("verified", "gnss")
    assert sure(found["with a fix"], RECEIVER_MS)
    assert sure(found["6 h without"], RECEIVER_MS + 3_000)


@pytest.mark.parametrize("by_s", [2, 3600])
@pytest.mark.parametrize("liar", ["receiver", "NTP"])
def test_receiver_and_ntp_disagree(scene: MakeScene, by_s: int, liar: str) -> None:
    """Nobody can say which is right: the error stated reaches over both, the place is suspect."""
    with scene(f"{liar} wrong by {by_s} s", MORNING) as stage:
        lie = {liar: by_s}
        stage.machine.synchronise(30, wrong_ms=lie.get("NTP", 0) * SECOND_MS)
        stage.knows("ntp")
        stage.receiver.wrong_s = lie.get("receiver", 0)
        stage.pass_listening(30, epochs=8)
        stage.tap("both")
        found = stage.outcomes()
        incidents = stage.incidents("clock")
    both = found["both"]
    assert (both.grade, both.reasons) == ("suspect", "time")
    assert incidents[-1] == "opened"
    assert both.bound_ms is not None
    assert both.bound_ms >= (by_s - 1) * SECOND_MS // 2


def test_a_receiver_1024_weeks_back_agrees_with_ntp(scene: MakeScene) -> None:
    """Its firmware has rolled over: its date is moved forward, its time of day is right."""
    with scene("receiver 1024 weeks back", MORNING) as stage:
        stage.receiver.weeks = -1024
        stage.machine.synchronise(30)
        stage.pass_listening(90, step_s=30, epochs=15)
        stage.tap("both")
        found = stage.outcomes()
    assert found["both"].grade == "verified"
    assert sure(found["both"], 60)


def test_a_receiver_1024_weeks_back_is_the_only_teacher(scene: MakeScene) -> None:
    """Alone it is believed too, once it has kept to its date for a while."""
    with scene("1024 weeks back, no NTP", MORNING) as stage:
        stage.receiver.weeks = -1024
        stage.tap("at boot")
        stage.pass_listening(90, step_s=30, epochs=15)
        stage.knows("gnss")
        stage.tap("once believed")
        found = stage.outcomes()
    assert told(found)["once believed"] == ("verified", "gnss")
    assert all(sure(one, RECEIVER_MS) for one in found.values())


def test_ntp_1024_weeks_back_is_not_believed(scene: MakeScene) -> None:
    """A date before the program was made is no date; the receiver's is right."""
    with scene("NTP 1024 weeks back", MORNING) as stage:
        stage.machine.synchronise(30)
        stage.machine.step_system(-7168 * 24 * HOUR_MS, vouched=True)
        stage.believe()
        stage.tap("both")
        found = stage.outcomes()
    assert found["both"].source == "gnss"
    assert sure(found["both"], RECEIVER_MS)


def test_a_pivot_date_sets_nothing(scene: MakeScene) -> None:
    """An M8 without a battery begins in 2013, with status A, and then knows the week."""
    with scene("pivot date first", MORNING) as stage:
        stage.receiver.pivot_epochs = 12
        stage.listen(10)
        stage.tap("in 2013")
        stage.believe()
        stage.tap("week known")
        found = stage.outcomes()
    assert all(sure(one, RECEIVER_MS) for one in found.values())


def test_a_leap_second(scene: MakeScene) -> None:
    """23:59:60 is said by the receiver; taps before, in and after it keep their bounds."""
    with scene("leap second", NEW_YEAR - timedelta(minutes=3)) as stage:
        stage.machine.leap(NEW_YEAR)
        stage.believe()
        stage.pass_until(NEW_YEAR - timedelta(seconds=3))
        stage.tap("23:59:57")
        stage.until(lambda: stage.machine.utc().fold == 1)
        stage.tap("23:59:60")
        stage.pass_until(NEW_YEAR + timedelta(seconds=1))
        stage.tap("00:00:01")
        stage.pass_s(600)
        stage.listen(15)
        stage.tap("00:10")
        found = stage.outcomes()
    assert all(one.grade == "verified" for one in found.values())
    assert all(sure(one, RECEIVER_MS + 1_000) for one in found.values())


@pytest.mark.parametrize("teacher", ["receiver", "NTP"])
def test_the_system_clock_is_stepped_back_while_taps_go_on(scene: MakeScene, teacher: str) -> None:
    """Stamps follow the monotonic clock; the step is an incident."""
    with scene(f"stepped 1 h, {teacher}", MORNING) as stage:
        if teacher == "receiver":
            stage.believe()
        else:
            stage.machine.synchronise(30)
            stage.knows("ntp")
        stage.tap("before")
        stage.machine.step_system(-HOUR_MS)
        stage.tap("at once")
        stage.until(lambda: stage.incidents("clock") == ["opened"])
        stage.tap("after")
        found = stage.outcomes()
    assert all(sure(one, RECEIVER_MS) for one in found.values())
    assert {one.source for one in found.values()} == {"gnss" if teacher == "receiver" else "ntp"}


def test_midnight_and_the_end_of_a_month_in_wita(scene: MakeScene) -> None:
    """The date of a punch is the one on the wall in Bungi, eight hours ahead of UTC."""
    utc_midnight = (MORNING.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
    wall_midnight = utc_midnight - timedelta(hours=8)
    last, first = utc_midnight - timedelta(days=1), utc_midnight
    with scene("midnight in WITA", wall_midnight - timedelta(minutes=2)) as stage:
        stage.believe()
        stage.pass_until(wall_midnight - timedelta(seconds=3))
        stage.tap("23:59:57 WITA")
        stage.pass_until(wall_midnight + timedelta(seconds=3))
        stage.tap("00:00:03 WITA")
        stage.pass_until(utc_midnight + timedelta(seconds=3))
        stage.listen()
        stage.tap("00:00:03 UTC")
        found = stage.outcomes()
    assert [one.local[:-1] for one in found.values()] == [
        f"{last:%Y-%m-%d} 23:59:5",
        f"{first:%Y-%m-%d} 00:00:0",
        f"{first:%Y-%m-%d} 08:00:0",
    ]
    assert all(one.grade == "verified" for one in found.values())
