"""The scripted office day: its people, its taps and its compression into a play."""

import re
from itertools import pairwise

import pytest

from edge_agent.errors import EdgeAgentError
from edge_agent.sim import day


def test_the_roster_is_of_distinct_people_with_distinct_cards() -> None:
    """Nineteen, in ASCII, each with ten hex digits; the stranger is not among them."""
    people = day.staff()
    assert [one.id for one in people] == [f"P{number:03d}" for number in range(1, 20)]
    assert len({one.name for one in people}) == len({one.card for one in people}) == 19
    assert all(one.name.isascii() for one in people)
    cards = [one.card for one in people] + [day.STRANGER]
    assert len(set(cards)) == 20
    assert all(re.fullmatch(r"[0-9A-F]{10}", card) for card in cards)


@pytest.mark.parametrize("seed", range(20))
def test_a_day_has_its_late_comers_its_repeat_and_its_stranger(seed: int) -> None:
    """And the same seed gives the same day."""
    taps = day.taps(seed)
    assert taps == day.taps(seed)
    assert taps != day.taps(seed + 1)
    assert [one.at_s for one in taps] == sorted(one.at_s for one in taps)
    morning = [one.card for one in taps if one.at_s < 10 * 3600]
    on_time = [one for one in taps if one.at_s <= (7 * 60 + 35) * 60 + 15]
    assert (len(morning), len(set(morning)), morning.count(day.STRANGER)) == (21, 20, 1)
    assert len(morning) - len(on_time) == 3
    assert {one.card for one in taps} == {one.card for one in day.staff()} | {day.STRANGER}


@pytest.mark.parametrize("seconds", [22.5, 40.0, 600.0])
def test_a_compressed_day_keeps_its_order_and_its_distances(seconds: float) -> None:
    """From 0 to the end, no two taps too near for a reader to tell them apart."""
    for seed in range(20):
        taps = day.taps(seed)
        played = day.compress(taps, seconds)
        assert [one.card for one in played] == [one.card for one in taps]
        assert played[0].at_s == 0.0
        assert played[-1].at_s == pytest.approx(seconds)
        pairs = list(pairwise(played))
        assert min(b.at_s - a.at_s for a, b in pairs) > day.APART_S - 1e-6
        last: dict[str, float] = {}
        for one in played:
            assert one.at_s - last.get(one.card, -9.0) > day.SAME_APART_S - 1e-6
            last[one.card] = one.at_s


def test_a_day_that_does_not_fit_is_refused() -> None:
    """The error says how long it needs; no tap is no play."""
    with pytest.raises(EdgeAgentError, match=r"taps need \d+\.\d s, not 3"):
        day.compress(day.taps(), 3.0)
    assert day.compress((), 3.0) == ()
