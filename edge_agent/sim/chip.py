"""What the inside of a device that answers looks like to whatever runs it: work, jobs, a chip.

`Work` is an iterator of steps: bytes are sent, a number is so many seconds of the device's own time
that pass. A chip has no clock and no thread.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

Work = Iterator[bytes | float]


@dataclass(frozen=True, slots=True)
class Job:
    """What a chip does because of something that it heard.

    Attributes:
        work: its steps; none if there is nothing to it but ending what runs.
        code: the command's code; None for what is no command.
        at_once: whatever runs or waits ends without an answer; otherwise it is done first.
    """

    work: Work
    code: int | None = None
    at_once: bool = False


class Chip(Protocol):
    """A device's own manner, as its data sheet says it."""

    @property
    def chatter(self) -> bytes:
        """A message that it may send without being asked."""

    def power_on(self) -> Work:
        """Forget what only power keeps; gives what it does by itself from now on."""

    def hear(self, data: bytes) -> Iterable[Job]:
        """Take what the host sent, in any chunks; gives what follows from it."""
