"""How fast a weak link passes bytes, and how long its connections live."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sim.pace import Pace, life_s
from edge_agent.sim.trouble import Trouble


@given(st.integers(1, 100_000), st.lists(st.floats(0.001, 0.2), min_size=50, max_size=100))
def test_no_more_passes_than_the_rate_allows(rate: int, steps: list[float]) -> None:
    """However often one asks; and hardly less, if one asks often enough."""
    pace, now_s, passed = Pace(Trouble(rate=rate), 0.0), 0.0, 0
    for step in steps:
        now_s += step
        room = pace.room(now_s)
        pace.passed(room)
        passed += room
    assert passed <= rate * now_s + max(1, rate / 20) + 1
    if max(steps) <= 0.15:
        assert passed >= rate * now_s - 4 * max(1, rate / 20) - 1


def test_nothing_passes_in_a_stall() -> None:
    """Two seconds of every five, and the wait says when they are over."""
    pace = Pace(Trouble(stall_every_s=3, stall_s=2), 100.0)
    assert [pace.room(100.0 + at) > 0 for at in (0, 2.9, 3.1, 4.9, 5.1, 8.1)] == [1, 1, 0, 0, 1, 0]
    assert pace.wait_s(104.0) == pytest.approx(1.0)
    assert pace.wait_s(106.0) == 0


def test_a_quiet_hour_is_not_made_up_for() -> None:
    """Who comes late finds a fifth of a second's worth, not all that could have passed."""
    assert Pace(Trouble(rate=1_000), 0.0).room(3_600.0) <= 200


def test_each_stall_that_is_met_is_told_once() -> None:
    """One in which nothing had to wait is none."""
    pace, met = Pace(Trouble(stall_every_s=3, stall_s=2), 0.0), []
    for at_s in (1, 3.5, 4, 6, 8.5, 16):
        pace.room(at_s)
        met.append(pace.met_stall())
    assert met == [False, True, False, False, True, False]


def test_lives_have_the_mean_and_the_share_that_are_asked_for() -> None:
    """Seeded: the same connections die again."""
    chance = random.Random(1)
    lives = [life_s(Trouble(die_every_s=30), chance) or 0 for _ in range(4000)]
    assert sum(lives) / 4000 == pytest.approx(30, rel=0.1)
    some = [life_s(Trouble(die_share=0.3, die_within_s=20), chance) for _ in range(4000)]
    dead = [one for one in some if one is not None]
    assert len(dead) / 4000 == pytest.approx(0.3, rel=0.1)
    assert max(dead) <= 20
    assert life_s(Trouble(), chance) is None
