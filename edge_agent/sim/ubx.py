"""What a u-blox receiver says and hears in its binary protocol.

    B5 62 | class | id | length, 2 bytes, low first | payload | CK_A CK_B
    the last two are Fletcher-8 over class to payload

    NAV-STATUS 01 03  16 bytes: [4] kind of fix, [5] bit 0 fix is good, [7] bits 4..3 spoofing: 0
                      unknown or off, 1 none, 2 indicated, 3 several indications
    MON-HW     0A 09  60 bytes (M8): [20] antenna 2 good, 4 open; [22] bits 3..2 jamming: 0 unknown
                      or off, 1 none, 2 warning, 3 critical; [45] continuous wave, 0 to 255
    SEC-SIG    27 09  M9 and later, with the same states.
                      Version 1, 12 bytes: [4] bit 0 on, bits 2..1 jamming; [8] bit 0 on, bits 3..1
                      spoofing. Version 2, 4 bytes and more: [1] bit 0 on, bits 2..1 jamming, bit 3
                      on, bits 6..4 spoofing
    CFG-MSG    06 01  class, id, rate [, rate for each of 5 more ports]: a message on or off
    CFG-VALSET 06 8A  since M9 the same: version, layers, 0, 0, then keys (4 bytes) and values
    ACK-ACK    05 01, ACK-NAK 05 00: class and id of what was said

Sources: u-blox M8 protocol description UBX-13003221, M9 interface description UBX-19035940.
"""

import struct
from collections.abc import Iterator

_HEAD = b"\xb5\x62"
_LONGEST = 512  # of a payload: nothing that a host says here is longer

#: Messages by class and id. NMEA sentences are of class F0.
MESSAGES = {
    b"\xf0\x00": "GGA",
    b"\xf0\x01": "GLL",
    b"\xf0\x02": "GSA",
    b"\xf0\x03": "GSV",
    b"\xf0\x04": "RMC",
    b"\xf0\x05": "VTG",
    b"\xf0\x07": "GST",
    b"\xf0\x08": "ZDA",
    b"\xf0\x09": "GBS",
    b"\x01\x03": "NAV-STATUS",
    b"\x0a\x09": "MON-HW",
    b"\x27\x09": "SEC-SIG",
}
#: The same as the keys CFG-MSGOUT-..._UART1.
_KEYS = {
    0x209100AC: "RMC",
    0x209100B1: "VTG",
    0x209100BB: "GGA",
    0x209100C0: "GSA",
    0x209100C5: "GSV",
    0x209100CA: "GLL",
    0x209100D4: "GST",
    0x209100D9: "ZDA",
    0x209100DE: "GBS",
    0x2091001B: "NAV-STATUS",
    0x20910635: "SEC-SIG",
}
_CFG_MSG, _CFG_VALSET = b"\x06\x01", b"\x06\x8a"
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}  # bytes of a value, by bits 30..28 of its key


def frame(kind: bytes, payload: bytes) -> bytes:
    """A message of class and id `kind`."""
    body = kind + struct.pack("<H", len(payload)) + payload
    return _HEAD + body + _fletcher(body)


def nav_status(week_ms: int, spoofing: int, *, fixed: bool) -> bytes:
    """NAV-STATUS at `week_ms` into the GPS week."""
    how = 3 if fixed else 0
    flags = 0x0D if fixed else 0x00  # fix is good, week and time of week are known
    return frame(
        b"\x01\x03",
        struct.pack("<IBBBBII", week_ms, how, flags, 0, spoofing << 3, 26_000, week_ms),
    )


def mon_hw(jamming: int, *, antenna_open: bool = False) -> bytes:
    """MON-HW as an M8 sends it."""
    payload = bytearray(60)
    struct.pack_into("<HH", payload, 16, 88, 3200)  # noise, gain
    payload[20] = 4 if antenna_open else 2
    payload[21] = 1
    payload[22] = 0x01 | jamming << 2
    payload[45] = (0, 12, 130, 230)[jamming]
    return frame(b"\x0a\x09", bytes(payload))


def sec_sig(jamming: int, spoofing: int, version: int = 1) -> bytes:
    """SEC-SIG with both monitors on."""
    if version == 1:
        payload = bytes((1, 0, 0, 0, 0x01 | jamming << 1, 0, 0, 0, 0x01 | spoofing << 1, 0, 0, 0))
    else:
        payload = bytes((2, 0x01 | jamming << 1 | 0x08 | spoofing << 4, 0, 0))
    return frame(b"\x27\x09", payload)


class Ear:
    """What a host says to a receiver: which messages it wants, and the answers to that."""

    def __init__(self) -> None:
        self._heard = b""

    def hear(self, data: bytes) -> Iterator[tuple[dict[str, bool], bytes]]:
        """For each whole message in `data`: messages that go on or off by it, and the answer."""
        self._heard += data
        while True:
            start = self._heard.find(_HEAD)
            self._heard = self._heard[start:] if start >= 0 else self._heard[-1:]
            if start < 0 or len(self._heard) < 6:
                return
            end = 8 + int.from_bytes(self._heard[4:6], "little")
            whole = self._heard[:end]
            if end > _LONGEST or (len(whole) == end and _fletcher(whole[2:-2]) != whole[-2:]):
                self._heard = self._heard[1:]
            elif len(whole) < end:
                return
            else:
                self._heard = self._heard[end:]
                yield _obey(whole[2:4], whole[6:-2])


def _obey(kind: bytes, payload: bytes) -> tuple[dict[str, bool], bytes]:
    if kind[:1] != b"\x06":
        return {}, b""
    wanted: dict[str, bool] | None = None
    if kind == _CFG_MSG and len(payload) in (3, 8):
        name = MESSAGES.get(payload[:2])
        rate = payload[2] if len(payload) == 3 else payload[3]  # of UART 1
        wanted = None if name is None else {name: rate > 0}
    elif kind == _CFG_VALSET:
        wanted = dict(_values(payload[4:]))
    answer = frame(b"\x05\x00" if wanted is None else b"\x05\x01", kind)
    return wanted or {}, answer


def _values(data: bytes) -> Iterator[tuple[str, bool]]:
    while len(data) >= 5:
        key = int.from_bytes(data[:4], "little")
        size = _SIZES.get(key >> 28 & 7, len(data))
        if key in _KEYS:
            yield _KEYS[key], any(data[4 : 4 + size])
        data = data[4 + size :]


def _fletcher(body: bytes) -> bytes:
    first = second = 0
    for byte in body:
        first = (first + byte) & 0xFF
        second = (second + first) & 0xFF
    return bytes((first, second))
