"""What the way out costs: the sockets' bytes, counted against the day's budget."""

import math
from contextlib import suppress
from typing import Protocol

from edge_agent.errors import JournalError
from edge_agent.journal import Journal
from edge_agent.records import Stamp
from edge_agent.uplink.budget import Budget
from edge_agent.uplink.usage import Usage

#: The largest roster takes 200 s at 5 kB/s; whoever sends for longer and answers nothing, is dead.
_FED_MS = 600_000
#: Within a second; keep-alives, PUBACKs and a receipt are less.
_MUCH_BYTES = 500
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
        self._fed_ms = -math.inf
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
        if new_down >= _MUCH_BYTES:
            self._fed_ms = at.mono_ms
        was_spent = self.budget.is_spent
        vouched = at.source != "none"
        self.budget.add(new_up + new_down, at.utc_ms, at.mono_ms, vouched=vouched)
        due = at.mono_ms - self._noted_ms >= _NOTE_EVERY_MS or self.budget.is_spent != was_spent
        if self.budget.most is not None and due and self.budget.spent != self._noted:
            self._noted, self._noted_ms = self.budget.spent, at.mono_ms
            with suppress(JournalError):  # the next note says the same and more
                self.note()

    def patience_ms(self, now_ms: int, usual_ms: int) -> int:
        """How long an answer may take: on a narrow link it may stand behind a large roster."""
        return _FED_MS if now_ms - self._fed_ms <= usual_ms else usual_ms

    def note(self) -> None:
        """Write what today has cost, at the end of a run. Raises JournalError."""
        if self.budget.most is not None:
            self._journal.spent.note(self.budget.day, self.budget.spent)
