"""Faults that begin and end, as entries of the journal.

A fault shorter than its grace is no incident: a plug that wobbles must not fill the journal. What
was open when the agent ended is still open when it starts again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge_agent.journal import Journal, OpenIncident
from edge_agent.records import Stamp


@dataclass(frozen=True, slots=True)
class _Fault:
    cause: str
    since_ms: int


class Incidents:
    """Opens and closes incidents.

    Args:
        journal: where they are written.
        grace_ms: by kind of incident; kinds not named open at once.
        appended: called with the seq of every entry written here.
    """

    def __init__(
        self, journal: Journal, grace_ms: Mapping[str, int], appended: Callable[[int], None]
    ) -> None:
        self._journal = journal
        self._grace_ms = grace_ms
        self._appended = appended
        self._open = {(one.what, one.which): one for one in journal.open_incidents()}
        self._faults: dict[tuple[str, str], _Fault] = {}
        self._ended: set[tuple[str, str]] = set()

    @property
    def open(self) -> list[OpenIncident]:
        """Those that are open now."""
        return list(self._open.values())

    def begin(self, what: str, which: str, cause: str, now_ms: int) -> None:
        """A fault is there. Saying so again changes nothing."""
        key = (what, which)
        self._ended.discard(key)
        if key not in self._open:
            self._faults.setdefault(key, _Fault(_clean(cause), now_ms))

    def end(self, what: str, which: str, now_ms: int) -> None:
        """A fault is over. Saying so of one that never was changes nothing.

        One that outlived its grace is written even if it is over before it could be.
        """
        key = (what, which)
        fault = self._faults.get(key)
        if fault is not None and now_ms - fault.since_ms < self._grace_ms.get(what, 0):
            del self._faults[key]
        elif fault is not None or key in self._open:
            self._ended.add(key)

    def end_unless(self, what: str, names: frozenset[str], now_ms: int) -> None:
        """End every fault of a kind whose object is no longer configured."""
        for one in self.open:
            if one.what == what and one.which not in names:
                self.end(what, one.which, now_ms)

    def settle(self, now_ms: int, stamp: Callable[[], Stamp]) -> None:
        """Write what is due. Raises JournalError; then the rest stays due."""
        for key, fault in list(self._faults.items()):
            if now_ms - fault.since_ms >= self._grace_ms.get(key[0], 0):
                at = stamp()
                entry = self._journal.open_incident(*key, fault.cause, fault.since_ms, at)
                opened = OpenIncident(*key, entry.seq, fault.cause, at.boot, fault.since_ms)
                self._open[key] = opened
                del self._faults[key]
                self._appended(entry.seq)
        for key in list(self._ended):
            entry = self._journal.close_incident(self._open[key], stamp())
            del self._open[key]
            self._ended.discard(key)
            self._appended(entry.seq)


def _clean(cause: str) -> str:
    """What the system said, as text that an entry can hold; it may quote a path not in UTF-8."""
    return " ".join(cause.encode(errors="replace").decode().split())[:200]
