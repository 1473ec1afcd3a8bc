"""What GSA, GSV and GST say of a receiver's sky, kept until a fix comes that it belongs to.

They may come before or after RMC and GGA, or only every few epochs, so a fix takes the latest.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, hypot

from edge_agent.records import Fix

#: What is older says nothing of this fix.
REMEMBERED_MS = 10_000
_MOST_SYSTEMS = 32
_NUMBER = r"[-+]?\d{0,9}(?:\.\d{0,9})?"
_GSA = re.compile(rf"[AM]?,([123]),(?:\d{{0,3}},){{12}}(?:{_NUMBER},){{2}}{_NUMBER}(?:,\w?)?")
_GSV = re.compile(rf"\d+,\d+,\d*((?:,{_NUMBER}){{4}}){{0,4}}(?:,\w?)?")
_GST = re.compile(rf"[\d.]*(?:,{_NUMBER}){{7}}")


class Sky:
    """Remembers dimension, error and the strongest satellite. Times are monotonic ms."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """The wire was cut."""
        self._modes: tuple[int, int] | None = None  # best mode of the open round, when
        self._closed_modes: tuple[int, int] | None = None
        self._error: tuple[int | None, int] | None = None
        self._strongest: dict[str, tuple[int, int]] = {}
        self._round: tuple[str, str, int] | None = None  # system, what comes next, strongest

    def turn(self) -> None:
        """A new epoch begins: the GSAs that come now are of another round."""
        if self._modes:
            self._modes, self._closed_modes = None, self._modes

    def take(self, kind: str, talker: str, said: str, now_ms: int) -> None:
        """The fields of a GSA, GSV or GST. Raises ValueError if they are of no known form."""
        if kind == "GSA":
            self._take_gsa(said, now_ms)
        elif kind == "GST":
            self._take_gst(said, now_ms)
        else:
            self._take_gsv(talker, said, now_ms)

    def over(self, fix: Fix, now_ms: int) -> Fix:
        """The fix with what is known of its sky."""
        dimension = error = None
        modes = self._modes or self._closed_modes
        if modes and _fresh(modes[1], now_ms) and modes[0] > 1:
            dimension = modes[0]
        if self._error and _fresh(self._error[1], now_ms):
            error = self._error[0]
        heard = [best for best, at in self._strongest.values() if _fresh(at, now_ms)]
        cn0 = max(heard, default=0) or None
        return replace(fix, dimension=dimension, error_m=error, cn0=cn0)

    def _take_gsa(self, said: str, now_ms: int) -> None:
        """One for each system: the best that is in use counts. 1 none, 2 and 3 dimensions."""
        mode = int(_formed(_GSA, said)[1])
        self._modes = max(mode, self._modes[0] if self._modes else 0), now_ms

    def _take_gst(self, said: str, now_ms: int) -> None:
        """Two deviations are 95 %; zeros are what some send who do not know."""
        north, east = (float(one or 0) for one in _formed(_GST, said)[0].split(",")[5:7])
        self._error = ceil(2 * hypot(north, east)) or None, now_ms

    def _take_gsv(self, talker: str, said: str, now_ms: int) -> None:
        """Satellites in view, four a sentence: only a round that came whole counts.

        Rounds are counted by system and signal; some count both signals of a system as one round,
        with the signal changing on the way.
        """
        fields = _formed(_GSV, said)[0].split(",")
        signal = fields[-1] if len(fields) % 4 == 0 else ""
        strongest = max(_strengths(fields), default=0)
        total, number = int(fields[0]), int(fields[1])
        if number == 1:
            system = f"{talker}{signal}"
        elif self._round and self._round[1] == f"{talker} {total} {number}":
            system, strongest = self._round[0], max(strongest, self._round[2])
        else:
            self._round = None
            return
        self._round = system, f"{talker} {total} {number + 1}", strongest
        if number == total:
            self._strongest.pop(system, None)
            self._strongest[system] = strongest, now_ms
            if len(self._strongest) > _MOST_SYSTEMS:
                del self._strongest[next(iter(self._strongest))]


def _formed(form: re.Pattern[str], said: str) -> re.Match[str]:
    """An even number of lost commas leaves the checksum right, but not the number of fields."""
    found = form.fullmatch(said)
    if found is None:
        raise ValueError("form")
    return found


def _strengths(fields: list[str]) -> Iterator[int]:
    """C/N0 in dB-Hz of the satellites that are tracked; empty or 0 for the others."""
    return (strength for one in fields[6::4] if 0 <= (strength := int(float(one or 0))) < 100)


def _fresh(at_ms: int, now_ms: int) -> bool:
    return now_ms - at_ms <= REMEMBERED_MS
