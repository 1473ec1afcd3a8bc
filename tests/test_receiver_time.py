"""When a receiver is believed about the time, and how exactly."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.bounds import Bounds
from edge_agent.evidence.receiver_time import (
    AGREEING,
    AGREEING_MOVED,
    AGREEING_MOVED_MS,
    ReceiverTime,
)
from edge_agent.evidence.rollover import ROLLOVER_MS

FLOOR = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1000
#: What the offset of this boot really is.
OFFSET = FLOOR + 2 * 10**9


def epochs(
    receiver: ReceiverTime, count: int, *, at_ms: int = 0, late_ms: int = 200, off_ms: int = 0
) -> list[Bounds | None]:
    """So many seconds of a receiver whose sentences come late, and which is `off_ms` wrong."""
    return [
        receiver.take(OFFSET + at_ms + 1000 * n + off_ms, at_ms + 1000 * n + late_ms, FLOOR)
        for n in range(count)
    ]


def test_the_first_sentences_set_nothing() -> None:
    """The fifth of five that agree does."""
    said = epochs(ReceiverTime(1000), AGREEING)
    assert said[:-1] == [None] * (AGREEING - 1)
    assert said[-1] is not None


def test_the_truth_lies_between_at_once_and_as_late_as_ever() -> None:
    """A constant delay cannot be seen; it is in the bounds."""
    said = epochs(ReceiverTime(1000), 20, late_ms=200)[-1]
    assert said is not None
    assert said.low_ms <= OFFSET <= said.high_ms
    assert (OFFSET - said.low_ms, said.high_ms - OFFSET) == (200, 800)


def test_delays_that_vary_make_it_more_exact() -> None:
    """The least late sentence bounds from below, the latest one from above."""
    receiver = ReceiverTime(1000)
    for n, late_ms in enumerate((500, 100, 900, 400, 600, 500)):
        said = receiver.take(OFFSET + 1000 * n, 1000 * n + late_ms, FLOOR)
    assert said is not None
    assert OFFSET - 110 <= said.low_ms <= OFFSET <= said.high_ms <= OFFSET + 110


@given(st.integers(0, 2**30), st.integers(-100, 100))
def test_the_truth_stays_inside_whatever_oscillator_and_delays(seed: int, ppm: int) -> None:
    """An hour of a receiver, some of it silent, against a clock that runs fast or slow."""
    random, receiver = Random(seed), ReceiverTime(1000)
    true_ms = 0
    for _ in range(60):
        true_ms += random.choice((1000, 1000, 1000, 7000, 60_000, 600_000))
        late_ms = random.randint(0, 1000)
        mono_ms = round((true_ms + late_ms) * (1 + ppm / 1_000_000))
        said = receiver.take(OFFSET + true_ms, mono_ms, FLOOR)
        offset = OFFSET + true_ms + late_ms - mono_ms
        assert said is None or said.low_ms - 1 <= offset <= said.high_ms + 1


def test_one_epoch_that_disagrees_changes_nothing() -> None:
    """A sentence that lay in a buffer for seconds, or a bit that fell over."""
    receiver = ReceiverTime(1000)
    before = epochs(receiver, 10)[-1]
    assert epochs(receiver, 1, at_ms=10_000, off_ms=-5000) == [None]
    assert receiver.refused == 1
    after = epochs(receiver, 1, at_ms=11_000)[0]
    assert before is not None
    assert after is not None
    assert abs(after.low_ms - before.low_ms) <= 3


def test_a_receiver_may_change_its_mind() -> None:
    """If it agrees with itself about that, too."""
    receiver = ReceiverTime(1000)
    epochs(receiver, 10)
    said = epochs(receiver, AGREEING, at_ms=10_000, off_ms=7_000)
    assert said[:-1] == [None] * (AGREEING - 1)
    assert said[-1] is not None
    assert said[-1].low_ms > OFFSET + 6_000


def test_a_buffer_that_is_read_at_once_proves_nothing() -> None:
    """Seconds that come together do not agree about now."""
    receiver = ReceiverTime(1000)
    said = [receiver.take(OFFSET + 1000 * n, 60_000, FLOOR) for n in range(60)]
    assert said == [None] * 60


def test_a_date_that_had_to_be_moved_must_hold_for_a_minute() -> None:
    """By then a receiver knows its week, and one that does not yet has changed its mind."""
    receiver = ReceiverTime(1000)
    count = max(AGREEING_MOVED, AGREEING_MOVED_MS // 1000 + 1)
    said = epochs(receiver, count, off_ms=-ROLLOVER_MS)
    assert said[:-1] == [None] * (count - 1)
    assert said[-1] is not None
    assert said[-1].low_ms <= OFFSET <= said[-1].high_ms


def test_a_pivot_date_is_never_believed() -> None:
    """However long it is said; the right one that follows is."""
    receiver = ReceiverTime(1000)
    pivot = round(datetime(2015, 10, 18, tzinfo=UTC).timestamp()) * 1000
    said = [receiver.take(pivot + 1000 * n, 1000 * n, FLOOR) for n in range(300)]
    assert said == [None] * 300
    assert receiver.refused == 300
    assert epochs(receiver, AGREEING, at_ms=300_000)[-1] is not None


def test_a_receiver_an_hour_behind_what_is_past_is_wrong_and_not_rolled_over() -> None:
    """Moved forward it would be believed to live twenty years from now."""
    receiver = ReceiverTime(1000)
    said = [receiver.take(FLOOR - 3_600_000 + 1000 * n, 1000 * n, FLOOR) for n in range(100)]
    assert said == [None] * 100
    assert receiver.behind
    epochs(receiver, 1)
    assert not receiver.behind


def test_a_receiver_that_does_not_know_the_week_is_not_called_behind() -> None:
    """Before the floor by 1024 weeks, or at its pivot: it is ignorant, and lies about nothing."""
    receiver = ReceiverTime(1000)
    pivot = round(datetime(2015, 10, 18, tzinfo=UTC).timestamp()) * 1000
    long_ago = FLOOR - 401 * 86_400_000
    for utc_ms in (pivot, long_ago, FLOOR - ROLLOVER_MS + 5000, FLOOR, FLOOR + ROLLOVER_MS):
        receiver.take(utc_ms, 1000, FLOOR)
        assert not receiver.behind
    receiver.take(pivot, 1000, pivot + 30 * 86_400_000)
    assert not receiver.behind


def test_a_date_a_whole_count_ahead_is_refused() -> None:
    """1024 weeks in the future is no date of this program's life."""
    receiver = ReceiverTime(1000)
    assert epochs(receiver, 20, off_ms=ROLLOVER_MS) == [None] * 20


