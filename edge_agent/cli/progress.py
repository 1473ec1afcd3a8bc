"""How far long work is, and how long it will still take: a line on a terminal, else nothing."""

import sys
import time

_EVERY_S = 0.5
_CLEAR = "\r\x1b[K"


class Progress:
    """Rewrites one line of standard error while work goes on; silent where nobody looks.

    Use it as a context, so that the line is gone when the work is over, or interrupted.
    """

    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._looked_at = bool(sys.stderr and sys.stderr.isatty())
        self._began = self._said = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exc: object) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, for something that stays."""
        if self._looked_at:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def __call__(self, done: int, whole: int) -> None:
        """So much of the whole is done."""
        now = time.monotonic()
        if self._looked_at and now - self._said >= _EVERY_S:
            self._said = now
            said = line(self._what, done, whole, self._unit, now - self._began)
            sys.stderr.write(_CLEAR + said)
            sys.stderr.flush()


def line(what: str, done: int, whole: int, unit: str, took_s: float) -> str:
    """Such as ``exporting: 45 %, 32,500 of 72,000 entries, 12 s left``."""
    share = done / whole if whole else 1.0
    left_s = took_s / share - took_s if share else 0.0
    left = f"{left_s / 60:.0f} min" if left_s >= 120 else f"{left_s:.0f} s"
    return f"{what}: {share:.0%}, {done:,} of {whole:,} {unit}, {left} left".replace("%", " %")
