"""EM4100 cards at text readers: RDM6300, RDM630, ID-12LA, ID-20LA and the variant with CR LF.

9600 baud, 8N1. The reader talks by itself and takes no commands.

    02 | 10 hex digits: version 1 byte, number 4 bytes | 2 hex digits: XOR of the 5 bytes | 03
    02 | 10 hex digits | 2 hex digits | 0D 0A | 03           ID-12LA, ASCII mode

    02 33 43 30 30 43 45 37 35 34 43 43 42 03                the card printed 0013530444

The RDM6300 repeats the frame every 65 ms while a card is held; the ID-12LA sends it once. Cheap
modules emit frames of noise *with a valid checksum* when no card is near, 0000000000 among them.
Number 0 is refused here; for the rest a profile asks for several equal reads
(`ScannerProfile.confirm`).

Sources: Seeed RDM630-Spec; ID-12LA data sheet page 4; esp-rfid issue 411 and Tasmota issue 9522 for
the phantoms.
"""

import re
from collections.abc import Iterator

from edge_agent.devices.decoder import Decoder
from edge_agent.records import Counts, Scan

_STX = b"\x02"
_FRAME = re.compile(rb"\x02([0-9A-Fa-f]{10})([0-9A-Fa-f]{2})(?:\r\n)?\x03")
#: A beginning of a frame, of any length short of the whole.
_BEGINNING = re.compile(rb"\x02(?:[0-9A-Fa-f]{0,12}|[0-9A-Fa-f]{12}\r\n?)")


class Em4100Decoder(Decoder[Scan]):
    """STX, digits, checksum, ETX -> Scan. Holds at most 15 bytes between two calls."""

    def __init__(self) -> None:
        self._buffer = b""
        self._noise = 0
        self._rejected = 0

    @property
    def counts(self) -> Counts:
        """`noise` counts bytes outside frames, `rejected` whole frames that do not add up."""
        return Counts(self._noise, self._rejected)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Scan]:
        self._buffer += data
        while self._hunt():
            frame = _FRAME.match(self._buffer)
            if frame is None:
                if _BEGINNING.fullmatch(self._buffer):
                    return
                self._drop(1)
                continue
            number = bytes.fromhex(frame[1].decode())
            if _checksum(number) != int(frame[2], 16) or not any(number):
                self._rejected += 1
                self._drop(1)
                continue
            self._buffer = self._buffer[frame.end() :]
            yield Scan("em4100", number.hex().upper())

    def restart(self) -> None:
        self._drop(len(self._buffer))

    def _hunt(self) -> bool:
        """Move to the next STX; False if there is none."""
        start = self._buffer.find(_STX)
        self._drop(len(self._buffer) if start < 0 else start)
        return start >= 0

    def _drop(self, count: int) -> None:
        self._noise += count
        self._buffer = self._buffer[count:]


def _checksum(number: bytes) -> int:
    check = 0
    for byte in number:
        check ^= byte
    return check
