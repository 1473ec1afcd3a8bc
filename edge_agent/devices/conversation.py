"""Devices that are asked: a conversation as a generator that reads like the data sheet.

    def talk(self):
        reply = yield Ask(GET_IMAGE, 1000, is_acknowledgement)    write it, wait for the answer
        yield Scan("finger", "17")                                a record for the spine
        yield Pause(100)                                          milliseconds of nothing

The generator knows no port. An answer that does not come is a `TalkError` raised at the `yield`;
whatever ends a talk, the next one begins with the introduction again.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from edge_agent.devices.decoder import Decoder
from edge_agent.events import Order
from edge_agent.records import Condition, Counts

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)
R = TypeVar("R")

#: After a talk that failed; a device that boots must not be shouted at.
AGAIN_MS = 200


class Framer(Protocol[F_co]):
    """Bytes into the frames of one protocol. The laws of `devices` bind it."""

    noise: int
    rejected: int

    def feed(self, data: bytes) -> Iterator[F_co]:
        """The frames that these bytes complete."""

    def flush(self) -> Iterator[F_co]:
        """It has been silent: what is half there is noise; give the frames that lie behind it."""

    def restart(self) -> None:
        """Forget what is half there."""


@dataclass(frozen=True, slots=True)
class Ask(Generic[F]):
    """Write `data`, if any, then wait up to `wait_ms` for a frame that `answers` accepts."""

    data: bytes
    wait_ms: int
    answers: Callable[[F], bool]


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for so long; what is heard meanwhile is nobody's answer."""

    wait_ms: int


class TalkError(Exception):
    """A conversation cannot go on, for the reason that its text says."""


#: Yields `Ask`, `Pause` or a record; gets the answering frame for an `Ask`.
Talk = Generator[Any, Any, None]


class Conversation(Decoder[R | Condition], Generic[F, R]):
    """Plays a talk over a framer, for ever.

    Args:
        framer: bytes -> frames.
        talk: makes a fresh talk, beginning with the introduction; it yields `Condition("")` when
            the device has answered as it should.

    `_now_ms` is the time of the call in which a talk runs.
    """

    def __init__(self, framer: Framer[F], talk: Callable[[], Talk]) -> None:
        self._framer = framer
        self._begin = talk
        self._talk: Talk | None = None
        self._step: Any = None
        self._said = False
        self._now_ms = 0
        self._until_ms = 0
        self._unasked = 0
        self._trouble: str | None = None

    @property
    def counts(self) -> Counts:
        """`rejected` counts broken frames, and whole ones that answer nothing."""
        return Counts(self._framer.noise, self._framer.rejected + self._unasked)

    @property
    def wake_ms(self) -> int | None:
        return self._until_ms

    def restart(self) -> None:
        self._framer.restart()
        self._end()
        self._trouble = None

    def order(self, order: Order) -> None:
        """A talk that takes orders overrides this."""

    def poll(self, now_ms: int) -> bytes:
        self._now_ms = now_ms
        if self._talk is None:
            self._talk = self._begin()
            self._advance(None)
        if self._said:
            return b""
        self._said = True
        if not isinstance(self._step, (Ask, Pause)):
            self._until_ms = now_ms  # a record: `feed` gives it
            return b""
        self._until_ms = now_ms + self._step.wait_ms
        if isinstance(self._step, Pause):
            return b""
        self._framer.restart()  # half a frame from before the question cannot answer it
        return bytes(self._step.data)

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[R | Condition]:
        self._now_ms = now_ms
        for frame in self._framer.feed(data):
            self._hear(frame)
            yield from self._records()
        if self._said and now_ms >= self._until_ms:
            for frame in self._framer.flush():
                self._hear(frame)
            yield from self._records()
        if self._said and now_ms >= self._until_ms:
            self._time_is_up()
        yield from self._records()

    def _hear(self, frame: F) -> None:
        if self._said and isinstance(self._step, Ask) and self._step.answers(frame):
            self._advance(frame)
        else:
            self._unasked += 1

    def _time_is_up(self) -> None:
        if isinstance(self._step, Ask):
            self._advance(TalkError("it does not answer"))
        elif isinstance(self._step, Pause):
            self._advance(None)

    def _advance(self, answer: F | TalkError | None) -> None:
        """Go on to the next step with what the last one asked for."""
        self._said = False
        try:
            if self._talk is None:
                return
            if isinstance(answer, TalkError):
                self._step = self._talk.throw(answer)
            else:
                self._step = self._talk.send(answer)
        except TalkError as error:
            self._fail(str(error))
        except StopIteration:
            self._end()
        if isinstance(self._step, Ask) and not self._step.data:
            # There is nothing to say first: the answer may stand in the bytes at hand.
            self._said, self._until_ms = True, self._now_ms + self._step.wait_ms

    def _fail(self, cause: str) -> None:
        """This talk is over; say why, wait, and let the next one begin."""
        self._talk = _apologise(cause)
        self._step = self._talk.send(None)

    def _records(self) -> Iterator[R | Condition]:
        """The records that stand before the next question."""
        while self._talk is not None and not isinstance(self._step, (Ask, Pause)):
            record = self._step
            self._advance(None)
            if isinstance(record, Condition):
                if record.trouble == self._trouble:
                    continue  # said once
                self._trouble = record.trouble
            yield record

    def _end(self) -> None:
        if self._talk is not None:
            self._talk.close()
        self._talk, self._step, self._said, self._until_ms = None, None, False, 0


def _apologise(cause: str) -> Talk:
    yield Condition(cause)
    yield Pause(AGAIN_MS)
