"""Intervals of time: what two statements say together, and how they widen on the way."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.bounds import DRIFT_PPM, Bounds, around, carried, drift_ms, leap_ms

EDGES = st.integers(-(2**40), 2**40)
BOUNDS = st.tuples(EDGES, EDGES).map(sorted).map(lambda two: Bounds(*two))


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@given(BOUNDS)
def test_the_middle_is_never_further_off_than_the_error(one: Bounds) -> None:
    """Both ends lie within `error_ms` of `middle_ms`, and the error is no larger than needed."""
    assert one.middle_ms - one.error_ms <= one.low_ms
    assert one.middle_ms + one.error_ms == one.high_ms
    assert 2 * one.error_ms - (one.high_ms - one.low_ms) in (0, 1)


@given(BOUNDS, BOUNDS, EDGES)
def test_met_holds_what_both_hold_and_joined_what_either_holds(
    one: Bounds, other: Bounds, instant: int
) -> None:
    """By the definition, for any instant."""

    def holds(bounds: Bounds) -> bool:
        return bounds.low_ms <= instant <= bounds.high_ms

    assert one.meets(other) is (max(one.low_ms, other.low_ms) <= min(one.high_ms, other.high_ms))
    if one.meets(other):
        assert holds(one.met(other)) is (holds(one) and holds(other))
    if holds(one) or holds(other):
        assert holds(one.joined(other))


def test_a_day_of_drift_is_not_forgotten() -> None:
    """A hundred millionths of a day are 8.64 s; a millisecond counts as a whole one."""
    assert drift_ms(86_400_000) == drift_ms(-86_400_000) == 8_641
    assert (drift_ms(0), drift_ms(1), drift_ms(9_999), drift_ms(10_000)) == (0, 1, 1, 2)
    assert carried(around(5, 2), 1, 10_000) == Bounds(2, 8)
    assert carried(around(5, 2), 7, 7) == Bounds(3, 7)


@given(st.integers(0, 10**12), st.integers(-DRIFT_PPM, DRIFT_PPM), st.integers(0, 10**10))
def test_no_oscillator_within_its_limits_leaves_the_bounds(
    offset: int, ppm: int, elapsed_ms: int
) -> None:
    """Whatever its rate, after whatever time, either way."""
    off_ms = elapsed_ms / (1 + ppm / 1_000_000) - elapsed_ms  # what passed, less what was shown
    for after in (elapsed_ms, -elapsed_ms):
        bounds = carried(around(offset, 3), 0, after)
        assert bounds.low_ms <= offset - 3 + off_ms
        assert offset + 3 + off_ms <= bounds.high_ms


@pytest.mark.parametrize(
    ("one", "other", "leap"),
    [
        ("2026-11-01", "2026-12-31T23:59:59", 0),
        ("2026-11-01", "2027-01-01", 1000),
        ("2027-01-01", "2026-11-01", 1000),
        ("2026-06-30T23:59:59", "2026-07-01", 1000),
        ("2026-07-01", "2026-12-31", 0),
        ("2026-03-31", "2026-04-01", 0),
        ("2026-01-01", "2028-01-01", 4000),
    ],
)
def test_a_leap_second_may_lie_at_each_end_of_a_half_year(one: str, other: str, leap: int) -> None:
    """Announced or not; no other month has ever had one."""
    assert leap_ms(utc(one), utc(other)) == leap


def test_near_the_end_nobody_knows_on_which_side_he_is() -> None:
    """An error that reaches over the boundary lets a leap second in."""
    before = utc("2026-12-31T23:59:58")
    assert leap_ms(before - 5000, before, 1_000) == 0
    assert leap_ms(before - 5000, before, 3_000) == 1000


def test_an_offset_is_carried_over_the_end_of_the_year_with_its_leap_second() -> None:
    """As long as it may have been inserted; the drift comes on top."""
    boot = utc("2026-12-31T12:00:00")
    offset = around(boot, 10)
    assert carried(offset, 1_000, 11_000) == around(boot, 12)
    assert carried(offset, 0, 43_200_000) == around(boot, 10 + 4_321 + 1_000)


def test_a_leap_second_may_itself_be_what_moves_an_instant_over_the_midnight() -> None:
    """Over one that is left out; and back from 23:59:60, which has the number of 23:59:59."""
    before = around(utc("2026-12-31T23:59:30"), 0)
    assert carried(before, 0, 29_500) == before.wider(1_000 + 3)
    within = around(utc("2026-12-31T23:59:59"), 0)
    assert carried(within, 500, -500) == within.wider(1_000 + 1)


def test_absurd_instants_are_carried_without_an_exception() -> None:
    """A receiver, or a hostile message, may name any year."""
    assert leap_ms(-(2**53), 2**53) > 0
