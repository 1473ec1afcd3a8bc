"""Delivery when the disk or a key file fails under it: counted, said, and taps go on."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp

from edge_agent.contract import chain, messages
from edge_agent.errors import ConfigError
from edge_agent.events import Arrived, Connected
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.terminal.delivery import Delivery, Link
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity, Packing
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "journal.db", TERMINAL)
    for number in range(10):
        one.append(punch(), stamp(number))
    with closing(one):
        yield one


def no_password(_link: int) -> Link:
    raise ConfigError("read the password", "/etc/p", "No such file", "check broker.password_file")


def test_a_password_file_that_is_gone_is_a_broker_incident(journal: Journal) -> None:
    """It is tried again with the usual waits, and the cause is in the journal."""
    window = Window(journal.last_seq, 0, 4, 20_000)
    incidents = Incidents(journal, {"broker": 1_000}, window.appended)
    delivery = Delivery(
        journal,
        Identity(TERMINAL, "attendance", chain.Sealer.new()),
        window,
        no_password,
        lambda state: b"{}",
        incidents,
        Backoff(100, 1000, random.Random(1)),
        60_000,
        stamp,
        Ranges,
    )
    for now_ms in range(0, 5_000, 500):
        assert not delivery.settle(now_ms)
        incidents.settle(now_ms, lambda: stamp(100))
    (broker,) = incidents.open
    assert broker.what == "broker"
    assert "password" in delivery.cause
    with closing(sqlite3.connect(journal._path)) as db:
        assert db.execute("SELECT max(seq) FROM entry").fetchone() == (11,)


def test_a_page_that_cannot_be_read_is_a_hole_and_the_rest_is_sent(tmp_path: Path) -> None:
    """One worn page of the card costs the entries on it; what is behind them arrives."""
    path = tmp_path / "worn.db"
    with closing(Journal(path, TERMINAL)) as one:
        for number in range(200):
            one.append(punch(), stamp(number))
        (text,) = [entry.text for entry in one.read(100, 100, 10_000)]
    pages = bytearray(path.read_bytes())
    at = pages.index(text.encode()) // 1024 * 1024
    pages[at : at + 1024] = b"\xff" * 1024
    path.write_bytes(pages)
    faults: list[tuple[str, str, str]] = []
    with closing(Journal(path, TERMINAL)) as worn:
        window = Window(worn.last_seq, 0, 10, 20_000)
        window.connected(10, 0)
        identity = Identity(TERMINAL, "attendance", chain.Sealer.new())
        pace = Pace()
        packing = Packing(worn, identity, window, pace, lambda *fault: faults.append(fault))
        sent = Ranges()
        for mid in range(500):
            packed = packing.next(0)
            if packed:
                window.published(mid, packed.first, packed.last, 0)
                window.acked(mid)
                pace.grow()
                sent.add(packed.first, packed.last)
    lost = Ranges([(1, 200)]).minus(sent)
    assert 1 <= lost.count <= 5  # as many as share a page of 1 kB
    assert lost.covers(100, 100)
    assert {what for what, _, _ in faults} <= {"storage", "tamper"}
    assert faults


def test_a_refused_batch_comes_back_smaller(journal: Journal) -> None:
    """Whatever a broker holds against a batch, half of it may pass."""
    window = Window(journal.last_seq, 0, 4, 20_000)
    window.connected(10, 0)
    pace = Pace()
    packing = Packing(journal, IDENTITY, window, pace, lambda *_: None)
    first = packing.next(0)
    assert first is not None
    assert (first.first, first.last) == (1, 10)
    for _ in range(4):
        pace.shrink()
    again = packing.next(0)
    assert again is not None
    assert (again.first, again.last) == (1, 3)


class Silent:
    """A broker that takes everything and says nothing."""

    link = 1
    carried = (0, 0)

    def listen(self, _topic: str) -> None: ...
    def publish(self, _topic: str, _payload: bytes, *, retain: bool = False) -> int:
        return int(retain)

    def close(self) -> None: ...
    def abandon(self) -> None: ...


def test_a_receipt_that_has_less_is_noted_at_once(journal: Journal) -> None:
    """One that has more may be lost by a cut; by the other one, what was noted would be pruned."""
    window = Window(journal.last_seq, 0, 4, 20_000)
    incidents = Incidents(journal, {}, window.appended)
    backoff = Backoff(100, 1000, random.Random(1))
    delivery = Delivery(
        journal,
        IDENTITY,
        window,
        lambda _: Silent(),
        lambda _: b"{}",
        incidents,
        backoff,
        60_000,
        stamp,
        Ranges,
    )
    delivery.settle(0)
    delivery.heard(Connected(1, 4, 100_000), 0)
    for now_ms, upto in ((6_000, 8), (6_100, 9), (6_200, 3)):
        head = (journal.head_at(upto) or b"").hex()
        receipt = messages.Receipt(TERMINAL, journal.journal, upto, head, upto, ())
        said = messages.encode_receipt(receipt)
        delivery.heard(Arrived(1, IDENTITY.topic("receipt"), said), now_ms)
        delivery.settle(now_ms)
        assert journal.received() == (3 if upto == 3 else 8)


IDENTITY = Identity(TERMINAL, "attendance", chain.Sealer.new())
