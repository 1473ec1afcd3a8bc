"""When was it really? Bounds for a stamp from what others of its boot, and other boots, vouch for.

A stamp that its terminal vouches for closely stands as it is. Of the others, those

    of a boot with an anchor    are dated by the anchors nearest before and after, over the time
                                that the oscillator counted in between
    of a boot without one       lie between two edges: the last instant certain before that boot,
                                and the first certain after it

Bounds are carried by `bounds.carried`: they are never understated. What excludes each other is not
averaged.

Where a terminal has found its witnesses in contradiction, the last ``clock`` entry that says so, or
that says how it ended, judges every stamp of that boot, also those that were vouched for closely.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.bounds import Bounds, around, carried

#: The source of a stamp that nobody vouches for, and of a resolved time that nothing bounds.
NONE = "none"
#: That of a stamp by a battery clock: the terminal believes it less than any other witness.
_RTC = "rtc"
#: The source of a resolved time that lies between what other boots are certain of.
BETWEEN = "between"
#: A stamp vouched for less closely than this is worth improving.
CLOSE_MS = 1000


@dataclass(frozen=True, slots=True)
class Claim:
    """What a stamp says of itself; see `records.Stamp`."""

    mono_ms: int
    utc_ms: int
    source: str
    error_ms: int | None

    @property
    def vouched(self) -> bool:
        """Somebody vouches for it, also somebody that is not known here, and says how closely."""
        return self.error_ms is not None and self.source != NONE


@dataclass(frozen=True, slots=True)
class Resolved:
    """A stamp's time: not before `low_ms`, not after `high_ms`; None where nothing bounds it.

    Attributes:
        source: whose word that is: who vouched for the stamp or its anchor, `BETWEEN` or `NONE`.
        best_ms: the best single statement, None if that is what was claimed.
    """

    low_ms: int | None
    high_ms: int | None
    source: str
    best_ms: int | None

    @property
    def error_ms(self) -> int | None:
        """How far the truth can be from the best statement; None if a bound is missing."""
        if self.low_ms is None or self.high_ms is None or self.best_ms is None:
            return None
        return max(self.best_ms - self.low_ms, self.high_ms - self.best_ms)


@dataclass(frozen=True, slots=True)
class Edge:
    """At `mono_ms` of a boot UTC was `utc_ms` or later, or, of an upper edge, or earlier."""

    utc_ms: int
    mono_ms: int

    def lower(self, mono_ms: int) -> int:
        """UTC was this or later at another moment of the boot."""
        return self._at(mono_ms).low_ms

    def upper(self, mono_ms: int) -> int:
        """UTC was this or earlier at another moment of the boot."""
        return self._at(mono_ms).high_ms

    def _at(self, mono_ms: int) -> Bounds:
        return _carried(around(self.utc_ms, 0), self.mono_ms, mono_ms)


def claim(at: Mapping[str, Any]) -> Claim:
    """The stamp of a checked entry."""
    return Claim(at["mono_ms"], at["utc_ms"], at["source"], at.get("error_ms"))


def own(stamp: Claim) -> Resolved:
    """What a stamp says of its own time."""
    if stamp.error_ms is None or not stamp.vouched:
        return Resolved(None, None, NONE, None)
    return _within(around(stamp.utc_ms, stamp.error_ms), stamp.source)


def _within(said: Bounds, source: str) -> Resolved:
    return Resolved(said.low_ms, said.high_ms, source, said.middle_ms)


def anchored(stamp: Claim, before: Sequence[Claim], after: Sequence[Claim]) -> Resolved:
    """The time of a stamp by anchors of its boot, each side's nearest first.

    Where both sides exclude each other, its own word stands, or else both may be right.
    """
    sides = [side for side in (_side(stamp, before), _side(stamp, after)) if side]
    mine = own(stamp)
    if not sides:
        return mine
    (said, source), (other, its_source) = sides[0], sides[-1]
    if its_source != source and _width(other) < _width(said):
        source = its_source
    agreed = said.meets(other)
    said = said.met(other) if agreed else said.joined(other)
    if mine.low_ms is not None and mine.high_ms is not None:
        self_said = Bounds(mine.low_ms, mine.high_ms)
        if not agreed or not said.meets(self_said) or self_said.met(said) == self_said:
            return mine
        said = said.met(self_said)
    return _within(said, source)


def judged(found: Resolved, stamp: Claim, by: Claim, *, settled: bool) -> Resolved:
    """What is left of a stamp's time after the last word on a contradiction in its boot.

    Args:
        by: the stamp of that word.
        settled: it says how the contradiction ended; else that nobody knows who is right.
    """
    said = _by(by, stamp.mono_ms)
    if found.low_ms is None or found.high_ms is None:
        return _within(said, by.source)
    before, source = Bounds(found.low_ms, found.high_ms), found.source
    # One witness alone is enough to settle it against a battery clock, which may have been right.
    if not settled or (source == _RTC and not said.meets(before)):
        said = said.joined(before)
    elif said.meets(before):
        said = said.met(before)
    else:
        source = by.source
    return _within(said, source)


def _side(stamp: Claim, anchors: Sequence[Claim]) -> tuple[Bounds, str] | None:
    """What the anchors of one side say together, and whose word that is.

    The nearer one is believed where a farther one excludes it: belief may have changed between.
    """
    found: tuple[Bounds, str] | None = None
    for anchor in reversed(anchors):
        said = _by(anchor, stamp.mono_ms)
        if found is None or not found[0].meets(said):
            found = said, anchor.source
        else:
            narrower = anchor.source if _width(said) <= _width(found[0]) else found[1]
            found = found[0].met(said), narrower
    return found


def _by(anchor: Claim, mono_ms: int) -> Bounds:
    """UTC at another moment of an anchor's boot."""
    return _carried(around(anchor.utc_ms, anchor.error_ms or 0), anchor.mono_ms, mono_ms)


def _carried(utc: Bounds, from_ms: int, to_ms: int) -> Bounds:
    """What is known of UTC at one monotonic time, as of another of the same boot."""
    return carried(utc.moved(-from_ms), from_ms, to_ms).moved(to_ms)


def _width(said: Bounds) -> int:
    return said.high_ms - said.low_ms


def between(
    stamp: Claim, lower: Sequence[Edge], upper: Sequence[Edge], received_ms: int
) -> Resolved:
    """The time of a stamp of a boot in which time never became known.

    When it was received bounds it, but makes no better statement: entries that come late would
    change places with those that were made after them.

    Args:
        received_ms: when the central had it, by the central's own clock, which counts only as far
            as it agrees with the rest.
    """
    lows = [edge.lower(stamp.mono_ms) for edge in lower]
    highs = [edge.upper(stamp.mono_ms) for edge in upper]
    low, high = max(lows, default=None), min(highs, default=None)
    if low is not None and high is not None:
        if low > high:
            return Resolved(None, None, NONE, None)
        best = Bounds(low, high).middle_ms
    else:
        best = next((ms for ms in (low, high) if ms is not None), stamp.utc_ms)
    source = NONE if low is None and high is None else BETWEEN
    if low is None or received_ms >= low:
        high = received_ms if high is None else min(high, received_ms)
    return Resolved(low, high, source, best if high is None else min(best, high))
