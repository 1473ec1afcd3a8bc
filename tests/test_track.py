"""What fixes say together: frozen ones, leaps, what is held, and what the receiver takes back."""

import math
from dataclasses import replace

import pytest

from edge_agent.evidence.position import EARTH_M, Fence
from edge_agent.evidence.track import (
    DOUBT_LASTS_MS,
    FASTEST_M_PER_S,
    FROZEN_EPOCHS,
    FROZEN_MS,
    Track,
)
from edge_agent.records import Doubt, Fix, Grade

LAT, LON = -53_694_400, 1_226_939_600
METRE_E7 = math.degrees(1 / EARTH_M) * 1e7


def fix(north_m: float = 0.0, hdop_e2: int = 91, dimension: int = 3) -> Fix:
    """So far north of the site."""
    return Fix(LAT + round(north_m * METRE_E7), LON, None, 9, hdop_e2, dimension)


class Walk:
    """A track, and the time."""

    def __init__(self) -> None:
        self.track = Track(Fence(LAT, LON, 100), 10_000)
        self.now_ms = 50_000
        self._wander = 0

    def stay(self, seconds: int, north_m: float = 0.0, *, still: bool = False) -> None:
        """An epoch a second, wandering by a decimetre unless it stands still."""
        for _ in range(seconds):
            self.now_ms += 1000
            self._wander = (self._wander + 1) % 3
            self.track.take(fix(north_m + (0 if still else self._wander / 10)), self.now_ms)

    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @property
    def said(self) -> tuple[Grade, str | None]:
        place = self.track.place(self.now_ms)
        return place.grade, place.reasons


@pytest.fixture
def walk() -> Walk:
    return Walk()


def test_before_the_first_fix_nothing_is_known(walk: Walk) -> None:
    """No sky, and no fix to show."""
    assert walk.said == (Grade.NO_SKY, "none")
    assert walk.track.fix is None


def test_without_sky_the_place_is_held_once_it_was_verified(walk: Walk) -> None:
    """The antenna is cut: for ten seconds the last fix counts, then it is held, for months."""
    walk.stay(5)
    walk.wait(10_000)
    assert walk.said == (Grade.VERIFIED, None)
    walk.wait(1)
    assert walk.said == (Grade.HELD, "stale")
    walk.wait(90 * 86_400_000)
    assert walk.said == (Grade.HELD, "stale")
    assert walk.track.place(walk.now_ms).age_ms == 90 * 86_400_000 + 10_001


def test_what_was_never_verified_is_not_held(walk: Walk) -> None:
    """A weak fix, or one on the fence, proves nothing for later."""
    walk.track.take(fix(dimension=2), walk.now_ms)
    walk.track.take(fix(97), walk.now_ms + 1000)
    walk.wait(20_000)
    assert walk.said == (Grade.NO_SKY, "stale")


def test_a_terminal_that_was_outside_is_not_held_until_it_is_verified_again(walk: Walk) -> None:
    """Carried 300 m away, at a walk, and brought back."""
    walk.stay(5)
    for metres in range(0, 300, 5):
        walk.stay(4, metres)
    assert walk.said == (Grade.OUTSIDE, None)
    walk.wait(20_000)
    assert walk.said == (Grade.NO_SKY, "stale")
    for metres in range(300, -1, -5):
        walk.stay(4, metres)
    assert walk.said == (Grade.VERIFIED, None)
    walk.wait(20_000)
    assert walk.said == (Grade.HELD, "stale")


