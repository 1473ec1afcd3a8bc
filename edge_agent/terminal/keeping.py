"""How long the journal keeps what the central has: `keep_days`, less if the disk runs short.

Only what is received goes, from the front, in small steps while no event waits. The age of an entry
is told by its stamp and, where nobody vouched for that or it lies in the future, by the next one
that is sound: entries stand in the order of time, so what stands before an old one is older. Until
that one has aged, they stay with it. While this terminal does not know the time, none goes by age.

The disk is short when there is room for less than 200 MB, years of an office's punches, or, if the
disk is small, than a tenth of it: then the oldest go, whatever their age, until there is room.
Entries that are not received stay even on a full disk: the panel is then red, people take to paper.
"""

from collections.abc import Callable

from edge_agent.contract import canonical, entries
from edge_agent.errors import MessageError
from edge_agent.journal import Journal
from edge_agent.records import Entry, Stamp
from edge_agent.uplink.window import Window

_DAY_MS = 86_400_000
#: Entries of a step, and the most of their text that is looked at: about a millisecond.
STEP, _STEP_BYTES = 256, 200_000
_STEP_EVERY_MS = 500
#: With nothing to do, it is looked again so often.
_REST_MS = 60_000
#: A worn page is no better in a moment, and each try is a fault that somebody reads of.
_FAULT_REST_MS = 3_600_000
#: So many always stay, among them the last anchor of a terminal that knows the time.
NEWEST = 1_000
#: Room that the disk is to have.
SPARE_BYTES = 200_000_000


class Keeping:
    """Prunes the journal, a step at a time.

    Args:
        journal: what is pruned.
        window: what is received; told where the journal begins.
        keep_days: what the central has is kept so long.
        stamp: says what time it is, and how sure that is.
        room: bytes that can be written yet, and the size of the disk; see `Front.room_bytes`.
        newest: so many always stay.

    Attributes:
        oldest_ms: UTC of the oldest entry whose time is known, None if none is or it was not found.
    """

    def __init__(
        self,
        journal: Journal,
        window: Window,
        keep_days: int,
        stamp: Callable[[], Stamp],
        room: Callable[[], tuple[int, int]],
        newest: int = NEWEST,
    ) -> None:
        self.oldest_ms: int | None = None
        self._journal = journal
        self._window = window
        self._keep_ms = keep_days * _DAY_MS
        self._stamp = stamp
        self._room = room
        self._newest = newest
        self._next_ms = 0
        self._aged = self._looked = 0  # all up to here are too old; were looked at
        self._young = (0, 0)  # the first that is not too old: its seq and time

    def settle(self, now_ms: int) -> None:
        """One step, if it is time for one. Raises JournalError."""
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + _FAULT_REST_MS
        front, more = self._journal.front, False
        cut = front.cut
        room, size = self._room()
        if room < min(SPARE_BYTES, size // 10):
            upto = cut + STEP
        else:
            more = self._aged <= cut and self._look(self._stamp())
            upto = min(self._aged, cut + STEP)
        upto = min(upto, self._window.upto, self._journal.last_seq - self._newest)
        if upto > cut:
            front.prune(upto)
            self._window.pruned(self._journal.first_seq)
            more |= front.cut > cut
        self._next_ms = now_ms + (_STEP_EVERY_MS if more else _REST_MS)

    def _look(self, now: Stamp) -> bool:
        """Look for entries that are too old. True if there are more to look at."""
        if now.error_ms is None:
            return False
        before_ms = now.utc_ms - now.error_ms - self._keep_ms
        cut = self._journal.front.cut
        seq, at_ms = self._young
        if seq > cut and at_ms >= before_ms:
            self.oldest_ms = at_ms
            return False
        self._looked = max(self._looked, cut)
        first = self._looked + 1
        for entry in self._journal.read(first, self._looked + STEP, _STEP_BYTES):
            known_ms = _latest_ms(entry, now)
            if known_ms is not None and self._aged <= cut:
                self.oldest_ms = known_ms
            if known_ms is not None and known_ms >= before_ms:
                self._young = entry.seq, known_ms
                return False
            self._looked = entry.seq
            if known_ms is not None:
                self._aged = entry.seq
        return first <= self._looked < self._journal.last_seq


def _latest_ms(entry: Entry, now: Stamp) -> int | None:
    """The latest UTC at which an entry can have been written; None if its stamp does not tell."""
    try:
        said = canonical.decode(entry.text.encode())
        entries.check(said, entry.seq)
    except MessageError:
        return None
    at = said["at"]
    if at.get("error_ms") is None or at["source"] == "none":
        return None
    if at["utc_ms"] - at["error_ms"] > now.utc_ms + (now.error_ms or 0):
        return None  # from the future: a receiver has lied
    return int(at["utc_ms"] + at["error_ms"])
