"""The ring of an R503 as a panel."""

import pytest

from edge_agent.devices.ring import light
from edge_agent.records import Signal

RED, BLUE, PURPLE, GREEN, YELLOW = range(1, 6)
FLASH, ON = 2, 3


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("ring", ["r503", "r503-old"])
def test_every_signal_has_a_light_of_its_ring(ring: str, signal: Signal) -> None:
    """35, a control, a speed, a colour that this series has, and times (R503 manual page 33)."""
    code, control, _, colour, times = light(ring, signal)
    assert code == 0x35
    assert control in (FLASH, ON)
    assert colour in (range(RED, YELLOW + 1) if ring == "r503" else (RED, BLUE, PURPLE))
    assert (times == 0) == (control == ON)


@pytest.mark.parametrize("signal", Signal)
def test_a_module_without_a_ring_gets_no_light(signal: Signal) -> None:
    """35 is another command there."""
    assert light("", signal) == b""


@pytest.mark.parametrize("ring", ["r503", "r503-old"])
def test_stored_looks_like_nothing_else(ring: str) -> None:
    """Green, or blue where there is none; only the end of an enrolment has that colour, too."""
    good = light(ring, Signal.STORED)[3]
    assert good == {"r503": GREEN, "r503-old": BLUE}[ring]
    for signal in set(Signal) - {Signal.STORED, Signal.ENROLLED}:
        assert light(ring, signal)[3] != good, signal


@pytest.mark.parametrize(
    "signal",
    [Signal.UNKNOWN, Signal.MISREAD, Signal.FAULT, Signal.TAKEN, Signal.UNSTABLE],
)
def test_a_refusal_is_red(signal: Signal) -> None:
    """On both series."""
    assert {light(ring, signal)[3] for ring in ("r503", "r503-old")} == {RED}
