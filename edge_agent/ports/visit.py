"""A serial port opened for a look: listened to, asked something, and left as it was.

Opened once and held, whatever speeds are tried: the kernel raises DTR and RTS when a port is opened
and drops them when it is closed, and nothing can prevent the first. So each goes up once and down
once a visit, as with any program. An Arduino restarts by that; a modem that nobody else had open
hangs up at the end.
"""

import os
import select
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import serial

_CHUNK = 4096
_WRITE_S = 1.0


class Visit:
    """One serial port, exclusively. Every failure is an OSError, going away included."""

    def __init__(self, device: str) -> None:
        """Open it. Raises OSError: EAGAIN or EBUSY if another program keeps it for itself."""
        with _os_error():
            self._port = serial.Serial(device, timeout=0, exclusive=True)

    def __enter__(self) -> "Visit":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give it back at once: what was not taken from us is not waited for."""
        try:
            with _os_error():
                self._port.reset_output_buffer()
        except OSError:
            return  # it has gone away
        finally:
            self._port.close()

    def speed(self, baud: int) -> None:
        """Go on at so many bits per second, 8N1; what came at another speed is forgotten."""
        if baud != self._port.baudrate:
            with _os_error():
                self._port.baudrate = baud
                self._port.reset_input_buffer()

    def read(self, wait_s: float) -> bytes:
        """What comes first within `wait_s`; b"" if it is silent."""
        if not select.select([self._port.fileno()], [], [], max(0.0, wait_s))[0]:
            return b""
        data = os.read(self._port.fileno(), _CHUNK)
        if not data:
            raise OSError("it was unplugged")
        return data

    def write(self, data: bytes) -> None:
        """Write it, as far as it is taken within a second: a deaf device shows by its silence."""
        port, until = self._port.fileno(), time.monotonic() + _WRITE_S
        while data and select.select([], [port], [], max(0.0, until - time.monotonic()))[1]:
            data = data[os.write(port, data) :]


@contextmanager
def _os_error() -> Iterator[None]:
    """pyserial lets termios.error through, which is no OSError, and ValueError for a speed."""
    try:
        yield
    except termios.error as error:
        raise OSError(*error.args) from None
    except ValueError as error:
        raise OSError(str(error)) from None
