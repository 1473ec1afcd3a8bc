"""GNSS receivers that speak NMEA 0183, through pynmea2 behind a guard.

Usually 9600 baud, 8N1. The receiver talks by itself, once a second:

    $ talker(2) type(3) , fields * XOR of all between $ and *, two hex digits, CR LF

    $GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A*76

Any talker is taken, and of the types RMC and GGA. The guard is there because pynmea2 1.19 takes
sentences without a checksum, gives 0.0, 0.0 for no position, leaves what it cannot parse as text
and lets latitude 99 through. So here

* `$` is hunted for anywhere: good sentences follow wrong-baud noise without a line end;
* the checksum is required, and every field used is checked for form and range;
* only RMC status A with a mode that means satellites, and GGA quality 1 to 5, are a fix: estimated,
  manual and simulated positions are none;
* the sentences of one epoch must agree and time must advance (`epoch`).

Sources: NMEA 0183 as gpsd describes it; u-blox 8 protocol description section 31; captures.
"""

import re
from collections.abc import Iterator
from datetime import date, time

import pynmea2

from edge_agent.devices.decoder import Decoder
from edge_agent.devices.epoch import Epochs, Reading
from edge_agent.records import Counts, Fix

#: The standard says 82; sentences of 203 characters are in the wild.
MAX_SENTENCE = 256
_BODY = rb"[\x20-\x23\x25-\x29\x2b-\x7e]{0,250}"  # printable, neither $ nor *
_SENTENCE = re.compile(rb"\$" + _BODY + rb"\*[0-9A-Fa-f]{2}")
_BEGINNING = re.compile(rb"\$" + _BODY + rb"(?:\*[0-9A-Fa-f]?)?")

_MODES = frozenset({None, "", "A", "D", "F", "R", "P"})  # the field is absent before NMEA 2.3
_QUALITIES = frozenset({1, 2, 3, 4, 5})
_ANGLE = re.compile(r"(\d{2,3})(\d{2}(?:\.\d{1,9})?)")
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,4})?")


class NmeaDecoder(Decoder[Fix]):
    """NMEA bytes -> Fix. Holds less than `MAX_SENTENCE` bytes between two calls."""

    def __init__(self) -> None:
        self._buffer = b""
        self._noise = 0
        self._rejected = 0
        self._epochs = Epochs()

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes outside sentences, `rejected` sentences and epochs not believed."""
        return Counts(self._noise, self._rejected + self._epochs.refused)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Fix]:
        self._buffer += data
        while self._hunt():
            whole = _SENTENCE.match(self._buffer)
            if whole:
                self._buffer = self._buffer[whole.end() :]
                yield from self._take(whole[0].decode("ascii"))
            elif _BEGINNING.fullmatch(self._buffer):
                return
            else:
                self._skip(1)

    def restart(self) -> None:
        self._skip(len(self._buffer))

    def _hunt(self) -> bool:
        """Move to the next `$`; False if there is none."""
        start = self._buffer.find(b"$")
        self._skip(len(self._buffer) if start < 0 else start)
        return start >= 0

    def _skip(self, count: int) -> None:
        skipped, self._buffer = self._buffer[:count], self._buffer[count:]
        self._noise += len(skipped.translate(None, b"\r\n"))  # line ends are not noise

    def _take(self, sentence: str) -> Iterator[Fix]:
        kind = sentence[3:6]
        if sentence[6:7] != "," or sentence[1] == "P" or kind not in _READERS:
            return  # P is a maker's own: $PGRMC is how a Garmin is set up
        try:
            reading = _READERS[kind](pynmea2.parse(sentence, check=True))
        except (pynmea2.ParseError, ValueError):
            self._rejected += 1
            return
        yield from self._epochs.take(reading)


def _read_rmc(rmc: pynmea2.RMC) -> Reading:
    at = _time(rmc.timestamp)
    if rmc.status != "A" or getattr(rmc, "mode_indicator", None) not in _MODES:
        return Reading("RMC", at)  # nothing in such a sentence may be used, dates least of all
    day = rmc.datestamp
    if not (day is None or isinstance(day, date)):
        raise ValueError("date")
    return Reading(
        "RMC", at, _angle(rmc.lat, rmc.lat_dir, "NS"), _angle(rmc.lon, rmc.lon_dir, "EW"), day
    )


def _read_gga(gga: pynmea2.GGA) -> Reading:
    at = _time(gga.timestamp)
    if gga.gps_qual not in _QUALITIES:
        return Reading("GGA", at)
    return Reading(
        "GGA",
        at,
        _angle(gga.lat, gga.lat_dir, "NS"),
        _angle(gga.lon, gga.lon_dir, "EW"),
        satellites=_whole(gga.num_sats),
        hdop_e2=_hundredths(gga.horizontal_dil),
    )


_READERS = {"RMC": _read_rmc, "GGA": _read_gga}


def _time(found: object) -> time | None:
    """Time of day; None if the field is empty. Leap second 235960 is no `time` and is refused."""
    if not (found is None or isinstance(found, time)):
        raise ValueError("time")
    return None if found is None else found.replace(tzinfo=None)


def _angle(digits: str, hemisphere: str, hemispheres: str) -> int:
    """Degrees times 10^7 of ``dddmm.mmmm`` and a hemisphere, whose first letter is the positive."""
    found = _ANGLE.fullmatch(digits)
    if found is None or hemisphere not in tuple(hemispheres):
        raise ValueError("angle")
    degrees, minutes = int(found[1]), float(found[2])
    angle = degrees + minutes / 60
    if minutes >= 60 or angle > (90 if hemispheres == "NS" else 180):
        raise ValueError("angle")
    return round(angle * 10**7) * (1 if hemisphere in "NE" else -1)


def _whole(digits: str) -> int | None:
    return int(digits) if digits.isdecimal() and len(digits) <= 3 else None


def _hundredths(digits: str) -> int | None:
    """HDOP times 100; None if empty or 99.99, which receivers send for "none"."""
    if not _NUMBER.fullmatch(digits) or float(digits) >= 99:
        return None
    return round(float(digits) * 100)
