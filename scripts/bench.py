"""What the terminal costs, as ratios to the bare parts, taken in one run on one machine.

Each part is measured beside its yardstick in alternating rounds, so that a machine whose speed drifts
moves both. Absolute times say nothing about a Raspberry Pi; the ratios carry over.
"""

import argparse
import hashlib
import itertools
import json
import os
import platform
import queue
import random
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from edge_agent.config import Broker as BrokerConfig
from edge_agent.contract import canonical, chain, credentials, entries, messages
from edge_agent.journal import Journal
from edge_agent.records import (
    Arrived,
    Connected,
    Disconnected,
    Event,
    Grade,
    Person,
    Place,
    PubAck,
    Punch,
    Stamp,
)
from edge_agent.sim.broker import Broker
from edge_agent.sim.link import Link
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.scanner import id12la_frame
from edge_agent.terminal.delivery import Delivery, Identity
from edge_agent.terminal.incidents import Incidents
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.connection import Connection
from edge_agent.uplink.window import Window

TERMINAL, ROOT = "bungi-01", "attendance/bench"
KEY = bytes(range(32))
BOOT = "b" * 32
STAFF = 60
OFFICE = (-53694400, 1226939600)


def punch(number: int) -> tuple[Punch, Stamp]:
    """The punch `number` of an office of 60 people; fixes jitter as they do in nature."""
    chance = random.Random(number)
    person = chance.randrange(STAFF)
    place = Place(
        Grade.VERIFIED,
        OFFICE[0] + chance.randint(-300, 300),
        OFFICE[1] + chance.randint(-300, 300),
        chance.randint(20, 1100),
        chance.randint(1, 5),
        chance.randint(7, 12),
        chance.randint(80, 130),
    )
    card = credentials.conceal(f"em4100:3C00{person:06X}", KEY)
    later_ms = number * 31_000 + chance.randint(0, 30_000)
    at = Stamp(BOOT, 60_000 + later_ms, 1_790_000_000_000 + later_ms, "ntp", chance.randint(5, 60))
    return Punch(card, "em4100", "front", place, f"P{person:03d}"), at


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def written() -> int:
    """Bytes that this process has caused to be written to the storage layer."""
    with open("/proc/self/io", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("write_bytes")).split()[1])


class Bare:
    """The yardstick of an append: a row of the same size committed with nothing around it."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute(
            "CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT, text TEXT, head BLOB)"
        )
        fields = {**entries.fields(*punch(1)), "seq": 1}
        self.text = canonical.encode(fields)
        self.head = hashlib.sha256(self.text.encode()).digest()

    def commit(self) -> None:
        self.db.execute(
            "INSERT INTO entry (kind, text, head) VALUES ('punch', ?, ?)", (self.text, self.head)
        )


def bench_append(work: Path, quick: bool) -> dict[str, Any]:
    bare, journal = Bare(work / "bare.db"), Journal(work / "append.db", TERMINAL)
    rounds, each = (4, 250) if quick else (8, 500)
    ours: list[float] = []
    theirs: list[float] = []
    bytes_ours = bytes_theirs = 0
    numbers = itertools.count()
    for _ in range(rounds):
        before = written()
        for _ in range(each):
            record = punch(next(numbers))
            began = time.perf_counter()
            journal.append(*record)
            ours.append(time.perf_counter() - began)
        between = written()
        for _ in range(each):
            began = time.perf_counter()
            bare.commit()
            theirs.append(time.perf_counter() - began)
        bytes_ours += between - before
        bytes_theirs += written() - between
    journal.close()
    return {
        "append_p50_us": statistics.median(ours) * 1e6,
        "append_p99_us": percentile(ours, 0.99) * 1e6,
        "bare_p50_us": statistics.median(theirs) * 1e6,
        "bare_p99_us": percentile(theirs, 0.99) * 1e6,
        "append_p50_ratio": statistics.median(ours) / statistics.median(theirs),
        "append_p99_ratio": percentile(ours, 0.99) / percentile(theirs, 0.99),
        "disk_bytes_per_punch": bytes_ours / len(ours),
        "disk_bytes_per_bare_row": bytes_theirs / len(theirs),
    }


# --- the whole agent ----------------------------------------------------------------------------------


def write_config(work: Path, port: int, protocol: str, *, scanner: bool) -> Path:
    (work / "credential.key").write_text(KEY.hex(), encoding="ascii")
    text = f"""
