"""A serial port as an endless source of records, whatever happens to the cable.

A port that is missing at start, vanishes or comes back is an ordinary event, never an error.
"""

import os
import select
import termios
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import serial

from edge_agent.devices import Decoder
from edge_agent.records import Counts, Event, PortLost, PortOpened

#: Waits between two attempts to open, doubling: a plugged-in cable is noticed within a second.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 1.0
_CHUNK = 4096

R = TypeVar("R")


class SerialPort(Generic[R]):
    """Reads one port in a thread of its own and hands on what the decoder makes of the bytes.

    Args:
        name: the scanner's or receiver's name in the configuration.
        device: path of the port; a stable one such as ``/dev/serial/by-id/...``.
        baud: bits per second, 8N1.
        decoder: bytes -> records; touched by this thread only, but for its counts.
        record: called in this thread with every record, at the moment it was read.
        tell: called in this thread with `PortOpened` and `PortLost`.
    """

    def __init__(
        self,
        name: str,
        device: str,
        baud: int,
        decoder: Decoder[R],
        record: Callable[[R], None],
        tell: Callable[[Event], None],
    ) -> None:
        self.name = name
        self.device = device
        self._baud = baud
        self._decoder = decoder
        self._record = record
        self._tell = tell
        self._wake, self._waker = os.pipe()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"port {name}", daemon=True)

    @property
    def counts(self) -> Counts:
        """What the decoder threw away so far."""
        return self._decoder.counts

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within two seconds even if the driver hangs."""
        self._stopping.set()
        os.write(self._waker, b"x")
        self._thread.join(timeout=2)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        lost = ""
        while not self._stopping.is_set():
            try:
                with self._open() as port:
                    self._decoder.restart()
                    lost, wait_s = "", FIRST_WAIT_S
                    self._tell(PortOpened(self.name))
                    cause = self._pump(port.fileno())
            # SerialException is an OSError; pyserial lets termios.error through on a port that
            # goes away while it is being opened.
            except (OSError, ValueError, termios.error) as error:
                cause = _one_line(error)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame: say it, go on
                cause = f"fault of the program: {type(error).__name__}: {_one_line(error)}"
            if cause != lost and not self._stopping.is_set():  # said once, not at every attempt
                lost = cause
                self._tell(PortLost(self.name, cause))
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _open(self) -> serial.Serial:
        return serial.Serial(self.device, self._baud, timeout=0, exclusive=True)

    def _pump(self, port: int) -> str:
        """Read until the port goes away or we are to stop; gives the cause."""
        while True:
            ready, _, _ = select.select([port, self._wake], [], [])
            if self._wake in ready:
                return "stopped"
            # Straight from the descriptor: pyserial's read costs 80 us more and hides hang-ups.
            data = os.read(port, _CHUNK)
            if not data:
                return "unplugged"
            for record in self._decoder.feed(data):
                self._record(record)


def _one_line(error: Exception) -> str:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(cause.split())[:120]
