"""A simulated machine's clocks: what its file says, against the truth that it keeps."""

import json
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.sim.broker import Broker
from edge_agent.sim.machine import BOOT_MS, Machine, leaped
from edge_agent.sim.office import Office

NOON = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
NOON_MS = 1_795_406_400_000
#: What may pass between two looks at a clock in a test on a busy machine.
SOON_MS = 2_000


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Just booted in 1970, at noon in Baubau."""
    return Machine(tmp_path / "clock.json", NOON)


def clocks(machine: Machine) -> dict[str, Any]:
    """What an agent reads at this moment, by the rule of the file and no code of the machine."""
    said = json.loads(machine.path.read_text(encoding="ascii"))
    flowed = time.monotonic_ns() // 1_000_000 - said["real_ms"]
    for name in ("mono_ms", "system_ms", "rtc_ms"):
        if said[name] is not None:
            said[name] += flowed
    return dict(said)


def near(found_ms: int, expected_ms: float, within_ms: int = SOON_MS) -> bool:
    return 0 <= found_ms - expected_ms <= within_ms


def test_a_machine_without_a_battery_clock_boots_in_1970(machine: Machine) -> None:
    """Nobody vouches; the file has what an agent needs and no more."""
    said = clocks(machine)
    assert set(said) == {"boot", "real_ms", "mono_ms", "system_ms", "error_ms", "rtc_ms"}
    assert len(bytes.fromhex(said["boot"])) == 16
    assert near(said["mono_ms"], BOOT_MS)
    assert said["system_ms"] == said["mono_ms"]
    assert (said["error_ms"], said["rtc_ms"]) == (None, None)
    assert near(machine.utc_ms(), NOON_MS)


def test_the_clocks_flow_on_at_real_speed(machine: Machine) -> None:
    """What the machine says and what its file says are the same at any moment."""
    for _ in range(20):
        before, said, after = machine.mono_ms(), clocks(machine), machine.mono_ms()
        assert before <= said["mono_ms"] <= after
        before, said, after = machine.system_ms(), clocks(machine), machine.system_ms()
        assert before <= said["system_ms"] <= after
    utc, mono = machine.utc_ms(), machine.mono_ms()
    threading.Event().wait(0.2)
    assert machine.utc_ms() - utc == pytest.approx(machine.mono_ms() - mono, abs=5)


def test_time_that_passes_moves_every_clock(tmp_path: Path) -> None:
    """By the same hour; nothing else changes."""
    machine = Machine(tmp_path / "clock.json", NOON, rtc_wrong_ms=-700)
    before = clocks(machine)
    machine.pass_s(3600)
    after = clocks(machine)
    for name in ("mono_ms", "system_ms", "rtc_ms"):
        assert near(after[name] - before[name], 3_600_000)
    assert (after["boot"], after["error_ms"]) == (before["boot"], None)
    assert near(machine.utc_ms(), NOON_MS + 3_600_000)
    assert near(after["rtc_ms"], NOON_MS + 3_600_000 - 700)


def test_an_oscillator_that_runs_fast_counts_too_much(tmp_path: Path) -> None:
    """50 millionths are 180 ms an hour; a clock that NTP disciplines does not follow it."""
    machine = Machine(
        tmp_path / "clock.json", NOON, drift_ppm=50, rtc_wrong_ms=0, rtc_drift_ppm=-20
    )
    before = clocks(machine), machine.utc_ms()
    machine.pass_s(36_000)
    after, passed = clocks(machine), machine.utc_ms() - before[1]
    assert after["mono_ms"] - before[0]["mono_ms"] - passed == pytest.approx(1800, abs=5)
    assert after["system_ms"] - before[0]["system_ms"] - passed == pytest.approx(1800, abs=5)
    assert after["rtc_ms"] - machine.utc_ms() == pytest.approx(-720, abs=5)
    machine.synchronise(20, wrong_ms=7)
    machine.pass_s(36_000)
    assert clocks(machine)["system_ms"] - machine.utc_ms() == pytest.approx(7, abs=5)
    machine.unsynchronise()
    machine.pass_s(36_000)
    assert clocks(machine)["system_ms"] - machine.utc_ms() == pytest.approx(1807, abs=5)
    assert clocks(machine)["error_ms"] is None


def test_ntp_sets_the_clock_and_the_kernel_vouches(machine: Machine) -> None:
    """Until somebody else sets it, as settimeofday does; monotonic time does not step."""
    machine.synchronise(12, wrong_ms=-5)
    said = clocks(machine)
    assert said["error_ms"] == 12
    assert said["system_ms"] - machine.utc_ms() == pytest.approx(-5, abs=5)
    mono = machine.mono_ms()
    machine.step_system(-3_600_000)
    said = clocks(machine)
    assert said["error_ms"] is None
    assert said["system_ms"] - machine.utc_ms() == pytest.approx(-3_600_005, abs=5)
    assert near(said["mono_ms"], mono)


def test_a_wrong_time_server_is_vouched_for_none_the_less(machine: Machine) -> None:
    """Step with `vouched`: and it stays as wrong while time passes."""
    machine.synchronise(12)
    machine.step_system(3_600_000, vouched=True)
    machine.pass_s(600)
    said = clocks(machine)
    assert said["error_ms"] == 12
    assert said["system_ms"] - machine.utc_ms() == pytest.approx(3_600_000, abs=5)


def test_a_power_cut_is_another_boot(machine: Machine) -> None:
    """True time has gone on, monotonic time begins again, the system clock is in 1970 again."""
    machine.synchronise(12)
    boot = machine.boot
    machine.power_cut(7200)
    said = clocks(machine)
    assert said["boot"] == machine.boot != boot
    assert near(said["mono_ms"], BOOT_MS)
    assert near(said["system_ms"], BOOT_MS)
    assert said["error_ms"] is None
    assert near(machine.utc_ms(), NOON_MS + 7_200_000 + BOOT_MS)


def test_a_battery_clock_lasts_over_a_power_cut(tmp_path: Path) -> None:
    """The system clock is set from it only if the machine does that; it has drifted meanwhile."""
    machine = Machine(tmp_path / "clock.json", NOON, rtc_wrong_ms=500, rtc_drift_ppm=100)
    machine.power_cut(100_000)
    assert near(clocks(machine)["system_ms"], BOOT_MS)
    machine.power_cut(100_000, from_rtc=True)
    said = clocks(machine)
    assert said["system_ms"] - machine.utc_ms() == pytest.approx(500 + 20_000, abs=5)
    assert said["rtc_ms"] - machine.utc_ms() == pytest.approx(500 + 20_000, abs=5)


def test_a_leap_second_puts_utc_behind_and_leaves_monotonic_time(machine: Machine) -> None:
    """It repeats the second before with `fold` 1; a disciplined system clock follows."""
    machine.synchronise(5)
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    machine.leap(midnight)
    mono, utc = machine.mono_ms(), machine.utc_ms()
    machine.pass_s(20 * 3600)
    assert machine.utc_ms() - utc == pytest.approx(machine.mono_ms() - mono - 1000, abs=5)
    assert clocks(machine)["system_ms"] - machine.utc_ms() == pytest.approx(0, abs=5)
    half = timedelta(milliseconds=500)
    told = [leaped(midnight + half * step, [midnight]) for step in range(-2, 5)]
    assert [(f"{one:%S.%f}"[:4], one.fold) for one in told] == [
        *(("59.0", 0), ("59.5", 0), ("59.0", 1), ("59.5", 1)),
        *(("00.0", 0), ("00.5", 0), ("01.0", 0)),
    ]


def test_the_file_is_whole_whenever_it_is_read(machine: Machine) -> None:
    """Threads set the clocks while others read: never half a file, never monotonic time back."""
    done = threading.Event()

    def trouble() -> None:
        while not done.is_set():
            machine.pass_s(0.001)
            machine.synchronise(5)
            machine.step_system(-10)

    threads = [threading.Thread(target=trouble) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        seen = [clocks(machine)["mono_ms"] for _ in range(300)]
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert seen == sorted(seen)


@pytest.fixture
def office(tmp_path: Path, machine: Machine) -> Iterator[Office]:
    """An office with that machine, nothing of it running."""
    one = Office(tmp_path, Broker(), machine=machine, gnss_profile="ublox-m8", gnss_baud=115_200)
    with one:
        yield one


def test_an_office_is_configured_with_the_machine_and_the_receiver(
    office: Office, machine: Machine
) -> None:
    """The agent's file names the clocks' file, and the receiver's profile and speed."""
    said = tomllib.loads(office.agent_config.read_text(encoding="utf-8"))
    assert said["clock"] == {"kind": "simulated", "file": str(machine.path)}
    assert said["gnss"]["profile"] == "ublox-m8"
    assert said["gnss"]["baud"] == 115_200
