"""What is believed when witnesses agree, contradict each other, fall silent and lie."""

from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.bounds import Bounds, around
from edge_agent.evidence.timekeeper import GNSS, NTP, RTC, Contradiction, Timekeeper

FLOOR = round(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1000
OFFSET = FLOOR + 10**9
HOUR = 3_600_000


def believed(keeper: Timekeeper) -> Bounds:
    assert keeper.belief is not None
    return keeper.belief.bounds


def test_nobody_is_believed_before_somebody_has_spoken() -> None:
    """Then there is no belief, and no contradiction either."""
    keeper = Timekeeper(FLOOR)
    assert keeper.belief is None
    assert keeper.contradictions == ()


def test_an_instant_that_is_certainly_past_is_refused() -> None:
    """A server that says 1970, whatever error it admits short of reaching the floor."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(NTP, around(0, 1000), 5_000)
    assert (keeper.belief, keeper.refused) == (None, 1)


def test_witnesses_that_agree_make_it_narrower() -> None:
    """The more exact one gives its name, and the two together are a confirmation."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    assert not keeper.confirmed
    keeper.heard(NTP, around(OFFSET + 300, 20), 0)
    assert keeper.belief is not None
    assert (believed(keeper), keeper.belief.source) == (around(OFFSET + 300, 20), NTP)
    assert keeper.confirmed
    keeper.heard(GNSS, around(OFFSET, 500), 1000)
    assert keeper.belief.source == NTP


def test_a_belief_drifts_until_it_is_confirmed_again() -> None:
    """A day without a witness costs 8.64 s; the next word takes that back, by its own name."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(NTP, around(OFFSET, 20), 0)
    assert keeper.belief is not None
    assert keeper.belief.utc(24 * HOUR) == around(OFFSET + 24 * HOUR, 8_661)
    keeper.heard(GNSS, around(OFFSET + 5_000, 500), 24 * HOUR)
    assert keeper.belief.source == GNSS
    assert believed(keeper) == around(OFFSET + 5_000, 500)


def test_a_contradiction_is_stated_over_both_sides() -> None:
    """Nobody here can tell which of two is right; whichever it is, the error holds it."""
    for first, second in ((GNSS, NTP), (NTP, GNSS)):
        keeper = Timekeeper(FLOOR)
        keeper.heard(first, around(OFFSET, 500), 0)
        keeper.heard(second, around(OFFSET + 2_000, 20), 0)
        assert believed(keeper) == Bounds(OFFSET - 500, OFFSET + 2_020)
        assert keeper.contradictions == (Contradiction(second, 2_000),)


def test_a_witness_that_comes_round_is_a_contradiction_no_more() -> None:
    """And what it says then counts as agreement."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    keeper.heard(NTP, around(OFFSET + HOUR, 20), 0)
    keeper.heard(NTP, around(OFFSET, 20), 0)
    assert keeper.contradictions == ()
    assert believed(keeper) == around(OFFSET, 20)


def test_a_lie_does_not_come_true_by_itself() -> None:
    """Who said it when it was excluded, and says it still, only waits for the belief to grow vague.

    Confirmed or not: after a month without the others 12 s lie within the drift.
    """
    for confirmed in (False, True):
        keeper = Timekeeper(FLOOR)
        keeper.heard(GNSS, around(OFFSET, 500), 0)
        if confirmed:
            keeper.heard(NTP, around(OFFSET, 20), 0)
        for day in range(30):
            keeper.heard(NTP, around(OFFSET + 12_000, 20), day * 24 * HOUR)
            assert keeper.contradictions
            said = keeper.belief.carried(day * 24 * HOUR) if keeper.belief else around(0, 0)
            assert said.low_ms <= OFFSET <= said.high_ms
        keeper.heard(NTP, around(OFFSET, 20), 30 * 24 * HOUR)
        assert keeper.contradictions == () or not confirmed


def test_what_two_have_confirmed_one_cannot_shake() -> None:
    """Time does not jump: the one that leaves is wrong, and is said to be."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    keeper.heard(NTP, around(OFFSET, 20), 0)
    keeper.heard(NTP, around(OFFSET - HOUR, 20), 1000)
    assert believed(keeper) == around(OFFSET, 20)
    assert keeper.contradictions == (Contradiction(NTP, -HOUR),)


def test_two_together_overrule_a_belief() -> None:
    """Also one that was confirmed: then the machine itself must have stood still."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    keeper.heard(NTP, around(OFFSET, 20), 0)
    keeper.heard(NTP, around(OFFSET + HOUR, 20), 1000)
    keeper.heard(GNSS, around(OFFSET + HOUR, 500), 2000)
    assert keeper.belief is not None
    assert keeper.belief.source == GNSS
    assert believed(keeper) == around(OFFSET + HOUR, 500)
    assert (keeper.changed, keeper.confirmed, keeper.contradictions) == (True, True, ())


def test_a_clock_that_was_taught_by_the_receiver_is_no_second_witness() -> None:
    """Then agreement confirms nothing, and a contradiction stays open."""
    keeper = Timekeeper(FLOOR, independent=False)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    keeper.heard(NTP, around(OFFSET, 20), 0)
    assert not keeper.confirmed
    assert keeper.belief is not None
    assert (keeper.belief.source, believed(keeper)) == (GNSS, around(OFFSET, 500))
    keeper.heard(NTP, around(OFFSET + HOUR, 20), 0)
    keeper.heard(GNSS, around(OFFSET + HOUR, 500), 0)
    assert believed(keeper).low_ms <= OFFSET
    assert believed(keeper).high_ms >= OFFSET + HOUR


def test_a_taught_clock_remembers_when_its_teacher_is_silent() -> None:
    """A minute after the receiver's last word the kernel's bound counts, and its name."""
    keeper = Timekeeper(FLOOR, independent=False)
    keeper.heard(GNSS, around(OFFSET, 500), 0)
    keeper.heard(NTP, around(OFFSET, 20), 59_999)
    assert keeper.belief is not None
    assert keeper.belief.source == GNSS
    keeper.heard(NTP, around(OFFSET, 20), 60_000)
    assert keeper.belief is not None
    assert (keeper.belief.source, believed(keeper)) == (NTP, around(OFFSET, 20))


def test_the_battery_clock_speaks_until_somebody_knows_better() -> None:
    """It is met by who agrees with it, yields to who does not, and contradicts nobody."""
    keeper = Timekeeper(FLOOR)
    keeper.heard(RTC, around(OFFSET, 30_000), 0)
    keeper.heard(GNSS, around(OFFSET + 5_000, 500), 1000)
    assert keeper.belief is not None
    assert (keeper.belief.source, keeper.confirmed) == (GNSS, False)
    keeper = Timekeeper(FLOOR)
    keeper.heard(RTC, around(OFFSET, 30_000), 0)
    keeper.heard(NTP, around(OFFSET + HOUR, 20), 1000)
    assert believed(keeper) == around(OFFSET + HOUR, 20)
    assert (keeper.changed, keeper.contradictions) == (True, ())
    keeper.heard(RTC, around(OFFSET, 30_000), 2000)
    assert believed(keeper) == around(OFFSET + HOUR, 20)


@given(st.integers(0, 2**30), st.integers(-100, 100))
def test_the_stated_bounds_always_hold_the_truth(seed: int, ppm: int) -> None:
    """Random months: an oscillator of any rate, honest witnesses coming and going, one liar.

    The liar speaks from some moment on, once an honest word was spoken, and by more than the clock
    may have drifted since; whichever of the two it is, the bounds that would be stamped hold the
    truth. (A lie within the drift is a small lie, and nobody can see it.)
    """
    random = Random(seed)
    keeper = Timekeeper(FLOOR)
    liar, lie_ms = (
        random.choice((GNSS, NTP, None)),
        random.choice((-1, 1)) * random.choice((HOUR, 500 * HOUR)),
    )
    true_ms = 0
    for step in range(80):
        true_ms += random.choice((500, 1000, 60_000, HOUR, 30 * HOUR, 5 * 24 * HOUR))
        mono_ms = round(true_ms * (1 + ppm / 1_000_000))
        leap_ms = 1000 if FLOOR + 10**9 + true_ms >= _NEW_YEAR and seed % 2 else 0
        offset = OFFSET + true_ms - leap_ms - mono_ms
        for source, error_ms in ((GNSS, 500), (NTP, random.randint(1, 200))):
            if step == 0 or random.random() < 0.5:
                off_ms = random.randint(-error_ms, error_ms)
                if source == liar and step > 5:
                    off_ms += lie_ms
                keeper.heard(source, around(offset + off_ms, error_ms), mono_ms)
        if keeper.belief is not None:
            said = keeper.belief.carried(mono_ms)
            assert said.low_ms - 1 <= offset <= said.high_ms + 1, (step, liar)


_NEW_YEAR = round(datetime(2027, 1, 1, tzinfo=UTC).timestamp()) * 1000
