"""A link in trouble, fault by fault, between a raw client and a scripted broker."""

import socket
import time
from collections.abc import Iterator

import pytest

from edge_agent.sim import packets, scripted_broker
from edge_agent.sim.link import Link
from edge_agent.sim.packets import Splitter
from edge_agent.sim.scripted_broker import ScriptedBroker
from edge_agent.sim.trouble import DOWN, Fault, Trouble, What

CONNECT = packets.connect("bungi-01")


def publish(mid: int, size: int = 10) -> bytes:
    return packets.packet("PUBLISH", b"\x00\x01t" + mid.to_bytes(2, "big") + bytes(size), 2)


class Client:
    """A client of MQTT 5 that is connected, and says and hears bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._socket.sendall(CONNECT)
        self._heard: Iterator[packets.Packet] = iter(())
        self._splitter = Splitter()
        self.welcome = self.hear()

    def publish(self, mid: int, size: int = 10) -> None:
        self._socket.sendall(publish(mid, size))

    def hear(self) -> bytes:
        """The next packet, or b"" if the connection is over. TimeoutError after five seconds."""
        while True:
            found = next(self._heard, None)
            if found is not None:
                return found.raw
            try:
                data = self._socket.recv(4096)
            except ConnectionError:
                return b""
            if not data:
                return b""
            self._heard = self._splitter.feed(data)

    def hears_nothing(self, for_s: float = 0.1) -> bool:
        self._socket.settimeout(for_s)
        try:
            return self.hear() is None
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(5)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as one:
        yield one


@pytest.fixture
def link(broker: ScriptedBroker) -> Iterator[Link]:
    with Link(broker.port) as one:
        yield one


def mids(broker: ScriptedBroker) -> list[int | None]:
    return [one.mid for one in broker.heard if one.kind == "PUBLISH"]


def test_a_new_trouble_counts_anew(link: Link) -> None:
    """The first PUBLISH is the first since then, and so is what is in flight."""
    client = Client(link.port)
    link.suffer(Trouble((Fault(What.LOSE, "PUBACK", DOWN, times=2),)))
    for mid in (1, 2, 3):
        client.publish(mid)
    assert client.hear() == packets.puback(3)
    link.suffer(Trouble((Fault(What.REFUSE, "PUBLISH"),)))
    assert link.tally.in_flight == 0
    client.publish(4)
    assert client.hear() == packets.puback(4, 0x97)
    client.close()


def test_a_lost_puback(link: Link, broker: ScriptedBroker) -> None:
    """The broker has the message, the client is not told."""
    link.suffer(Trouble((Fault(What.LOSE, "PUBACK", DOWN),)))
    client = Client(link.port)
    client.publish(1)
    client.publish(2)
    assert client.hear() == packets.puback(2)
    assert mids(broker) == [1, 2]
    assert link.tally.done == {"PUBACK down lost": 1}
    client.close()


def test_a_message_twice(link: Link, broker: ScriptedBroker) -> None:
    """The broker hears it again, marked."""
    link.suffer(Trouble((Fault(What.TWICE, "PUBLISH"),)))
    client = Client(link.port)
    client.publish(1)
    assert [client.hear(), client.hear()] == [packets.puback(1)] * 2
    assert [one.flags for one in broker.heard if one.kind == "PUBLISH"] == [2, 10]
    client.close()


@pytest.mark.parametrize(("what", "reason"), [(What.REFUSE, 0x97), (What.FORGET, 0)])
def test_an_answer_that_is_not_the_brokers(
    link: Link, broker: ScriptedBroker, what: What, reason: int
) -> None:
    """The broker never hears of that message."""
    link.suffer(Trouble((Fault(what, "PUBLISH"),)))
    client = Client(link.port)
    client.publish(1)
    assert client.hear() == packets.puback(1, reason)
    client.publish(2)
    assert client.hear() == packets.puback(2)
    assert mids(broker) == [2]
    client.close()


def test_a_cut_inside_a_packet_breaks_both_ends(link: Link, broker: ScriptedBroker) -> None:
    """Also on its way back: one byte of the PUBACK, and the end."""
    link.suffer(Trouble((Fault(What.CUT, "PUBACK", DOWN, at=1),)))
    client = Client(link.port)
    client.publish(1)
    assert client.hear() == b""
    again = Client(link.port)
    again.publish(2)
    assert again.hear() == packets.puback(2)
    client.close()
    again.close()


def test_receive_maximum_and_what_is_in_flight(link: Link) -> None:
    """It is in the CONNACK, and the link counts who does not keep it."""
    link.suffer(Trouble((Fault(What.LOSE, "PUBACK", DOWN, times=2),), receive_maximum=1))
    client = Client(link.port)
    assert client.welcome.endswith(b"\x21\x00\x01")
    assert link.tally.done["Receive Maximum 1"] == 1
    for mid in (1, 2, 3):
        client.publish(mid)
    assert client.hear() == packets.puback(3)
    assert link.tally.in_flight == 3
    client.close()


def test_a_session_is_taken_over(broker: ScriptedBroker) -> None:
    """The broker meets another client with the same id once it serves one more."""
    with Link(broker.port, trouble=Trouble((Fault(What.TAKE_OVER, "PUBLISH"),))) as link:
        client = Client(link.port)
        client.publish(1)
        assert client.hear() == packets.puback(1)
        client.close()
        until = time.monotonic() + 5
        while broker.connections < 2 and time.monotonic() < until:
            link.suffer(Trouble())  # an order is carried out when it returns
    names = [packets.who(one) for one in broker.heard if one.kind == "CONNECT"]
    assert names == [("bungi-01", True)] * 2


def test_a_rate_holds_bytes_back(link: Link, broker: ScriptedBroker) -> None:
    """Ten thousand bytes at 20 kB/s take half a second, and arrive whole."""
    client = Client(link.port)
    link.suffer(Trouble(rate=20_000))
    began = time.monotonic()
    client.publish(1, 10_000)
    assert client.hear() == packets.puback(1)
    assert time.monotonic() - began > 0.4
    assert mids(broker) == [1]
    client.close()


def test_connections_die(link: Link) -> None:
    """Those that stand as well, and it is counted."""
    client = Client(link.port)
    link.suffer(Trouble(die_every_s=0.01))
    assert client.hear() == b""
    assert link.tally.done["connection died"] == 1
    client.close()


def test_a_half_open_network_swallows(link: Link, broker: ScriptedBroker) -> None:
    """Old and new connections are never answered, mended or not; a new one after it is."""
    old = Client(link.port)
    link.swallow()
    old.publish(1)
    new = socket.create_connection(("127.0.0.1", link.port), timeout=5)
    new.sendall(CONNECT)
    assert old.hears_nothing()
    assert link.tally.done == {"connection half-open": 2}
    link.mend()
    assert old.hears_nothing()
    new.settimeout(0.1)
    with pytest.raises(TimeoutError):
        new.recv(1)
    old.close()
    new.close()
    link.cut()  # the scripted broker serves one after the other
    link.mend()
    after = Client(link.port)
    after.publish(2)
    assert after.hear() == packets.puback(2)
    assert mids(broker) == [2]
    after.close()


def test_a_script_is_played_in_turn() -> None:
    """Each kind of packet has its own, the last answer for ever; the rest is answered well."""
    refusals = [scripted_broker.puback(0x97), scripted_broker.silence, scripted_broker.puback()]
    with ScriptedBroker({"PUBLISH": refusals}) as broker:
        client = Client(broker.port)
        for mid in (1, 2, 3, 4):
            client.publish(mid)
        said = [client.hear() for _ in range(3)]
        client.close()
    assert said == [packets.puback(1, 0x97), packets.puback(3), packets.puback(4)]
