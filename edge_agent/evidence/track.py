"""What the fixes of a boot say together: whether they stand still, leap, or have proved the place.

A receiver's position is never quite still: over minutes it wanders by decimetres. One that repeats
the same digits is a recording, or a receiver that holds them on purpose (which its profile switches
off). And a terminal does not travel faster than a vehicle: a position that does is somebody else's.
"""

from edge_agent.evidence.position import Fence, Sight, distance_m, error_m, grade, is_weak
from edge_agent.records import Doubt, Fix, Grade, Place

#: The same digits for so long, and in so many epochs, are frozen.
FROZEN_MS, FROZEN_EPOCHS = 300_000, 20
#: Faster than any vehicle there: 180 km/h.
FASTEST_M_PER_S = 50
#: What a fix may be off beyond its own error, by echoes from walls.
_ECHO_M = 50
#: A receiver that has said spoof or jam says so every second; one that went silent has not. What
#: its last fix looked like speaks against a silence no longer, either.
DOUBT_LASTS_MS = 60_000
#: A receiver that has hung says one epoch, the last that it knew; a second one shows that it lives.
_LEAST_FIXES = 2


class Track:
    """Follows the receiver of one terminal, for one boot.

    Args:
        fence: of the site.
        max_age_ms: an older fix proves nothing.
    """

    def __init__(self, fence: Fence, max_age_ms: int) -> None:
        self._fence = fence
        self._max_age_ms = max_age_ms
        self._said: dict[str, int] = {}
        self._time_doubted = False
        self._fix: Fix | None = None
        self._fix_ms = 0
        self._fixes = 0
        self._still_since_ms = 0
        self._still_epochs = 0
        self._accepted: tuple[Fix, int] | None = None
        self._agreed = False
        self._jumped = False
        self._held: tuple[Fix, int] | None = None

    @property
    def fix(self) -> Fix | None:
        """The last one."""
        return self._fix

    @property
    def fix_ms(self) -> int:
        """The monotonic time of the last fix."""
        return self._fix_ms

    def take(self, fix: Fix, mono_ms: int) -> None:
        """The receiver vouched for a fix."""
        before = self._fix
        if before is None or (before.lat_e7, before.lon_e7) != (fix.lat_e7, fix.lon_e7):
            self._still_since_ms, self._still_epochs = mono_ms, 0
        self._still_epochs += 1
        self._fix, self._fix_ms = fix, mono_ms
        self._fixes += 1
        self._look_for_leap(fix, mono_ms)
        self._settle_hold(self.place(mono_ms).grade)

    def doubt(self, doubt: Doubt, mono_ms: int) -> None:
        """The receiver said something against its signals, or takes it back."""
        if doubt.stands:
            self._said[doubt.of] = mono_ms
            self._held = None
        else:
            self._said.pop(doubt.of, None)

    def is_spoofed(self, mono_ms: int) -> bool:
        """Whether the receiver itself sees false signals: then its time is theirs, too."""
        return "spoof" in self._doubts(mono_ms)

    def doubt_time(self, *, stands: bool) -> None:
        """Whether the receiver's time contradicts another witness's."""
        self._time_doubted = stands
        if stands:
            self._held = None

    def unplugged(self) -> None:
        """The receiver is not there: what it will say next may be said somewhere else."""
        self._fix = self._held = None
        self._said.clear()
        self._fixes = 0
        self._jumped = False
        self._still_epochs = 0

    def place(self, mono_ms: int) -> Place:
        """The place of something that happens at a monotonic time, now or a moment ago."""
        held, held_ms = self._held or (None, mono_ms)
        sight = Sight(
            self._fix if self._fixes >= _LEAST_FIXES else None,
            max(0, mono_ms - self._fix_ms),
            self._doubts(mono_ms),
            held,
            max(0, mono_ms - held_ms),
        )
        return grade(sight, self._fence, self._max_age_ms)

    def _doubts(self, mono_ms: int) -> frozenset[str]:
        found = {of for of, said_ms in self._said.items() if mono_ms - said_ms <= DOUBT_LASTS_MS}
        if self._time_doubted and self._fix is not None:
            found.add("time")
        if mono_ms - self._fix_ms > DOUBT_LASTS_MS:
            return frozenset(found)
        if self._jumped:
            found.add("jump")
        still_ms = self._fix_ms - self._still_since_ms
        if self._still_epochs >= FROZEN_EPOCHS and still_ms >= FROZEN_MS:
            found.add("frozen")
        return frozenset(found)

    def _look_for_leap(self, fix: Fix, mono_ms: int) -> None:
        """A weak fix proves nothing, no leap either; of two that disagree neither is known true."""
        self._jumped = False
        if is_weak(fix):
            return
        before = self._accepted
        self._jumped = before is not None and not self._reachable(fix, mono_ms, *before)
        if not self._jumped or not self._agreed:
            self._accepted = fix, mono_ms
        self._agreed |= before is not None and not self._jumped

    def _reachable(self, fix: Fix, mono_ms: int, last: Fix, last_ms: int) -> bool:
        apart_m = distance_m(fix.lat_e7, fix.lon_e7, last.lat_e7, last.lon_e7)
        travelled_m = FASTEST_M_PER_S * (mono_ms - last_ms) / 1000
        return apart_m <= travelled_m + error_m(fix) + error_m(last) + _ECHO_M

    def _settle_hold(self, now: Grade) -> None:
        if now is Grade.VERIFIED and self._fix is not None:
            self._held = self._fix, self._fix_ms
        elif now in (Grade.OUTSIDE, Grade.SUSPECT):
            self._held = None
