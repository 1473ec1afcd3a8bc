"""Turns of delivery over a link whose other end the test plays: time is an argument."""

import random
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp, start

from edge_agent.contract import chain, messages
from edge_agent.errors import JournalError
from edge_agent.events import Arrived, Connected, Disconnected, PubAck
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.records import Stamp
from edge_agent.terminal.delivery import STALLED_MS, Delivery
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.window import Window

IDENTITY = Identity(TERMINAL, "attendance", chain.Sealer.new())
SECOND = 1_000


class Played:
    """A link that takes everything; the test says what comes back.

    Attributes:
        batches: those that were published, by mid.
        topics: that were asked for.
    """

    def __init__(self, link: int) -> None:
        self.link = link
        self.carried = (0, 0)
        self.batches: dict[int, messages.Batch] = {}
        self.topics: list[str] = []
        self.abandoned = False

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        mid = len(self.batches) + 100
        if topic == IDENTITY.topic("entries"):
            self.batches[mid] = messages.decode_batch(payload)
        return 1 if retain else mid

    def listen(self, topic: str) -> None:
        self.topics.append(topic)

    def close(self) -> None: ...
    def abandon(self) -> None:
        self.abandoned = True


class Turns:
    """A terminal's delivery, turned by hand."""

    def __init__(self, journal: Journal, today: Ranges, daily_kb: int | None = None) -> None:
        self.now_ms = 0
        self.stamp = stamp()
        self.links: list[Played] = []
        self.journal = journal
        first = journal.first_seq
        self.window = Window(journal.last_seq, journal.received(), 4, 20 * SECOND, first)
        self.incidents = Incidents(journal, {}, self.window.appended)
        self.delivery = Delivery(
            journal,
            IDENTITY,
            self.window,
            self._connect,
            lambda _: b"{}",
            self.incidents,
            Backoff(1, 2, random.Random(1)),
            10**9,
            self.at,
            lambda: today,
            daily_kb,
        )

    def _connect(self, link: int) -> Played:
        self.links.append(Played(link))
        return self.links[-1]

    def at(self) -> Stamp:
        utc_ms = self.stamp.utc_ms + self.now_ms
        return replace(self.stamp, mono_ms=self.now_ms, utc_ms=utc_ms)

    @property
    def link(self) -> Played:
        return self.links[-1]

    def connect(self, max_bytes: int = 1_000_000) -> None:
        self.turn(10)
        self.delivery.heard(Connected(self.link.link, 4, max_bytes), self.now_ms)
        self.ack(1)

    def turn(self, ms: int = 0) -> bool:
        self.now_ms += ms
        return self.delivery.settle(self.now_ms)

    def run(self) -> list[list[int]]:
        """As many turns as there is something to do; seqs of the batches that went out."""
        known = set(self.link.batches)
        for _ in range(1_000):
            if not self.turn():
                break
        sent = [one for mid, one in self.link.batches.items() if mid not in known]
        return [[entry["seq"] for entry in one.entries] for one in sent]

    def ack(self, mid: int, refusal: str = "") -> None:
        self.delivery.heard(PubAck(self.link.link, mid, refusal), self.now_ms)

    def receipt(self, upto: int) -> bytes:
        head = (self.journal.head_at(upto) or b"").hex()
        said = messages.Receipt(TERMINAL, self.journal.journal, upto, head, upto, ())
        return messages.encode_receipt(said)

    def received(self, upto: int) -> None:
        arrived = Arrived(self.link.link, IDENTITY.topic("receipt"), self.receipt(upto))
        self.delivery.heard(arrived, self.now_ms)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "journal.db", TERMINAL)
    for number in range(20):
        one.append(punch(f"{number:064x}"), stamp(number))
    with closing(one):
        yield one


def test_the_mark_that_a_stick_raised_is_lowered_at_once(journal: Journal) -> None:
    """A kill after that must not leave a mark by which somebody could prune."""
    one = Turns(journal, Ranges())
    one.connect()
    one.delivery.receiving.take_carried(one.receipt(18), one.now_ms)
    assert journal.received() == 18
    one.received(9)
    one.turn(1)
    assert journal.received() == 9