def test_a_receiver_that_is_pulled_may_have_been_taken_elsewhere(walk: Walk) -> None:
    """What was held is held no longer, and what it said against its signals is forgotten."""
    walk.stay(5)
    walk.track.doubt(Doubt("jam", stands=True), walk.now_ms)
    walk.track.doubt_time(stands=True)
    walk.track.unplugged()
    assert walk.said == (Grade.NO_SKY, "none")
    walk.stay(2)
    assert walk.said == (Grade.SUSPECT, "time")
    walk.track.doubt_time(stands=False)
    walk.stay(1, 5000)
    assert walk.said == (Grade.SUSPECT, "jump")
    walk.track.unplugged()
    assert walk.said == (Grade.NO_SKY, "none")
    walk.stay(FROZEN_MS // 1000 + 1, still=True)
    assert walk.said == (Grade.SUSPECT, "frozen")
    walk.track.unplugged()
    assert walk.said == (Grade.NO_SKY, "none")


def test_coordinates_that_stand_still_are_frozen(walk: Walk) -> None:
    """For five minutes the same digits; the first that differ take it back."""
    walk.stay(FROZEN_MS // 1000, still=True)
    assert walk.said == (Grade.VERIFIED, None)
    walk.stay(1, still=True)
    assert walk.said == (Grade.SUSPECT, "frozen")
    walk.wait(1000)
    walk.track.take(replace(fix(), lon_e7=LON + 1), walk.now_ms)
    assert walk.said == (Grade.VERIFIED, None)


def test_a_few_same_positions_far_between_are_not_frozen(walk: Walk) -> None:
    """A receiver that gives a fix an hour proves neither."""
    for _ in range(FROZEN_EPOCHS - 1):
        walk.wait(3_600_000)
        walk.track.take(fix(), walk.now_ms)
    assert walk.said == (Grade.VERIFIED, None)


def test_same_digits_are_frozen_only_while_they_are_said(walk: Walk) -> None:
    """A silence is not, nor two same epochs with minutes between after hours of natural jitter."""
    walk.stay(FROZEN_MS // 1000 - 50, still=True)
    walk.wait(DOUBT_LASTS_MS)
    assert walk.said == (Grade.HELD, "stale")
    walk.stay(2 * FROZEN_EPOCHS)
    walk.track.take(fix(), walk.now_ms)
    walk.wait(2 * FROZEN_MS)
    walk.track.take(fix(), walk.now_ms)
    assert walk.said == (Grade.VERIFIED, None)


def test_a_leap_is_suspect_until_a_vehicle_could_have_made_it(walk: Walk) -> None:
    """5 km in a second, whichever of the two places is the site."""
    walk.stay(5)
    walk.stay(1, 5000)
    assert walk.said == (Grade.SUSPECT, "jump")
    walk.stay(1, 0)
    assert walk.said == (Grade.VERIFIED, None)
    walk.stay(5000 // FASTEST_M_PER_S - 5, 5000)
    assert walk.said == (Grade.SUSPECT, "jump")
    walk.stay(10, 5000)
    assert walk.said == (Grade.OUTSIDE, None)
    walk.stay(1, 0)
    assert walk.said == (Grade.SUSPECT, "jump")


def test_an_echo_is_no_leap(walk: Walk) -> None:
    """Fifty metres and the fixes' own errors are allowed."""
    walk.stay(5)
    walk.stay(1, 80)
    assert walk.said == (Grade.VERIFIED, None)


@pytest.mark.parametrize("poor", [(490, 490), (490, 91), (91, 490)])
def test_each_fix_may_be_as_far_off_as_it_admits(walk: Walk, poor: tuple[int, int]) -> None:
    """With HDOP 4.9 some 25 m, on top of an echo and of a second's way; for good ones it leaps."""
    for hdops, said in ((poor, None), ((91, 91), "jump")):
        walk.wait(60_000)
        walk.track.take(fix(0, hdops[0]), walk.now_ms)
        walk.wait(1000)
        walk.track.take(fix(128, hdops[1]), walk.now_ms)
        assert (walk.said[1] == "jump") is (said == "jump")


def test_a_leap_over_a_silence_is_measured_over_the_silence(walk: Walk) -> None:
    """Hours without a fix allow any distance; seconds, and a pulled cable, do not."""
    walk.stay(5)
    walk.track.unplugged()
    walk.stay(1, 5000)
    assert walk.said == (Grade.SUSPECT, "jump")
    walk.wait(3_600_000)
    walk.stay(1, 5000)
    assert walk.said == (Grade.OUTSIDE, None)


def test_a_weak_fix_is_no_leap(walk: Walk) -> None:
    """Under a roof it may be a kilometre off, and proves nothing, also nothing against the sky."""
    walk.stay(5)
    walk.now_ms += 1000
    walk.track.take(fix(900, dimension=2), walk.now_ms)
    assert walk.said == (Grade.HELD, "weak")
    walk.stay(1)
    assert walk.said == (Grade.VERIFIED, None)


@pytest.mark.parametrize("why", ["jump", "frozen"])
def test_a_fix_that_is_suspect_ends_what_was_held(walk: Walk, why: str) -> None:
    """For a minute after the last it says so; then, as after a weak one, nothing is known."""
    walk.stay(5)
    for _ in range(2):
        if why == "jump":
            walk.stay(1, 50_000)
        else:
            walk.stay(FROZEN_MS // 1000 + 1, still=True)
        walk.wait(DOUBT_LASTS_MS)
        assert walk.said == (Grade.SUSPECT, why)
        walk.wait(1)
        assert walk.said == (Grade.NO_SKY, "stale")
        walk.track.take(fix(1, dimension=2), walk.now_ms)
        assert walk.said == (Grade.NO_SKY, "weak")
        walk.stay(5)
        assert walk.said == (Grade.VERIFIED, None)


def test_a_first_fix_that_nothing_agrees_with_is_forgotten(walk: Walk) -> None:
    """A receiver that begins at the other end of the world is suspect for an epoch, not a day."""
    walk.stay(1, 5_000_000)
    walk.stay(1)
    assert walk.said == (Grade.SUSPECT, "jump")
    walk.stay(1)
    assert walk.said == (Grade.VERIFIED, None)
    walk.stay(1, 5_000_000)
    walk.stay(3)
    assert walk.said == (Grade.VERIFIED, None)


def test_what_the_receiver_says_counts_until_it_takes_it_back_or_falls_silent(walk: Walk) -> None:
    """Several doubts at once, in alphabetical order."""
    walk.stay(5)
    walk.track.doubt(Doubt("spoof", stands=True), walk.now_ms)
    walk.track.doubt(Doubt("jam", stands=True), walk.now_ms)
    assert walk.said == (Grade.SUSPECT, "jam spoof")
    walk.track.doubt(Doubt("jam", stands=False), walk.now_ms)
    walk.stay(3)
    assert walk.said == (Grade.SUSPECT, "spoof")
    walk.stay(DOUBT_LASTS_MS // 1000 - 3)
    assert walk.said == (Grade.SUSPECT, "spoof")
    walk.stay(1)
    assert walk.said == (Grade.VERIFIED, None)


def test_a_doubt_ends_what_was_held(walk: Walk) -> None:
    """Behind a jammer a terminal may go anywhere."""
    walk.stay(5)
    walk.track.doubt(Doubt("jam", stands=True), walk.now_ms)
    walk.wait(DOUBT_LASTS_MS + 1)
    assert walk.said == (Grade.NO_SKY, "stale")


def test_a_receiver_whose_time_is_contradicted_is_suspect(walk: Walk) -> None:
    """For as long as it is; afterwards the place must be verified anew."""
    walk.stay(5)
    walk.track.doubt_time(stands=True)
    assert walk.said == (Grade.SUSPECT, "time")
    walk.wait(20_000)
    assert walk.said == (Grade.SUSPECT, "time")
    walk.track.doubt_time(stands=False)
    assert walk.said == (Grade.NO_SKY, "stale")


def test_one_epoch_proves_nothing(walk: Walk) -> None:
    """A hung receiver repeats the last one that it had, perhaps of another place and day."""
    walk.stay(1)
    assert walk.said == (Grade.NO_SKY, "none")
    walk.stay(1)
    assert walk.said == (Grade.VERIFIED, None)
    walk.track.unplugged()
    walk.stay(1)
    assert walk.said == (Grade.NO_SKY, "none")


def test_a_fix_may_be_newer_than_the_punch(walk: Walk) -> None:
    """A card was read a moment before the fix that came while it was decoded: age 0, not less."""
    walk.stay(5)
    place = walk.track.place(walk.now_ms - 400)
    assert (place.grade, place.age_ms) == (Grade.VERIFIED, 0)
