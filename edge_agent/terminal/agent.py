"""The spine: the one thread that takes events from the inbox and makes every decision."""

import logging
import queue
from collections.abc import Callable
from functools import partial

from edge_agent.config import Config
from edge_agent.contract.entries import Start
from edge_agent.errors import JournalError
from edge_agent.events import (
    Arrived,
    Asked,
    Connected,
    Disconnected,
    Doubted,
    Event,
    Located,
    Noted,
    PortLost,
    PortOpened,
    PubAck,
    Scanned,
    Stop,
    Surveyed,
)
from edge_agent.evidence.track import Track
from edge_agent.journal import Journal
from edge_agent.panel import Panel
from edge_agent.panel.messages import announce, compose
from edge_agent.ports.clock import Clock
from edge_agent.records import Condition, Enrolling, Grade, Library, Misread, Signal
from edge_agent.terminal.carrying import Carrying
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.enrolment import Enrolments, Taken
from edge_agent.terminal.fingers import Fingers
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.keeping import Keeping
from edge_agent.terminal.pipeline import Pipeline
from edge_agent.terminal.punching import Punching
from edge_agent.terminal.surveying import MODEM, Surveying
from edge_agent.terminal.timekeeping import Timekeeping

log = logging.getLogger("edge_agent.terminal")

#: A turn with nothing to do comes this often; timers are no finer.
IDLE_S = 0.5


