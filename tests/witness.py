"""A client that watches every topic of an office and holds each message against its schema."""

import queue
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as mqtt
from contract_check import validate
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.sim.broker import Broker

ROOT = "attendance/baubau"


class Witness:
    """Connected to a broker while the block lasts; a message that breaks the contract fails it."""

    def __init__(self, broker: Broker, *, check: bool = True) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.broken: list[str] = []
        self._check = check
        self._news: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._ready = threading.Event()
        self._port = broker.port
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion.MQTTv5
            if broker.protocol == "5"
            else MQTTProtocolVersion.MQTTv311,
        )
        self.client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/#", qos=1)
        self.client.on_subscribe = lambda *_: self._ready.set()
        self.client.on_message = self._on_message

    def __enter__(self) -> "Witness":
        self.client.connect("127.0.0.1", self._port)
        self.client.loop_start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        if exc[0] is None:
            assert not self.broken

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish as a stranger would, and wait for the broker's acknowledgement."""
        self.client.publish(f"{ROOT}/{topic}", payload, qos=1, retain=retain).wait_for_publish(10)

    def wait_for(self, wanted: Callable[[str, bytes], bool], timeout_s: float = 10) -> bytes:
        """The next message, from now on, that is wanted."""
        while True:
            topic, payload = self._news.get(timeout=timeout_s)
            if wanted(topic, payload):
                return payload

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        payload = bytes(message.payload)
        self.seen.append((message.topic, payload))
        if self._check:
            try:
                validate(message.topic.rpartition("/")[2], payload)
            except Exception as error:  # noqa: BLE001  kept for the test's thread
                self.broken.append(f"{message.topic}: {error}")
        self._news.put((message.topic, payload))
