"""A fingerprint module at work: who pressed, and once a press; enrolment in between.

    GenImg until there is a finger, Img2Tz, Search -> Scan("finger", "17", slot=17, score=111)
    GenImg until there is none

One real press: `finger_module`. Templates never leave the module.
"""

from collections.abc import Generator
from typing import Any

from edge_agent import profile
from edge_agent.devices.conversation import Conversation, Pause, Talk, TalkError
from edge_agent.devices.ef01 import Ack, Ef01Framer
from edge_agent.devices.finger_module import FingerModule
from edge_agent.devices.ring import light
from edge_agent.events import CancelEnrolment, EnrolFinger, Order, Show
from edge_agent.records import Condition, Enrolling, Library, Misread, Scan, Step

#: Images of one press before it counts as not found or not readable.
_IMAGES = 3
#: Looks without a finger until it is believed to be gone: one may be a bad image.
_GONE = 2
#: Looks for the finger that is to be enrolled, each `poll_ms` and some 12 ms of the module.
_PATIENCE = 150
#: Nobody presses for so long; grease does.
_STUCK_MS = 60_000
#: A finger that was there so recently is, after an interruption, the same press.
_SAME_PRESS_MS = 3000


class _GivenUp(Exception):  # noqa: N818  not an error: nobody came, or nobody wants it any more
    """An enrolment will not come about."""


class FingerprintDecoder(Conversation[Ack, Scan | Misread | Library | Enrolling]):
    """A fingerprint module -> one Scan or Misread a press, its Library at each introduction."""

    def __init__(self, settings: profile.Fingerprint) -> None:
        self._module = FingerModule(settings)
        super().__init__(Ef01Framer(self._module.address), self._converse)
        self._settings = settings
        self._enrol: EnrolFinger | None = None
        self._show: Show | None = None
        self._last: Scan | Misread | EnrolFinger | None = None  # what the finger there was for
        self._pressed_ms = 0

    def restart(self) -> None:
        super().restart()
        self._enrol = self._show = None

    def order(self, order: Order) -> None:
        match order:
            case EnrolFinger():
                self._enrol = order
            case CancelEnrolment():
                self._enrol = None
            case Show():
                self._show = order

    def _converse(self) -> Talk:
        yield from self._module.introduce()
        yield (yield from self._module.ask_library())
        yield Condition("")
        while True:
            yield from self._enrol_if_asked()
            if (yield from self._finger()):
                verdict = yield from self._identify()
                if not self._is_same_press(verdict):
                    self._last = verdict
                    yield verdict
                yield from self._until_lifted()
            else:
                yield Pause(self._settings.poll_ms)

    def _is_same_press(self, verdict: Scan | Misread) -> bool:
        """The finger was not seen to lift: the talk, or the cable, was interrupted for a moment."""
        since_ms, self._pressed_ms = self._now_ms - self._pressed_ms, self._now_ms
        if self._last is None or since_ms >= _SAME_PRESS_MS:
            return False
        if isinstance(verdict, Scan):
            return not isinstance(self._last, Misread) and verdict.slot == self._last.slot
        return not isinstance(self._last, Scan)

    def _finger(self) -> Generator[Any, Any, bool]:
        """Is there a finger? The light is set first, which is seldom."""
        show, self._show = self._show, None
        content = light(self._settings.ring, show.signal) if show else b""
        if content:
            yield from self._module.light(content)
        return (yield from self._module.finger())

    def _identify(self) -> Generator[Any, Any, Scan | Misread]:
        """Who is it, from the image that is there and up to two more of the same press."""
        cause = ""
        for _ in range(_IMAGES):
            cause = yield from self._module.features(1)
            if not cause:
                found = yield from self._module.search()
                if found is not None:
                    return found
                cause = "not found"
            if not (yield from self._finger()):
                break
        return Misread(cause)

    def _until_lifted(self) -> Talk:
        looks, since_ms = 0, self._now_ms
        while looks < _GONE:
            yield Pause(self._settings.poll_ms)
            if (yield from self._finger()):
                looks, self._pressed_ms = 0, self._now_ms
            else:
                looks += 1
            if self._now_ms - since_ms > _STUCK_MS:
                yield Condition("it sees a finger all the time: clean the sensor")
        self._last = None
        yield Condition("")

    def _enrol_if_asked(self) -> Talk:
        enrol = self._enrol
        if enrol is None:
            return
        slot = enrol.slot
        try:
            yield from self._take_twice(enrol)
        except (_GivenUp, TalkError) as error:
            yield Enrolling(Step.FAILED, slot, str(error))
            if isinstance(error, TalkError):
                raise
        finally:
            if self._enrol is enrol:
                self._enrol = None
        yield from self._until_lifted()

    def _take_twice(self, enrol: EnrolFinger) -> Talk:
        """Two images of one finger that the module does not know yet, into the slot."""
        slot = enrol.slot
        yield Enrolling(Step.PLACE, slot)
        yield from self._take(enrol, 1)
        known = yield from self._module.search()
        if known is not None:
            self._last = known
            if self._enrol is enrol:
                yield Enrolling(Step.TAKEN, slot, found=known.slot)
            yield known
            return
        yield Enrolling(Step.LIFT, slot)
        yield from self._until_lifted()
        yield Enrolling(Step.AGAIN, slot)
        yield from self._take(enrol, 2)
        if not (yield from self._module.combine()):
            yield Enrolling(Step.DIFFERENT, slot)
            return
        self._must_be_wanted(enrol)
        yield from self._module.store(slot)
        yield (yield from self._module.ask_library())
        yield Enrolling(Step.STORED, slot)

    def _take(self, enrol: EnrolFinger, buffer: int) -> Talk:
        """Wait for a finger with a good image and put its features into `buffer`."""
        cause = "no finger was placed"
        for _ in range(_PATIENCE):
            self._must_be_wanted(enrol)
            if (yield from self._finger()):
                self._last, self._pressed_ms = enrol, self._now_ms
                cause = yield from self._module.features(buffer)
                if not cause:
                    return
            yield Pause(self._settings.poll_ms)
        raise _GivenUp(cause)

    def _must_be_wanted(self, enrol: EnrolFinger) -> None:
        if self._enrol is not enrol:
            raise _GivenUp("it was cancelled")
