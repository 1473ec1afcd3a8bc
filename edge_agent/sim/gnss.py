"""A GNSS receiver at work on a pseudo-terminal: an epoch each period, and an ear for its host."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.sentences import sentence
from edge_agent.sim.wire import CLEAN, Line, Wire


class GnssModule:
    """A receiver that sends an epoch each period to a port, from a thread, until stopped.

    Attributes:
        epochs: how many it has sent.
    """

    def __init__(
        self,
        port: PseudoPort,
        receiver: GnssReceiver,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        period_s: float = 1.0,
        late_s: float = 0.0,
        wire: Wire = CLEAN,
        junk: bool = False,
    ) -> None:
        """Prepare a module.

        Args:
            port: where it sends; need not be plugged in.
            receiver: what it says.
            clock: the UTC that the satellites tell; `fold` is 1 in a leap second.
            period_s: between two epochs, 0.1 at the shortest in an M8.
            late_s: from the instant that an epoch names to its first byte.
            wire: pace and faults of the serial line.
            junk: begin with what comes out of a module just after power-on.
        """
        self.epochs = 0
        self._port = port
        self._receiver = receiver
        self._clock = clock
        self._period_s = period_s
        self._late = timedelta(seconds=late_s)
        self._line = Line(port.write, wire, 0)
        self._junk = junk
        self._plugs = port.plugs
        self._talking = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "GnssModule":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Power on; does nothing if it is on."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="sim-gnss", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Power off and wait for the thread to end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Between two epochs, for as long as the block lasts; its power stays."""
        with self._talking:
            yield

    def _run(self) -> None:
        self._receiver.power_on()
        if self._junk:
            self._line.send(startup_junk(), self._stop)
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            with self._talking:
                self._speak()
            due = max(due + self._period_s, time.monotonic())

    def _speak(self) -> None:
        if self._port.plugs != self._plugs:  # its power was away
            self._plugs = self._port.plugs
            self._receiver.power_on()
        answers = self._receiver.hear(self._port.read())
        epoch = self._receiver.sentences(self._clock() - self._late)
        self._line.send(answers + epoch, self._stop)
        self.epochs += 1


@contextmanager
def standing(path: Path | str, receiver: GnssReceiver, period_s: float) -> Iterator[None]:
    """A receiver at a pseudo-terminal made at `path`, and removed afterwards.

    Raises:
        EdgeAgentError: the port cannot be made.
    """
    with PseudoPort(path) as port, GnssModule(port, receiver, period_s=period_s):
        yield


def startup_junk(seed: int = 0) -> bytes:
    """What modules send after power-on: wrong-baud bytes, half a sentence, banners.

    The first `$` follows the garbage without a line end, as in gpsd's ublox-8 capture. The half
    sentence and the banners are of the kinds met in its corpus.
    """
    wrong_baud = bytes(value | 0x80 for value in Random(seed).randbytes(60))
    banners = (
        "GPTXT,01,01,02,u-blox ag - www.u-blox.com",
        "GNTXT,01,01,02,ROM CORE 3.01 (107888)",
        "GNTXT,01,01,02,ANTSTATUS=OK",
    )
    return (
        wrong_baud
        + sentence(banners[0])
        + b",1.7,-30.40,M,,*7D\r\n"
        + b"".join(sentence(banner) for banner in banners[1:])
    )
