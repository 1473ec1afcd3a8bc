"""What minutes of fixes come to: the rules of a survey, on fixes made for each."""

import math
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.cli.survey import survey_warnings
from edge_agent.events import PortLost
from edge_agent.records import Doubt, Fix
from edge_agent.technician.survey import (
    LEAST_FIXES,
    Point,
    Sample,
    Survey,
    agreeing,
    average,
    radius_m,
)
from edge_agent.technician.watch import Watch

SITE = Point(-53_694_400, 1_226_939_600)
GOOD: dict[str, Any] = {"satellites": 9, "hdop_e2": 92, "dimension": 3}
_E7_PER_M = 10**7 / 111_195.0


def fix(north_m: float = 0.0, east_m: float = 0.0, **said: Any) -> Fix:
    """A fix so far from the site."""
    wide = math.cos(math.radians(SITE.lat_e7 / 1e7))
    return Fix(
        SITE.lat_e7 + round(north_m * _E7_PER_M),
        SITE.lon_e7 + round(east_m * _E7_PER_M / wide),
        **{**GOOD, **said},
    )


def surveyed(fixes: Iterable[Fix], standing: Sequence[str] = ()) -> Survey:
    """One fix a second."""
    return average([Sample(one, 1000 * at) for at, one in enumerate(fixes)], standing)


def around(count: int, sigma_m: float, seed: int = 1, **said: Any) -> list[Fix]:
    random = Random(seed)
    return [fix(random.gauss(0, sigma_m), random.gauss(0, sigma_m), **said) for _ in range(count)]


def cause(found: Survey) -> str:
    return found.refusals[0].cause if found.refusals else ""


def test_good_fixes_give_their_middle_and_their_spread() -> None:
    """Five minutes under open sky: within a metre, nothing refused, no fence under 50 m."""
    found = surveyed(around(300, 1.5))
    assert found.centre is not None
    assert found.centre.away_m(SITE) < 0.5
    # Rayleigh: half within 1.18 deviations, 95 % within 2.45; far ones are cut at 3.
    assert found.median_m == pytest.approx(1.18 * 1.5, rel=0.15)
    assert found.spread_m == pytest.approx(2.45 * 1.5, rel=0.15)
    assert (found.error_m, found.lasted_s, found.refusals) == (5, 299, ())
    assert found.radius_m == 50


_NEAR = st.tuples(st.floats(0, 5), st.floats(0, 2 * math.pi))
_FAR = st.tuples(st.floats(40, 300_000), st.floats(0, 2 * math.pi))


def _polar(one: tuple[float, float]) -> Fix:
    return fix(one[0] * math.cos(one[1]), one[0] * math.sin(one[1]))


@given(st.lists(_NEAR, min_size=21, max_size=60), st.lists(_FAR, max_size=20), st.randoms())
def test_wild_fixes_in_the_minority_do_not_move_the_middle_at_all(
    near: list[tuple[float, float]], far: list[tuple[float, float]], random: Random
) -> None:
    """Honest ones lie within 5 m: wherever fewer wild ones lie beyond 40 m, so does the mean."""
    fixes = [*map(_polar, near), *map(_polar, far)]
    random.shuffle(fixes)
    centre, used = agreeing(fixes)
    assert len(used) <= len(near)
    assert centre.away_m(SITE) <= 5.1


@given(st.lists(_NEAR, min_size=21, max_size=60), st.lists(st.floats(0, 300_000), max_size=20))
def test_wild_fixes_anywhere_move_it_by_metres(
    near: list[tuple[float, float]], far_m: list[float]
) -> None:
    """Also where they are close enough to be taken: 3 deviations of 5 m and no farther."""
    fixes = [*map(_polar, near), *(fix(away_m) for away_m in far_m)]
    centre, _ = agreeing(fixes)
    assert centre.away_m(SITE) <= 40


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"satellites": 3}, "fewer than 4 satellites"),
        ({"hdop_e2": 500}, "HDOP 5 or more"),
        ({"dimension": 2}, "without height (2D)"),
    ],
)
def test_weak_fixes_are_not_used_and_counted_by_reason(said: dict[str, Any], why: str) -> None:
    """They lie 20 m off, where they would move the mean."""
    weak = [fix(20, 0, **said)] * 30
    found = surveyed([*around(60, 1.0), *weak])
    assert found.centre is not None
    assert found.centre.away_m(SITE) < 1
    assert (found.used, dict(found.rejected)[why]) == (60 - _far(found), 30)


def _far(found: Survey) -> int:
    return dict(found.rejected).get("far from the others", 0)


