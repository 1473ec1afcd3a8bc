"""Frames of NXP's PN532 on its high speed UART.

    normal    00 | 00 FF | LEN LCS | TFI PD0 .. PDn | DCS | 00
    extended  00 | 00 FF | FF FF | LENm LENl LCS | TFI PD0 .. PDn | DCS | 00     at most 265 bytes
    ACK 00 00 FF 00 FF 00    NACK 00 00 FF FF 00 00    error 00 00 FF 01 FF 7F 81 00

LEN counts TFI and PD; LEN + LCS and TFI + .. + DCS are 0 modulo 256. TFI is D4 towards the chip and
D5 from it; an answer's code is the command's + 1. More zeros before and after are filling.

    00 00 FF 06 FA D5 03 32 01 06 07 E8 00          PN532, firmware 1.6

Source: NXP UM0701-02 section 6.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_START = b"\x00\xff"
_TO_CHIP, _FROM_CHIP = 0xD4, 0xD5
_ERROR = b"\x7f"
#: LEN of the longest frame there is.
MOST = 265


class Kind(StrEnum):
    """What a frame is."""

    ACK = "ack"
    NACK = "nack"
    ERROR = "error"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame from the chip; `code` and `data` are of an answer."""

    kind: Kind
    code: int = 0
    data: bytes = b""


#: Frames that have no body, by what stands where the length would.
_SHORT = {b"\x00\xff": Kind.ACK, b"\xff\x00": Kind.NACK}


def command(code: int, data: bytes = b"") -> bytes:
    """The normal frame of a command with up to 253 bytes of parameters."""
    body = bytes([_TO_CHIP, code]) + data
    length = len(body)
    return (
        b"\x00" + _START + bytes([length, -length & 0xFF]) + body + bytes([-sum(body) & 0xFF, 0x00])
    )


class HsuFramer:
    """Bytes -> Frame. Holds less than `MOST` + 10 bytes between two calls.

    A header that adds up is trusted until its frame is whole; what then does not add up costs one
    byte. `flush` ends the waiting for a frame that was cut short.
    """

    def __init__(self) -> None:
        self.noise = 0
        self.rejected = 0
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        self._buffer += data
        while self._hunt():
            size = _size(self._buffer)
            if size is None or len(self._buffer) < size:
                return
            frame = _frame(self._buffer[:size]) if size else None
            if frame is None:
                self.rejected += 1
                self._drop(1)
            else:
                self._buffer = self._buffer[size - 1 :]  # its last zero may be another's first
                yield frame

    def flush(self) -> Iterator[Frame]:
        while self._buffer:
            self._drop(1)
            yield from self.feed(b"")

    def restart(self) -> None:
        self._drop(len(self._buffer))

    def _hunt(self) -> bool:
        """Move to the next start code; False if there is none."""
        start = self._buffer.find(_START)
        if start < 0:  # a zero at the end may be half a start code
            start = len(self._buffer) - self._buffer.endswith(b"\x00")
        self._drop(start)
        return self._buffer.startswith(_START)

    def _drop(self, count: int) -> None:
        dropped, self._buffer = self._buffer[:count], self._buffer[count:]
        self.noise += len(dropped.replace(b"\x00", b""))  # filling is not noise


def _size(buffer: bytes) -> int | None:
    """Bytes from the start code here to the zero behind the frame; 0: it is none, None: unknown."""
    if len(buffer) < 4:
        return None
    if buffer[2:4] in _SHORT:
        return 5
    if buffer[2:4] != b"\xff\xff":
        return 4 + buffer[2] + 2 if buffer[2] and not sum(buffer[2:4]) & 0xFF else 0
    if len(buffer) < 7:
        return None
    length = int.from_bytes(buffer[4:6], "big")
    return 7 + length + 2 if 0 < length <= MOST and not sum(buffer[4:7]) & 0xFF else 0


def _frame(data: bytes) -> Frame | None:
    """The frame that is exactly these bytes; None if it does not add up.

    The zero behind it is looked at, too: otherwise a frame that lost a zero on the wire would be
    whole again, with its sum as data and this zero as its sum.
    """
    if data[-1]:
        return None
    if len(data) == 5:
        return Frame(_SHORT[data[2:4]])
    summed = data[7 if data[2:4] == b"\xff\xff" else 4 : -1]
    body = summed[:-1]
    if sum(summed) & 0xFF:
        return None
    if body == _ERROR:
        return Frame(Kind.ERROR)
    if body[0] != _FROM_CHIP or len(body) < 2:
        return None
    return Frame(Kind.ANSWER, body[1], body[2:])
