"""Real brokers as child processes, tried with real clients."""

import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.broker import Broker
from edge_agent.sim.link import Link

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
needs_mosquitto = pytest.mark.skipif(not MOSQUITTO, reason="mosquitto is not installed")
VERSIONS = {"5": mqtt.MQTTv5, "3.1.1": mqtt.MQTTv311}


class Client:
    """A paho client with its messages in a queue; it connects when it is made."""

    def __init__(self, broker: Broker, name: str, port: int = 0) -> None:
        self.arrived: queue.Queue[mqtt.MQTTMessage] = queue.Queue()
        self.session_present = False
        ready = threading.Event()
        old = broker.protocol != "5"
        self._paho = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=VERSIONS[broker.protocol],
            clean_session=False if old else None,
        )
        subscribed = threading.Event()
        self._paho.on_message = lambda *heard: self.arrived.put(heard[2])
        self._paho.on_subscribe = lambda *_: subscribed.set()

        def on_connect(*heard: object) -> None:
            self.session_present = bool(getattr(heard[2], "session_present", False))
            ready.set()

        self._paho.on_connect = on_connect
        self._subscribed = subscribed
        address = ("127.0.0.1", port or broker.port)
        if old:
            self._paho.connect(*address)
        else:
            self._paho.connect(*address, clean_start=False, properties=_remembered())
        self._paho.loop_start()
        assert ready.wait(5.0)

    def subscribe(self, topic: str) -> None:
        self._paho.subscribe(topic, qos=1)
        assert self._subscribed.wait(5.0)

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the PUBACK."""
        self._paho.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5.0)

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


def _remembered() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    return properties


@contextmanager
def client(broker: Broker, name: str, port: int = 0) -> Iterator[Client]:
    one = Client(broker, name, port)
    try:
        yield one
    finally:
        one.close()


def heard(one: Client) -> list[bytes]:
    """What has arrived up to a mark."""
    payloads = []
    while (payload := one.arrived.get(timeout=5.0).payload) != b"the end":
        payloads.append(bytes(payload))
    return payloads


@pytest.mark.parametrize("name", [pytest.param("mosquitto", marks=needs_mosquitto), "iotcore"])
def test_a_broker_carries_messages_through_a_link_and_restarts(name: str) -> None:
    """Publish and subscribe by paho; after SIGTERM and SIGKILL it is there again on its port."""
    if name == "iotcore":
        pytest.importorskip("iotcore")
    with Broker(name=name) as broker, Link(broker.port) as link:
        ends: list[Callable[[], None]] = [broker.stop, broker.kill]
        for end in ends:
            with client(broker, "central") as far, client(broker, "terminal", link.port) as near:
                far.subscribe("office/#")
                near.publish("office/bungi", b"x" * 200_000)
                assert far.arrived.get(timeout=5.0).payload == b"x" * 200_000
            end()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", broker.port), timeout=5.0)
            broker.start()
            broker.wait_ready()
        assert link.bytes_up > 400_000


@needs_mosquitto
@pytest.mark.parametrize("persistence", [False, True])
def test_only_with_persistence_does_a_session_outlive_a_kill(persistence: bool) -> None:
    """Saved within about a second of the change; otherwise the broker forgets what it acked."""
    with Broker(name="mosquitto", persistence=persistence) as broker:
        with client(broker, "central") as far:
            far.subscribe("office/#")
        with client(broker, "terminal") as near:
            near.publish("office/bungi", b"kept?", retain=True)
        saved = broker.log.parent / "mosquitto.db"
        pause = threading.Event()
        for _ in range(100 if persistence else 0):
            if saved.exists() and b"kept?" in saved.read_bytes():
                break
            pause.wait(0.05)
        broker.kill()
        broker.start()
        broker.wait_ready()
        with client(broker, "central") as far:
            assert far.session_present is persistence
            far.subscribe("office/#")
            far.publish("office/mark", b"the end")
            assert (b"kept?" in heard(far)) is persistence


@needs_mosquitto
def test_a_limited_broker_acknowledges_more_than_it_keeps() -> None:
    """Ten acknowledged, two delivered: why a PUBACK is not a receipt."""
    with Broker(name="mosquitto", max_queued=2) as broker:
        with client(broker, "central") as far:
            far.subscribe("office/#")
        with client(broker, "terminal") as near:
            for number in range(10):
                near.publish("office/bungi", b"%d" % number)
        with client(broker, "central") as far:
            assert far.session_present
            far.subscribe("mark/#")
            far.publish("mark/1", b"the end")
            assert heard(far) == [b"0", b"1"]


def test_a_broker_that_is_not_there_is_said_so() -> None:
    """One sentence with the way to get one."""
    with pytest.raises(EdgeAgentError, match="there is none of: nonesuch") as caught:
        Broker(name="nonesuch")
    assert "apt install mosquitto" in caught.value.hint


def test_what_iotcore_cannot_do_is_refused() -> None:
    """It keeps nothing over a kill, whatever is asked."""
    pytest.importorskip("iotcore")
    with pytest.raises(EdgeAgentError, match="install mosquitto"):
        Broker(name="iotcore", persistence=True)


def test_a_taken_port_is_said_so() -> None:
    """Before anything is started, so that nobody takes the other program for the broker."""
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        closing(Broker(other.getsockname()[1])) as broker,
    ):
        with pytest.raises(EdgeAgentError, match=f"{broker.port}: something else") as caught:
            broker.start()
        assert caught.value.hint


def test_a_broker_that_has_ended_is_not_waited_for() -> None:
    """The error comes at once, with the broker's last words, and nothing of it stays behind."""
    with closing(Broker()) as broker:
        broker.start()
        broker.kill()
        with pytest.raises(EdgeAgentError, match="it has ended; it said:"):
            broker.wait_ready(600.0)
    assert not broker.log.parent.exists()


def test_a_broker_does_not_outlive_a_program_that_forgets_it() -> None:
    """The end of the interpreter ends the child."""
    program = """
from edge_agent.sim.broker import Broker
broker = Broker()
broker.start()
broker.wait_ready()
print(broker.port)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(ran.stdout)), timeout=5.0)


def test_only_this_machine_can_reach_a_broker() -> None:
    """It listens on 127.0.0.1 and nowhere else."""
    with Broker() as broker:
        tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
        text = "".join(one.read_text() for one in tables if one.exists())
        rows = [row.split() for row in text.splitlines()]
        listening = {row[1] for row in rows if row[3] == "0A"}
        assert {at for at in listening if int(at.split(":")[1], 16) == broker.port} == {
            f"0100007F:{broker.port:04X}"
        }
