"""Packets of fingerprint modules, as their end of the wire makes and takes them; big endian.

EF 01 | address 4 | PID 1 | LENGTH 2 | content | SUM 2

LENGTH counts content and sum; SUM adds PID, LENGTH and content, modulo 65536 (GROW R503 manual
V1.4.1). GenImg is EF01 FFFFFFFF 01 0003 01 0005; its ack, with a finger there, is
EF01 FFFFFFFF 07 0003 00 000A.
"""

import struct
from dataclasses import dataclass

COMMAND, DATA, ACK, LAST_DATA = 0x01, 0x02, 0x07, 0x08

_START = b"\xef\x01"
_HEAD = struct.Struct(">2sIBH")
_LENGTHS = range(3, 1 + 36)  # of a host's packets, of which WriteNotepad's is the longest


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that was heard; `sound` is False if its sum is wrong."""

    address: int
    pid: int
    content: bytes
    sound: bool = True


def packet(pid: int, content: bytes, address: int) -> bytes:
    """The bytes of a packet."""
    body = struct.pack(">BH", pid, len(content) + 2) + content
    return _START + struct.pack(">I", address) + body + struct.pack(">H", sum(body) & 0xFFFF)


def packets(content: bytes, address: int, size: int = 128) -> bytes:
    """`content` in data packets of `size` bytes, the last marked as such."""
    parts = [content[first : first + size] for first in range(0, len(content), size)]
    return b"".join(
        packet(LAST_DATA if number == len(parts) else DATA, part, address)
        for number, part in enumerate(parts, start=1)
    )


def take(buffer: bytearray) -> Packet | None:
    """Take the next packet out of `buffer`; None if there is no whole one yet.

    What is no packet is thrown away. One whose sum is wrong is given, but only its start is taken:
    another may begin inside.
    """
    while (start := buffer.find(_START)) >= 0:
        del buffer[:start]
        if len(buffer) < _HEAD.size:
            return None
        _, address, pid, length = _HEAD.unpack_from(buffer)
        if length not in _LENGTHS:
            del buffer[: len(_START)]
            continue
        end = _HEAD.size + length
        if len(buffer) < end:
            return None
        content = bytes(buffer[_HEAD.size : end - 2])
        sound = sum(buffer[6 : end - 2]) & 0xFFFF == int.from_bytes(buffer[end - 2 : end], "big")
        del buffer[: end if sound else len(_START)]
        return Packet(address, pid, content, sound)
    del buffer[: len(buffer) - buffer.endswith(b"\xef")]
    return None
