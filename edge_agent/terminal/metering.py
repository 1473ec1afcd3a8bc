"""What the way out costs: the sockets' bytes, counted against the day's budget."""

from contextlib import suppress
from typing import Protocol

from edge_agent.errors import JournalError
from edge_agent.journal import Journal
from edge_agent.records import Stamp
from edge_agent.uplink.budget import Budget
from edge_agent.uplink.usage import Usage

#: How often the sockets are asked, and how often what they say is written while it grows.
_ASK_EVERY_MS, _NOTE_EVERY_MS = 1_000, 60_000


class Carrier(Protocol):
    """What is measured: bytes sent and received since it began."""

    @property
    def carried(self) -> tuple[int, int]: ...


class Metering:
    """Keeps `usage` and `budget`."""

    def __init__(self, journal: Journal, usage: Usage, daily_kb: int | None) -> None:
        self.usage = usage
        self.budget = Budget(daily_kb and daily_kb * 1000, *journal.spent.read())
        self._journal = journal
        self._seen = (0, 0)
        self._asked_ms = self._noted_ms = 0
        self._noted = self.budget.spent

    def measure(self, carrier: Carrier, at: Stamp, *, last: bool = False) -> None:
        """Ask the connection what it has carried; `last` says that it is over."""
        if not last and at.mono_ms - self._asked_ms < _ASK_EVERY_MS:
            return
        self._asked_ms = at.mono_ms
        up, down = carrier.carried
        new_up, new_down = max(0, up - self._seen[0]), max(0, down - self._seen[1])
        self._seen = (0, 0) if last else (up, down)
        self.usage.bytes_up += new_up
        self.usage.bytes_down += new_down
        was_spent = self.budget.is_spent
        self.budget.add(new_up + new_down, at.utc_ms, at.mono_ms)
        due = at.mono_ms - self._noted_ms >= _NOTE_EVERY_MS or self.budget.is_spent != was_spent
        if self.budget.most is not None and due and self.budget.spent != self._noted:
            self._noted, self._noted_ms = self.budget.spent, at.mono_ms
            with suppress(JournalError):  # the next note says the same and more
                self._journal.spent.note(self.budget.day, self.budget.spent)

    def note(self) -> None:
        """Write what today has cost, at the end of a run. Raises JournalError."""
        if self.budget.most is not None:
            self._journal.spent.note(self.budget.day, self.budget.spent)
