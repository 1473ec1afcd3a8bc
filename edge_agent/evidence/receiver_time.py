"""What time it is by a GNSS receiver that has agreed with itself for several epochs.

The sentences of an epoch come after the second that they name, by up to `late_ms`. So each epoch
says of the offset of this boot: it lies between what would be true if the sentence came at once and
what would be true if it came as late as ever. Where these statements meet is what the receiver
says. A sentence by itself sets nothing: receivers begin with dates of years ago.

GPS time runs ahead of UTC by the leap seconds so far, and the satellites tell how many only every
12.5 minutes (IS-GPS-200 section 20.3.3.5.2.4). Until then a receiver takes what its firmware was
given, which may be some seconds old: its first change of mind by whole seconds is no contradiction.
"""

from dataclasses import dataclass

from edge_agent.bounds import LEAP_MS, Bounds, carried
from edge_agent.evidence.rollover import is_pivot, unrolled

#: Epochs that must agree.
AGREEING = 5
#: Of a date that had to be moved: epochs, and how long. A receiver knows its week within 30 s.
AGREEING_MOVED, AGREEING_MOVED_MS = 30, 60_000
#: So long after its first epoch a receiver has learnt its leap seconds, at most so many at once.
_LEAPS_KNOWN_MS, _MOST_LEAPS = 20 * 60_000, 5
#: As whole as seconds are by sentences that come early and late.
_WHOLE_MS = 300
#: A date so little before the floor is no rollover: the receiver is simply wrong.
_BEHIND_MS = 400 * 86_400_000


@dataclass(frozen=True, slots=True)
class _Run:
    """Epochs that agree: where they meet, as of `mono_ms`."""

    bounds: Bounds
    mono_ms: int
    since_ms: int
    epochs: int
    moved: bool

    def joined_by(self, seen: Bounds, mono_ms: int, moved: bool) -> "_Run | None":
        """The run with one more epoch; None if that does not agree."""
        held = carried(self.bounds, self.mono_ms, mono_ms)
        if not held.meets(seen) or moved is not self.moved:
            return None
        return _Run(held.met(seen), mono_ms, self.since_ms, self.epochs + 1, moved)

    @property
    def holds(self) -> bool:
        if self.moved:
            lasted_ms = self.mono_ms - self.since_ms
            return self.epochs >= AGREEING_MOVED and lasted_ms >= AGREEING_MOVED_MS
        return self.epochs >= AGREEING


class ReceiverTime:
    """Follows one receiver.

    Attributes:
        refused: epochs whose date was not believed.
        behind: the last date named is certainly past, and no rollover accounts for it.
        corrected: with the last epoch the receiver has learnt its leap seconds: what it said before
            was off by whole seconds.

    Args:
        late_ms: the most that an epoch's sentences come after its second.
    """

    def __init__(self, late_ms: int) -> None:
        self.refused = 0
        self.behind = self.corrected = False
        self._first_ms: int | None = None
        self._late_ms = late_ms
        self._held: _Run | None = None
        self._other: _Run | None = None

    def take(self, utc_ms: int, mono_ms: int, floor_ms: int) -> Bounds | None:
        """Another epoch, heard at `mono_ms`.

        Returns:
            The offset (UTC - monotonic) that the receiver stands for; None while it does not yet.
        """
        self.corrected = False
        utc = None if is_pivot(utc_ms, floor_ms) else unrolled(utc_ms, floor_ms)
        self.behind = utc is not None and 0 < floor_ms - utc_ms <= _BEHIND_MS
        if utc is None or self.behind:
            self.refused += 1
            return None
        seen = Bounds(utc - mono_ms, utc - mono_ms + self._late_ms)
        moved = utc != utc_ms
        if self._first_ms is None:
            self._first_ms = mono_ms
        if self._held is not None:
            joined = self._held.joined_by(seen, mono_ms, moved)
            if joined is not None:
                self._held, self._other = joined, None
                return joined.bounds
            self.refused += 1
        other = self._other.joined_by(seen, mono_ms, moved) if self._other else None
        self._other = other or _Run(seen, mono_ms, mono_ms, 1, moved)
        if not self._other.holds:
            return None
        self.corrected = self._by_leaps(self._held, self._other, mono_ms - self._first_ms)
        self._held, self._other = self._other, None  # it has changed its mind, for good
        return self._held.bounds

    def _by_leaps(self, before: _Run | None, now: _Run, since_ms: int) -> bool:
        if before is None or since_ms > _LEAPS_KNOWN_MS:
            return False
        by_ms = now.bounds.middle_ms - before.bounds.middle_ms
        leaps = round(by_ms / LEAP_MS)
        return 0 < abs(leaps) <= _MOST_LEAPS and abs(by_ms - leaps * LEAP_MS) <= _WHOLE_MS
