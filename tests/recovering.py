"""An office whose link is in trouble: what was lost, what came twice, and how long it took."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tapping import CARDS, STAFF

from edge_agent.contract.messages import decode_receipt
from edge_agent.sim.account import render
from edge_agent.sim.broker import Broker
from edge_agent.sim.office import Office
from edge_agent.sim.packets import Packet, who
from edge_agent.sim.scanner import Id12la
from edge_agent.sim.trouble import Trouble

#: Of every fault, for `pytest_terminal_summary`.
HEAD = ("fault", "done", "taps", "lost", "doubled", "seconds to the last receipt, and since when")
ROWS = pytest.StashKey[list[tuple[str, ...]]]()
#: Beyond this somebody waits for a person to come.
_LIMIT_S = 60.0
_TICK_S = 0.005


class Receipts:
    """When the terminal acknowledged which receipt, as seen on the wire.

    Attributes:
        times: instant and `upto` of each that said more than any before.
    """

    def __init__(self) -> None:
        self.times: list[tuple[float, int]] = []
        self._untold: dict[int, int] = {}
        self._v5 = False

    def saw(self, up: bool, one: Packet) -> None:
        """A packet passes; called by the link's thread."""
        if up and one.kind == "CONNECT":
            self._untold.clear()  # message ids begin anew
            _, self._v5 = who(one)
        elif not up and one.kind == "PUBLISH" and one.mid is not None:
            topic, payload = one.message(v5=self._v5)
            if topic.endswith("/receipt"):
                self._untold[one.mid] = decode_receipt(payload).upto
        elif up and one.kind == "PUBACK" and one.mid is not None:
            upto = self._untold.pop(one.mid, 0)
            if upto > self.upto:
                self.times.append((time.monotonic(), upto))

    @property
    def upto(self) -> int:
        """The terminal knows that the central has everything up to here."""
        return self.times[-1][1] if self.times else 0

    def at_s(self, seq: int) -> float:
        """When it knew that of `seq`."""
        return next(at_s for at_s, upto in self.times if upto >= seq)


class Weak:
    """The office, its people, and the clock that runs from a fault on."""

    def __init__(self, office: Office, rows: list[tuple[str, ...]], protocol: str) -> None:
        self.office = office
        self.link = office.link
        self._suffix = f", MQTT {protocol}" if protocol else ""
        self.taps = 0
        self.receipts = Receipts()
        self.tapped: list[tuple[float, int]] = []
        self._rows = rows
        self._scanner = Id12la(office.scanner)
        self._pause = threading.Event()
        self.link.watch(self.receipts.saw)

    def tap(self, times: int = 1) -> None:
        """Present one card after the other, each answered, whatever the link does."""
        for _ in range(times):
            at_s = time.monotonic()
            self._scanner.present(CARDS[self.taps % len(CARDS)])
            self.taps += 1
            assert self.office.panel.wait(self.taps, 5)
            self.tapped.append((at_s, self.office.appended()))

    def done(self) -> int:
        """How often something was done to somebody."""
        return sum(self.link.tally.done.values())

    def until(self, true: Callable[[], bool], what: str) -> None:
        """Wait for it, and look often: the instant counts."""
        until_s = time.monotonic() + _LIMIT_S
        while not true():
            assert time.monotonic() < until_s, f"{what}: not within {_LIMIT_S:g} s"
            self._pause.wait(_TICK_S)

    def until_more(self, count: Callable[[], int], than: int, what: str) -> None:
        """Wait until there are more of them."""
        self.until(lambda: count() > than, what)

    def known(self) -> float:
        """Wait until the terminal has the receipt of what was tapped; gives the instant it came."""
        last = self.office.appended()
        self.until(lambda: self.receipts.upto >= last, f"the receipt of {last}")
        return self.receipts.at_s(last)

    def reconnect(self) -> None:
        """Break the connection; the terminal makes another by itself."""
        self.office.cut()
        self.office.mend()

    @contextmanager
    def row(self, name: str, trouble: Trouble, since: str = "the fault") -> Iterator["Measured"]:
        """Suffer `trouble` meanwhile; afterwards everything is there once, and it took so long."""
        before, done = self.taps, self.done()
        measured = Measured(self)
        self.link.suffer(trouble)
        yield measured
        took_s = measured.took_s()
        times = self.done() - done
        assert times, "nothing was done to anybody"
        self.link.suffer(Trouble())
        assert self.office.wait_delivered(_LIMIT_S), self.office.status()
        account = self.office.account(self.taps, 0)
        lost, doubled = str(account.lost), str(account.doubled)
        taps, took = str(self.taps - before), f"{took_s:6.2f} {since}"
        self._rows.append((name + self._suffix, str(times), taps, lost, doubled, took))
        assert account.holds, render(account)
        assert account.answered == self.taps


class Measured:
    """When recovery begins, and how long it takes; the longest if there are several in a row."""

    def __init__(self, weak: Weak) -> None:
        self._weak = weak
        self._since_s = time.monotonic()
        self._longest_s: float | None = None
        self._first_tap: int | None = None

    def begin(self) -> None:
        """From now on."""
        self._since_s = time.monotonic()

    def every_tap(self) -> None:
        """From now on what counts is the longest time from a tap to its receipt."""
        self._first_tap = self._weak.taps

    def end(self) -> None:
        """One recovery is over as soon as the receipt of all that was tapped is there."""
        self._longest_s = max(self._longest_s or 0.0, self._weak.known() - self._since_s)

    def took_s(self) -> float:
        """The longest; if none is over yet, this one."""
        if self._first_tap is not None:
            self._weak.known()
            taps = self._weak.tapped[self._first_tap :]
            return max(self._weak.receipts.at_s(seq) - at_s for at_s, seq in taps)
        if self._longest_s is None:
            self.end()
        return self._longest_s or 0.0


@contextmanager
def weak(
    work: Path,
    rows: list[tuple[str, ...]],
    *,
    keepalive_s: int = 60,
    protocol: str = "",
    people: int = 30,
) -> Iterator[Weak]:
    """An office that runs, whose first entries are known to have arrived.

    Nothing opens an incident about the central: that is one more entry, and would hide a batch that
    nobody sends again. The roster comes again at every connect, hence few `people`.
    """
    broker = Broker()
    broker.protocol = protocol or broker.protocol
    with Office(
        work,
        broker,
        profile="id12la",
        receipt_wait_s=1,
        retry_s=0.1,
        people=STAFF[:people],
        keepalive_s=keepalive_s,
    ) as office:
        wanted = office.agent_config.read_text(encoding="utf-8")
        assert "central_grace_s = 5\n" in wanted
        wanted = wanted.replace("central_grace_s = 5\n", "central_grace_s = 86400\n")
        office.agent_config.write_text(wanted, encoding="utf-8")
        one = Weak(office, rows, protocol)
        office.start()
        one.tap()
        one.known()
        yield one
