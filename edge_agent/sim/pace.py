"""How fast a weak link passes bytes, and how long its connections live. Pure: time is an argument.

Instants are seconds of any clock that only goes forward.
"""

from random import Random

from edge_agent.sim.trouble import Trouble

#: A link without a limit takes so much at once.
_NO_LIMIT = 1_048_576
#: What a rate allows is given out so many times a second.
_SLICES = 20
#: Whoever comes late finds so many of them.
_MOST_SLICES = 4
#: Sums of fractions are never quite a slice.
_CRUMB = 1e-6


class Pace:
    """One direction of a link: a rate, and stalls in which nothing passes."""

    def __init__(self, trouble: Trouble, now_s: float) -> None:
        self._rate = trouble.rate
        self._flow_s, self._stall_s = trouble.stall_every_s, trouble.stall_s
        self._began_s = self._counted_s = now_s
        self._slice = max(1.0, (trouble.rate or 0) / _SLICES)
        self._room = self._slice
        self._stall, self._told_stall = 0, 0  # number of the last one that held bytes back

    def room(self, now_s: float) -> int:
        """How many of the bytes that wait may pass now."""
        if self._stalled_for(now_s):
            self._counted_s = now_s
            self._stall = 1 + int((now_s - self._began_s) // (self._flow_s + self._stall_s))
            return 0
        if self._rate is None:
            return _NO_LIMIT
        gained = (now_s - self._counted_s) * self._rate
        self._room = min(_MOST_SLICES * self._slice, self._room + gained)
        self._counted_s = now_s
        return int(self._room) if self._room >= self._slice - _CRUMB else 0

    def passed(self, size: int) -> None:
        """So many bytes did."""
        if self._rate is not None:
            self._room -= size

    def met_stall(self) -> bool:
        """True once for each stall in which bytes had to wait."""
        met, self._told_stall = self._stall != self._told_stall, self._stall
        return met

    def wait_s(self, now_s: float) -> float:
        """How long until bytes may pass again; 0 if they may now."""
        stalled_s = self._stalled_for(now_s)
        if stalled_s or self.room(now_s) or self._rate is None:
            return stalled_s
        return (self._slice - self._room) / self._rate

    def _stalled_for(self, now_s: float) -> float:
        """How long the stall that we are in will last still; 0 if there is none."""
        if not self._stall_s:
            return 0.0
        period_s = self._flow_s + self._stall_s
        into_s = (now_s - self._began_s) % period_s
        return period_s - into_s if into_s >= self._flow_s else 0.0


def life_s(trouble: Trouble, chance: Random) -> float | None:
    """How long a new connection will live; None if it does not die by itself."""
    lives = []
    if trouble.die_every_s:
        lives.append(chance.expovariate(1 / trouble.die_every_s))
    if chance.random() < trouble.die_share:
        lives.append(chance.uniform(0, trouble.die_within_s))
    return min(lives, default=None)
