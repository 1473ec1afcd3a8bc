"""Brokers that refuse, stop half-way or talk nonsense: each ends in one event that says why."""

import queue
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp

from edge_agent import config
from edge_agent.contract import chain
from edge_agent.events import Connected, Disconnected, Event, PubAck
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.sim import scripted_broker as answer
from edge_agent.sim.link import Link
from edge_agent.sim.scripted_broker import Answer, ScriptedBroker
from edge_agent.terminal.delivery import STALLED_MS, Delivery
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.connection import Connection
from edge_agent.uplink.window import Window

Inbox = queue.SimpleQueue[Event]


def connect(port: int, inbox: Inbox, protocol: str = "5") -> Connection:
    wanted = config.Broker("127.0.0.1", port, protocol=protocol)
    will = ("t/bungi-01/status", b"{}")
    topics = ("t/bungi-01/receipt", "t/bungi-01/roster")
    return Connection(1, wanted, "bungi-01", will, topics, inbox.put, welcome_s=1.0)


def outcome(script: dict[str, list[Answer]], protocol: str = "5") -> Event:
    """The first thing that a connection to a broker of that script says."""
    inbox: Inbox = queue.SimpleQueue()
    with ScriptedBroker(script) as broker:
        connection = connect(broker.port, inbox, protocol)
        event = inbox.get(timeout=10)
        connection.close()
    return event


REFUSALS = [
    ({"CONNECT": [answer.connack(0x87)]}, "refused: Not authorized"),
    ({"CONNECT": [answer.connack(0x97)]}, "refused: Quota exceeded"),
    ({"SUBSCRIBE": [answer.suback(0x87)]}, "refuses the subscription: Not authorized"),
    ({"SUBSCRIBE": [answer.disconnect(0x8E)]}, "Session taken over"),
    ({"CONNECT": [answer.hang_up]}, "the connection ended"),
    ({"CONNECT": [answer.silence]}, "the broker does not answer"),
    ({"SUBSCRIBE": [answer.silence]}, "the broker does not answer"),
    ({"SUBSCRIBE": [answer.raw(b"\xff" * 40)]}, ""),
    ({"CONNECT": [answer.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")]}, ""),
]


@pytest.mark.parametrize(("script", "cause"), REFUSALS)
def test_a_broker_that_does_not_take_us_is_said(
    script: dict[str, list[Answer]], cause: str
) -> None:
    """Refused, hung up on, left to wait or talked nonsense to: it is over, and why is said."""
    ended = outcome(script)
    assert isinstance(ended, Disconnected)
    assert cause in ended.cause


def test_a_refusal_of_the_older_protocol_is_said() -> None:
    """Its reasons are other numbers."""
    ended = outcome({"CONNECT": [answer.connack(5)]}, "3.1.1")
    assert isinstance(ended, Disconnected)
    assert "Not authorized" in ended.cause


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_answers_well_is_one(protocol: str) -> None:
    """So that the refusals above are the scripts' doing."""
    assert isinstance(outcome({}, protocol), Connected)


def test_a_refusing_puback_is_told_as_one() -> None:
    """With its reason, and without ending the connection."""
    inbox: Inbox = queue.SimpleQueue()
    with ScriptedBroker({"PUBLISH": [answer.puback(0x97), answer.puback()]}) as broker:
        connection = connect(broker.port, inbox)
        assert isinstance(inbox.get(timeout=10), Connected)
        mids = [connection.publish("t/bungi-01/entries", b"{}") for _ in range(2)]
        told = [inbox.get(timeout=10), inbox.get(timeout=10)]
        connection.close()
    assert told == [PubAck(1, mids[0], "Quota exceeded"), PubAck(1, mids[1], "")]


def test_a_network_that_swallows_the_connect_is_given_up() -> None:
    """Not after a keep-alive, which may be an hour, and by one event."""
    inbox: Inbox = queue.SimpleQueue()
    with ScriptedBroker() as broker, Link(broker.port) as link:
        link.swallow()
        connect(link.port, inbox)
        assert inbox.get(timeout=10) == Disconnected(1, "the broker does not answer")
        assert broker.connections == 0


# --- delivery -------------------------------------------------------------------------------------


class Quiet:
    """A connection whose broker takes everything and acknowledges nothing."""

    def __init__(self, link: int) -> None:
        self.link = link
        self.carried = (0, 0)
        self.abandoned = False

    def listen(self, _topic: str) -> None:
        """Nobody answers that either."""

    def publish(self, _topic: str, _payload: bytes, *, retain: bool = False) -> int:
        return 1

    def close(self) -> None:
        """Nothing to close."""

    def abandon(self) -> None:
        self.abandoned = True


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "journal.db", TERMINAL)
    one.append(punch(), stamp(1))
    with closing(one):
        yield one


def test_a_status_without_puback_does_not_hold_delivery_for_ever(journal: Journal) -> None:
    """The first word on a connection is lost in the broker: after a while it is a dead link."""
    window, links = Window(journal.last_seq, 0, 4, 20_000), [Quiet(1)]
    delivery = Delivery(
        journal,
        Identity(TERMINAL, "attendance", chain.Sealer.new()),
        window,
        lambda _number: links[0],
        lambda _state: b"{}",
        Incidents(journal, {"broker": 1_000}, window.appended),
        Backoff(100, 1000, random.Random(1)),
        60_000,
        stamp,
        Ranges,
    )
    delivery.settle(0)
    delivery.heard(Connected(1, 20, 100_000), 0)
    for now_ms in range(0, 3 * STALLED_MS, 1_000):
        delivery.settle(now_ms)
    assert links[0].abandoned or window.in_flight
