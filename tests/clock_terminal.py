"""A terminal's timekeeping on clocks that a test puts where it likes, and a real journal."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from builders import TERMINAL

from edge_agent import BUILT
from edge_agent.events import Located
from edge_agent.journal import Journal
from edge_agent.ports.clock import Clock, Reading
from edge_agent.records import Fix
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.timekeeping import Timekeeping

FLOOR = round(datetime.fromisoformat(BUILT).replace(tzinfo=UTC).timestamp()) * 1000
#: When this machine booted.
BOOTED = FLOOR + 20 * 86_400_000
DAY, HOUR = 86_400_000, 3_600_000


class Clocks(Clock):
    """The clocks of a machine, each where a test puts it.

    Attributes:
        off_ms: how far the system clock is ahead of the truth.
        error_ms: what the kernel says of it, None while it vouches for nothing.
        rtc_off_ms: how far the battery clock is ahead; None if there is none.
    """

    def __init__(self, boot: str = "0f" * 16) -> None:
        super().__init__()
        self.boot = boot
        self.now_ms = 5_000
        self.booted_ms = BOOTED
        self.off_ms = -BOOTED
        self.error_ms: int | None = None
        self.rtc_off_ms: int | None = None

    @property
    def true_ms(self) -> int:
        return self.booted_ms + self.now_ms

    def mono_ms(self) -> int:
        return self.now_ms

    def system_ms(self) -> int:
        return self.true_ms + self.off_ms

    def reading(self) -> Reading:
        return Reading(self.now_ms, self.system_ms() * 1_000_000, self.error_ms)

    def rtc_ms(self) -> int | None:
        return None if self.rtc_off_ms is None else (self.true_ms + self.rtc_off_ms) // 1000 * 1000


class Terminal:
    """Timekeeping on a journal, and what it wrote."""

    def __init__(self, folder: Path, clocks: Clocks) -> None:
        self.clocks = clocks
        self.journal = Journal(folder / "journal.db", TERMINAL)
        self.appended: list[int] = []
        self.incidents = Incidents(self.journal, {}, self.appended.append)
        self.time = Timekeeping(self.journal, clocks, self.incidents, self.appended.append, 1000)

    def turn(self, after_ms: int = 500) -> None:
        self.clocks.now_ms += after_ms
        self.time.settle()
        self.incidents.settle(self.clocks.now_ms, self.clocks.stamp)

    def receive(self, seconds: int = 6, off_ms: int = 0) -> None:
        """A receiver, 300 ms late."""
        for _ in range(seconds):
            said = Fix(0, 0, self.clocks.true_ms - 300 + off_ms)
            self.time.located(Located(said, self.clocks.now_ms))
            self.turn(1000)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        rows = self.journal.read(1, self.journal.last_seq, 10**9) if self.journal.last_seq else []
        return [json.loads(row.text) for row in rows if row.kind == kind]

    @property
    def anchors(self) -> list[tuple[str, str]]:
        return [(one["why"], one["at"]["source"]) for one in self.entries("clock")]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(one["state"], one["which"], one["cause"]) for one in self.entries("incident")]


def again(terminal: Terminal, folder: Path, off_ms: int = 60_000) -> Terminal:
    """The same terminal after a power cut."""
    terminal.journal.close()
    clocks = Clocks("1e" * 16)
    clocks.booted_ms = terminal.clocks.true_ms + off_ms
    clocks.off_ms = -clocks.booted_ms
    clocks.rtc_off_ms = terminal.clocks.rtc_off_ms
    return Terminal(folder, clocks)
