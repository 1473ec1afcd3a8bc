"""Packets of the fingerprint modules that descend from the ZFM-20: R30x, AS608, R503 and kin.

    EF 01 | address 4 | PID 1 | LENGTH 2 | content | SUM 2          big endian

LENGTH counts content and SUM; SUM is that of PID, LENGTH and content, modulo 65536, so the address
is not protected. PID 01 command, 02 data, 07 acknowledgement, 08 last data. The content of an
acknowledgement is a confirmation code, 00 for success, and what was asked for.

    EF 01 FF FF FF FF 07 00 07 00 00 11 00 6F 00 8E          found in slot 17 with score 111

Source: GROW R503 manual V1.4.1 section 5.2.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_START = b"\xef\x01"
_COMMAND, _DATA, _ACK, _LAST = 0x01, 0x02, 0x07, 0x08
_KINDS = frozenset({_COMMAND, _DATA, _ACK, _LAST})
_HEADER = 9
#: Data packets carry up to 256 bytes and the sum.
MOST_LENGTH = 258


@dataclass(frozen=True, slots=True)
class Ack:
    """What the module answered: a confirmation code and its parameters."""

    code: int
    data: bytes = b""


def command(content: bytes, address: bytes) -> bytes:
    """The packet of a command."""
    counted = bytes([_COMMAND]) + (len(content) + 2).to_bytes(2) + content
    return _START + address + counted + sum(counted).to_bytes(2)


class Ef01Framer:
    """Bytes -> Ack. Holds less than 270 bytes between two calls.

    A header that is possible is trusted until its packet is whole; what then does not add up costs
    one byte. `flush` ends the waiting for a packet that was cut short. Packets that are no
    acknowledgement, or come from another address, are counted as rejected.
    """

    def __init__(self, address: bytes) -> None:
        self.noise = 0
        self.rejected = 0
        self._address = address
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[Ack]:
        self._buffer += data
        while self._hunt() and len(self._buffer) >= _HEADER:
            length = int.from_bytes(self._buffer[7:9])
            if self._buffer[6] not in _KINDS or not 3 <= length <= MOST_LENGTH:
                self.rejected += 1
                self._drop(1)
            elif len(self._buffer) < _HEADER + length:
                return
            else:
                yield from self._take(_HEADER + length)

    def flush(self) -> Iterator[Ack]:
        while self._buffer:
            self._drop(1)
            yield from self.feed(b"")

    def restart(self) -> None:
        self._drop(len(self._buffer))

    def _take(self, size: int) -> Iterator[Ack]:
        packet = self._buffer[:size]
        if sum(packet[6:-2]) & 0xFFFF != int.from_bytes(packet[-2:]):
            self.rejected += 1
            self._drop(1)
            return
        self._buffer = self._buffer[size:]
        if packet[6] == _ACK and packet[2:6] == self._address:
            yield Ack(packet[_HEADER], packet[_HEADER + 1 : -2])
        else:
            self.rejected += 1

    def _hunt(self) -> bool:
        """Move to the next start code; False if there is none."""
        start = self._buffer.find(_START)
        if start < 0:  # the last byte may be half a start code
            start = len(self._buffer) - self._buffer.endswith(_START[:1])
        self._drop(start)
        return self._buffer.startswith(_START)

    def _drop(self, count: int) -> None:
        self.noise += count
        self._buffer = self._buffer[count:]
