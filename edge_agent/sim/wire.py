"""The wire between a device and its host: how fast bytes go, and what it does to them.

8N1 is ten bits a byte, so 9600 baud is 960 bytes a second. A USB adapter hands bytes over when its
latency timer runs out, 16 ms by default for FTDI's.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

_BITS = 10
_LATENCY_S = 0.016
_UNPACED = 512  # bytes a write when nothing limits them
_GAP_S = 0.002  # between pieces that the host shall read one by one

Write = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire's pace and faults.

    Attributes:
        rate_baud: bits a second, ten a byte; None is as fast as the host takes them.
        noise: largest number of random bytes before a message.
        piece: bytes a write, so that a message reaches the host in pieces; 0 is the natural size.
        drop: probability that a byte of a message is lost.
    """

    rate_baud: int | None = None
    noise: int = 0
    piece: int = 0
    drop: float = 0.0


CLEAN = Wire()


class Line:
    """One device's end of a wire; the same seed gives the same noise."""

    def __init__(self, write: Write, wire: Wire, seed: int) -> None:
        self._write = write
        self._wire = wire
        self._random = Random(seed)

    def send(self, message: bytes, stop: threading.Event | None = None) -> int:
        """Send `message`, noise first; gives the bytes written. `stop` ends it early."""
        wire = self._wire
        noise = self._random.randbytes(self._random.randint(0, wire.noise))
        if wire.drop:
            message = bytes(byte for byte in message if self._random.random() >= wire.drop)
        return send(
            noise + message, self._write, stop or threading.Event(), wire.rate_baud, wire.piece
        )


def send(
    data: bytes,
    write: Write,
    stop: threading.Event,
    rate_baud: int | None = None,
    piece: int = 0,
) -> int:
    """Write `data` portion by portion, each when it is due; gives what `write` says it wrote."""
    began = time.monotonic()
    sent = 0
    for first, end, due_s in portions(len(data), rate_baud, piece):
        if stop.wait(max(0.0, began + due_s - time.monotonic())):
            break
        sent += write(data[first:end])
    return sent


def portions(
    size: int, rate_baud: int | None = None, piece: int = 0
) -> Iterator[tuple[int, int, float]]:
    """The portions of `size` bytes: first byte, end, and seconds from the start until it is due.

    A portion is due when its last bit has passed.
    """
    byte_s = _BITS / rate_baud if rate_baud else 0.0
    natural = max(1, int(_LATENCY_S / byte_s)) if rate_baud else _UNPACED
    gap_s = _GAP_S if piece and not rate_baud else 0.0
    for count, first in enumerate(range(0, size, piece or natural)):
        end = min(first + (piece or natural), size)
        yield first, end, end * byte_s + count * gap_s
