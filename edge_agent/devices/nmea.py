"""NMEA 0183: RMC and GGA, through pynmea2 behind a guard.

    $ talker(2) type(3) , fields * XOR of all between $ and *, two hex digits, CR LF

    $GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A*76

The guard is there because pynmea2 1.19 takes sentences without a checksum, gives 0.0, 0.0 for no
position, leaves what it cannot parse as text, lets latitude 99 through, knows no leap second and
takes the year 80 for 2080 in one Python and 1980 in another. So here

* the checksum is required, and the number of fields: XOR does not miss an even number of commas;
* every field used is checked for form and range, and the others for what could stand there;
* only RMC status A with a mode that means satellites, and GGA quality 1 to 5, are a fix.

Of a sentence that states no fix nothing is used but its time: its coordinates and dates are stale
or absurd. The mode of RMC, also with status V, and the quality of GGA say why, if it is a
simulator or a position that somebody typed in.

Sources: NMEA 0183 as gpsd describes it; u-blox 8 protocol description section 31; captures.
"""

import re
from datetime import date
from functools import reduce
from operator import xor

import pynmea2

from edge_agent.devices.epoch import DAY_MS, Reading

#: The standard says 82; sentences of 203 characters are in the wild.
MAX_SENTENCE = 256
_BODY = rb"[\x20-\x23\x25-\x29\x2b-\x7e]{0,250}"  # printable, neither $ nor *
SENTENCE = re.compile(rb"\$(" + _BODY + rb")\*([0-9A-Fa-f]{2})")
_BEGINNING = re.compile(rb"\$" + _BODY + rb"(?:\*[0-9A-Fa-f]?)?")

_N = r"[-+]?\d*(?:\.\d*)?"  # a number that is not used, or nothing
#: Fields that are not used are looked at all the same: what stands elsewhere was shifted.
#: Motorola's T805 leaves the direction of the variation out, so that its mode stands there.
_TAIL = "(?:[EW]?(?:,[A-Z]?){0,2}|[AD])"
_RMC = re.compile(rf"[^,]*,[AV](?:,[^,]*){{4}},{_N},{_N},[^,]*,{_N},{_TAIL}")
_GGA = re.compile(rf"[^,]*(?:,[^,]*){{7}},{_N},[Mm]?,{_N},[Mm]?,{_N},[^,]*")

_MODES = frozenset({"", "A", "D", "F", "R", "P"})  # the field is absent before NMEA 2.3
_QUALITIES = frozenset({"1", "2", "3", "4", "5"})
_DOUBTS = {"S": "simulator", "M": "manual", "8": "simulator", "7": "manual"}
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?")
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")
_ANGLE = re.compile(r"(\d{2,3})(\d{2}(?:\.\d{1,9})?)")
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{0,9})?")


def end_of(data: bytes, start: int, until: int) -> int:
    """Where the sentence that begins at `start` ends, its checksum right.

    0 while too little of it is there before `until` to know, -1 if it is none.
    """
    whole = SENTENCE.match(data, start, until)
    if whole is not None:
        return whole.end() if reduce(xor, whole[1], 0) == int(whole[2], 16) else -1
    return 0 if _BEGINNING.fullmatch(data, start, until) else -1


def reading(sentence: str) -> Reading:
    """What a whole RMC or GGA says. Raises ValueError for what cannot be."""
    try:
        parsed = pynmea2.parse(sentence, check=True)
    except pynmea2.ParseError as error:
        raise ValueError("form") from error
    fields = ",".join(parsed.data)
    return _rmc(parsed, fields) if parsed.sentence_type == "RMC" else _gga(parsed, fields)


