"""u-blox's own binary frames, as far as they speak against the signals that the receiver hears.

    B5 62 | class | id | length 2 | payload | CK_A CK_B      little endian; Fletcher-8 from class on

    B5 62 05 01 02 00 06 01 0F 38                            ACK-ACK to CFG-MSG

They come between the NMEA sentences once they are switched on, which the profiles do. Taken are

* NAV-STATUS 01 03: bits 4:3 of byte 7, spoofing 0 unknown or off, 1 none, 2 indicated, 3 several;
* SEC-SIG 27 09 (from M9 on): jamming and spoofing, each with a bit that says whether it is looked
  for at all; version 1 in bytes 4 and 8, version 2 in byte 1;
* MON-HW 0A 09 (to M8): jamming in bits 3:2 of byte 22, 0 while the monitor is off;
* MON-RF 0A 38 (from M9 on): the same in bits 1:0 of the second byte of each antenna's block;
* ACK 05 01 and 05 00, the answers to what the profile says at the start, which mean nothing here.

Jamming is 1 none, 2 warning, 3 critical. Every other frame is noise, whatever its length.

Sources: u-blox 8 protocol description (UBX-13003221), M9 SPG 4.04 and F9 HPG 1.50 interface
descriptions as pyubx2 tabulates them.
"""

from collections.abc import Callable, Collection, Iterator

from edge_agent.records import Doubt

SYNC = b"\xb5\x62"
_HEAD, _TAIL = 6, 2


def end_of(data: bytes, start: int, until: int) -> int:
    """Where the frame that begins at `start` ends, its checksum right.

    0 while too little of it is there before `until` to know, -1 if it is none of ours.
    """
    head = data[start : min(start + _HEAD, until)]
    kind = head[2:4]
    if not any(known.startswith(kind) for known in _MESSAGES):
        return -1
    if len(head) < _HEAD:
        return 0
    length = int.from_bytes(head[4:6], "little")
    if length not in _MESSAGES[kind][0]:
        return -1
    end = start + _HEAD + length + _TAIL
    if end > until:
        return 0
    return end if checksum(data[start + 2 : end - 2]) == data[end - 2 : end] else -1


def checksum(body: bytes) -> bytes:
    """Fletcher-8 over class, id, length and payload."""
    first = second = 0
    for byte in body:
        first += byte
        second += first
    return bytes((first & 0xFF, second & 0xFF))


def doubts(frame: bytes) -> Iterator[Doubt]:
    """What a whole frame says against the signals. Raises ValueError if it is of no known form."""
    yield from _MESSAGES[frame[2:4]][1](frame[_HEAD:-_TAIL])


def _said(of: str, state: int) -> Iterator[Doubt]:
    """0 is unknown or not looked for, 1 all is well; above 3 nothing is laid down."""
    if state in (1, 2, 3):
        yield Doubt(of, state > 1)


def _nothing(payload: bytes) -> Iterator[Doubt]:
    return iter(())


def _nav_status(payload: bytes) -> Iterator[Doubt]:
    return _said("spoof", payload[7] >> 3 & 3)


def _mon_hw(payload: bytes) -> Iterator[Doubt]:
    return _said("jam", payload[22] >> 2 & 3)


def _mon_rf(payload: bytes) -> Iterator[Doubt]:
    blocks = payload[1]
    if len(payload) != _rf_length(blocks):
        raise ValueError("blocks")
    return _said("jam", max((flags & 3 for flags in payload[5::24]), default=0))


def _sec_sig(payload: bytes) -> Iterator[Doubt]:
    version, flags = payload[0], payload[1]
    if version == 1 and len(payload) == 12:
        jam, spoof = payload[4], payload[8]
    elif version == 2 and len(payload) == 4 + 4 * payload[3]:
        jam, spoof = flags, flags >> 3
    else:
        raise ValueError("version")
    if jam & 1:
        yield from _said("jam", jam >> 1 & 3)
    if spoof & 1:
        yield from _said("spoof", spoof >> 1 & 7)


def _rf_length(blocks: int) -> int:
    return 4 + 24 * blocks


_Reader = Callable[[bytes], Iterator[Doubt]]
#: Class and id: the lengths that the payload may have, and who reads it.
_MESSAGES: dict[bytes, tuple[Collection[int], _Reader]] = {
    b"\x05\x00": ((2,), _nothing),
    b"\x05\x01": ((2,), _nothing),
    b"\x01\x03": ((16,), _nav_status),
    b"\x0a\x09": ((60, 68), _mon_hw),  # 68 up to u-blox 6
    b"\x0a\x38": ([_rf_length(blocks) for blocks in range(9)], _mon_rf),
    b"\x27\x09": (range(4, 69, 4), _sec_sig),
}
#: The longest frame that is waited for.
MAX_FRAME = _HEAD + max(max(lengths) for lengths, _ in _MESSAGES.values()) + _TAIL
