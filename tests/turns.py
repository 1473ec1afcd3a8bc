"""A terminal's delivery over a link whose other end the test plays, turned by hand."""

import random
from dataclasses import replace

from builders import TERMINAL, stamp

from edge_agent.contract import chain, messages
from edge_agent.events import Arrived, Connected, Disconnected, PubAck
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.records import Stamp
from edge_agent.terminal.delivery import Delivery
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
            Backoff(10, 20, random.Random(1)),
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
        self.turn(30)
        self.delivery.heard(Connected(self.link.link, 4, max_bytes), self.now_ms)
        self.ack(1)

    def lose(self) -> None:
        """The connection ends, and another begins."""
        self.delivery.heard(Disconnected(self.link.link, "x"), self.now_ms)
        self.connect()

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
