"""A serial port without hardware: a pseudo-terminal under a lasting path, like /dev/serial/by-id.

The device side is this object; the host opens `path` as it would open a USB adapter. The kernel's
packet mode (`man ioctl_tty`, TIOCPKT) puts one byte before everything read from the device side: 0
before what the host wrote, flags when the host discarded its input. That is how `wait_open` knows
that a host which empties its buffer on opening, as pyserial does, has done so.
"""

import errno
import fcntl
import os
import select
import struct
import termios
import threading
import time
import tty
from pathlib import Path

from edge_agent.errors import EdgeAgentError

_TICK_S = 0.002
_SETTLE_S = 0.05  # a host that does not empty its buffer on opening is ready by then


class PseudoPort:
    """The device side of a serial port that can be plugged in and pulled out.

    Attributes:
        path: where the host finds the port while it is plugged in.
        dropped: bytes that no host took, as a UART loses them.
        plugs: how often it was plugged in, so that a device sees that its power was away.
    """

    def __init__(self, path: Path | str, patience_s: float = 1.0) -> None:
        """Prepare a port at `path`; a write waits `patience_s` for a host that does not read."""
        self.path = Path(path)
        self.dropped = 0
        self.plugs = 0
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._gone = threading.Event()
        self._gone.set()
        self._master: int | None = None
        self._slave = ""
        self._heard = bytearray()
        self._flushes = 0

    def __enter__(self) -> "PseudoPort":
        self.plug()
        return self

    def __exit__(self, *exc: object) -> None:
        self.unplug()

    def plug(self) -> None:
        """Make the port appear at its path; does nothing if it is there already.

        Raises:
            EdgeAgentError: the path is taken by something else, or cannot be made.
        """
        with self._lock:
            if self._master is not None:
                return
            master, slave = _raw_pair()
            try:
                _link(self.path, slave)
            except EdgeAgentError:
                os.close(master)
                raise
            self._master, self._slave = master, slave
            self.plugs += 1
            self._gone.clear()

    def unplug(self) -> None:
        """Take the path away and hang up on the host; does nothing if the port is not there."""
        self._gone.set()
        with self._lock:
            if self._master is None:
                return
            if self.path.is_symlink() and str(self.path.readlink()) == self._slave:
                self.path.unlink()
            os.close(self._master)
            self._master = None
            self._heard.clear()

    @property
    def is_plugged(self) -> bool:
        """True while the port is there, with or without a host."""
        return not self._gone.is_set()

    @property
    def is_open(self) -> bool:
        """True while a host has the port open: the kernel then reports no hang-up."""
        with self._lock:
            if self._master is None:
                return False
            poll = select.poll()
            poll.register(self._master, 0)
            return not poll.poll(0)

    def wait_open(self, timeout_s: float) -> bool:
        """Wait until a host has the port open and will keep what is written from now on.

        False after `timeout_s`, or as soon as the port is not plugged in.
        """
        until = time.monotonic() + timeout_s
        flushes, opened_at = self._flushes, None
        while True:
            self._take()
            now = time.monotonic()
            opened_at = (opened_at or now) if self.is_open else None
            if opened_at and (self._flushes > flushes or now - opened_at >= _SETTLE_S):
                return True
            if now >= until or self._gone.wait(_TICK_S):
                return False

    def write(self, data: bytes) -> int:
        """Send `data` to the host; gives how many bytes it got, the rest is counted as dropped.

        Without a host everything is dropped at once. A host that has stopped reading is waited for,
        no longer than the port's patience.
        """
        until = time.monotonic() + self._patience_s
        sent = 0
        while sent < len(data):
            taken = self._offer(data[sent:])
            sent += max(taken, 0)
            if taken < 0:
                break
            if taken == 0 and (time.monotonic() >= until or self._gone.wait(_TICK_S)):
                break
        with self._lock:
            self.dropped += len(data) - sent
        return sent

    def read(self, timeout_s: float = 0.0) -> bytes:
        """What the host wrote, as soon as there is something; b"" after `timeout_s`."""
        until = time.monotonic() + timeout_s
        while True:
            self._take()
            with self._lock:
                if self._heard:
                    data = bytes(self._heard)
                    self._heard.clear()
                    return data
            if time.monotonic() >= until or self._gone.wait(_TICK_S):
                return b""

    def drain(self, timeout_s: float) -> bool:
        """Wait until the host has read all that was written; unplugging discards the rest."""
        until = time.monotonic() + timeout_s
        try:
            slave = os.open(self._slave, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            empty = 0  # twice: between two reads the kernel may still be moving bytes up
            while empty < 2:
                waiting = fcntl.ioctl(slave, termios.FIONREAD, bytes(4))
                empty = empty + 1 if waiting == bytes(4) else 0
                if time.monotonic() >= until or self._gone.wait(_TICK_S):
                    return False
        finally:
            os.close(slave)
        return True

    def _offer(self, data: bytes) -> int:
        """Bytes that the kernel took for the host: 0 if its buffer is full, -1 without a host."""
        with self._lock:
            if self._master is None or not self.is_open:
                return -1
            try:
                return os.write(self._master, data)
            except BlockingIOError:
                return 0

    def _take(self) -> None:
        with self._lock:
            if self._master is None:
                return
            try:
                packet = os.read(self._master, 4096)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EIO):  # nothing yet; no host
                    raise
                return
            if packet[0] == termios.TIOCPKT_DATA:
                self._heard += packet[1:]
            elif packet[0] & termios.TIOCPKT_FLUSHREAD:
                self._flushes += 1


def _raw_pair() -> tuple[int, str]:
    """The device side's descriptor and the host side's name; no echo, no translation of bytes."""
    master, slave = os.openpty()
    try:
        tty.setraw(slave)
        name = os.ttyname(slave)
    finally:
        os.close(slave)  # so that the kernel can tell whether a host has it open
    os.set_blocking(master, False)
    fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
    return master, name


def _link(path: Path, target: str) -> None:
    """Put a symbolic link at `path` in one step; only an earlier pseudo-terminal's is replaced."""
    hint = "choose a path that does not exist yet, in a directory you may write to"
    earlier = path.is_symlink() and str(path.readlink()).startswith("/dev/pts/")
    if not earlier and (path.is_symlink() or path.exists()):
        raise EdgeAgentError("create port", str(path), "something else has this path", hint)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(target)
        fresh.replace(path)
    except OSError as error:
        cause = error.strerror or str(error)
        raise EdgeAgentError("create port", str(path), cause, hint) from error
