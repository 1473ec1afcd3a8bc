"""The same work on a journal of a thousand entries and on one of ten million, in turns."""

import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent.contract import chain, entries
from edge_agent.journal import Journal
from edge_agent.sim.broker import Broker
from edge_agent.terminal.keeping import STEP
from measure.drain import Drain, acked
from measure.yardstick import TERMINAL, percentile, punch

SMALL, LARGE, LARGE_QUICK = 1_000, 10_000_000, 100_000
_PER_TRANSACTION = 1_000_000
#: The first find caches and disk as the filling left them.
_WARM_UP = 20


def fill_large(path: Path, count: int) -> None:
    """A journal of `count` punches with a right chain, as fast as SQLite takes them."""
    with closing(Journal(path, TERMINAL)) as journal:
        head = chain.genesis(TERMINAL, journal.journal)
        journal.note_received(count)
    templates = [_template(number) for number in range(1_000)]

    def rows(first: int, last: int) -> Iterator[tuple[int, str, str, bytes]]:
        nonlocal head
        for seq in range(first, last + 1):
            at_ms = seq * 31_000
            text = templates[seq % 1_000] % (at_ms, 1_790_000_000_000 + at_ms, seq)
            head = chain.link(head, text)
            yield seq, "punch", text, head

    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        for first in range(1, count + 1, _PER_TRANSACTION):
            last = min(count, first + _PER_TRANSACTION - 1)
            db.execute("BEGIN")
            db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows(first, last))
            db.execute("COMMIT")
    os.sync()


def _template(number: int) -> str:
    """The text of a punch with room for its monotonic time, its UTC and its seq."""
    record, at = punch(number)
    text = entries.text(record, replace(at, mono_ms=1, utc_ms=2), 3)
    for key, value in (("mono_ms", 1), ("utc_ms", 2), ("seq", 3)):
        text = text.replace(f'"{key}":{value}', f'"{key}":%d')
    return text


class _Side:
    """A journal, all of it received, with its delivery on a broker of its own."""

    def __init__(self, path: Path, port: int, protocol: str) -> None:
        self.drain = Drain(path, port, protocol)
        window, last = self.drain.window, self.drain.journal.last_seq
        window.received.add(1, last)
        window.unsent.remove(1, last)
        self.append: list[float] = []
        self.settle: list[float] = []
        self.drain.until(lambda one: one.delivery.online, 10)
        self.drain.until(acked, 10)

    def tap(self, number: int) -> None:
        record, at = punch(number)
        journal, delivery = self.drain.journal, self.drain.delivery
        self.append.append(_seconds(lambda: journal.append(record, at)))
        self.drain.window.appended(journal.last_seq)
        now_ms = time.monotonic_ns() // 1_000_000
        self.settle.append(_seconds(lambda: delivery.settle(now_ms)))
        self.drain.until(acked, 10)


def bench_scale(work: Path, quick: bool) -> dict[str, Any]:
    counts = {"small": SMALL, "large": LARGE_QUICK if quick else LARGE}
    paths = {name: work / f"{name}.db" for name in counts}
    for name, count in counts.items():
        fill_large(paths[name], count)
    sides: dict[str, _Side] = {}
    with ExitStack() as stack:
        for name, path in paths.items():
            broker = stack.enter_context(Broker())
            sides[name] = _Side(path, broker.port, broker.protocol)
            stack.callback(sides[name].drain.close)
        for number in range(100 if quick else 2_000):
            for name in ("small", "large") if number % 2 else ("large", "small"):
                sides[name].tap(number)
        steps = _prune(sides["large"].drain.journal, 50 if quick else 500)
    with Broker() as broker:
        memory = {name: _memory_kb(path, broker) for name, path in paths.items()}
    small, large = sides["small"], sides["large"]
    return {
        "scale_entries": counts["large"],
        "scale_append_p50_ratio": _ratio(large.append, small.append, 0.5),
        "scale_append_p99_ratio": _ratio(large.append, small.append, 0.99),
        "scale_settle_p50_ratio": _ratio(large.settle, small.settle, 0.5),
        "scale_settle_p99_ratio": _ratio(large.settle, small.settle, 0.99),
        "scale_append_p50_us": statistics.median(large.append[_WARM_UP:]) * 1e6,
        "scale_settle_p50_us": statistics.median(large.settle[_WARM_UP:]) * 1e6,
        "scale_memory_kb": memory["large"],
        "scale_memory_ratio": memory["large"] / memory["small"],
        "prune_step_p50_ms": statistics.median(steps) * 1e3,
        "prune_step_p99_ms": percentile(steps, 0.99) * 1e3,
    }


def _prune(journal: Journal, count: int) -> list[float]:
    """Seconds of each step that prunes, the longest that a tap can wait for one."""
    front = journal.front
    return [_seconds(lambda: front.prune(front.cut + STEP)) for _ in range(count)]


def one_punch_kb(path: Path, port: int, protocol: str) -> int:
    """The most memory, kB, of a process that opens a journal and delivers one punch from it."""
    side = _Side(path, port, protocol)
    side.tap(1)
    side.drain.close()
    # Not of getrusage: that counts what the process was forked from.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def _memory_kb(path: Path, broker: Broker) -> int:
    asked = f"one_punch_kb(Path({str(path)!r}), {broker.port}, {broker.protocol!r})"
    program = f"from pathlib import Path; from measure.scale import one_punch_kb; print({asked})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return int(done.stdout)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ratio(large: list[float], small: list[float], share: float) -> float:
    return percentile(large[_WARM_UP:], share) / percentile(small[_WARM_UP:], share)