def _rmc(rmc: pynmea2.RMC, fields: str) -> Reading:
    at_ms, grain_ms = _time(rmc.data[0])
    mode = getattr(rmc, "mode_indicator", None) or ""
    doubt = _DOUBTS.get(mode, "") if rmc.lat else ""  # CASIC: V, no position and M, before a fix
    real = rmc.status == "A" and mode in _MODES
    if real or doubt:
        _formed(_RMC, fields)
    if not real:
        return Reading("RMC", at_ms, grain_ms, doubt=doubt)
    lat_e7, lon_e7 = _place(rmc)
    return Reading("RMC", at_ms, grain_ms, lat_e7, lon_e7, _date(rmc.data[8]))


def _gga(gga: pynmea2.GGA, fields: str) -> Reading:
    at_ms, grain_ms = _time(gga.data[0])
    quality = gga.data[5] if len(gga.data) > 5 else ""
    doubt = _DOUBTS.get(quality, "")
    real = quality in _QUALITIES
    if real or doubt:
        _formed(_GGA, fields)
    if not real:
        return Reading("GGA", at_ms, grain_ms, doubt=doubt)
    lat_e7, lon_e7 = _place(gga)
    return Reading(
        "GGA",
        at_ms,
        grain_ms,
        lat_e7,
        lon_e7,
        satellites=_whole(gga.num_sats),
        hdop_e2=_hundredths(gga.horizontal_dil),
    )


def _formed(form: re.Pattern[str], fields: str) -> None:
    if form.fullmatch(fields) is None:
        raise ValueError("form")


def _time(digits: str) -> tuple[int | None, int]:
    """Milliseconds of the day, and how finely they are printed; None if the field is empty.

    235960 is a second, the one that is put in at midnight.
    """
    if not digits:
        return None, 1
    hour, minute, second, decimals = _found(_TIME, digits, "time")
    shown = (decimals or "")[:3]
    at_ms = (int(hour) * 60 + int(minute)) * 60_000 + int(second) * 1000 + int(f"{shown:0<3}")
    leap = DAY_MS <= at_ms < DAY_MS + 1000 and (hour, minute) == ("23", "59")
    if int(minute) > 59 or (not leap and (int(second) > 59 or at_ms >= DAY_MS)):
        raise ValueError("time")
    return at_ms, 10 ** (3 - len(shown))


def _date(digits: str) -> date | None:
    """Two digits of a year are 1980 to 2079; None if the field is empty."""
    if not digits:
        return None
    day, month, year = map(int, _found(_DATE, digits, "date"))
    return date(year + (1900 if year >= 80 else 2000), month, day)


def _place(sentence: pynmea2.NMEASentence) -> tuple[int, int]:
    """Latitude and longitude; 0, 0 is what some receivers send for none."""
    place = (
        _angle(sentence.lat, sentence.lat_dir, "NS"),
        _angle(sentence.lon, sentence.lon_dir, "EW"),
    )
    if place == (0, 0):
        raise ValueError("place")
    return place


def _angle(digits: str, hemisphere: str, hemispheres: str) -> int:
    """Degrees times 10^7 of ``dddmm.mmmm`` and a hemisphere, whose first letter is the positive."""
    degrees, minutes = _found(_ANGLE, digits, "angle")
    angle = int(degrees) + float(minutes) / 60
    wrong = hemisphere not in tuple(hemispheres) or float(minutes) >= 60
    if wrong or angle > (90 if hemispheres == "NS" else 180):
        raise ValueError("angle")
    return round(angle * 10**7) * (1 if hemisphere in "NE" else -1)


def _found(form: re.Pattern[str], digits: str, what: str) -> tuple[str, ...]:
    found = form.fullmatch(digits)
    if found is None:
        raise ValueError(what)
    return found.groups()


def _whole(digits: str) -> int | None:
    """Satellites; None for 0 too: no fix has none, Furuno's counts one system and uses others."""
    return (int(digits) or None) if digits.isdecimal() and len(digits) <= 3 else None


def _hundredths(digits: str) -> int | None:
    """HDOP times 100; None if empty or 0. 99.99 is u-blox's for that and more: no good geometry."""
    return (round(float(digits) * 100) or None) if _NUMBER.fullmatch(digits) else None
