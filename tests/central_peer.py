"""What stands around a serving central in its tests: an MQTT client, a frame-aware wire, a log."""

import logging
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge_agent.central.link import Options
from edge_agent.central.serve import Central
from edge_agent.central.store import Store
from edge_agent.contract import messages

ROOT = "attendance/test"
LIMIT_S = 20.0
PUBLISH, PUBACK = 3, 4


class Peer:
    """A client of the broker that publishes and sees every receipt, in order."""

    def __init__(self, port: int, look: Callable[[messages.Receipt], None] | None = None) -> None:
        self.receipts: queue.SimpleQueue[messages.Receipt] = queue.SimpleQueue()
        self._look = look
        self._client = Client(
            CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, client_id="peer"
        )
        self._client.on_message = self._on_message
        ready = threading.Event()
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/+/receipt", qos=1)
        self._client.max_inflight_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(LIMIT_S)

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, terminal: str, channel: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1 and wait for the broker's PUBACK."""
        topic = f"{ROOT}/{terminal}/{channel}"
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(LIMIT_S)

    def receipt(self, upto: int) -> messages.Receipt:
        """The first receipt that reaches `upto`."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            one = self.receipts.get(timeout=max(0.0, deadline - time.monotonic()))
            if one.upto >= upto:
                return one

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        receipt = messages.decode_receipt(message.payload)
        if self._look:
            self._look(receipt)
        self.receipts.put(receipt)


class Log(logging.Handler):
    """The central's log, to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._news = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._news:
            self.lines.append(record.getMessage())
            self._news.notify_all()

    def wait(self, text: str, times: int = 1) -> None:
        """Until `text` stands in so many lines."""
        with self._news:
            assert self._news.wait_for(
                lambda: sum(text in line for line in self.lines) >= times, LIMIT_S
            ), self.lines


@contextmanager
def serving(where: Path | Store, port: int, **options: object) -> Iterator[Log]:
    """A central that serves in a thread of its own; gives its log."""
    log, logger, stop = Log(), logging.getLogger("edge_agent.central"), threading.Event()
    logger.addHandler(log)
    logger.setLevel(logging.INFO)
    settings = Options(ROOT, port=port, first_retry_s=0.05, last_retry_s=0.2, **options)
    store = where if isinstance(where, Store) else Store(where)
    thread = threading.Thread(target=Central(settings, store).run, args=(stop,))
    thread.start()
    try:
        yield log
        assert thread.is_alive(), log.lines
    finally:
        stop.set()
        thread.join(LIMIT_S)
        logger.removeHandler(log)
        if store is not where:
            store.close()


def texts(path: Path) -> list[str]:
    """Every stored text, by stream and seq, as another program sees them in the file."""
    with sqlite3.connect(path) as db:
        found = db.execute("SELECT text FROM entry ORDER BY stream, seq").fetchall()
    db.close()
    return [text for (text,) in found]


class Wire:
    """A TCP forwarder that knows MQTT's frames, and breaks where it is told to.

    Attributes:
        sent: packet types that the client sent, one list a connection.
    """

    def __init__(self, target_port: int, *, cut_before: int) -> None:
        """Forward; break the first connection before its first packet of type `cut_before`."""
        self._target = target_port
        self._cut_before: int | None = cut_before
        self.sent: list[list[int]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                target = socket.create_connection(("127.0.0.1", self._target))
                self.sent.append([])
                for pump in (self._up, self._down):
                    threading.Thread(target=pump, args=(client, target), daemon=True).start()

    def _up(self, client: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), client, target, client.makefile("rb") as stream:
            while packet := frame(stream.read):
                kind = packet[0] >> 4
                if kind == self._cut_before:
                    self._cut_before = None
                    for end in (client, target):
                        end.shutdown(socket.SHUT_RDWR)
                    return
                self.sent[-1].append(kind)
                target.sendall(packet)

    def _down(self, client: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := target.recv(65_536):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


def frame(read: Callable[[int], bytes]) -> bytes:
    """The next MQTT packet, b"" at the end of the stream."""
    head = read(1)
    length, shift = 0, 0
    while head:
        byte = read(1)
        head += byte
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
    return head + read(length) if head else b""
