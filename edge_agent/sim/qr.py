"""A QR and bar code module (GROW GM65, GM66, GM861), 9600 baud 8N1: it talks when it sees a code.

line mode       code | CR, CR LF, TAB or nothing
protocol mode   03 | length 2 | code, no tail                   03 00 0A 30333231353633383430
command         7E 00 | type | length | zone 2 | data | CRC 2   7E 00 07 01 00 2A 02 D8 0F
answer          02 00 | 00 | length | data | CRC 2              02 00 00 02 39 01 C1 4C

Types are 07 read, 08 write, 09 save and 0A heartbeat, which alone is answered with 03 00. A read
has length 1 and the number of bytes wanted as data. The CRC is CRC-16/XMODEM over all that follows
the two head bytes; AB CD stands for "do not check". A command with another CRC is not answered.
Zones are bytes of memory that are lost with power unless they were saved:

    00  bits 1..0: 0 by hand, 1 on command, 2 all the time, 3 when something new comes
    02  bit 0: look for one code now; the answer runs straight into the code that is found
    05  pause after a code, 06 longest look on command (0: for ever), both in 0.1 s
    13  bit 7: the same code is not read again for bits 6..0 times 0.1 s (0: before another one)
    60  bit 7 protocol mode, bits 6..5 tail: 0 CR, 1 CR LF, 2 TAB, 3 none
    D0  80: three characters before the code say its kind, ]Q1 for QR, ]E0 for EAN-13
    D9  50 factory settings, 55 the user's, 56 make these the user's; A5 sleep, 00 wake

Sources: Tasmota xsns_107_gm861 (dumps, the factory zones below among them); GM65 manual. That the
length in protocol mode has two bytes is read from its 00 before every length; unproved above 255.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from enum import IntEnum

from edge_agent.sim.chip import Job, Work
from edge_agent.sim.device import CALM, Device, Faults
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.surface import Surface

RATE_BAUD = 9600
#: Zones 00..61 of a GM861 after power-on.
FACTORY_ZONES = bytes.fromhex(
    "D6002000000A32012C00873C01A11C3203008000060000000000000000000000"
    "0002803C000000060000390105640D0D0D010D01048009048005048001048001"
    "0804800804800804800804800801800000000480010100000000048000000300"
    "0100"
)

_ZONES = 256
_READ, _WRITE, _SAVE, _HEARTBEAT = 0x07, 0x08, 0x09, 0x0A
_MODE, _LOOK, _PAUSE, _LONGEST, _SAME, _FORM, _AIM, _SETTINGS = 0, 2, 5, 6, 0x13, 0x60, 0xD0, 0xD9
_FACTORY, _USER, _MAKE_USER, _SLEEP, _WAKE = 0x50, 0x55, 0x56, 0xA5, 0x00
_UNCHECKED = b"\xab\xcd"
_HEAD = b"\x7e\x00"
_GLANCE_S, _ANSWER_S, _UNIT_S = 0.05, 0.01, 0.1


class Mode(IntEnum):
    """When it looks for codes."""

    BY_HAND = 0
    ON_COMMAND = 1
    CONTINUOUS = 2
    ON_CHANGE = 3


class Tail(IntEnum):
    """What follows a code in line mode."""

    CR = 0
    CR_LF = 1
    TAB = 2
    NONE = 3


_TAILS = {Tail.CR: b"\r", Tail.CR_LF: b"\r\n", Tail.TAB: b"\t", Tail.NONE: b""}


class QrModule:
    """A module and the codes that are shown to it; use it in a `with`.

    Attributes:
        device: what runs it: its faults, and how often which type of command came.
        sent: how many codes it sent.
        written: how many commands came that change its settings, saves included. To look, to
            sleep and to wake change none.
    """

    chatter = b""

    def __init__(
        self,
        port: PseudoPort,
        *,
        mode: Mode = Mode.CONTINUOUS,
        tail: Tail = Tail.CR,
        protocol: bool = False,
        aim: bool = False,
        pause_s: float = 1.0,
        faults: Faults = CALM,
        speed: float = 1.0,
    ) -> None:
        """Put a module behind `port`, with these settings saved in it."""
        self.device = Device(port, self, rate_baud=RATE_BAUD, speed=speed, faults=faults)
        self.sent = 0
        self.written = 0
        self._surface: Surface[bytes] = Surface(alone=True)
        self._buffer = bytearray()
        saved = bytearray(FACTORY_ZONES.ljust(_ZONES, b"\x00"))
        saved[_MODE] = saved[_MODE] & ~3 | mode
        saved[_FORM] = saved[_FORM] & 0x1F | tail << 5 | protocol << 7
        saved[_AIM] = aim << 7
        saved[_PAUSE] = round(pause_s / _UNIT_S)
        self._saved = self._user = bytes(saved)
        self.power_on()

    def __enter__(self) -> "QrModule":
        self.device.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.device.stop()

    def show(self, code: str | bytes, held_s: float) -> int:
        """Show `code` for `held_s` of real time; gives how often it was sent until it was away."""
        before = self.sent
        self._surface.hold(_encoded(code), held_s)
        return self.sent - before

    def place(self, code: str | bytes) -> None:
        """Show `code` until it is lifted, in place of another."""
        self._surface.place(_encoded(code))

    def lift(self) -> None:
        """Take the code away."""
        self._surface.lift()

    # --- the module -------------------------------------------------------------------------------

    def power_on(self) -> Work:
        """Begin with the saved zones."""
        self._zones = bytearray(self._saved)
        self._buffer.clear()
        self._asleep = False
        self._read = (0, b"")
        self._since_s = 0.0
        return self._live()

    def _live(self) -> Work:
        while True:
            mode = Mode(self._zones[_MODE] & 3)
            if mode == Mode.ON_COMMAND and self._zones[_LOOK] & 1:
                yield from self._look()
            elif mode in (Mode.CONTINUOUS, Mode.ON_CHANGE):
                yield from self._watch(mode)
            else:
                yield _GLANCE_S

    def _look(self) -> Work:
        """Look for one code, no longer than is set and as long as it is wanted."""
        looked_s = 0.0
        longest_s = self._zones[_LONGEST] * _UNIT_S
        seen = None
        while not seen and self._zones[_LOOK] & 1 and (looked_s < longest_s or not longest_s):
            yield _GLANCE_S
            looked_s += _GLANCE_S
            seen = self._seen()
        self._zones[_LOOK] &= ~1  # before it is said: the host may ask for the next one
        if seen:
            yield from self._send(*seen)

    def _watch(self, mode: Mode) -> Work:
        yield _GLANCE_S
        self._since_s += _GLANCE_S
        seen = self._seen()
        if seen and self._is_wanted(mode, *seen):
            yield from self._send(*seen)
            pause_s = self._zones[_PAUSE] * _UNIT_S
            self._since_s = pause_s
            yield pause_s

    def _seen(self) -> tuple[int, bytes] | None:
        return None if self._asleep else next(iter(self._surface.here.items()), None)

    def _is_wanted(self, mode: Mode, number: int, code: bytes) -> bool:
        if mode == Mode.ON_CHANGE:
            return number != self._read[0]
        same = self._zones[_SAME]
        if not same & 0x80 or code != self._read[1]:
            return True
        least_s = (same & 0x7F) * _UNIT_S
        return 0 < least_s <= self._since_s

    def _send(self, number: int, code: bytes) -> Iterator[bytes]:
        self._read = (number, code)
        self.sent += 1
        if self._zones[_AIM] & 0x80:
            code = (b"]E0" if code.isdigit() and len(code) == 13 else b"]Q1") + code
        form = self._zones[_FORM]
        if form & 0x80:
            yield b"\x03" + len(code).to_bytes(2, "big") + code
        else:
            yield code + _TAILS[Tail(form >> 5 & 3)]

    def hear(self, data: bytes) -> list[Job]:
        """Commands whose CRC is right or not to be checked."""
        self._buffer += data
        jobs = []
        while (heard := _take(self._buffer)) is not None:
            jobs.append(Job(self._obey(heard), heard[0]))
        return jobs

    def _obey(self, body: bytes) -> Work:
        kind, zone, data = body[0], int.from_bytes(body[2:4], "big"), body[4:]
        self._asleep = False
        yield _ANSWER_S
        if kind == _READ:
            yield _answer(bytes(self._zones[zone : zone + data[0]]))
        elif kind == _HEARTBEAT:
            yield b"\x03" + _answer(b"\x00")[1:]
        elif kind == _SAVE:
            self.written += 1
            self._saved = bytes(self._zones)
            yield _answer(b"\x00")
        elif kind == _WRITE and zone + len(data) <= _ZONES:
            self._write(zone, data)
            yield _answer(b"\x00")

    def _write(self, zone: int, data: bytes) -> None:
        changes = zone != _LOOK and (zone != _SETTINGS or data[0] not in (_SLEEP, _WAKE))
        self.written += changes
        if zone != _SETTINGS:
            self._zones[zone : zone + len(data)] = data
        elif data[0] == _FACTORY:
            self._saved = FACTORY_ZONES.ljust(_ZONES, b"\x00")
            self._zones[:] = self._saved
        elif data[0] == _USER:
            self._zones[:] = self._user
        elif data[0] == _MAKE_USER:
            self._user = bytes(self._zones)
        elif data[0] == _SLEEP:
            self._asleep = True


def _encoded(code: str | bytes) -> bytes:
    return code.encode("utf-8") if isinstance(code, str) else code


def _answer(data: bytes) -> bytes:
    body = bytes([0, len(data)]) + data
    return b"\x02\x00" + body + crc_hqx(body, 0).to_bytes(2, "big")


def _take(buffer: bytearray) -> bytes | None:
    """Take the next command out of `buffer`, from its type to its data; None if there is none."""
    while (start := buffer.find(_HEAD)) >= 0:
        del buffer[:start]
        end = 6 + buffer[3] if len(buffer) > 3 else 6
        if len(buffer) < end + 2:
            return None
        body, crc = bytes(buffer[2:end]), bytes(buffer[end : end + 2])
        if len(body) > 4 and crc in (_UNCHECKED, crc_hqx(body, 0).to_bytes(2, "big")):
            del buffer[: end + 2]
            return body
        del buffer[0]
    del buffer[: len(buffer) - buffer.endswith(_HEAD[:1])]
    return None