terminal = "{TERMINAL}"
[site]
id = "kec-bungi"
name = "Kantor Kecamatan Bungi"
zone = "Asia/Makassar"
latitude = -5.36944
longitude = 122.69396
[broker]
host = "127.0.0.1"
port = {port}
topic_root = "{ROOT}"
protocol = "{protocol}"
[files]
journal = "{work}/journal.db"
seal_key = "{work}/seal.key"
credential_key = "{work}/credential.key"
status = "{work}/status.json"
[panel]
kind = "simulated"
file = "{work}/panel.jsonl"
[rules]
retry_first_s = 0.1
duplicate_s = 0
"""
    if scanner:
        text += f'[[scanner]]\nname = "front"\nport = "{work}/front"\nprofile = "id12la"\n'
    path = work / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def agent(work: Path, config: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The real agent as a process, with the seconds from its start to READY=1."""
    address = str(work / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        Path(address).unlink(missing_ok=True)
        notify.bind(address)
        notify.settimeout(30)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "edge_agent", "run", "--config", str(config)],
            env={**os.environ, "NOTIFY_SOCKET": address},
            stderr=subprocess.DEVNULL,
        )
        try:
            while notify.recv(100) != b"READY=1":
                pass
            yield process, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(20)


class Panel:
    """Reads what the simulated panel of a running agent shows."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open(encoding="ascii")
        self._partial = ""

    def wait(self) -> dict[str, Any]:
        """The next notice; raises TimeoutError after ten seconds."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            self._partial += self._file.readline()
            if self._partial.endswith("\n"):
                line, self._partial = self._partial, ""
                notice: dict[str, Any] = json.loads(line)
                return notice
            time.sleep(0.0005)
        raise TimeoutError("the panel shows nothing")


def bench_tap(work: Path, quick: bool) -> dict[str, Any]:
    config = write_config(work, 1, "5", scanner=True)
    cards = [f"3C01{number:06X}" for number in range(200 if quick else 1000)]
    people = {credentials.conceal(f"em4100:{card}", KEY): Person(card, card) for card in cards}
    journal = Journal(work / "journal.db", TERMINAL)
    journal.roster.replace(1, people)
    journal.close()
    bare = Bare(work / "bare.db")
    taps: list[float] = []
    commits: list[float] = []
    panel = Panel(work / "panel.jsonl")
    with PseudoPort(work / "front") as port, agent(work, config):
        if not port.wait_open(10):
            raise TimeoutError("the agent does not open its scanner")
        for card in cards:
            port.write(id12la_frame(card))
            began = time.monotonic_ns()
            notice = panel.wait()
            if notice["signal"] != "stored":
                raise ValueError(f"not green: {notice}")
            taps.append((notice["at_ns"] - began) / 1e9)
            began_s = time.perf_counter()
            bare.commit()
            commits.append(time.perf_counter() - began_s)
            time.sleep(0.005)
    p99 = percentile(taps, 0.99), percentile(commits, 0.99)
    return {
        "tap_to_green_p50_ms": statistics.median(taps) * 1e3,
        "tap_to_green_p99_ms": p99[0] * 1e3,
        "tap_commit_p50_ms": statistics.median(commits) * 1e3,
        "tap_commit_p99_ms": p99[1] * 1e3,
        "tap_p50_over_commit_ms": (statistics.median(taps) - statistics.median(commits)) * 1e3,
        "tap_p99_over_commit_ms": (p99[0] - p99[1]) * 1e3,
        "taps": len(taps),
    }


def bench_idle(work: Path, quick: bool) -> dict[str, Any]:
    ready: list[float] = []
    with Broker() as broker, PseudoPort(work / "front"):
        config = write_config(work, broker.port, broker.protocol, scanner=True)
        for _ in range(3 if quick else 7):
            with agent(work, config) as (_, seconds):
                ready.append(seconds)
        with agent(work, config) as (process, _):
            time.sleep(3)
            before, began = cpu_s(process.pid), time.monotonic()
            time.sleep(5 if quick else 20)
            used = (cpu_s(process.pid) - before) / (time.monotonic() - began)
            resident = resident_kb(process.pid)
    return {
        "ready_p50_s": statistics.median(ready),
        "ready_worst_s": max(ready),
        "resident_mb": resident / 1000,
        "idle_cpu_percent": used * 100,
    }


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


# --- draining a backlog -------------------------------------------------------------------------------


def fill(path: Path, count: int) -> None:
    """A journal with `count` punches, written in one transaction."""
    journal = Journal(path, TERMINAL)
    head, rows = chain.genesis(TERMINAL, journal.journal), []
    for seq in range(1, count + 1):
        text = canonical.encode({**entries.fields(*punch(seq)), "seq": seq})
        head = chain.link(head, text)
        rows.append((seq, "punch", text, head))
    journal.close()
    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
    db.close()


