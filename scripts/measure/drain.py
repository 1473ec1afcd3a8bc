"""A backlog to PUBACK and to receipts, beside paho sending the same entries one per message."""

import itertools
import json
import queue
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge_agent.config import Broker as BrokerConfig
from edge_agent.contract import chain, entries, messages
from edge_agent.events import Arrived, Connected, Disconnected, Event, PubAck
from edge_agent.journal import Journal
from edge_agent.ports.clock import Clock
from edge_agent.ranges import Ranges
from edge_agent.sim.broker import Broker
from edge_agent.sim.link import Link
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.connection import Connection
from edge_agent.uplink.window import Window
from measure.agent import agent, peak_kb, write_config
from measure.yardstick import BOOT, ROOT, TERMINAL, punch


def fill(path: Path, count: int) -> None:
    """A journal with `count` punches, written in one transaction."""
    journal = Journal(path, TERMINAL)
    head = chain.genesis(TERMINAL, journal.journal)
    journal.close()

    def rows() -> Iterator[tuple[int, str, str, bytes]]:
        nonlocal head
        for seq in range(1, count + 1):
            text = entries.text(*punch(seq), seq)
            head = chain.link(head, text)
            yield seq, "punch", text, head

    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows())
    db.close()


class Drain:
    """The agent's own delivery over a real connection, turned by this thread."""

    def __init__(self, path: Path, port: int, protocol: str, daily_kb: int | None = None) -> None:
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.journal = Journal(path, TERMINAL)
        broker = BrokerConfig("127.0.0.1", port, ROOT, protocol)
        identity = Identity(TERMINAL, ROOT, chain.Sealer.new())
        self.window = Window(self.journal.last_seq, 0, broker.window, 60_000)
        topics = (identity.topic("receipt"),)
        will = (identity.topic("status"), b"{}")
        self.delivery = Delivery(
            self.journal,
            identity,
            self.window,
            lambda link: Connection(link, broker, TERMINAL, will, topics, self.inbox.put),
            lambda state: self._status(state, identity),
            Incidents(self.journal, {"broker": 10**9}, self.window.appended),
            Backoff(100, 1000, random.Random(1)),
            central_grace_ms=10**9,
            stamp=Clock().stamp,
            today=Ranges,
            daily_kb=daily_kb,
        )

    def _status(self, state: str, identity: Identity) -> bytes:
        status = messages.Status(
            TERMINAL,
            self.journal.journal,
            state,
            1,
            self.journal.last_seq,
            "bench",
            BOOT,
            identity.sealer.key,
            "kec-bungi",
        )
        return messages.encode_status(status)

    def until(self, done: Callable[["Drain"], bool], limit_s: float) -> float:
        """Seconds from the broker's CONNACK until `done`."""
        began = 0.0
        until = time.monotonic() + limit_s
        more = True
        while not done(self):
            if time.monotonic() > until:
                raise TimeoutError("the backlog does not drain")
            for event in self._events(0 if more else 0.1):
                if isinstance(event, Connected):
                    began = time.perf_counter()
                self._on(event)
            more = self.delivery.settle(time.monotonic_ns() // 1_000_000)
        return time.perf_counter() - began

    def close(self) -> None:
        self.delivery.close()
        self.journal.close()

    def _events(self, wait_s: float) -> Iterator[Event]:
        try:
            yield self.inbox.get(timeout=wait_s) if wait_s else self.inbox.get_nowait()
            while True:
                yield self.inbox.get_nowait()
        except queue.Empty:
            return

    def _on(self, event: Event) -> None:
        if isinstance(event, Disconnected):
            raise ConnectionError(event.cause)
        if isinstance(event, Connected | PubAck | Arrived):
            self.delivery.heard(event, time.monotonic_ns() // 1_000_000)


def acked(drain: Drain) -> bool:
    return not drain.window.unsent and drain.window.in_flight == 0


def received(drain: Drain) -> bool:
    return drain.window.backlog == 0


def one_by_one(path: Path, port: int, count: int) -> float:
    """Seconds for paho to publish `count` entries to PUBACK, one per message, its window full."""
    done, connected = threading.Event(), threading.Event()
    left = itertools.count(count - 1, -1)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(20)  # paho's default, and the fastest window measured
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: done.set() if next(left) == 0 else None
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait(10)
    began = time.perf_counter()
    with sqlite3.connect(path) as db:
        for (text,) in db.execute("SELECT text FROM entry ORDER BY seq LIMIT ?", (count,)):
            client.publish("bench/one", text, qos=1)
    if not done.wait(300):
        raise TimeoutError("the yardstick does not finish")
    seconds = time.perf_counter() - began
    db.close()
    client.disconnect()
    client.loop_stop()
    return seconds


@contextmanager
def central(work: Path, port: int, protocol: str) -> Iterator[None]:
    config = work / "central.toml"
    config.write_text(
        f'database = "{work}/central.db"\ntopic_root = "{ROOT}"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "{protocol}"\n',
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "edge_agent", "central", "serve", "--config", str(config)],
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if b"connected to" in line:
                break
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def bench_drain(work: Path, quick: bool) -> dict[str, Any]:
    count = 20_000 if quick else 1_000_000
    sample = 5_000 if quick else 50_000
    rounds = 2 if quick else 3
    full = work / "full.db"
    fill(full, count)
    to_ack: list[float] = []
    to_receipt: list[float] = []
    yardstick: list[float] = []
    for number in range(rounds):
        place = work / f"round{number}"
        place.mkdir()
        with Broker(max_queued=0) as broker:
            yardstick.append(sample / one_by_one(full, broker.port, sample))
            drain = Drain(_copy(full, place / "a.db"), broker.port, broker.protocol)
            to_ack.append(count / drain.until(acked, 300))
            drain.close()
            with central(place, broker.port, broker.protocol):
                drain = Drain(_copy(full, place / "b.db"), broker.port, broker.protocol)
                to_receipt.append(count / drain.until(received, 600))
                drain.close()
        shutil.rmtree(place)
    base = statistics.median(yardstick)
    return {
        "entries": count,
        "one_per_message_per_s": base,
        "drain_puback_per_s": statistics.median(to_ack),
        "drain_receipt_per_s": statistics.median(to_receipt),
        # Round by round: a machine that changes its speed between rounds changes both sides.
        "drain_puback_ratio": _median_ratio(to_ack, yardstick),
        "drain_receipt_ratio": _median_ratio(to_receipt, yardstick),
        "wire_bytes_per_punch_backlog": _wire(full, work, count, None),
        "wire_bytes_per_punch_metered": _wire(full, work, count, 10**7),
    }


def _wire(full: Path, work: Path, count: int, daily_kb: int | None) -> float:
    """Bytes that went up for each entry, everything that MQTT puts around them included."""
    with Broker(max_queued=0) as broker, Link(broker.port) as link:
        copy = _copy(full, work / "wire.db")
        drain = Drain(copy, link.port, broker.protocol, daily_kb)
        drain.until(acked, 300)
        drain.close()
        copy.unlink()
        return link.bytes_up / count


def _median_ratio(ours: list[float], theirs: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def _copy(source: Path, target: Path) -> Path:
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()
    return target


def bench_memory(work: Path, quick: bool) -> dict[str, Any]:
    """The agent's own peak while it drains a small and a large backlog to receipts."""
    peaks = {}
    for name, count in (("small", 5_000), ("large", 20_000 if quick else 1_000_000)):
        place = work / name
        place.mkdir()
        fill(place / "journal.db", count)
        with Broker(max_queued=0) as broker, central(place, broker.port, broker.protocol):
            config = write_config(place, broker.port, broker.protocol, scanner=False)
            with agent(place, config) as (process, _):
                _wait_received(place / "status.json", 300)
                peaks[name] = peak_kb(process.pid)
        shutil.rmtree(place)
    return {
        "drain_resident_mb": peaks["large"] / 1000,
        "drain_resident_ratio": peaks["large"] / peaks["small"],
    }


def _wait_received(status: Path, limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            journal = json.loads(status.read_bytes())["journal"]
        except (OSError, ValueError, KeyError):
            journal = {"backlog": None}
        if journal["backlog"] == 0:
            return
        time.sleep(0.2)  # the agent rewrites it once a second and tells nobody
    raise TimeoutError("the agent does not drain its backlog")


def bench_live(work: Path, quick: bool) -> dict[str, Any]:
    count = 50 if quick else 200
    with Broker() as broker, Link(broker.port) as link:
        path = work / "live.db"
        Journal(path, TERMINAL).close()
        drain = Drain(path, link.port, broker.protocol)
        drain.until(lambda one: one.delivery.online, 10)
        drain.until(acked, 10)
        before = link.bytes_up
        for number in range(count):
            record, at = punch(number)
            drain.window.appended(drain.journal.append(record, at).seq)
            drain.until(acked, 10)
        live = link.bytes_up - before
        drain.close()
    return {"wire_bytes_per_punch_live": live / count}
