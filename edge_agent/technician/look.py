"""One open port being looked at: first listened to and then, if nothing talks, asked."""

import threading
import time
from collections.abc import Sequence

from edge_agent.ports.listing import Listed
from edge_agent.ports.visit import Visit
from edge_agent.technician.ear import Ear, speeds
from edge_agent.technician.model import Finding, Model, Report, Sure, candidate, shown
from edge_agent.technician.question import Question, questions, recognise

#: A line is silent after so long; nobody is spoken to before.
_SILENCE_S = 0.1
_LONGEST_TALK_S = 2.0
#: Fewer bytes than this are the click of a plug, not talk.
_TALK = 4

_NOISE = (
    "if that looks like noise: join the grounds, see the level and the speed; if not, capture it"
    " to a file and write a profile"
)
_SILENT = (
    "see that it has power and shares the ground, that its TX leads to RX and its RX to TX, and"
    " that its level is right (3.3 V on a Pi); a card reader speaks only while a card is held to"
    " it: hold one and probe again"
)


class Look:
    """Everything that is done to one open port.

    Args:
        place, visit: the port.
        models: what may be found.
        listen_s: how long to listen at each speed.
        stop: when set, the rest is left out.
    """

    def __init__(
        self,
        place: Listed,
        visit: Visit,
        models: Sequence[Model],
        listen_s: float,
        stop: threading.Event,
    ) -> None:
        self._place = place
        self._visit = visit
        self._models = models
        self._listen_s = listen_s
        self._stop = stop

    def report(self) -> Report:
        """Look. Raises OSError if the port goes away."""
        tried = speeds(self._models)
        most, at = b"", 0
        for baud in tried:
            ear = self._listen(baud)
            if finding := ear.finding(baud, self._place.usb):
                return Report(self._place, finding=finding)
            if len(ear.heard) > len(most):
                most, at = bytes(ear.heard), baud
        if len(most) >= _TALK:
            trouble = f"something talks that no profile knows: {shown(most)} at {at} baud"
            return self._nothing(trouble, _NOISE)
        return self._ask(questions(self._models), tried)

    def _listen(self, baud: int) -> Ear:
        """Until the time is up, or it is certain who talks and he makes a pause."""
        self._visit.speed(baud)
        ear = Ear(self._models)
        until = time.monotonic() + self._listen_s
        while (left_s := until - time.monotonic()) > 0 and not self._stop.is_set():
            data = self._visit.read(min(_SILENCE_S, left_s))
            ear.hear(data, time.monotonic_ns() // 1_000_000)
            if ear.heard and not data:
                finding = ear.finding(baud)
                if finding and finding.sure is Sure.CERTAIN:
                    break
        return ear

    def _ask(self, to_ask: Sequence[Question], tried: Sequence[int]) -> Report:
        asked, said = 0, ""
        for question in to_ask:
            self._visit.speed(question.baud)
            if self._stop.is_set() or not self._is_silent():
                break
            asked += 1
            answer = self._exchange(question)
            if finding := recognise(question.models, answer, self._place.usb, question):
                return Report(self._place, finding=finding, asked=asked)
            if answer:
                said = f"; to one at {question.baud} baud it said {shown(answer)}"
        trouble = (
            f"silent at {', '.join(map(str, tried))} baud for {self._listen_s:g} s each, and no"
            f" known answer to {asked} questions{said}"
        )
        return self._nothing(trouble, _SILENT, asked)

    def _exchange(self, question: Question) -> bytes:
        """Say it and wait for the answer, which is over when it makes sense."""
        self._visit.write(question.data)
        until = time.monotonic() + question.wait_ms / 1000
        heard = answer = b""
        while (left_s := until - time.monotonic()) > 0 and not self._stop.is_set():
            data = self._visit.read(min(_SILENCE_S, left_s))
            if not data and recognise(question.models, answer, "", question):
                break
            heard += data
            # On one wire for both directions we hear ourselves first.
            answer = heard.removeprefix(question.data)
        return answer

    def _is_silent(self) -> bool:
        """Wait until nobody talks; False if that does not come about."""
        until = time.monotonic() + _LONGEST_TALK_S
        while time.monotonic() < until and not self._stop.is_set():
            if not self._visit.read(_SILENCE_S):
                return True
        return False

    def _nothing(self, trouble: str, hint: str, asked: int = 0) -> Report:
        """Nothing was found on the wire; the adapter's USB id may still say something."""
        fit = [model for model in self._models if model.has_usb(self._place.usb)]
        finding = None
        if fit:
            why = f"by the USB id {self._place.usb} alone, which others may have too"
            candidates = tuple(candidate(model, None) for model in fit)
            finding = Finding(Sure.POSSIBLE, why, candidates)
        return Report(self._place, "open", trouble, hint, finding, asked)