class Drain:
    """The agent's own delivery over a real connection, turned by this thread."""

    def __init__(self, path: Path, port: int, protocol: str) -> None:
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.journal = Journal(path, TERMINAL)
        broker = BrokerConfig("127.0.0.1", port, ROOT, protocol)
        identity = Identity(TERMINAL, ROOT, chain.Sealer.new())
        self.window = Window(self.journal.last_seq, 0, broker.window, 60_000)
        topics = (identity.topic("receipt"), identity.topic("roster"))
        will = (identity.topic("status"), b"{}")
        self.delivery = Delivery(
            self.journal,
            identity,
            self.window,
            lambda link: Connection(link, broker, TERMINAL, will, topics, self.inbox.put),
            lambda state: self._status(state, identity),
            Incidents(self.journal, {"broker": 10**9, "central": 10**9}, self.window.appended),
            Backoff(100, 1000, random.Random(1)),
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
        now_ms = time.monotonic_ns() // 1_000_000
        match event:
            case Connected():
                self.delivery.connected(event, now_ms)
            case Disconnected():
                raise ConnectionError(event.cause)
            case PubAck():
                self.delivery.acknowledged(event, now_ms)
            case Arrived():
                self.delivery.arrived(event, now_ms)


def acked(drain: Drain) -> bool:
    return not drain.window.unsent and drain.window.in_flight == 0


def received(drain: Drain) -> bool:
    return drain.window.backlog == 0


def one_by_one(path: Path, port: int, count: int) -> float:
    """Seconds in which paho publishes `count` entries one per message, its window full, to PUBACK."""
    with sqlite3.connect(path) as db:
        texts = [row[0] for row in db.execute("SELECT text FROM entry LIMIT ?", (count,))]
    db.close()
    done, connected = threading.Event(), threading.Event()
    left = itertools.count(count - 1, -1)
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.max_inflight_messages_set(100)  # the fastest window measured
    client.on_connect = lambda *_: connected.set()
    client.on_publish = lambda *_: done.set() if next(left) == 0 else None
    client.connect("127.0.0.1", port)
    client.loop_start()
    connected.wait(10)
    began = time.perf_counter()
    for text in texts:
        client.publish("bench/one", text, qos=1)
    if not done.wait(300):
        raise TimeoutError("the yardstick does not finish")
    seconds = time.perf_counter() - began
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
    count = 20_000 if quick else 200_000
    sample = 5_000 if quick else 20_000
    rounds = 2 if quick else 3
    full = work / "full.db"
    fill(full, count)
    to_ack: list[float] = []
    to_receipt: list[float] = []
    yardstick: list[float] = []
    wire = 0
    for number in range(rounds):
        place = work / f"round{number}"
        place.mkdir()
        with Broker(max_queued=0) as broker:
            yardstick.append(sample / one_by_one(full, broker.port, sample))
            with Link(broker.port) as link:
                drain = Drain(_copy(full, place / "a.db"), link.port, broker.protocol)
                to_ack.append(count / drain.until(acked, 300))
                wire = link.bytes_up
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
        "drain_puback_ratio": statistics.median(to_ack) / base,
        "drain_receipt_ratio": statistics.median(to_receipt) / base,
        "wire_bytes_per_punch_backlog": wire / count,
    }


def _copy(source: Path, target: Path) -> Path:
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()
    return target


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


#: name, what it says, target as (limit, True if more is better)
TARGETS: tuple[tuple[str, str, float | None, bool], ...] = (
    ("append_p50_ratio", "append, p50, over a bare commit of the same row", 1.5, False),
    ("append_p99_ratio", "append, p99, over the same", None, False),
    ("tap_p50_over_commit_ms", "last byte on the pty to green, p50, ms above a commit", None, False),
    ("tap_p99_over_commit_ms", "last byte on the pty to green, p99, ms above a commit", 5, False),
    ("drain_puback_ratio", "drain to PUBACK over paho, one entry a message", 5, True),
    ("drain_receipt_ratio", "drain to receipts over the same", None, True),
    ("wire_bytes_per_punch_backlog", "bytes on the wire a punch, backlog", 60, False),
    ("wire_bytes_per_punch_live", "bytes on the wire a punch, live", None, False),
    ("disk_bytes_per_punch", "bytes written to disk a punch", None, False),
    ("disk_bytes_per_bare_row", "bytes written to disk a bare row", None, False),
    ("resident_mb", "resident memory, MB", 45, False),
    ("idle_cpu_percent", "idle CPU, percent of a core", 1, False),
    ("ready_p50_s", "start to ready, s", 1, False),
)

PARTS = {
    "append": bench_append,
    "tap": bench_tap,
    "idle": bench_idle,
    "drain": bench_drain,
    "live": bench_live,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--only", choices=PARTS)
    arguments.add_argument("--out", type=Path, default=Path("bench.json"))
    wanted = arguments.parse_args()
    figures: dict[str, Any] = {}
    for name, part in PARTS.items():
        if wanted.only in (None, name):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            # Beside the checkout: /tmp may be memory, where a commit costs nothing.
            with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as work:
                figures |= part(Path(work), wanted.quick)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    wanted.out.write_text(json.dumps({"machine": machine, **figures}, indent=1), encoding="utf-8")
    print(f"{machine}; raw figures in {wanted.out}")
    missed = 0
    for key, words, target, more_is_better in TARGETS:
        if key not in figures:
            continue
        verdict = ""
        if target is not None:
            good = figures[key] >= target if more_is_better else figures[key] <= target
            missed += not good
            sign = ">=" if more_is_better else "<="
            verdict = f"target {sign} {target:g}: {'holds' if good else 'MISSED'}"
        print(f"{figures[key]:10.2f}  {words:58}  {verdict}".rstrip())
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
