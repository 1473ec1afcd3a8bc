"""What this machine's clocks say, and the stamps that are made of it.

The monotonic clock is CLOCK_MONOTONIC_RAW: the bare oscillator since boot. CLOCK_MONOTONIC never
steps either, but whoever disciplines the system clock slews it, chrony by up to a twelfth, and with
it whatever is dated by it. (Neither counts sleep; a terminal does not sleep.)

Whether the system clock is disciplined is asked of the kernel by adjtimex(2): no root, no process,
and the same answer whether systemd-timesyncd, chrony or ntpd does the work.
"""

import ctypes
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_agent import shape
from edge_agent.bounds import Bounds
from edge_agent.config import ClockSource
from edge_agent.errors import ConfigError
from edge_agent.evidence.timekeeper import Belief
from edge_agent.records import Stamp

_STA_UNSYNC = 0x0040
_TIME_ERROR = 5
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_RTC = Path("/sys/class/rtc/rtc0/since_epoch")
#: systemd-timesyncd tells the kernel an error of 0 whatever the network did. It takes servers up to
#: RootDistanceMaxSec away (timesyncd.conf(5), 5 s unless somebody changed it), slews what is off by
#: up to 0.4 s, and leaves this file while it runs. chronyd tells its root distance itself.
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_TIMESYNCD_MS = 6000


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


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment.

    Attributes:
        mono_ms: the monotonic clock.
        system_ns: the system clock, nanoseconds since 1970.
        error_ms: how far the system clock can be from UTC, by the kernel; None while nobody
            disciplines it.
    """

    mono_ms: int
    system_ns: int
    error_ms: int | None

    @property
    def system_ms(self) -> int:
        return self.system_ns // 1_000_000


class Clock:
    """Stamps for this boot. Safe to use from any thread.

    Attributes:
        boot: the kernel's boot id, 32 hex digits.
        belief: what UTC is; set by the spine as a whole, so that every thread stamps by it.
    """

    def __init__(self) -> None:
        self.boot = _BOOT_ID.read_text(encoding="ascii").strip().replace("-", "")
        self.belief: Belief | None = None
        self._adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex

    def mono_ms(self) -> int:
        """Milliseconds since boot; neither stepped nor slewed."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) // 1_000_000

    def reading(self) -> Reading:
        """Both clocks. If the machine was busy elsewhere between the two, that is in the error."""
        error_ms = self._error_ms()
        before_ms = self.mono_ms()
        system_ns = time.time_ns()
        after_ms = self.mono_ms()
        if error_ms is not None:
            error_ms += after_ms - before_ms
        return Reading(after_ms, system_ns, error_ms)

    def rtc_ms(self) -> int | None:
        """The battery-backed clock, whole seconds in milliseconds since 1970; None without one."""
        try:
            return int(_RTC.read_text(encoding="ascii")) * 1000
        except (OSError, ValueError):  # none there; or it says itself that it has stopped
            return None

    def stamp(self) -> Stamp:
        """Now, and how far it can be trusted."""
        mono_ms = self.mono_ms()
        belief = self.belief
        if belief is None:
            return Stamp(self.boot, mono_ms, max(0, self.system_ms()), "none")
        utc = belief.utc(mono_ms)
        return Stamp(self.boot, mono_ms, max(0, utc.middle_ms), belief.source, utc.error_ms)

    def system_ms(self) -> int:
        """The system clock, right or wrong."""
        return time.time_ns() // 1_000_000

    def _error_ms(self) -> int | None:
        """The kernel's bound of the system clock's error; None while nobody disciplines it."""
        timex = _Timex()
        state = self._adjtimex(ctypes.byref(timex))
        if state in (-1, _TIME_ERROR) or timex.status & _STA_UNSYNC:
            return None
        unsaid_ms = _TIMESYNCD_MS if _TIMESYNCD.exists() else 0
        return int(timex.maxerror) // 1000 + 1 + unsaid_ms


@dataclass(frozen=True, slots=True)
class _Told:
    """Where each clock stood when this machine's CLOCK_MONOTONIC said `real_ms`, by a file."""

    boot: str = shape.field(pattern="[0-9a-f]{32}")
    real_ms: int = shape.field()
    mono_ms: int = shape.field()
    system_ms: int = shape.field()
    error_ms: int | None = None
    rtc_ms: int | None = None


class SimulatedClock(Clock):
    """The clocks of a machine that is not there, from the file that `sim.machine` writes.

    From what the file says they run at real speed. If it goes away or becomes unreadable, they run
    on from what it said last, as clocks do: no tap is lost by it.

    Raises ConfigError if the file cannot be understood at the start.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        try:
            self._last = self._read()
        except (OSError, ValueError, RecursionError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            hint = "let `sim.machine` write it, or leave [clock] out for this machine's own clocks"
            raise ConfigError("read the simulated clocks", str(path), cause, hint) from None
        self.boot = self._last.boot

    def mono_ms(self) -> int:
        told = self._told()
        return told.mono_ms + _since(told)

    def system_ms(self) -> int:
        told = self._told()
        return told.system_ms + _since(told)

    def reading(self) -> Reading:
        told = self._told()
        gone_ms = _since(told)
        return Reading(
            told.mono_ms + gone_ms, (told.system_ms + gone_ms) * 1_000_000, told.error_ms
        )

    def rtc_ms(self) -> int | None:
        told = self._told()
        return None if told.rtc_ms is None else (told.rtc_ms + _since(told)) // 1000 * 1000

    def _told(self) -> _Told:
        with suppress(OSError, ValueError, RecursionError):
            self._last = self._read()
        return self._last

    def _read(self) -> _Told:
        """Raises OSError, ValueError or RecursionError."""
        table = json.loads(self._path.read_bytes())
        if not isinstance(table, dict):
            raise shape.ShapeError("the file", shape.show(table), "a table of clocks")
        return shape.load(_Told, {key: it for key, it in table.items() if it is not None})


def _since(told: _Told) -> int:
    return time.monotonic_ns() // 1_000_000 - told.real_ms


def open_clock(source: ClockSource) -> Clock:
    """The clock that the configuration wants. Raises ConfigError."""
    if source.file is not None:
        return SimulatedClock(Path(source.file))
    return Clock()


def utc_of(reading: Reading) -> Bounds | None:
    """The offset (UTC - monotonic) that the kernel vouches for; None while it does not."""
    if reading.error_ms is None:
        return None
    offset_ms = reading.system_ms - reading.mono_ms
    return Bounds(offset_ms - reading.error_ms, offset_ms + reading.error_ms)
