"""Offering a receiver's time to chronyd, which disciplines the system clock with it.

A ``refclock SOCK`` of chrony is a Unix datagram socket that chronyd makes; one datagram is one
measurement, `struct sock_sample` of refclock_sock.c as this machine's C compiler lays it out: 40
bytes where time_t has 64 bits, 32 where it has 32::

    struct timeval tv     system time of the measurement, seconds and microseconds
    double offset         true time minus system time, seconds
    int pulse             0: a whole time, not only the start of some second
    int leap              0: no leap second is announced (NMEA does not know of one)
    int _pad, magic       magic is 0x534f434b, "SOCK"

Source: refclock_sock.c of chrony 4.3; chrony.conf(5), directive refclock. chronyd drops a
measurement that is of the future or older than two polls, and one of unknown length or magic.
"""

import ctypes
import socket
from pathlib import Path

_MAGIC = 0x534F434B
#: From Python 3.12 on; before, Debian's time_t is a long on every Raspberry Pi.
_time_t = getattr(ctypes, "c_time_t", ctypes.c_long)


class _Sample(ctypes.Structure):
    """`struct sock_sample` with its `struct timeval` spread out."""

    _fields_ = (
        ("tv_sec", _time_t),
        ("tv_usec", _time_t),  # suseconds_t: as wide as time_t on Linux
        ("offset", ctypes.c_double),
        ("pulse", ctypes.c_int),
        ("leap", ctypes.c_int),
        ("_pad", ctypes.c_int),
        ("magic", ctypes.c_int),
    )


class RefClock:
    """One receiver's time, offered at chronyd's socket `path`. Never blocks, never raises."""

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)

    def offer(self, system_ns: int, offset_ns: int) -> bool:
        """Say that true time minus system time was `offset_ns`, at `system_ns` of the system clock.

        Both in nanoseconds, `system_ns` since 1970. False if chronyd did not get it: not there, not
        ours to write to, or too busy. The socket is looked up anew each time, so a chronyd that was
        restarted gets the next one.
        """
        seconds, rest_ns = divmod(system_ns, 1_000_000_000)
        sample = _Sample(seconds, rest_ns // 1000, offset_ns / 1e9, magic=_MAGIC)
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.sendto(bytes(sample), self.path)
        except OSError:
            return False
        return True