def test_just_good_enough_is_used_and_what_is_not_said_is_not_held_against_it() -> None:
    """Four satellites, HDOP 4.99; and a receiver that sends nothing but RMC."""
    assert surveyed(around(40, 1.0, satellites=4, hdop_e2=499)).refusals == ()
    mute = {"satellites": None, "hdop_e2": None, "dimension": None}
    assert surveyed(around(40, 1.0, **mute)).refusals == ()


def test_few_fixes_are_refused_and_none_has_no_middle() -> None:
    """Just enough is enough."""
    assert surveyed([]).centre is None
    assert cause(surveyed([])).startswith("0 good fixes")
    short = surveyed([fix()] * (LEAST_FIXES - 1))
    assert short.centre == SITE
    assert cause(short).startswith("29 good fixes")
    assert surveyed([fix()] * LEAST_FIXES).refusals == ()


def test_an_antenna_indoors_is_refused() -> None:
    """Fixes all over the block."""
    found = surveyed(around(300, 25.0))
    assert "more than 30 m" in cause(found)
    assert "open sky" in found.refusals[0].hint


@pytest.mark.parametrize(
    "path",
    [
        [fix(metre) for metre in range(300)],
        [*around(200, 1.0), *(fix(60 + one / 100) for one in range(100))],
        [*(fix(100 - metre) for metre in range(100)), *around(200, 1.0)],
    ],
    ids=["all the time", "carried away in the end", "on the way there"],
)
def test_a_survey_on_the_move_is_refused(path: list[Fix]) -> None:
    """Nobody sits down to survey and walks; but the box is hung up a minute later."""
    assert "moved by" in cause(surveyed(path))


def test_a_still_receiver_wanders_and_is_not_called_moving() -> None:
    """Eight metres of slow drift are what receivers do."""
    drift = [fix(8 * at / 300) for at in range(300)]
    assert surveyed(drift).refusals == ()


def test_many_wild_fixes_are_refused_though_the_rest_agrees() -> None:
    """Two of five by an echo, all along."""
    echo = [fix(80) if at % 5 < 2 else fix(at % 3) for at in range(300)]
    assert "lie far from the others" in cause(surveyed(echo))


def test_a_doubt_that_stands_refuses_the_best_survey() -> None:
    """And it is said before everything else."""
    found = surveyed(around(300, 1.0), ["spoof"])
    assert "doubts its own position (spoof)" in cause(found)
    assert found.centre is not None


def test_fixes_of_a_doubtful_moment_are_not_used() -> None:
    """The doubt passed: what came after it counts."""
    watch = Watch()
    watch.take(Doubt("jam", stands=True), 0)
    for one in range(20):
        watch.take(fix(15), 1000 * one)
    watch.take(Doubt("jam", stands=False), 20_000)
    for one in range(40):
        watch.take(fix(), 20_000 + 1000 * one)
    found = watch.survey()
    assert (found.centre, found.used, found.refusals) == (SITE, 40, ())
    assert found.rejected == (("while in doubt (jam)", 20),)


def test_progress_says_what_to_do() -> None:
    """Trouble of the port, no sky, weak fixes, a doubt, then figures."""
    watch = Watch()
    assert "no good fix yet: the antenna must see the sky" in watch.words(125)
    watch.take(PortLost("gnss", "unplugged"), 0)
    assert watch.words(125) == "2:05 left, unplugged"
    watch.take(fix(satellites=3), 0)
    assert "no good fix yet (1 weak ones)" in watch.words(60)
    watch.take(fix(), 0)
    assert watch.words(9.9) == "0:09 left, 1 fixes used, 1 not, 95 % within 0.0 m"
    watch.take(Doubt("spoof", stands=True), 0)
    assert watch.words(9).endswith("IN DOUBT: spoof")


def test_the_radius_covers_a_building_the_spread_and_the_error() -> None:
    """In tens of metres, never under 50."""
    assert [radius_m(0, 0), radius_m(5, 5), radius_m(5.1, 5), radius_m(29, 12)] == [50, 50, 60, 90]


def test_what_the_receiver_admits_widens_the_radius() -> None:
    """The error of a grade, by HDOP or as it is said: the median of the used fixes, rounded up."""
    assert (surveyed([fix(hdop_e2=101)] * 40).error_m, surveyed([fix()] * 40).radius_m) == (6, 50)
    rough = surveyed([*[fix(error_m=25)] * 40, *[fix(error_m=3)] * 30])
    assert (rough.error_m, rough.radius_m) == (25, 70)


def test_fixes_that_never_differ_are_warned_of() -> None:
    """No receiver is so still for a minute; for half of one it may be."""
    said = survey_warnings(surveyed([fix()] * 62), 100)
    assert said == ["all fixes are the same to the last digit: a recording, or held on purpose"]
    assert survey_warnings(surveyed([*[fix()] * 50, *around(50, 1.0)]), 100) == []
    assert "shorter than 60 s" in survey_warnings(surveyed([fix()] * 40), 100)[0]
