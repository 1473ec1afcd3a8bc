"""Binding a card or a finger to a person, in the running agent: nothing is stopped for it.

Other scanners work on, and so does this one: a credential that is known already is a punch as ever,
and what an enrolment took but did not bind is written as the punches that it would have been. So no
tap is lost by it, and a pile of new cards that is enrolled is not a pile of punches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_agent.contract import credentials
from edge_agent.errors import EdgeAgentError, JournalError
from edge_agent.events import Asked, CancelEnrolment, EnrolFinger, Order, Scanned
from edge_agent.journal import Finger, Journal
from edge_agent.panel import Panel
from edge_agent.panel.messages import announce
from edge_agent.ports.control import DONE, REFUSED
from edge_agent.profile import ScannerProfile
from edge_agent.records import Enrolling, Enrolment, Library, Person, Signal, Stamp, Step
from edge_agent.terminal import asking
from edge_agent.terminal.fingers import Fingers

#: How long somebody may look for the card.
PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Taken:
    """A presentation that an enrolment took: a punch, if nothing comes of it."""

    scanned: Scanned
    at: Stamp


@dataclass(slots=True)
class _Current:
    """The enrolment that is going on."""

    caller: int
    scanner: str
    person: Person
    instead_of: str
    until_ms: int
    finger: Finger | None = None
    taken: list[Taken] = field(default_factory=list)


class Enrolments:
    """One enrolment at a time. Raises JournalError as the journal does.

    Args:
        journal: where it is written.
        fingers: the slot maps.
        profiles: of the configured scanners.
        key: the organisation's, which conceals.
        panel: shows the person what to do.
        order: hands an order to a scanner.
        answer: tells whoever asked; text and end, see `ports.control`.
        stamp: now.
        appended: called with the seq of every entry written here.
    """

    def __init__(
        self,
        journal: Journal,
        fingers: Fingers,
        profiles: Mapping[str, ScannerProfile],
        key: bytes,
        panel: Panel,
        order: Callable[[str, Order], None],
        answer: Callable[[int, str, str], None],
        stamp: Callable[[], Stamp],
        appended: Callable[[int], None],
    ) -> None:
        self._journal = journal
        self._fingers = fingers
        self._profiles = profiles
        self._key = key
        self._panel = panel
        self._order = order
        self._answer = answer
        self._stamp = stamp
        self._appended = appended
        self._current: _Current | None = None
        self._left: list[Taken] = []
        self._gone: set[str] = set()

    def asked(self, asked: Asked, now_ms: int) -> None:
        """Somebody wants something, or has hung up."""
        words = asked.words
        if not words:
            if self._current is not None and self._current.caller == asked.caller:
                self._give_up("whoever asked has hung up")
            return
        try:
            match words.get("do"):
                case "card" | "finger" as kind:
                    self._begin(asked.caller, kind, words, now_ms)
                case "forget":
                    scanner = asking.scanner("finger", words, self._profiles, "forget")
                    self._must_be_free("forget the fingers", f"at {scanner}")
                    count = self._fingers.forget(scanner, now_ms)
                    self._answer(asked.caller, f"{count} fingers forgotten at {scanner}", DONE)
                case _:
                    self._answer(asked.caller, "the agent does not know what that is", REFUSED)
        except EdgeAgentError as error:
            self._answer(asked.caller, str(error), REFUSED)

    def take(self, scanned: Scanned, at: Stamp, holder: Person | None) -> bool:
        """A card was presented; True if that is no punch, or not yet."""
        current = self._current
        if current is None or current.finger or scanned.scanner != current.scanner:
            return False
        if holder is not None and holder.id != current.instead_of:
            self._known("card", holder, current.person)
            return False
        current.taken.append(Taken(scanned, at))
        if scanned.scan.card == "random":
            self._end("the card says another number each time", Signal.UNSTABLE)
        elif len(current.taken) == 1:
            self._say("the same card again, please", Signal.ENROL)
        elif current.taken[0].scanned.scan.credential != scanned.scan.credential:
            self._end("the second number is not the first: unstable, or two cards", Signal.UNSTABLE)
        else:
            self._bind_card(scanned, current)
        return True

    def went_on(self, scanner: str, what: Enrolling) -> None:
        """A fingerprint module says how far it is."""
        current = self._current
        if current is None or current.finger is None or current.scanner != scanner:
            return
        if what.slot != current.finger.slot:
            return  # of an enrolment that was given up
        match what.step:
            case Step.PLACE:
                self._say("the finger on the sensor, please", Signal.ENROL)
            case Step.LIFT:
                self._say("lift it", None)
            case Step.AGAIN:
                self._say("the same finger again, please", Signal.ENROL)
            case Step.STORED:
                self._bind_finger(current.finger)
            case Step.TAKEN:
                self._journal.enrolled.release(scanner, current.finger.slot)
                self._known_finger(scanner, what.found or 0, current)
            case Step.DIFFERENT:
                self._journal.enrolled.release(scanner, current.finger.slot)
                self._end("the two images are not of one finger", Signal.MISREAD)
            case Step.FAILED:
                self._end(what.detail, Signal.MISREAD)

    def lost(self, scanner: str) -> None:
        """The scanner has gone."""
        self._gone.add(scanner)
        if self._current is not None and self._current.scanner == scanner:
            self._end("the scanner is gone", Signal.MISREAD)

    def found(self, scanner: str) -> None:
        """The scanner is there."""
        self._gone.discard(scanner)

    def settle(self, now_ms: int, punch: Callable[[Taken], None]) -> None:
        """Time passes; `punch` gets what was taken and not bound, again and again if it raises."""
        if self._current is not None and now_ms >= self._current.until_ms:
            self._give_up("nothing was presented in time")
        while self._left:
            punch(self._left[0])
            del self._left[0]

    def stop(self, punch: Callable[[Taken], None]) -> None:
        """The agent ends; as `settle`."""
        self._give_up("the agent stops")
        self.settle(0, punch)

    def _begin(self, caller: int, kind: str, words: Mapping[str, str], now_ms: int) -> None:
        person = asking.person(words, self._journal.roster)
        self._must_be_free("enrol", person.id)
        scanner = asking.scanner(kind, words, self._profiles, "enrol")
        if scanner in self._gone:
            hint = "look at edge-agent status"
            raise EdgeAgentError("enrol", f"at {scanner}", "the scanner is gone", hint)
        instead_of = words.get("instead_of", "")
        current = _Current(caller, scanner, person, instead_of, now_ms + PATIENCE_MS)
        if kind == "finger":
            current.finger = self._fingers.reserve(scanner, person)
            self._order(scanner, EnrolFinger(current.finger.slot))
        self._current = current
        if kind == "card":
            self._say(
                f"{asking.called(person)}: the card at {scanner}, please, twice", Signal.ENROL
            )

    def _must_be_free(self, operation: str, subject: str) -> None:
        if self._current is not None:
            cause = f"{self._current.person.id} is being enrolled at {self._current.scanner}"
            raise EdgeAgentError(operation, subject, cause, "wait until it is done")

    def _bind_card(self, scanned: Scanned, current: _Current) -> None:
        scan = scanned.scan
        names = [credentials.conceal(one, self._key) for one in credentials.names(scan.credential)]
        for one in names:
            by_roster, here = self._journal.roster.find(one), self._journal.enrolled.holder(one)
            if by_roster is not None and by_roster.id != current.person.id:
                self._end(f"by the roster some readers take it for {by_roster.id}'s", Signal.TAKEN)
                return
            if here is not None and here.id not in (current.person.id, current.instead_of):
                self._end(f"some readers would take it for {here.id}'s", Signal.TAKEN)
                return
        enrolment = Enrolment(names[0], scan.technology, scanned.scanner, current.person.id)
        self._write(enrolment, current.person, names, None)
        self._bound(f"the card now belongs to {asking.called(current.person)}")

    def _bind_finger(self, finger: Finger) -> None:
        enrolment = Enrolment(
            finger.credential, "finger", finger.scanner, finger.person.id, finger.slot
        )
        self._write(enrolment, finger.person, (), self._fingers.last_library(finger.scanner))
        self._bound(
            f"the finger now belongs to {asking.called(finger.person)}, in slot {finger.slot}"
        )

    def _write(
        self, enrolment: Enrolment, person: Person, names: Sequence[str], library: Library | None
    ) -> None:
        try:
            entry = self._journal.enrol(enrolment, person.name, names, self._stamp(), library)
        except JournalError as error:
            self._end(str(error), None)
            raise
        self._appended(entry.seq)

    def _known_finger(self, scanner: str, slot: int, current: _Current) -> None:
        """The module found the finger: ours, somebody else's, or one that nobody has booked."""
        holder = self._fingers.find(scanner, slot)
        if holder is None or holder.person.id == current.instead_of:
            self._bind_finger(self._fingers.adopt(scanner, slot, current.person))
        else:
            self._known("finger", holder.person, current.person)

    def _known(self, what: str, holder: Person, person: Person) -> None:
        """What is presented is somebody's already: it is a punch, whatever comes of this."""
        if holder.id != person.id:
            wrong = f"if that is wrong: --instead-of {holder.id}"
            self._end(f"the {what} belongs to {holder.id}; recorded as a punch; {wrong}", None)
            return
        self._end(f"the {what} is {holder.id}'s already; a punch", None, DONE)

    def _say(self, text: str, signal: Signal | None, end: str = "") -> None:
        if self._current is None:
            return
        if signal is not None:
            thing = "Jari" if self._current.finger else "Kartu"
            self._panel.signal(announce(signal, self._current.person.name, thing))
        self._answer(self._current.caller, text, end)

    def _bound(self, text: str) -> None:
        """What was taken is not a punch: it is bound."""
        if self._current is not None:
            self._current.taken.clear()
        self._end(text, Signal.ENROLLED, DONE)

    def _give_up(self, text: str) -> None:
        """Nobody comes, or nobody waits any more: the module must not go on taking fingers."""
        if self._current is not None and self._current.finger:
            self._order(self._current.scanner, CancelEnrolment())
        self._end(text, Signal.MISREAD)

    def _end(self, text: str, signal: Signal | None, end: str = REFUSED) -> None:
        self._say(text, signal, end)
        if self._current is not None:
            self._left += self._current.taken
        self._current = None
