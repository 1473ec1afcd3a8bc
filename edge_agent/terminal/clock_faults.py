"""What is wrong with this machine's clocks, as incidents: a step, a drift, a contradiction."""

from collections.abc import Iterable

from edge_agent.evidence.system_clock import SystemClock
from edge_agent.evidence.timekeeper import Belief, Contradiction
from edge_agent.ports.clock import Reading
from edge_agent.terminal.incidents import Incidents

#: A system clock that is off by less beyond its bounds is right.
_OFF_MS = 1000
#: What is over comes back at once in a flapping clock: after the first time it is told so rarely.
_CALM_MS = 60_000
_SYSTEM = "system"


class ClockFaults:
    """Begins and ends the incidents of kind ``clock``: ``system``, or a witness's name."""

    def __init__(self, incidents: Incidents) -> None:
        self._incidents = incidents
        self._system = SystemClock()
        self._was_right = self._is_wrong = False
        self._faulty: set[str] = set()
        self._over_ms: dict[str, int] = {}

    def watch_system(self, now: Reading, belief: Belief | None) -> None:
        """Whether the system clock stepped, or is off what is believed.

        One that was never right and that nobody vouches for is no incident: in a blank spot it may
        say 1970 for years.
        """
        stepped_ms = self._system.step(now.system_ms, now.mono_ms)
        if belief is None:
            off_ms, right = 0, not stepped_ms
        else:
            utc = belief.utc(now.mono_ms)
            off_ms = now.system_ms - utc.middle_ms
            # Half of it while it is wrong: one that hovers at the limit is one incident.
            right = abs(off_ms) <= utc.error_ms + (_OFF_MS // 2 if self._is_wrong else _OFF_MS)
            self._is_wrong = not right
        if right:
            self._was_right |= belief is not None
            self._end(_SYSTEM, now.mono_ms)
        elif stepped_ms or self._was_right or now.error_ms is not None:
            cause = f"stepped {_far(stepped_ms)}" if stepped_ms else f"is {_far(off_ms)}"
            self._begin(_SYSTEM, cause, now.mono_ms)

    def tell(self, found: Iterable[Contradiction], belief: Belief | None, mono_ms: int) -> None:
        """Which witnesses exclude what is believed."""
        against = {one.source: one.by_ms for one in found}
        for source, by_ms in against.items():
            cause = f"{source} is {_far(by_ms)} of {belief.source if belief else 'nobody'}"
            self._begin(source, cause, mono_ms)
        for source in self._faulty - against.keys() - {_SYSTEM}:
            self._end(source, mono_ms)

    def _begin(self, which: str, cause: str, mono_ms: int) -> None:
        self._faulty.add(which)
        self._incidents.begin("clock", which, cause, mono_ms)

    def _end(self, which: str, mono_ms: int) -> None:
        over_ms = self._over_ms.get(which)
        calm = over_ms is None or mono_ms - over_ms >= _CALM_MS
        if which in self._faulty and calm:
            self._faulty.discard(which)
            self._over_ms[which] = mono_ms
            self._incidents.end("clock", which, mono_ms)


def _far(by_ms: int) -> str:
    """``3600.0 s ahead``, ``0.6 s behind``."""
    return f"{abs(by_ms) / 1000:.1f} s {'ahead' if by_ms >= 0 else 'behind'}"
