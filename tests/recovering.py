"""An office whose link is in trouble: what was lost, what came twice, and how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tapping import CARDS, STAFF

from edge_agent.sim.account import render
from edge_agent.sim.office import Office
from edge_agent.sim.scanner import Id12la
from edge_agent.sim.trouble import Trouble

#: Of every fault, for `pytest_terminal_summary`.
HEAD = ("fault", "done", "taps", "lost", "doubled", "seconds to the last receipt, and since when")
ROWS = pytest.StashKey[list[tuple[str, ...]]]()
#: Beyond this somebody waits for a person to come.
_LIMIT_S = 60.0


class Weak:
    """The office, its people, and the clock that runs from a fault on."""

    def __init__(self, office: Office, rows: list[tuple[str, ...]]) -> None:
        self.office = office
        self.taps = 0
        self._rows = rows
        self._scanner = Id12la(office.scanner)

    def tap(self, times: int = 1) -> None:
        """Present one card after the other, each answered, whatever the link does."""
        for _ in range(times):
            self._scanner.present(CARDS[self.taps % len(CARDS)])
            self.taps += 1
            assert self.office.panel.wait(self.taps, 5)

    def done(self) -> int:
        """How often something was done to somebody."""
        return sum(self.office.link.tally.done.values())

    def until(self, true: Callable[[], bool]) -> None:
        self.office.wait_until(true, _LIMIT_S)

    def reconnect(self) -> None:
        """Break the connection; the terminal makes another by itself."""
        self.office.cut()
        self.office.mend()

    def stored(self) -> bool:
        """The central's database has every entry."""
        return self.office.stored() == self.office.appended()

    @contextmanager
    def row(self, name: str, trouble: Trouble, since: str = "the fault") -> Iterator["Measured"]:
        """Suffer `trouble` meanwhile; afterwards everything is there once, and it took so long."""
        before, done = self.taps, self.done()
        measured = Measured()
        self.office.link.suffer(trouble)
        yield measured
        assert self.done() > done or measured.counted, "nothing was done to anybody"
        assert self.office.wait_delivered(_LIMIT_S), self.office.status()
        took_s = measured.longest_s or time.monotonic() - measured.since_s
        times = measured.counted or self.done() - done
        self.office.link.suffer(Trouble())
        account = self.office.account(self.taps, 0)
        lost, doubled = str(account.lost), str(account.doubled)
        taps, took = str(self.taps - before), f"{took_s:5.1f} {since}"
        self._rows.append((name, str(times), taps, lost, doubled, took))
        assert account.holds, render(account)
        assert account.answered == self.taps


class Measured:
    """When recovery begins, if not with the fault; and how often one was met that nobody counts."""

    def __init__(self) -> None:
        self.since_s = time.monotonic()
        self.longest_s = 0.0
        self.counted = 0

    def end(self) -> None:
        """One of several recoveries is over; the longest counts."""
        self.longest_s = max(self.longest_s, time.monotonic() - self.since_s)

    def begin(self, counted: int = 0) -> None:
        """From now on."""
        self.since_s = time.monotonic()
        self.counted = counted


@contextmanager
def weak(work: Path, rows: list[tuple[str, ...]], keepalive_s: int) -> Iterator[Weak]:
    with Office(
        work,
        profile="id12la",
        receipt_wait_s=1,
        retry_s=0.1,
        people=STAFF[:30],  # the roster comes again at every connect, and 5 kB/s are not much
        keepalive_s=keepalive_s,
    ) as office:
        office.start()
        yield Weak(office, rows)
