"""From the sentences of one instant to one fix: they must agree, and time must advance."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from edge_agent.records import Fix

#: RMC and GGA of one epoch print the same position; this allows for different rounding (20 m).
AGREEMENT_E7 = 2000
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Reading:
    """What one sentence states about its epoch; `lat_e7` and `lon_e7` are None for no fix."""

    sentence: str
    at: time | None
    lat_e7: int | None = None
    lon_e7: int | None = None
    day: date | None = None
    satellites: int | None = None
    hdop_e2: int | None = None


class Epochs:
    """Joins RMC and GGA readings of the same time.

    The fix is given as soon as both are there. Of a receiver that sends only one of them, or lost
    the other on the wire, the one stands once the next epoch begins. A reading that states no fix
    silences its epoch.
    """

    def __init__(self) -> None:
        self.refused = 0
        self._readings: dict[str, Reading] = {}
        self._last: time | None = None

    def take(self, reading: Reading) -> Iterator[Fix]:
        current = next(iter(self._readings.values()), reading)
        if current.at != reading.at:
            if len(self._readings) == 1:
                yield from self._close()
            self._readings = {}
        if reading.sentence not in self._readings:
            self._readings[reading.sentence] = reading
            if len(self._readings) == 2:
                yield from self._close()

    def _close(self) -> Iterator[Fix]:
        readings = tuple(self._readings.values())
        at = readings[0].at
        if at is None or any(one.lat_e7 is None for one in readings):
            return
        advanced, self._last = _advances(self._last, at), at
        if advanced and _agree(readings):
            yield _join(at, readings)
        else:
            self.refused += 1


def _agree(readings: tuple[Reading, ...]) -> bool:
    first, last = readings[0], readings[-1]
    return (
        abs((first.lat_e7 or 0) - (last.lat_e7 or 0)) <= AGREEMENT_E7
        and abs((first.lon_e7 or 0) - (last.lon_e7 or 0)) <= AGREEMENT_E7
    )


def _advances(last: time | None, now: time) -> bool:
    """True if `now` lies within the half day after `last`, midnight included."""
    return last is None or 0 < (_seconds(now) - _seconds(last)) % _DAY_S <= _DAY_S / 2


def _seconds(at: time) -> float:
    return at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6


def _join(at: time, readings: tuple[Reading, ...]) -> Fix:
    first = readings[0]
    day = next((one.day for one in readings if one.day), None)
    gga = next((one for one in readings if one.sentence == "GGA"), first)
    utc_ms = None
    if day is not None:
        utc_ms = round(datetime.combine(day, at, UTC).timestamp() * 1000)
    return Fix(first.lat_e7 or 0, first.lon_e7 or 0, utc_ms, gga.satellites, gga.hdop_e2)
