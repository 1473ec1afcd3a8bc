"""An instant, or a difference of clocks, known to lie between two bounds; and how bounds grow.

Honest time is an interval: what a witness says, give or take. Two statements about the same thing
are met (both hold) or, where they exclude each other, joined (one of them holds). What was known at
one moment is carried to another by a clock that never steps but may run fast or slow, so the bounds
grow with the distance.

    offset = UTC - monotonic, of one boot; UTC at a monotonic time is that time plus the offset

All values are whole milliseconds; bounds are inclusive.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

#: A crystal is sold with at most 50 millionths; heat, cold and age may double it.
DRIFT_PPM = 100
#: A leap second, in or out, comes at the end of June or December (ITU-R TF.460-6).
LEAP_MS = 1000


@dataclass(frozen=True, slots=True)
class Bounds:
    """Something that lies at `low_ms` or above and at `high_ms` or below."""

    low_ms: int
    high_ms: int

    @property
    def middle_ms(self) -> int:
        """The best single statement."""
        return (self.low_ms + self.high_ms) // 2

    @property
    def error_ms(self) -> int:
        """How far the truth can be from `middle_ms`, at most."""
        return self.high_ms - self.middle_ms

    def moved(self, by_ms: int) -> "Bounds":
        return Bounds(self.low_ms + by_ms, self.high_ms + by_ms)

    def wider(self, by_ms: int) -> "Bounds":
        return Bounds(self.low_ms - by_ms, self.high_ms + by_ms)

    def meets(self, other: "Bounds") -> bool:
        return self.low_ms <= other.high_ms and other.low_ms <= self.high_ms

    def met(self, other: "Bounds") -> "Bounds":
        """Where both hold; only for bounds that meet."""
        return Bounds(max(self.low_ms, other.low_ms), min(self.high_ms, other.high_ms))

    def joined(self, other: "Bounds") -> "Bounds":
        """Where at least one holds."""
        return Bounds(min(self.low_ms, other.low_ms), max(self.high_ms, other.high_ms))


def around(middle_ms: int, error_ms: int) -> Bounds:
    """The bounds `error_ms` to either side of `middle_ms`."""
    return Bounds(middle_ms - error_ms, middle_ms + error_ms)


def drift_ms(elapsed_ms: int) -> int:
    """How far true time may differ from this elapsed monotonic time, rounded up.

    A clock that is slow by p shows 1 - p of the time that passed, hence the divisor.
    """
    return -(-abs(elapsed_ms) * DRIFT_PPM // (1_000_000 - DRIFT_PPM))


def carried(offset: Bounds, from_ms: int, to_ms: int) -> Bounds:
    """What is known of an offset at one monotonic time, as of another of the same boot.

    Wider by what the oscillator may drift between the two, and by a leap second that may lie there:
    also one that is itself what moves the other instant over the midnight, hence its margin.
    """
    if from_ms == to_ms:
        return offset
    later = offset.wider(drift_ms(to_ms - from_ms))
    margin_ms = later.error_ms + LEAP_MS
    return later.wider(leap_ms(later.middle_ms + from_ms, later.middle_ms + to_ms, margin_ms))


def leap_ms(one_utc_ms: int, other_utc_ms: int, margin_ms: int = 0) -> int:
    """How far UTC may have stepped between two instants known to `margin_ms`, either way.

    A second for each end of a half-year that may lie between them.
    """
    first, last = sorted((one_utc_ms, other_utc_ms))
    return LEAP_MS * (_half_years(last + margin_ms) - _half_years(first - margin_ms))


_YEAR_9999_MS = 253_370_764_800_000


def _half_years(utc_ms: int) -> int:
    when = datetime.fromtimestamp(max(0, min(utc_ms, _YEAR_9999_MS)) // 1000, UTC)
    return 2 * when.year + (when.month > 6)
