"""Steps of the system clock, told from slewing."""

import pytest

from edge_agent.evidence.system_clock import SystemClock


def test_the_first_look_is_no_step() -> None:
    """There is nothing to compare with."""
    assert SystemClock().step(1_795_389_000_000, 5_000) == 0


@pytest.mark.parametrize("by_ms", [-3_600_000, 3_600_000, -501 - 50, 501 + 50])
def test_a_jump_is_told_once_with_its_length(by_ms: int) -> None:
    """To either side; afterwards the clock simply goes on from there."""
    clock = SystemClock()
    clock.step(1_000_000, 0)
    assert clock.step(1_000_500 + by_ms, 500) == by_ms
    assert clock.step(1_001_000 + by_ms, 1_000) == 0


def test_slewing_is_no_step() -> None:
    """chrony at its fastest, a twelfth, also if nobody looked for a minute."""
    clock = SystemClock()
    clock.step(0, 0)
    assert clock.step(60_000 + 5_000, 60_000) == 0
    assert clock.step(60_500 + 5_041, 60_500) == 0
