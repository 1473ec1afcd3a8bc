"""What time and place evidence costs a tap, and what a busy receiver costs the agent."""

import statistics
import time
from pathlib import Path
from typing import Any

from edge_agent.bounds import around
from edge_agent.evidence.position import Fence
from edge_agent.evidence.timekeeper import Belief
from edge_agent.evidence.track import Track
from edge_agent.ports.clock import Clock
from edge_agent.records import Fix
from edge_agent.sim.broker import Broker
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.receiver import GnssReceiver
from measure.agent import agent, cpu_s, write_config
from measure.yardstick import OFFICE, percentile

_RATE_HZ = 10


def bench_evidence(work: Path, quick: bool) -> dict[str, Any]:
    """A stamp by a known clock and a graded place, as each punch takes them."""
    clock, track = Clock(), Track(Fence(*OFFICE, 100), 10_000)
    now = clock.reading()
    clock.belief = Belief(around(now.system_ms - now.mono_ms, 480), now.mono_ms, "gnss")
    track.take(Fix(*OFFICE, None, 9, 91, 3, 4, 44), clock.mono_ms())  # one alone proves nothing
    costs: list[float] = []
    for number in range(2_000 if quick else 20_000):
        fix = Fix(OFFICE[0] + number % 90, OFFICE[1], None, 9, 91, 3, 4, 44)
        track.take(fix, clock.mono_ms())
        began = time.perf_counter()
        at = clock.stamp()
        place = track.place(at.mono_ms)
        costs.append(time.perf_counter() - began)
        if at.source != "gnss" or place.grade != "verified":
            raise ValueError(f"not what a punch has: {at}, {place}")
    return {
        "evidence_p50_ms": statistics.median(costs) * 1e3,
        "evidence_p99_ms": percentile(costs, 0.99) * 1e3,
    }


def bench_gnss(work: Path, quick: bool) -> dict[str, Any]:
    """CPU of the running agent with a receiver that says everything ten times a second, and idle.

    In turns: a machine that has become slower is so for both.
    """
    quiet: list[float] = []
    busy: list[float] = []
    seconds = 4 if quick else 15
    receiver = GnssReceiver(OFFICE[0] / 1e7, OFFICE[1] / 1e7, every_sentence=True)
    with Broker() as broker, PseudoPort(work / "gnss") as port:
        config = write_config(work, broker.port, broker.protocol, scanner=False)
        with config.open("a", encoding="utf-8") as file:
            file.write(f'[gnss]\nport = "{work}/gnss"\nprofile = "ublox-m8"\n')
        with agent(work, config) as (process, _):
            if not port.wait_open(10):
                raise TimeoutError("the agent does not open its receiver's port")
            time.sleep(2)
            module = GnssModule(port, receiver, period_s=1 / _RATE_HZ)
            for _ in range(1 if quick else 3):
                quiet.append(_cpu(process.pid, seconds))
                before = module.epochs
                with module:
                    busy.append(_cpu(process.pid, seconds))
                if module.epochs - before < _RATE_HZ * seconds * 0.9 or port.dropped:
                    raise ValueError(f"the receiver did not keep its pace: {module.epochs}")
    return {
        "gnss_cpu_percent": statistics.median(busy) * 100,
        "gnss_above_idle_percent": (statistics.median(busy) - statistics.median(quiet)) * 100,
    }


def _cpu(pid: int, seconds: float) -> float:
    """Share of a core that a process uses over so many seconds."""
    before, began = cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - began)
