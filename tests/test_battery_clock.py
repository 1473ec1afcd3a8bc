"""What a battery-backed clock is worth after a power cut."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.bounds import Bounds, around
from edge_agent.evidence.battery_clock import Known, ahead, utc
from edge_agent.evidence.rollover import ROLLOVER_MS

THEN = round(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * 1000
DAY = 86_400_000


def known(wrong_ms: int, error_ms: int = 10) -> Known:
    """Time was known to `error_ms`, and the battery clock was so wrong."""
    shown = (THEN + wrong_ms) // 1000 * 1000
    return Known(THEN - error_ms, THEN - 10**9, ahead(shown, around(THEN, error_ms)))


def test_without_a_memory_its_word_is_worth_nothing() -> None:
    """Nobody has ever held it against the truth."""
    assert utc(THEN, None) is None
    assert utc(THEN, Known(THEN, THEN)) is None


@given(
    st.integers(-3_600_000, 3_600_000),
    st.integers(0, 2_000),
    st.integers(1, 100 * DAY),
    st.integers(-100, 100),
    st.booleans(),
)
def test_the_truth_lies_within_its_bounds(
    wrong_ms: int, error_ms: int, off_ms: int, ppm: int, set_right: bool
) -> None:
    """However wrong it was, whatever its crystal does, also if the kernel set it right since."""
    memory = known(wrong_ms, error_ms)
    now = THEN + off_ms
    shown = now + (0 if set_right else wrong_ms) + off_ms * ppm / 1_000_000
    said = utc(int(shown // 1000) * 1000, memory)
    if said is None:
        assert shown < THEN + abs(wrong_ms) + 3_000  # it may have begun anew, for all that is known
    else:
        assert said.low_ms - 1 <= now <= said.high_ms + 1


@pytest.mark.parametrize("wrong_ms", [-365 * DAY, 365 * DAY])
@pytest.mark.parametrize("ppm", [-100, 100])
def test_it_drifts_while_it_counts_wherever_it_stands(wrong_ms: int, ppm: int) -> None:
    """A year behind, and a year off: drifted for a year, though it shows the date of then."""
    now = THEN + 365 * DAY
    shown = now + wrong_ms + 365 * DAY * ppm // 1_000_000
    said = utc(shown // 1000 * 1000, known(wrong_ms))
    if said is not None:
        assert said.low_ms <= now <= said.high_ms


def test_it_knows_of_no_leap_second_and_of_no_other_error() -> None:
    """Over a new year UTC may have stepped, and the kernel sets it as well as it knows itself."""
    new_year = round(datetime(2027, 1, 2, tzinfo=UTC).timestamp()) * 1000
    said = utc(new_year, known(0))
    assert said is not None
    bare_ms = (new_year - THEN) // 10_000
    assert said.low_ms <= new_year - bare_ms - 7_000 - 1_000
    assert said.high_ms >= new_year + bare_ms + 7_000 + 1_000


def test_its_error_is_its_resolution_and_its_drift() -> None:
    """After a day off, right when it was last seen: 8.64 s either way, 7 s if it was set since."""
    said = utc(THEN + DAY, known(0))
    assert said is not None
    assert said.error_ms <= 8_642 + 1_500 + 7_000


@pytest.mark.parametrize("shown", [0, 946_684_800_000, THEN - DAY, THEN + ROLLOVER_MS + DAY])
def test_a_clock_that_began_anew_is_not_believed(shown: int) -> None:
    """A flat cell makes it 1970 or 2000; nothing makes it twenty years ahead."""
    assert utc(shown, known(0)) is None


def test_it_is_never_believed_to_say_an_instant_that_is_past() -> None:
    """Its lower bound is what was known."""
    said = utc(THEN, known(1_000))
    assert said is None or said.low_ms >= THEN - 10
    assert ahead(THEN, around(THEN, 0)) == Bounds(0, 1000)
