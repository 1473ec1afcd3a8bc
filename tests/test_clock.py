"""What this machine's clocks say."""

import time
from pathlib import Path

from edge_agent.ports.clock import Clock, utc_of


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
