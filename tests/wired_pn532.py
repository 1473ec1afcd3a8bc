"""The host's side of a PN532: captured frames, a chip that is awake."""

from collections.abc import Iterator
from contextlib import contextmanager

from wired import PATIENCE_S, Host, host

from edge_agent.sim.device import CALM, FAST, Faults
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort

ACK, NACK, SYNTAX_ERROR = "0000FF00FF00", "0000FFFF0000", "0000FF01FF7F8100"
WAKE = "5555" + "00" * 14
SAM = "0000FF05FBD4140100011600"  # techniq/node-pn532 issue 6
SAM_DONE = ACK + "0000FF02FED5151600"
FIRMWARE = "0000FF02FED4022A00"
FIRMWARE_IS = ACK + "0000FF06FAD50332010607E800"
LIST_A, LIST_A2 = "0000FF04FCD44A0100E100", "0000FF04FCD44A0200E000"
NOBODY = ACK + "0000FF03FDD54B00E000"
CLASSIC = "0000FF0CF4D54B010100040804078CFC4FF000"


def frame(data: str) -> str:
    """A frame of these bytes, for those of which no capture is at hand."""
    told = bytes.fromhex(data)
    return f"0000FF{len(told):02X}{-len(told) & 0xFF:02X}{data}{-sum(told) & 0xFF:02X}00"


LIST_B = frame("D44A010300")
TRY_ONCE = frame("D43205FF0100")  # RFConfiguration, MaxRetries
CONFIGURED = ACK + frame("D533")
RELEASE, RELEASED = frame("D45200"), ACK + frame("D55300")
FIELD_OFF = frame("D4320100")


@contextmanager
def asleep(port: PseudoPort, speed: float = FAST) -> Iterator[tuple[Pn532, Host]]:
    """A chip as after power-on, and its host."""
    with host(port) as one, Pn532(port, speed=speed) as chip:
        yield chip, one


@contextmanager
def awake(port: PseudoPort, faults: Faults = CALM) -> Iterator[tuple[Pn532, Host]]:
    """A chip that was woken and told not to wait for cards; then its trouble begins."""
    with asleep(port) as (chip, one):
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(TRY_ONCE, CONFIGURED)
        chip.device.faults = faults
        yield chip, one


def answered(chip: Pn532, times: int) -> bool:
    """Wait until the question for its firmware was answered so often, lost or not."""
    return chip.device.wait_for(lambda: chip.device.answered[0x02] == times, PATIENCE_S)
