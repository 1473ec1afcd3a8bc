"""A serial port as an endless source of records, whatever happens to the cable.

A port that is missing at start, vanishes or comes back is an ordinary event, never an error. What
is said to a device that takes commands is a few bytes, written at once.
"""

import contextlib
import os
import queue
import select
import termios
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import serial

from edge_agent.devices import Decoder
from edge_agent.events import Event, Order, PortLost, PortOpened
from edge_agent.records import Counts

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
        init: messages written each time the port opens.
    """

    def __init__(
        self,
        name: str,
        device: str,
        baud: int,
        decoder: Decoder[R],
        record: Callable[[R], None],
        tell: Callable[[Event], None],
        init: Sequence[bytes] = (),
    ) -> None:
        self.name = name
        self.device = device
        self._baud = baud
        self._decoder = decoder
        self._record = record
        self._tell = tell
        self._init = init
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._is_open = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"port {name}", daemon=True)

    @property
    def counts(self) -> Counts:
        """What the decoder threw away so far."""
        return self._decoder.counts

    def start(self) -> None:
        self._thread.start()

    def order(self, order: Order) -> None:
        """Hand an order to the decoder; an order to a port that is not there is forgotten."""
        if self._is_open:
            self._orders.put(order)
            self._rouse()

    def stop(self) -> None:
        """End the thread, within two seconds even if the driver hangs."""
        self._stopping.set()
        self._rouse()
        self._thread.join(timeout=2)
        if not self._thread.is_alive():
            os.close(self._wake)
            os.close(self._waker)

    def _rouse(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been roused often enough
            os.write(self._waker, b"x")

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        lost = ""
        while not self._stopping.is_set():
            try:
                with self._open() as port:
                    self._decoder.restart()
                    self._orders = queue.SimpleQueue()  # those that came too late for the last one
                    self._is_open = True
                    lost, wait_s = "", FIRST_WAIT_S
                    self._tell(PortOpened(self.name))
                    cause = self._pump(port.fileno())
            # SerialException is an OSError; pyserial lets termios.error through on a port that
            # goes away while it is being opened.
            except (OSError, ValueError, termios.error) as error:
                cause = _one_line(error)
            except Exception as error:  # noqa: BLE001  the thread's outermost frame: say it, go on
                cause = f"fault of the program: {type(error).__name__}: {_one_line(error)}"
            self._is_open = False
            if cause != lost and not self._stopping.is_set():  # said once, not at every attempt
                lost = cause
                self._tell(PortLost(self.name, cause))
            self._stopping.wait(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)

    def _open(self) -> serial.Serial:
        return serial.Serial(self.device, self._baud, timeout=0, exclusive=True)

    def _pump(self, port: int) -> str:
        """Talk and read until the port goes away or we are to stop; gives the cause."""
        for message in self._init:
            _write(port, message)
        while True:
            _write(port, self._decoder.poll(_now_ms()))
            data = b""
            ready = self._wait(port)
            if self._wake in ready:
                os.read(self._wake, _CHUNK)
                if self._stopping.is_set():
                    return "stopped"
                self._pass_on()
            if port in ready:
                # Straight from the descriptor: pyserial's read costs 80 us more and hides hang-ups.
                data = os.read(port, _CHUNK)
                if not data:
                    return "unplugged"
            for record in self._decoder.feed(data, _now_ms()):
                self._record(record)

    def _wait(self, port: int) -> list[int]:
        """Until there is something to read, to do or to say."""
        wake_ms = self._decoder.wake_ms
        wait_s = None if wake_ms is None else max(0, wake_ms - _now_ms()) / 1000
        return select.select([port, self._wake], [], [], wait_s)[0]

    def _pass_on(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._decoder.order(self._orders.get_nowait())


def _write(port: int, message: bytes) -> None:
    """Write what fits: a device that does not listen shows by its silence."""
    if message:
        with contextlib.suppress(BlockingIOError):
            os.write(port, message)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _one_line(error: Exception) -> str:
    cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(cause.split())[:120]
