"""A PN532 on HSU (NXP UM0701-02), 115200 baud 8N1: the host asks, the chip answers.

After power-on it sleeps (LowVbat) and hears nothing until about ten bytes of 55 or 00 have passed;
libnfc sends 55 55 00*14 before its first command, nfcpy ten times 00. To a command the chip sends
ACK, then the answer, whose code is the command's plus one:

    host  00 00 FF 04 FC D4 4A 01 00 E1 00        InListPassiveTarget, one card of type A
    chip  00 00 FF 00 FF 00                       ACK
    chip  00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 07 8C FC 4F F0 00

A new command or an ACK from the host ends a command that runs, without an answer. NACK asks for the
last answer again. What is not known, or wrongly put, is answered ACK and a syntax error. A frame
with a wrong checksum is not answered at all. Without RFConfiguration the chip waits for a card for
ever. A card that was activated is not found again before it is released, the field was off, or it
was away. Not here: FeliCa and Jewel cards (never found), InAutoPoll, InDataExchange.
"""

from collections.abc import Callable, Generator
from itertools import count
from random import Random

from edge_agent.sim.cards import Card, TypeA, TypeB
from edge_agent.sim.chip import Job, Work
from edge_agent.sim.device import CALM, Device, Faults
from edge_agent.sim.pn532_frames import ACK, NACK, SYNTAX_ERROR, frame, take
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.surface import Surface

RATE_BAUD = 115200
FIRMWARE = bytes.fromhex("32010607")

_WAKE_BYTES = 10
_FOR_EVER = 0xFF
_ACK_S, _BRIEF_S, _TRY_S, _ACTIVATE_S = 0.001, 0.002, 0.005, 0.010
_POWER_DOWN = 0x16
_WRONG_CONTEXT = b"\x27"
_BY_HSU = 0x10  # of the sources that end a power-down
_SIZES = {0x01: 1, 0x02: 3, 0x04: 1, 0x05: 3, 0x0A: 11, 0x0B: 8, 0x0C: 3, 0x0D: 9}
_KINDS: dict[int, type[Card] | None] = {0: TypeA, 1: None, 2: None, 3: TypeB, 4: None}

#: Takes its time, then gives the answer's data; None for a command that is wrongly put.
_Answer = Generator[float, None, bytes | None]