def test_an_entry_larger_than_the_broker_takes_is_in_nobodys_way(journal: Journal) -> None:
    """It is counted, and tried again at a broker that takes more."""
    seq = journal.append(start(), stamp()).seq
    journal.append(punch(), stamp())
    one = Turns(journal, Ranges())
    one.connect(max_bytes=410)
    sent: list[int] = []
    for _ in range(30):
        for batch in one.run():
            sent += batch
        for mid in one.link.batches:
            one.ack(mid)
    assert sent == [*range(1, seq), seq + 1]
    assert one.delivery.rejected["entry is larger than the broker takes"] == 1
    one.delivery.heard(Disconnected(one.link.link, "x"), one.now_ms)
    one.connect()
    assert one.run() == [[seq]]


def test_a_large_roster_does_not_make_a_narrow_link_look_dead(journal: Journal) -> None:
    """A PUBACK may stand behind it for minutes; when nothing comes any more, it is dead."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    for seconds in range(180):
        one.link.carried = (5_000, 5_000 * seconds)
        one.turn(SECOND)
        assert not one.link.abandoned
    for _ in range(STALLED_MS // SECOND + 2):
        one.turn(SECOND)
    assert one.links[0].abandoned


def test_a_broker_that_only_answers_pings_is_dead(journal: Journal) -> None:
    """A few bytes now and then are no roster."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    for seconds in range(STALLED_MS // SECOND + 2):
        one.link.carried = (5_000, 2 * seconds)
        one.turn(SECOND)
    assert one.links[0].abandoned


def test_the_roster_is_asked_for_behind_the_backlog_or_after_a_minute(journal: Journal) -> None:
    """It may be larger than all that waits; and once a connection."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    assert one.link.topics == []
    one.received(20)
    one.turn(1)
    one.turn(1)
    assert one.link.topics == [IDENTITY.topic("roster")]
    one.delivery.heard(Disconnected(one.link.link, "x"), one.now_ms)
    one.window.appended(journal.append(punch(), stamp()).seq)
    one.connect()
    one.turn(29 * SECOND)
    for mid in list(one.link.batches):
        one.ack(mid)
    one.turn(30 * SECOND)
    assert one.link.topics == []
    one.turn(2 * SECOND)
    assert one.link.topics == [IDENTITY.topic("roster")]


def test_when_the_budget_is_spent_today_goes_and_the_rest_waits_for_tomorrow(
    journal: Journal,
) -> None:
    """In the middle of a drain; a restart does not forget it, another day does; nor the roster."""
    one = Turns(journal, Ranges([(19, 20)]), daily_kb=10)
    one.connect()
    one.link.carried = (6_000, 4_000)
    one.turn(SECOND)
    first = [entry["seq"] for batch in one.link.batches.values() for entry in batch.entries]
    assert first == [19, 20]
    for mid in list(one.link.batches):
        one.ack(mid)
    one.window.appended(journal.append(punch(), stamp()).seq, live=False)
    one.window.appended(journal.append(punch(), stamp()).seq)
    assert one.run() == [[22]]
    one.turn(61 * SECOND)
    assert one.link.topics == []
    again = Turns(journal, Ranges([(19, 20)]), daily_kb=10)
    again.stamp = one.at()
    again.connect()
    assert again.run() == [[19, 20]]
    for mid in list(again.link.batches):
        again.ack(mid)
    assert again.run() == []
    again.now_ms += 24 * 3600 * SECOND
    again.link.carried = (10, 10)
    again.delivery.metering.measure(again.link, again.at())
    assert set(range(1, 19)) <= {seq for batch in again.run() for seq in batch}


def test_a_disk_that_takes_no_note_does_not_slow_the_drain(journal: Journal) -> None:
    """It is told once in five seconds, not at every turn."""
    one = Turns(journal, Ranges())
    one.connect()
    one.turn(6 * SECOND)
    one.received(5)
    journal._db.execute("PRAGMA query_only = 1")
    failed = 0
    for _ in range(20):
        try:
            one.turn(100)
        except JournalError:
            failed += 1
    assert failed == 1
    journal._db.execute("PRAGMA query_only = 0")
    with suppress(JournalError):
        one.turn(5 * SECOND)
    assert journal.received() == 5


def test_time_left_is_told_from_what_receipts_gained(journal: Journal) -> None:
    """Nothing before the first, nothing where they stand still or go back."""
    one = Turns(journal, Ranges())
    one.connect()
    left_ms = one.delivery.receiving.left_ms
    assert left_ms() is None
    one.now_ms += 10 * SECOND
    one.received(10)
    assert left_ms() == 10 * SECOND
    one.received(0)
    assert left_ms() is None
