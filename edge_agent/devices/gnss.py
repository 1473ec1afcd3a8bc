"""GNSS receivers of any make: NMEA sentences and u-blox frames, in any mixture.

Usually 9600 baud, 38400 from u-blox M9 on, 8N1. The receiver talks by itself, once a second:

    $GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A*76    `nmea`, `epoch`, `sky`
    B5 62 01 03 10 00 ...                                                 `ubx`

The beginnings `$` and B5 62 are hunted for anywhere: good sentences follow wrong-baud noise without
a line end, and other binary messages (CASIC, SiRF, RTCM, u-blox frames that say nothing here) are
noise. Of two frames that overlap, the one that is whole first is the true one, so half a binary
frame never holds up the sentence behind it. Any talker of two letters is taken; of the makers' own
sentences one of Quectel's, `$PQTMJAMMINGSTATUS,1,state`, whose states are those of u-blox.

A fix is given as soon as RMC and GGA of its epoch agree. Doubts are given whenever the receiver
speaks of them; several of its messages may speak of one, and one voice is enough.
"""

import re
from collections.abc import Iterator

from edge_agent.devices import nmea, ubx
from edge_agent.devices.decoder import Decoder
from edge_agent.devices.epoch import Epochs, Reading
from edge_agent.devices.sky import REMEMBERED_MS, Sky
from edge_agent.records import Counts, Doubt, Fix

_START = re.compile(rb"\$|\xb5(?:\x62|\Z)")
_ADDRESS = re.compile(r"\$([A-OQ-Z][A-Z])(RMC|GGA|GSA|GSV|GST),")  # P is a maker's own: $PGRMC
_JAMMING = re.compile(r"\$PQTMJAMMINGSTATUS,\d+,([0-3])\*")


class GnssDecoder(Decoder[Fix | Doubt]):
    """Bytes -> Fix and Doubt. Holds less than `nmea.MAX_SENTENCE` bytes between two calls."""

    def __init__(self) -> None:
        self._buffer = b""
        self._noise = 0
        self._rejected = 0
        self._epochs = Epochs()
        self._sky = Sky()
        self._voices: dict[tuple[str, bytes], tuple[bool, int]] = {}
        self._unreal: set[str] = set()

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes outside frames, `rejected` sentences and epochs not believed."""
        return Counts(self._noise, self._rejected + self._epochs.refused)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Fix | Doubt]:
        self._buffer += data
        while True:
            start, end = _first(self._buffer, 0, len(self._buffer))
            self._skip(start)
            if not end:
                return
            frame, self._buffer = self._buffer[: end - start], self._buffer[end - start :]
            try:
                if frame.startswith(ubx.SYNC):
                    for doubt in ubx.doubts(frame):
                        yield self._voiced(doubt, frame[2:4], now_ms)
                else:
                    yield from self._take(frame.decode("ascii"), now_ms)
            except ValueError:
                self._rejected += 1

    def restart(self) -> None:
        self._skip(len(self._buffer))
        self._epochs.restart()
        self._sky.forget()
        self._voices.clear()

    def _skip(self, count: int) -> None:
        """Drop what is no frame; sentences whose checksum is wrong are not called noise."""
        skipped, self._buffer = self._buffer[:count], self._buffer[count:]
        skipped, wrong = nmea.SENTENCE.subn(b"", skipped)
        self._rejected += wrong
        self._noise += len(skipped.translate(None, b"\r\n"))  # line ends are not noise

    def _take(self, sentence: str, now_ms: int) -> Iterator[Fix | Doubt]:
        address = _ADDRESS.match(sentence)
        if address is None:
            jamming = _JAMMING.match(sentence)
            if jamming and jamming[1] != "0":
                yield self._voiced(Doubt("jam", jamming[1] > "1"), b"PQTM", now_ms)
            return
        talker, kind = address.groups()
        if kind in ("RMC", "GGA"):
            yield from self._located(nmea.reading(sentence), now_ms)
        else:
            self._sky.take(kind, talker, sentence[address.end() : -3], now_ms)

    def _located(self, reading: Reading, now_ms: int) -> Iterator[Fix | Doubt]:
        if reading.doubt:
            self._unreal.add(reading.doubt)
            yield Doubt(reading.doubt, stands=True)
        if self._epochs.begins(reading, now_ms):
            self._sky.turn()
        for fix in self._epochs.take(reading, now_ms):
            for of in sorted(self._unreal):
                yield Doubt(of, stands=False)
            self._unreal.clear()
            yield self._sky.over(fix, now_ms)

    def _voiced(self, doubt: Doubt, voice: bytes, now_ms: int) -> Doubt:
        """The doubt, which also stands if another message said so not long ago."""
        self._voices[doubt.of, voice] = doubt.stands, now_ms
        stands = any(
            said and now_ms - at_ms <= REMEMBERED_MS
            for (of, _), (said, at_ms) in self._voices.items()
            if of == doubt.of
        )
        return Doubt(doubt.of, stands)


def _first(data: bytes, at: int, until: int) -> tuple[int, int]:
    """Where the frame that is whole first begins and ends.

    If there is none, the end is 0 and the beginning that of what may yet become one.
    """
    waiting = until
    for found in _START.finditer(data, at, until):
        start = found.start()
        module = nmea if found[0] == b"$" else ubx
        end = module.end_of(data, start, until)
        if end > 0:
            inner = _first(data, start + 1, end - 1)
            return inner if inner[1] else (start, end)
        if end == 0:
            waiting = min(waiting, start)
    return waiting, 0