class Agent:
    """Takes events, appends entries, tells the panel, and lets delivery settle once a turn."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        clock: Clock,
        panel: Panel,
        pipeline: Pipeline,
        delivery: Delivery,
        incidents: Incidents,
        fingers: Fingers,
        enrolments: Enrolments,
        punching: Punching,
        track: Track,
        timekeeping: Timekeeping,
        keeping: Keeping,
        surveying: Surveying,
        carrying: Carrying,
    ) -> None:
        self.ports: dict[str, str] = {}
        self._config = config
        self._journal = journal
        self._clock = clock
        self._panel = panel
        self._pipeline = pipeline
        self._delivery = delivery
        self._incidents = incidents
        self._fingers = fingers
        self._enrolments = enrolments
        self.punching = punching
        self.track = track
        self.timekeeping = timekeeping
        self.keeping = keeping
        self.surveying = surveying
        self._carrying = carrying

    def begin(self, start: Start) -> None:
        """Write the `start` entry. Raises JournalError."""
        self.timekeeping.look()
        entry = self._journal.append(start, self._clock.stamp())
        self._delivery.window.appended(entry.seq)
        gnss = {self._config.gnss.name} if self._config.gnss else set()
        scanners = frozenset(one.name for one in self._config.scanner)
        now_ms = self._clock.mono_ms()
        self._incidents.end_unless("scanner", scanners, now_ms)
        self._incidents.end_unless("gnss", frozenset(gnss), now_ms)
        self._incidents.end_unless("module", scanners, now_ms)
        modem = {MODEM} if self._config.network.modem else set()
        self._incidents.end_unless("modem", frozenset(modem), now_ms)
        self._incidents.end_unless("clock", frozenset(), now_ms)  # each boot begins anew
        self.surveying.begin()

    def run(self, inbox: "queue.SimpleQueue[Event]", after_turn: Callable[[int], None]) -> None:
        """Turn until somebody asks us to stop. `after_turn` is called with the monotonic time."""
        more = False
        while True:
            events = _waiting(inbox, 0 if more else IDLE_S)
            if any(isinstance(event, Stop) for event in events):
                self._attempt(partial(self._enrolments.stop, self._punch_after_all))
                return
            more = self.turn(events)
            if not more and inbox.empty():
                self._attempt(partial(self.keeping.settle, self._clock.mono_ms()))
            after_turn(self._clock.mono_ms())

    def turn(self, events: list[Event]) -> bool:
        """One round: every event, then settle. True if there is more to publish at once."""
        for event in events:
            self._attempt(partial(self._on, event))
        self._attempt(self.timekeeping.settle)
        self.track.doubt_time(stands=self.timekeeping.receiver_contradicted)
        now_ms = self._clock.mono_ms()
        self._watch_place(now_ms)
        more = self._attempt(partial(self._delivery.settle, now_ms))
        self._attempt(partial(self._incidents.settle, now_ms, self._clock.stamp))
        self._attempt(partial(self._enrolments.settle, now_ms, self._punch_after_all))
        self._attempt(partial(self.surveying.settle, now_ms))
        return more

    def _attempt(self, work: Callable[[], bool | None]) -> bool:
        """Do what may touch the journal: a page that cannot be read must not stop the next tap."""
        try:
            return bool(work())
        except JournalError as error:
            self.punching.failed(error)
            return False

    def _on(self, event: Event) -> None:
        now_ms = self._clock.mono_ms()
        match event:
            case Scanned():
                self._scanned(event)
            case Noted(scanner, what):
                self._noted(scanner, what, now_ms)
            case Asked():
                self._asked(event, now_ms)
            case Located():
                self._located(event)
            case Doubted(doubt, mono_ms):
                self.track.doubt(doubt, mono_ms)
            case PortOpened(name):
                self._port(name, "", now_ms)
            case PortLost(name, cause):
                self._port(name, cause, now_ms)
                self._fingers.gone(name)
            case Surveyed():
                self.surveying.heard(event)
            case Connected() | Disconnected() | PubAck() | Arrived():
                self._delivery.heard(event, now_ms)

    def _located(self, event: Located) -> None:
        if not self.track.is_spoofed(event.mono_ms):
            self.timekeeping.located(event)
            self.track.doubt_time(stands=self.timekeeping.receiver_contradicted)
        self.track.take(event.fix, event.mono_ms)

    def _asked(self, asked: Asked, now_ms: int) -> None:
        if not self._carrying.asked(asked, now_ms):
            self._enrolments.asked(asked, now_ms)

    def _port(self, name: str, cause: str, now_ms: int) -> None:
        kind = self._kind(name)
        self.ports[name] = cause or "open"
        if kind == MODEM:
            self.surveying.port(is_open=not cause)
        log.info("%s %s: %s", kind, name, cause or "open")
        if cause:
            self._incidents.begin(kind, name, cause, now_ms)
            self._enrolments.lost(name)
            if kind == "gnss":
                self.track.unplugged()
        else:
            self._incidents.end(kind, name, now_ms)
            self._enrolments.found(name)

    def _kind(self, name: str) -> str:
        if self._config.gnss and name == self._config.gnss.name:
            return "gnss"
        return "modem" if self._config.network.modem and name == MODEM else "scanner"

    def _watch_place(self, now_ms: int) -> None:
        """A terminal that is elsewhere, or that somebody tells so, is an incident without a tap."""
        place = self.track.place(now_ms)
        for grade, what in ((Grade.OUTSIDE, "moved"), (Grade.SUSPECT, "suspect")):
            if place.grade is grade:
                away = f"{place.distance_m} m from the site" if grade is Grade.OUTSIDE else ""
                self._incidents.begin(what, "", place.reasons or away, now_ms)
            elif place.grade not in (Grade.NO_SKY, Grade.SUSPECT):  # they say nothing either way
                self._incidents.end(what, "", now_ms)

    def _noted(
        self, scanner: str, what: Condition | Misread | Library | Enrolling, now_ms: int
    ) -> None:
        match what:
            case Condition(trouble):
                self._port(scanner, trouble, now_ms)
            case Misread(cause):
                self.punching.tally.misreads += 1
                log.info("scanner %s: misread, %s", scanner, cause)
                self._panel.signal(announce(Signal.MISREAD))
            case Library():
                self._fingers.introduced(scanner, what, now_ms)
            case Enrolling():
                try:
                    self._enrolments.went_on(scanner, what)
                except JournalError:
                    self._panel.signal(compose(Signal.FAULT, "", "", online=False))
                    raise

    def _scanned(self, scanned: Scanned) -> None:
        at = self._pipeline.take(scanned)
        if at is None:
            return
        credential, person = self.punching.holder(scanned)
        try:
            if self._enrolments.take(scanned, at, person):
                return
            notice = self.punching.record(scanned, credential, person, at)
        except JournalError as error:
            self.punching.failed(error)
            notice = compose(Signal.FAULT, "", "", online=False, credential=credential)
        self._panel.signal(notice)

    def _punch_after_all(self, one: Taken) -> None:
        """What an enrolment took and did not bind. Raises JournalError."""
        self.punching.record(one.scanned, *self.punching.holder(one.scanned), one.at)


def _waiting(inbox: "queue.SimpleQueue[Event]", wait_s: float) -> list[Event]:
    """Every event that waits, after waiting for the first at most `wait_s`."""
    events: list[Event] = []
    try:
        events.append(inbox.get(timeout=wait_s) if wait_s else inbox.get_nowait())
        while len(events) < 1000:
            events.append(inbox.get_nowait())
    except queue.Empty:
        pass
    return events
