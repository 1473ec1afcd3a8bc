"""What the thread of a port asks of a decoder, whether its device talks by itself or is asked."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from edge_agent.events import Order
from edge_agent.records import Counts

R_co = TypeVar("R_co", covariant=True)


class Decoder(Protocol[R_co]):
    """Bytes into records. Time is an argument: milliseconds of a clock that never steps.

    The thread calls `poll` and writes what it gives, waits for bytes but not beyond `wake_ms`, and
    calls `feed`; again and again. What is here is enough for a device that talks by itself.
    """

    @property
    def counts(self) -> Counts:
        """What was thrown away so far."""

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[R_co]:
        """Take the bytes that came until `now_ms`, none if it was silent; give what they make."""

    def restart(self) -> None:
        """The wire was cut: what is half there will never be whole."""

    def poll(self, now_ms: int) -> bytes:
        """What to say to the device now."""
        return b""

    @property
    def wake_ms(self) -> int | None:
        """When to come again even if nothing is heard; None for never."""
        return None

    def order(self, order: Order) -> None:
        """Do something for the spine when the device has time; one that cannot leaves it."""
        return
