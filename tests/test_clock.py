"""What this machine's clocks say."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.config import ClockSource
from edge_agent.errors import ConfigError
from edge_agent.ports.clock import Clock, open_clock, utc_of
from edge_agent.sim.machine import Machine


def test_a_stamp_says_which_boot_and_when() -> None:
    """The kernel's boot id as 32 digits, and both clocks at one moment."""
    clock = Clock()
    before_ms = time.time_ns() // 1_000_000
    stamp = clock.stamp()
    after_ms = time.time_ns() // 1_000_000
    kernel = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    assert stamp.boot == kernel.strip().replace("-", "")
    assert len(stamp.boot) == 32
    assert before_ms <= stamp.utc_ms <= after_ms


def test_monotonic_time_counts_from_boot_and_never_goes_back() -> None:
    """About the same as the kernel's uptime."""
    clock = Clock()
    uptime_ms = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]) * 1000
    readings = [clock.mono_ms() for _ in range(1000)]
    assert readings == sorted(readings)
    # The bare oscillator is not slewed as the uptime is, so the two drift apart, by less than this.
    assert abs(readings[0] - uptime_ms) < 5_000 + uptime_ms / 1000


def test_a_vouched_clock_has_an_error_and_another_has_none() -> None:
    """What adjtimex says of this machine, whichever it is."""
    reading = Clock().reading()
    assert reading.error_ms is None or reading.error_ms > 0
    assert (utc_of(reading) is None) is (reading.error_ms is None)


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "{}", '{"boot": 7}', '{"boot": "ab"}'])
def test_simulated_clocks_that_are_not_there_are_one_clear_error(
    tmp_path: Path, text: str | None
) -> None:
    """No file, no JSON, not all of the clocks: which file, and what to do."""
    path = tmp_path / "clock.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=f"read the simulated clocks {path}: .*; let `sim"):
        open_clock(ClockSource("simulated", str(path)))


@pytest.mark.parametrize("text", [None, "{", '{"boot": 7}'])
def test_simulated_clocks_run_on_when_their_file_goes_away(
    tmp_path: Path, text: str | None
) -> None:
    """As clocks do; and when it is there again, it is read again."""
    machine = Machine(tmp_path / "clock.json", datetime(2026, 11, 23, tzinfo=UTC))
    clock = open_clock(ClockSource("simulated", str(machine.path)))
    machine.path.unlink()
    if text is not None:
        machine.path.write_text(text)
    for said, truth in (
        (clock.mono_ms(), machine.mono_ms()),
        (clock.reading().system_ms, machine.system_ms()),
    ):
        assert said == pytest.approx(truth, abs=1000)
    machine.pass_s(3600)
    assert clock.mono_ms() == pytest.approx(machine.mono_ms(), abs=1000)
