"""The whole agent as a process: from the last byte on the port to green, idle cost, start."""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_agent.contract import credentials
from edge_agent.journal import Journal
from edge_agent.records import Person
from edge_agent.sim.broker import Broker
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.scanner import id12la_frame
from measure.yardstick import KEY, ROOT, TERMINAL, Bare, percentile, row


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
        for seq, card in enumerate(cards, start=1):
            port.write(id12la_frame(card))
            began = time.monotonic_ns()
            notice = panel.wait()
            if notice["signal"] != "stored":
                raise ValueError(f"not green: {notice}")
            taps.append((notice["at_ns"] - began) / 1e9)
            same = row(seq)
            began_s = time.perf_counter()
            bare.commit(same)
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
    return _kb(pid, "VmRSS")


def peak_kb(pid: int) -> int:
    """The most that has been resident so far."""
    return _kb(pid, "VmHWM")


def _kb(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1])
