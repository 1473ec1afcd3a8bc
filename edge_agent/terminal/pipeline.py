"""From scans to punches: is this a card, is it a new presentation, is it a repeat? Pure.

A card held at a reader that repeats is one punch. Readers that repeat also emit phantoms, so there
a credential must be read more than once before it is believed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_agent.events import Scanned
from edge_agent.profile import ScannerProfile
from edge_agent.records import Stamp

#: Noise may look like ever new cards; those read once are forgotten before they fill the memory.
_MOST_SEEN = 64


@dataclass(slots=True)
class _Presentation:
    first: Stamp
    last_ms: int
    reads: int = 1
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier punch of the same holder."""

    seq: int
    at: Stamp


class Pipeline:
    """Remembers what lies on the scanners, and who punched within the duplicate period.

    Args:
        profiles: by scanner name; say how often a card must be read, and when it is gone.
        duplicate_ms: a punch again within this time is a repeat.
    """

    def __init__(self, profiles: Mapping[str, ScannerProfile], duplicate_ms: int) -> None:
        self._profiles = profiles
        self._duplicate_ms = duplicate_ms
        self._seen: dict[tuple[str, str], _Presentation] = {}
        self._recent: dict[str, Earlier] = {}

    def take(self, scanned: Scanned) -> Stamp | None:
        """When this presentation began; None while it is not believed yet, or already taken."""
        profile = self._profiles[scanned.scanner]
        now_ms = scanned.at.mono_ms
        key = (scanned.scanner, scanned.scan.credential)
        seen = self._seen.get(key)
        patience_ms = profile.gone_ms if seen and seen.taken else profile.confirm_ms
        if seen is None or now_ms - seen.last_ms > patience_ms:
            self._forget(now_ms)
            seen = self._seen[key] = _Presentation(scanned.at, now_ms)
        else:
            seen.reads += 1
            seen.last_ms = now_ms
        if seen.taken or seen.reads < profile.confirm:
            return None
        seen.taken = True
        return seen.first

    def repeats(self, holder: str, at: Stamp) -> Earlier | None:
        """The punch of this holder that one made now would repeat."""
        earlier = self._recent.get(holder)
        if earlier is None or at.mono_ms - earlier.at.mono_ms >= self._duplicate_ms:
            return None
        return earlier

    def stored(self, holder: str, seq: int, at: Stamp) -> None:
        """A punch of this holder, not a repeat, is in the journal."""
        self._recent = {
            who: one
            for who, one in self._recent.items()
            if at.mono_ms - one.at.mono_ms < self._duplicate_ms
        }
        self._recent[holder] = Earlier(seq, at)

    def _forget(self, now_ms: int) -> None:
        if len(self._seen) < _MOST_SEEN:
            return
        longest_ms = max(profile.gone_ms for profile in self._profiles.values())
        self._seen = {
            key: seen for key, seen in self._seen.items() if now_ms - seen.last_ms <= longest_ms
        }
        while len(self._seen) >= _MOST_SEEN:  # a flood of phantoms: the oldest goes
            del self._seen[next(iter(self._seen))]
