"""Dates of receivers whose week count has run over, or that do not know the week."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.evidence.rollover import ROLLOVER_MS, is_pivot, unrolled


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


FLOOR = utc("2026-11-01")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-11-24T07:21:08", "2026-11-24T07:21:08"),
        ("2007-04-10T07:21:08", "2026-11-24T07:21:08"),  # 1024 weeks
        ("1987-08-25T07:21:08", "2026-11-24T07:21:08"),  # 2048 weeks
        ("2026-10-31T23:59:59", "2046-06-16T23:59:59"),
        ("2026-11-01", "2026-11-01"),
    ],
)
def test_a_date_before_the_floor_moves_forward(said: str, meant: str) -> None:
    """In whole steps of 7168 days, until it lies on the floor or above."""
    assert unrolled(utc(said), FLOOR) == utc(meant)


def test_a_date_a_whole_count_above_the_floor_has_no_meaning() -> None:
    """A receiver that is 1024 weeks ahead."""
    assert unrolled(FLOOR + ROLLOVER_MS - 1, FLOOR) == FLOOR + ROLLOVER_MS - 1
    assert unrolled(FLOOR + ROLLOVER_MS, FLOOR) is None


@given(st.integers(0, FLOOR * 2), st.integers(0, FLOOR))
def test_what_comes_out_is_the_one_date_that_fits(said: int, floor: int) -> None:
    """Equal modulo 7168 days, never before the floor, never a whole count beyond it."""
    meant = unrolled(said, floor)
    if meant is None:
        assert said >= floor + ROLLOVER_MS
    else:
        assert floor <= meant < floor + ROLLOVER_MS
        assert (meant - said) % ROLLOVER_MS == 0


@pytest.mark.parametrize(
    "said",
    [
        "1980-01-05T12:00:00",
        "1980-01-06",
        "1999-08-22",
        "2000-01-01T00:01:30",
        "2007-12-30",
        "2009-04-19",
        "2010-09-26",
        "2012-06-03",
        "2013-09-01T03:00:00",
        "2015-10-18",
        "2015-10-24T23:59:59",
        "2017-02-12",
        "2019-04-07",
    ],
)
def test_a_receiver_that_says_its_pivot_does_not_know_the_week(said: str) -> None:
    """The dates that receivers without a battery say, and the week that begins there."""
    assert is_pivot(utc(said), FLOOR)


def test_other_dates_and_dates_that_are_not_past_are_no_pivots() -> None:
    """A receiver whose count has run over is right again a week after its pivot."""
    assert not is_pivot(utc("2015-10-25"), FLOOR)
    assert not is_pivot(utc("2007-04-10"), FLOOR)
    assert not is_pivot(utc("2013-09-02"), utc("2013-08-01"))
