"""Card readers on a pseudo-terminal, as their datasheets say; 9600 baud 8N1, they only talk.

RDM6300 (Seeed, RDM630-Spec)   02 | 10 hex digits | 2 hex digits | 03         every 65 ms while held
ID-12LA (ID Innovations)       02 | 10 hex digits | 2 hex digits | 0D 0A | 03  once, on entry
text readers                   the value | CR, LF, CR LF, ETX or nothing       once

The two digits are the XOR of the five bytes that the ten digits stand for. The card printed
0013530444 on an RDM6300: 02 33433030434537353443 4342 03.
"""

import threading
import time
from collections.abc import Iterator
from functools import reduce
from itertools import count, takewhile
from operator import xor
from random import Random

from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.wire import CLEAN, Line, Wire

STX, ETX = b"\x02", b"\x03"
REPEAT_S = 0.065

# Digits and checksum of frames that RDM6300s sent with no card near: esprfid/esp-rfid issue 411 and
# Tasmota issue 9522. The module computes the checksum over what it took for a card, so it is right.
PHANTOMS = (
    "000000000000",
    "00F00000F000",
    "F000060007F1",
    "B59A99E5A9FA",
    "DAEF6FEE2B9F",
    "4FFB388FFFFC",
    "DA9386B5EA90",
)


def rdm6300_frame(card: str) -> bytes:
    """The 14 bytes for a card of ten hex digits.

    Raises:
        ValueError: `card` is not ten hex digits.
    """
    return STX + _digits(card) + ETX


def id12la_frame(card: str) -> bytes:
    """The 16 bytes for a card of ten hex digits, with CR LF before the ETX.

    Raises:
        ValueError: `card` is not ten hex digits.
    """
    return STX + _digits(card) + b"\r\n" + ETX


def text_line(value: str, terminator: bytes = b"\r\n") -> bytes:
    """What a text reader sends for `value`."""
    return value.encode("ascii") + terminator


class Rdm6300:
    """An RDM6300: the same frame about every 65 ms while the card is held, phantoms on request."""

    def __init__(self, port: PseudoPort, wire: Wire = CLEAN, seed: int = 0) -> None:
        self._line = Line(port.write, wire, seed)
        self._random = Random(seed)
        self._lifted = threading.Event()

    def present(self, card: str, held_s: float = 0.3) -> int:
        """Hold `card` at the reader for `held_s`; returns when it is gone, with the frames sent."""
        frame = rdm6300_frame(card)
        self._lifted.clear()
        began = time.monotonic()
        frames = 0
        for frames, due_s in enumerate(frame_times(held_s), start=1):
            if self._lifted.wait(max(0.0, began + due_s - time.monotonic())):
                return frames - 1
            self._line.send(frame, self._lifted)
        return frames

    def lift(self) -> None:
        """Take the card away early, from another thread."""
        self._lifted.set()

    def phantom(self) -> str:
        """Send one of the reported frames of no card; gives its ten digits."""
        digits = self._random.choice(PHANTOMS)
        self._line.send(STX + digits.encode("ascii") + ETX)
        return digits[:10]


class Id12la:
    """An ID-12LA or ID-20LA: one frame when the card comes near."""

    def __init__(self, port: PseudoPort, wire: Wire = CLEAN, seed: int = 0) -> None:
        self._line = Line(port.write, wire, seed)

    def present(self, card: str) -> None:
        """Bring `card` near; returns when its frame is written."""
        self._line.send(id12la_frame(card))


class TextReader:
    """A reader that sends the card as a line of text."""

    def __init__(
        self,
        port: PseudoPort,
        terminator: bytes = b"\r\n",
        wire: Wire = CLEAN,
        seed: int = 0,
    ) -> None:
        self._line = Line(port.write, wire, seed)
        self._terminator = terminator

    def present(self, value: str) -> None:
        """Read `value` once; returns when its line is written."""
        self._line.send(text_line(value, self._terminator))


def frame_times(held_s: float) -> Iterator[float]:
    """When an RDM6300 begins its frames while a card is held, in seconds from its arrival."""
    return takewhile(lambda at_s: at_s <= held_s, (turn * REPEAT_S for turn in count()))


def _digits(card: str) -> bytes:
    five = bytes.fromhex(card)
    if len(card) != 10 or len(five) != 5:
        raise ValueError(f"a card is ten hex digits, not {card!r}")
    return f"{five.hex()}{reduce(xor, five):02x}".upper().encode("ascii")
