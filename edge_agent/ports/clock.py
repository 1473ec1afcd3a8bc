"""What this machine's clocks say, and who vouches for them.

Whether the system clock is disciplined is asked of the kernel by adjtimex(2): no root, no process,
and the same answer whether systemd-timesyncd, chrony or ntpd does the work.
"""

import ctypes
import time
from pathlib import Path

from edge_agent.records import Stamp

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _Timex(ctypes.Structure):
    """The head of `struct timex` (linux/timex.h), followed by room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class Clock:
    """Stamps for this boot. Safe to use from any thread."""

    def __init__(self) -> None:
        self.boot = _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
        self._adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex

    def mono_ms(self) -> int:
        """Milliseconds since boot; never steps."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def stamp(self) -> Stamp:
        """Now, and how far it can be trusted."""
        utc_ms = time.time_ns() // 1_000_000
        error_ms = self._error_ms()
        source = "none" if error_ms is None else "ntp"
        return Stamp(self.boot, self.mono_ms(), utc_ms, source, error_ms)

    def _error_ms(self) -> int | None:
        """The kernel's bound of the system clock's error; None while nobody disciplines it."""
        timex = _Timex()
        state = self._adjtimex(ctypes.byref(timex))
        if state in (-1, _TIME_ERROR) or timex.status & _STA_UNSYNC:
            return None
        return int(timex.maxerror) // 1000 + 1
