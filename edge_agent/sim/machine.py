"""A machine's clocks, for a real agent: boots, a battery clock or none, NTP, and the truth beside.

The agent reads a small file with every access to a clock (``clock.kind = "simulated"``):

    {"boot": 32 hex digits, "real_ms": CLOCK_MONOTONIC of this real machine when this was so,
     "mono_ms": monotonic, "system_ms": system clock, "error_ms": the kernel's bound or null,
     "rtc_ms": battery clock or null}

From there all of them flow on at real speed. The file is replaced as a whole. Times are UTC in
milliseconds since 1970, as Linux counts: a leap second has the number of the second before it.
"""

import json
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

BOOT_MS = 5_000
"""From power to a running agent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class Machine:
    """A machine that has just booted; safe to use from any thread.

    Attributes:
        path: of the file.

    Args:
        path: of the file, which is made.
        utc: the true time now.
        system_ms: what the system clock says, nobody vouching for it.
        rtc_wrong_ms: by how much a battery clock is ahead of UTC; None if there is none.
        drift_ppm: by how much the monotonic clock runs fast, millionths.
        rtc_drift_ppm: the same of the battery clock.
    """

    def __init__(
        self,
        path: Path,
        utc: datetime,
        *,
        system_ms: int = BOOT_MS,
        rtc_wrong_ms: int | None = None,
        drift_ppm: float = 0.0,
        rtc_drift_ppm: float = 0.0,
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._rate = 1 + drift_ppm / 1e6  # monotonic milliseconds for each true one
        self._rtc_rate = 1 + rtc_drift_ppm / 1e6
        self._leaps: list[datetime] = []  # on the scale of `_true_ms`, which knows nothing of them
        self._real_ms = _real_ms()
        self._true_ms: float = _ms(utc)
        self._boot = secrets.token_hex(16)
        self._mono_ms: float = BOOT_MS
        self._system_ms: float = system_ms
        self._rtc_ms: float | None = None
        if rtc_wrong_ms is not None:
            self._rtc_ms = self._true_ms + rtc_wrong_ms
        self._error_ms: int | None = None
        self._wrong_ms = 0.0
        self._write()

    def utc(self) -> datetime:
        """The true time; `fold` is 1 in a leap second, which repeats the second before it."""
        with self._lock:
            return self._utc(self._elapsed_ms())

    def utc_ms(self) -> int:
        """The same as milliseconds since 1970."""
        return _ms(self.utc())

    def mono_ms(self) -> int:
        """Milliseconds since the boot by this machine's oscillator."""
        with self._lock:
            return round(self._mono_ms + self._elapsed_ms())

    def system_ms(self) -> int:
        """What the system clock says."""
        with self._lock:
            return round(self._system_ms + self._elapsed_ms())

    @property
    def boot(self) -> str:
        """The boot id, 32 hex digits."""
        return self._boot

    def pass_s(self, seconds: float) -> None:
        """So much true time goes by at once, and nothing else happens: every clock jumps.

        Jump by 3 s or more, so that nobody takes it for a step of one clock alone, and only while
        nothing is on a wire: no tap half done, no sentence half sent.
        """
        with self._lock:
            self._now()
            self._flow(seconds * 1000)
            self._write()

    def synchronise(self, error_ms: int, wrong_ms: int = 0) -> None:
        """NTP sets the system clock, `wrong_ms` ahead of the truth; the kernel bounds the error.

        From then on the clock is disciplined: time that passes leaves it as wrong as it was.
        """
        with self._lock:
            self._now()
            self._error_ms, self._wrong_ms = error_ms, wrong_ms
            self._write()

    def unsynchronise(self) -> None:
        """Nobody disciplines the system clock any more; it goes on as the oscillator does."""
        with self._lock:
            self._now()
            self._error_ms = None
            self._write()

    def step_system(self, by_ms: int, *, vouched: bool = False) -> None:
        """Somebody sets the system clock; as after settimeofday(2) the kernel vouches no longer.

        With `vouched` it goes on to, as when a time server that is believed is wrong.
        """
        with self._lock:
            self._now()
            self._system_ms += by_ms
            self._wrong_ms += by_ms
            self._error_ms = self._error_ms if vouched else None
            self._write()

    def power_cut(self, off_s: float, system_ms: int = 0, *, from_rtc: bool = False) -> None:
        """Power is away for `off_s`, then the machine boots, which takes `BOOT_MS`.

        The system clock begins at `system_ms`, or at the battery clock if it is `from_rtc`. End the
        agent first: this is its death.
        """
        with self._lock:
            self._now()
            self._error_ms = None
            self._flow(off_s * 1000)
            self._boot = secrets.token_hex(16)
            self._mono_ms = 0.0
            self._system_ms = self._rtc_ms if from_rtc and self._rtc_ms is not None else system_ms
            self._flow(BOOT_MS)
            self._write()

    def leap(self, at: datetime) -> None:
        """23:59:60 is inserted at `at`, a midnight: UTC is a second behind from then on.

        A disciplined system clock follows with the next call of any method that sets something.
        """
        with self._lock:
            self._leaps.append(at + _SECOND * len(self._leaps))

    def _utc(self, elapsed_ms: int) -> datetime:
        """The truth so long after the instant of the file."""
        true_ms = self._true_ms + elapsed_ms / self._rate
        return leaped(_EPOCH + timedelta(milliseconds=true_ms), self._leaps)

    def _elapsed_ms(self) -> int:
        return _real_ms() - self._real_ms

    def _now(self) -> None:
        """Bring every clock to this instant."""
        elapsed_ms = self._elapsed_ms()
        self._real_ms += elapsed_ms
        self._true_ms += elapsed_ms / self._rate
        self._mono_ms += elapsed_ms
        self._system_ms += elapsed_ms
        if self._rtc_ms is not None:
            self._rtc_ms += elapsed_ms  # as the agent reads it: its own drift shows in `_flow`

    def _flow(self, true_ms: float) -> None:
        """So much true time goes by."""
        self._true_ms += true_ms
        self._mono_ms += true_ms * self._rate
        self._system_ms += true_ms * self._rate
        if self._rtc_ms is not None:
            self._rtc_ms += true_ms * self._rtc_rate

    def _write(self) -> None:
        if self._error_ms is not None:  # disciplined: the oscillator's drift is taken out
            self._system_ms = _ms(self._utc(0)) + self._wrong_ms
        clocks = {
            "boot": self._boot,
            "real_ms": self._real_ms,
            "mono_ms": round(self._mono_ms),
            "system_ms": round(self._system_ms),
            "error_ms": self._error_ms,
            "rtc_ms": None if self._rtc_ms is None else round(self._rtc_ms),
        }
        fresh = self.path.with_name(f".{self.path.name}.fresh")
        fresh.write_text(json.dumps(clocks), encoding="ascii")
        fresh.replace(self.path)


def leaped(continuous: datetime, leaps: Sequence[datetime]) -> datetime:
    """UTC of an instant on a time scale that knows nothing of `leaps`, rising instants on it.

    Each is the beginning of 23:59:60, which has the number of the second before and `fold` 1.
    """
    utc = continuous - _SECOND * sum(continuous >= at for at in leaps)
    return utc.replace(fold=int(any(at <= continuous < at + _SECOND for at in leaps)))


def _ms(utc: datetime) -> int:
    return round((utc - _EPOCH) / timedelta(milliseconds=1))


def _real_ms() -> int:
    return time.monotonic_ns() // 1_000_000