def test_a_leap_second_moves_the_offset_and_the_bounds_know() -> None:
    """Over the end of the year UTC falls a second behind; the truth stays inside on both sides."""
    receiver = ReceiverTime(1000)
    new_year = round(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1000
    for n in range(-20, 20):
        true_utc = new_year + 1000 * n - (1000 if n >= 0 else 0)
        if n == 0:
            continue  # 23:59:60, which has no name
        mono_ms = 100_000 + 1000 * n + 300
        said = receiver.take(true_utc, mono_ms, FLOOR)
        offset = true_utc + 300 - mono_ms
        assert said is None or said.low_ms <= offset <= said.high_ms
    assert said is not None
    assert said.high_ms - said.low_ms <= 1000


@pytest.mark.parametrize(
    ("by_ms", "after_ms", "learnt"),
    [
        (-3_000, 750_000, True),
        (2_000, 60_000, True),
        (-3_500, 750_000, False),
        (-6_000, 750_000, False),
        (-3_000, 1_300_000, False),
    ],
)
def test_a_receiver_learns_its_leap_seconds(by_ms: int, after_ms: int, learnt: bool) -> None:
    """From the satellites, within a quarter of an hour, whole and few; no other change is that."""
    receiver = ReceiverTime(1000)
    epochs(receiver, 20, off_ms=-by_ms)
    assert not receiver.corrected
    said = epochs(receiver, AGREEING, at_ms=after_ms, late_ms=300)
    assert said[-1] is not None
    assert said[-1].low_ms <= OFFSET <= said[-1].high_ms
    assert receiver.corrected is learnt
    epochs(receiver, 1, at_ms=after_ms + 60_000)
    assert not receiver.corrected