class Pn532:
    """A PN532 with cards; use it in a `with`.

    Attributes:
        device: what runs it: its faults, and how often it was asked what.
        field: whether its field is on.
    """

    chatter = ACK

    def __init__(
        self,
        port: PseudoPort,
        *,
        faults: Faults = CALM,
        speed: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Put a chip behind `port`; `seed` is of the numbers that cards make up."""
        self.device = Device(port, self, rate_baud=RATE_BAUD, speed=speed, faults=faults)
        self.field = False
        self._surface: Surface[Card] = Surface()
        self._random = Random(seed)
        self._buffer = bytearray()
        self._commands: dict[int, Callable[[bytes], _Answer]] = {
            0x00: self._diagnose,
            0x02: self._firmware,
            0x12: self._set_parameters,
            0x14: self._configure_sam,
            _POWER_DOWN: self._power_down,
            0x32: self._configure_rf,
            0x4A: self._list_passive_targets,
            0x52: self._release,
        }
        self.power_on()

    def __enter__(self) -> "Pn532":
        self.device.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.device.stop()

    def present(self, card: Card, held_s: float) -> None:
        """Hold `card` in the field for `held_s` of real time; returns when it is away."""
        self._surface.hold(card, held_s)

    def place(self, card: Card) -> None:
        """Lay `card` into the field, beside what lies there."""
        self._surface.place(card)

    def lift(self) -> None:
        """Take every card away."""
        self._surface.lift()

    # --- the chip ---------------------------------------------------------------------------------

    def power_on(self) -> Work:
        """Asleep, with everything at its default."""
        self.field = False
        self._awake = False
        self._wake_bytes = 0
        self._tries = _FOR_EVER
        self._reads_ats = True
        self._active: set[int] = set()
        self._targets: list[int] = []
        self._last = b""
        self._buffer.clear()
        return iter(())

    def hear(self, data: bytes) -> list[Job]:
        """Frames, once it is awake."""
        self._buffer += data if self._awake else self._wake(data)
        jobs = []
        while (heard := take(self._buffer)) is not None:
            if heard == ACK:
                jobs.append(Job(iter(()), at_once=True))
            elif heard == NACK:
                jobs.append(Job(iter([self._last] if self._last else [])))
            elif heard[0] == 0xD4 and len(heard) > 1:
                jobs.append(Job(self._obey(heard[1], heard[2:]), heard[1], at_once=True))
        return jobs

    def _wake(self, data: bytes) -> bytes:
        """What is heard after enough bytes that wake it."""
        for at, byte in enumerate(data, start=1):
            self._wake_bytes = self._wake_bytes + 1 if byte in (0x55, 0x00) else 0
            if self._wake_bytes == _WAKE_BYTES:
                self._awake = True
                return data[at:]
        return b""

    def _obey(self, code: int, given: bytes) -> Work:
        yield _ACK_S
        yield ACK
        command = self._commands.get(code, _unknown)
        answer = yield from command(given)
        if answer is None:
            yield SYNTAX_ERROR
            return
        self._last = frame(bytes([0xD5, code + 1]) + answer)
        yield self._last
        if code == _POWER_DOWN:
            self._awake, self._wake_bytes = False, 0

    # --- commands ---------------------------------------------------------------------------------

    def _diagnose(self, given: bytes) -> _Answer:
        """Only test 0, the line: what came is sent back."""
        yield _BRIEF_S
        return given if given[:1] == b"\x00" else None

    def _firmware(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        return None if given else FIRMWARE

    def _set_parameters(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        if len(given) != 1:
            return None
        self._reads_ats = bool(given[0] & 0x10)
        return b""

    def _configure_sam(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        return b"" if 1 <= len(given) <= 3 and 1 <= given[0] <= 4 else None

    def _power_down(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        if not 1 <= len(given) <= 2 or not given[0] & _BY_HSU:
            return None  # nothing here could wake it again
        self._field_off()
        return b"\x00"

    def _configure_rf(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        if not given or _SIZES.get(given[0]) != len(given) - 1:
            return None
        if given[0] == 0x01 and given[1] & 1:
            self.field = True
        elif given[0] == 0x01:
            self._field_off()
        elif given[0] == 0x05:
            self._tries = given[3]
        return b""

    def _release(self, given: bytes) -> _Answer:
        yield _BRIEF_S
        if len(given) != 1:
            return None
        if given[0] > len(self._targets):
            return _WRONG_CONTEXT
        released = self._targets[given[0] - 1 : given[0]] if given[0] else self._active.copy()
        self._active.difference_update(released)
        return b"\x00"

    def _list_passive_targets(self, given: bytes) -> _Answer:
        if len(given) < 2 or not 1 <= given[0] <= 2 or given[1] not in _KINDS:
            yield _BRIEF_S
            return None
        self.field = True
        kind = _KINDS[given[1]]
        for _ in count() if self._tries == _FOR_EVER else range(self._tries + 1):
            yield _TRY_S
            found = self._answering(kind)[: given[0]]
            if found:
                break
        else:
            return b"\x00"
        yield _ACTIVATE_S * len(found)
        self._targets = [number for number, _ in found]
        self._active.update(self._targets)
        targets = (
            card.target(place, self._random, self._reads_ats)
            for place, (_, card) in enumerate(found, start=1)
        )
        return bytes([len(found)]) + b"".join(targets)

    def _answering(self, kind: type[Card] | None) -> list[tuple[int, Card]]:
        """The cards of a kind that lie in the field and are not active."""
        return [
            (number, card)
            for number, card in self._surface.here.items()
            if kind is not None and isinstance(card, kind) and number not in self._active
        ]

    def _field_off(self) -> None:
        self.field = False
        self._active.clear()
        self._targets = []


def _unknown(given: bytes) -> _Answer:
    yield _BRIEF_S
    return None
