"""People at a running office, for the tests of the whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.sim.account import render
from edge_agent.sim.broker import Broker
from edge_agent.sim.day import Staff
from edge_agent.sim.office import Office
from edge_agent.sim.scanner import Id12la

CARDS = [f"3C{number:08X}" for number in range(1, 1000)]
STAFF = [Staff(f"P{number}", f"P{number}", card) for number, card in enumerate(CARDS)]


class Tapper:
    """Presents one card after the other, waiting for each answer."""

    def __init__(self, office: Office) -> None:
        self.count = 0
        self._office = office
        self._scanner = Id12la(office.scanner)

    def tap(self, times: int) -> None:
        for _ in range(times):
            self._scanner.present(CARDS[self.count])
            self.count += 1
            assert self._office.panel.wait(self.count, 5)


@contextmanager
def running(work: Path, broker: Broker | None = None) -> Iterator[tuple[Office, Tapper]]:
    with Office(work, broker, profile="id12la", receipt_wait_s=1, people=STAFF) as office:
        office.start()
        yield office, Tapper(office)


def assert_whole(office: Office, tapper: Tapper) -> None:
    """Everything tapped is in the central, once, in order, the same."""
    assert office.wait_delivered(40), office.status()
    account = office.account(tapper.count, 0)
    assert account.holds, render(account)
    assert account.answered == tapper.count


def acknowledged(office: Office) -> bool:
    journal = office.status().get("journal", {})
    return bool(journal) and journal["in_flight"] == 0 and journal["last_seq"] == office.appended()
