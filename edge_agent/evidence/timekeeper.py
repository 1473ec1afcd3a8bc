"""What time it is: the statements of several witnesses about one boot's offset, held together.

    offset = UTC - monotonic, known to lie between bounds; the monotonic clock carries it on

Witnesses are the GNSS receiver, the kernel's clock while it is disciplined (``ntp``), and the
battery-backed clock (``rtc``), which speaks once, at the start, and yields to the other two. A
statement that meets what is believed makes it narrower. One that excludes it is a contradiction:
time does not jump, so one of the two is false. Unless two independent witnesses have agreed on the
belief before, nobody here can tell which; then the error that is stated reaches over both, and the
punch is true all the same. Where two witnesses agree against the belief, the belief goes. Who has
contradicted and says the same ever since does not come round because the belief has grown vague.
"""

from dataclasses import dataclass, replace

from edge_agent.bounds import Bounds, carried

GNSS, NTP, RTC = "gnss", "ntp", "rtc"

#: A receiver that has said nothing for so long does not teach anybody.
_ECHO_MS = 60_000


@dataclass(frozen=True, slots=True)
class Belief:
    """What the offset is believed to be, as of `mono_ms`, and by whose word."""

    bounds: Bounds
    mono_ms: int
    source: str

    def carried(self, mono_ms: int) -> Bounds:
        """The offset as of another monotonic time of this boot."""
        return carried(self.bounds, self.mono_ms, mono_ms)

    def utc(self, mono_ms: int) -> Bounds:
        """UTC at a monotonic time of this boot."""
        return self.carried(mono_ms).moved(mono_ms)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A witness excludes what is believed; `by_ms` is how far it is ahead of that."""

    source: str
    by_ms: int


class Timekeeper:
    """Keeps the belief of one boot.

    Attributes:
        changed: what was believed was given up since this was last set to False.
        confirmed: two independent witnesses have agreed on the belief.
        refused: statements of instants that are certainly past.

    Args:
        floor_ms: UTC that is certainly past.
        independent: whether ``gnss`` and ``ntp`` are two witnesses. If not, the kernel is taught by
            the receiver: its word is an echo while the receiver speaks, and memory afterwards.
    """

    def __init__(self, floor_ms: int, *, independent: bool = True) -> None:
        self.changed = False
        self.refused = 0
        self.floor_ms = floor_ms
        self._independent = independent
        self._belief: Belief | None = None
        self.confirmed = False
        self._rivals: dict[str, Belief] = {}

    @property
    def belief(self) -> Belief | None:
        """What may be stamped on an entry: with an unsettled contradiction, both sides of it."""
        belief = self._belief
        if belief is None or not self.doubted:
            return belief
        bounds = belief.bounds
        for rival in self._rivals.values():
            bounds = bounds.joined(rival.carried(belief.mono_ms))
        return replace(belief, bounds=bounds)

    @property
    def doubted(self) -> bool:
        """There is a contradiction that nobody can settle."""
        return bool(self._rivals) and not self.confirmed

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """Witnesses that exclude what is believed."""
        if self._belief is None:
            return ()
        return tuple(
            Contradiction(
                source,
                rival.bounds.middle_ms - self._belief.carried(rival.mono_ms).middle_ms,
            )
            for source, rival in self._rivals.items()
        )

    def heard(self, source: str, offset: Bounds, mono_ms: int, *, corrected: bool = False) -> None:
        """A witness states the offset as of `mono_ms`; `corrected` if it knows its own error."""
        said = Belief(offset, mono_ms, source)
        if offset.high_ms + mono_ms < self.floor_ms:
            self.refused += 1
            return
        if self._belief is None:
            self._belief = said
            return
        held = self._belief.carried(mono_ms)
        still = self._still(said)
        if still is None and held.meets(offset):
            self._agree(said, held)
        elif source == RTC:
            return
        elif (
            self._belief.source == RTC
            or self._outvotes(said)
            or (corrected and not self.confirmed and self._belief.source == source)
        ):
            self._give_way(said)
        else:
            self._rivals[source] = still or said

    def _still(self, said: Belief) -> Belief | None:
        """What a witness in contradiction has said all the time; None if it says something new."""
        rival = self._rivals.get(said.source)
        before = rival.carried(said.mono_ms) if rival else None
        if before is None or not before.meets(said.bounds):
            return None
        return replace(said, bounds=before.met(said.bounds))

    def _agree(self, said: Belief, held: Bounds) -> None:
        self._rivals.pop(said.source, None)
        before = self._belief
        if before is None or said.source == RTC or self._is_echo(said, before):
            return
        if before.source not in (said.source, RTC):
            self.confirmed |= self._independent
        narrower = said.bounds.error_ms <= held.error_ms or before.source == RTC
        source = said.source if narrower else before.source
        self._belief = Belief(held.met(said.bounds), said.mono_ms, source)

    def _is_echo(self, said: Belief, before: Belief) -> bool:
        heard_ms_ago = said.mono_ms - before.mono_ms
        echo = said.source == NTP and before.source == GNSS and heard_ms_ago < _ECHO_MS
        return echo and not self._independent

    def _outvotes(self, said: Belief) -> bool:
        """Another witness says the same against the belief."""
        return self._independent and any(
            source != said.source and rival.carried(said.mono_ms).meets(said.bounds)
            for source, rival in self._rivals.items()
        )

    def _give_way(self, said: Belief) -> None:
        self.confirmed = self._outvotes(said)
        self._belief = said
        self._rivals = {}
        self.changed = True
