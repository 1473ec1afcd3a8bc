"""The host's end of a simulated device's port: bytes typed in hex, and what comes back."""

from collections.abc import Iterator
from contextlib import contextmanager

import serial

from edge_agent.sim.device import Device
from edge_agent.sim.pty import PseudoPort

PATIENCE_S = 5.0


class Host:
    """A serial port that a test opened."""

    def __init__(self, opened: serial.Serial) -> None:
        self._opened = opened

    def say(self, *frames: str) -> None:
        """Write frames, given in hex, in one write."""
        self._opened.write(bytes.fromhex("".join(frames)))

    def hear(self, size: int) -> str:
        """The next `size` bytes in hex, or fewer if no more come in time."""
        got: bytes = self._opened.read(size)
        return got.hex().upper()

    def ask(self, frame: str, *answers: str) -> None:
        """Say a frame; the answers must follow, byte for byte, with nothing before them."""
        self.say(frame)
        self.expect(*answers)

    def expect(self, *answers: str) -> None:
        """The next bytes must be these."""
        wanted = "".join(answers).replace(" ", "").upper()
        assert self.hear(len(wanted) // 2) == wanted

    def until(self, mark: str) -> bytes:
        """Everything up to and with `mark`, given in hex."""
        got: bytes = self._opened.read_until(bytes.fromhex(mark))
        assert got.endswith(bytes.fromhex(mark)), got.hex()
        return got

    @property
    def waiting(self) -> int:
        """Bytes that came and were not read."""
        return self._opened.in_waiting


def quiet(device: Device, one: Host, turns: int = 20) -> None:
    """The device has time for many steps, and says nothing but what it is made to say."""
    for _ in range(turns):
        device.say(b"\xa5")
        one.expect("A5")


@contextmanager
def host(port: PseudoPort, rate_baud: int = 115200) -> Iterator[Host]:
    """Open `port` as a program on the host would."""
    with serial.Serial(str(port.path), rate_baud, timeout=PATIENCE_S, exclusive=True) as opened:
        assert port.wait_open(PATIENCE_S)
        yield Host(opened)
