"""What a battery-backed clock is worth: as much as it was when somebody last knew the time.

It drifts as any crystal, nobody says when it was set or whether its cell is flat, and the kernel
may set it while time is known. So its word counts only against a memory: how far off it was at an
instant that was known. Between then and now it was left alone, or set by a kernel that somebody
disciplined; the bounds allow both. Of a leap second it knows nothing.
"""

from dataclasses import dataclass

from edge_agent.bounds import LEAP_MS, Bounds, around, drift_ms, leap_ms
from edge_agent.evidence.rollover import ROLLOVER_MS

#: It tells whole seconds.
_STEP_MS = 1000
#: So far the kernel's clock may be off while the kernel sets the battery clock by it: what
#: systemd-timesyncd allows, and a second for the setting.
_SET_MS = 7000


@dataclass(frozen=True, slots=True)
class Known:
    """An instant that was known, and what the battery-backed clock said at it.

    Attributes:
        utc_ms: not later than it really was.
        floor_ms: UTC that was certainly past then, whoever was lying.
        rtc_ahead: how far that clock was ahead of UTC; None if there was none.
    """

    utc_ms: int
    floor_ms: int
    rtc_ahead: Bounds | None = None


def ahead(rtc_ms: int, utc: Bounds) -> Bounds:
    """How far a battery-backed clock that shows `rtc_ms` is ahead of UTC."""
    return Bounds(rtc_ms - utc.high_ms, rtc_ms + _STEP_MS - utc.low_ms)


def utc(rtc_ms: int, known: Known | None) -> Bounds | None:
    """UTC while a battery-backed clock shows `rtc_ms`; None if its word is worth nothing."""
    if known is None or known.rtc_ahead is None:
        return None
    then = known.rtc_ahead.joined(around(0, _SET_MS))
    # What it has counted since then: to here from what it showed then, or from what it was set to.
    counted_ms = max(abs(rtc_ms - known.utc_ms - ms) for ms in (then.low_ms, then.high_ms))
    off = then.wider(drift_ms(counted_ms + _STEP_MS))
    found = Bounds(rtc_ms - off.high_ms, rtc_ms + _STEP_MS - off.low_ms)
    found = found.wider(leap_ms(known.utc_ms, max(known.utc_ms, found.high_ms), LEAP_MS))
    found = Bounds(max(known.utc_ms, found.low_ms), found.high_ms)
    stopped = found.high_ms < known.utc_ms  # or it began anew
    return None if stopped or found.low_ms >= known.utc_ms + ROLLOVER_MS else found
