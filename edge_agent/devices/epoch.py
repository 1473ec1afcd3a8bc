"""From the sentences of one instant to one fix: they must agree, and time must advance."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from edge_agent.records import Fix

#: RMC and GGA of one epoch print the same position; this allows for different rounding (20 m).
AGREEMENT_E7 = 2000
#: After so long a silence the sentence before it is of another epoch, whatever its time.
STALE_MS = 3000
#: A receiver that has sent one sentence an epoch so many times sends no second one.
_ALONE = 3
_CIRCLE_E7 = 3_600_000_000
DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sentence states about its epoch.

    Attributes:
        sentence: RMC or GGA.
        at_ms: time of day, from `DAY_MS` on in a leap second; None if it was not given.
        grain_ms: how finely the sentence prints the time.
        lat_e7, lon_e7: None for no fix.
        day, satellites, hdop_e2: as in `Fix`, where given.
        doubt: what makes it no fix, as in `Doubt`; "" for nothing particular.
    """

    sentence: str
    at_ms: int | None
    grain_ms: int = 1
    lat_e7: int | None = None
    lon_e7: int | None = None
    day: date | None = None
    satellites: int | None = None
    hdop_e2: int | None = None
    doubt: str = ""


class Epochs:
    """Joins RMC and GGA readings of the same time.

    The fix is given as soon as both are there. Of a receiver that lost one of them on the wire, the
    other stands once the next epoch begins, but too late to tell the time by it; of one that is
    known to send a single sentence an epoch, it stands at once. A reading that states no fix
    silences its epoch.

    Attributes:
        refused: epochs that disagreed or did not advance.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._readings: dict[str, Reading] = {}
        self._heard_ms = 0
        self._given = False
        self._alone = 0
        self._last_ms: int | None = None

    def restart(self) -> None:
        """The wire was cut: the other sentence of this epoch will not come."""
        self._readings, self._given = {}, False

    def begins(self, reading: Reading, now_ms: int) -> bool:
        """True if this reading is not of the epoch of those before it."""
        if not self._readings or now_ms - self._heard_ms > STALE_MS:
            return True
        same = self._readings.get(reading.sentence)
        if same is not None:
            return same.at_ms != reading.at_ms
        return not all(_same_time(one, reading) for one in self._readings.values())

    def take(self, reading: Reading, now_ms: int) -> Iterator[Fix]:
        if self.begins(reading, now_ms):
            yield from self._end(now_ms)
        if reading.sentence in self._readings:
            return
        self._readings[reading.sentence] = reading
        self._heard_ms = now_ms
        if len(self._readings) == 2:
            self._alone = 0
        if len(self._readings) == 2 or self._alone >= _ALONE:
            yield from self._close(timely=True)

    def _end(self, now_ms: int) -> Iterator[Fix]:
        if len(self._readings) == 1:
            self._alone += 1
            if now_ms - self._heard_ms <= STALE_MS:
                yield from self._close(timely=False)
        self._readings, self._given = {}, False

    def _close(self, *, timely: bool) -> Iterator[Fix]:
        readings = tuple(self._readings.values())
        finest = min(readings, key=lambda one: one.grain_ms)
        silent = finest.at_ms is None or any(one.lat_e7 is None for one in readings)
        if self._given or silent or finest.at_ms is None:
            return
        self._given = True
        advanced, self._last_ms = _advances(self._last_ms, finest.at_ms), finest.at_ms
        if advanced and _agree(readings):
            yield _join(finest.at_ms, readings, timely)
        else:
            self.refused += 1


def _same_time(one: Reading, other: Reading) -> bool:
    """Some print RMC in whole seconds and GGA in thousandths: compared as the coarser prints it."""
    if one.at_ms is None or other.at_ms is None:
        return one.at_ms is other.at_ms
    grain_ms = max(one.grain_ms, other.grain_ms)
    return one.at_ms // grain_ms == other.at_ms // grain_ms


def _agree(readings: tuple[Reading, ...]) -> bool:
    first, last = readings[0], readings[-1]
    east = abs((first.lon_e7 or 0) - (last.lon_e7 or 0))
    return (
        abs((first.lat_e7 or 0) - (last.lat_e7 or 0)) <= AGREEMENT_E7
        and min(east, _CIRCLE_E7 - east) <= AGREEMENT_E7
    )


def _advances(last_ms: int | None, now_ms: int) -> bool:
    """True if now lies within the half day after the last time, midnight and leap second too."""
    if last_ms is None:
        return True
    day_ms = DAY_MS + 1000 if last_ms >= DAY_MS else DAY_MS
    return 0 < (now_ms - last_ms) % day_ms <= DAY_MS / 2


def _join(at_ms: int, readings: tuple[Reading, ...], timely: bool) -> Fix:
    first = readings[0]
    day = next((one.day for one in readings if one.day), None)
    gga = next((one for one in readings if one.sentence == "GGA"), first)
    utc_ms = None
    if timely and day is not None and at_ms < DAY_MS:
        utc_ms = (day.toordinal() - _EPOCH_DAY) * DAY_MS + at_ms
    return Fix(first.lat_e7 or 0, first.lon_e7 or 0, utc_ms, gga.satellites, gga.hdop_e2)
