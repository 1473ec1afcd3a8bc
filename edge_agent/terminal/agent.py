"""The spine: the one thread that takes events from the inbox and makes every decision."""

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from edge_agent.config import Config
from edge_agent.contract import credentials
from edge_agent.contract.entries import Start
from edge_agent.errors import JournalError
from edge_agent.evidence import position
from edge_agent.journal import Journal
from edge_agent.panel import Panel
from edge_agent.panel.messages import Notice, compose
from edge_agent.ports.clock import Clock
from edge_agent.records import (
    Arrived,
    Connected,
    Disconnected,
    Event,
    Located,
    Person,
    PortLost,
    PortOpened,
    PubAck,
    Punch,
    Scanned,
    Signal,
    Stamp,
    Stop,
)
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.pipeline import Earlier, Pipeline

log = logging.getLogger("edge_agent.terminal")

#: A turn with nothing to do comes this often; timers are no finer.
IDLE_S = 0.5


@dataclass
class Tally:
    """What the agent did since it started, for the status."""

    punches: int = 0
    repeats: int = 0
    unknown: int = 0
    failures: int = 0
    last_failure: str = ""


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
        credential_key: bytes,
    ) -> None:
        self.tally = Tally()
        self.fix: Located | None = None
        self.ports: dict[str, str] = {}
        self._config = config
        self._journal = journal
        self._clock = clock
        self._panel = panel
        self._pipeline = pipeline
        self._delivery = delivery
        self._incidents = incidents
        self._key = credential_key
        self._zone = ZoneInfo(config.site.zone)
        self._fence = (config.site.lat_e7, config.site.lon_e7, config.site.radius_m)

    def begin(self, start: Start) -> None:
        """Write the `start` entry. Raises JournalError."""
        at = self._clock.stamp()
        entry = self._journal.append(start, at)
        self._delivery.window.appended(entry.seq)
        gnss = {self._config.gnss.name} if self._config.gnss else set()
        scanners = frozenset(one.name for one in self._config.scanner)
        self._incidents.end_unless("scanner", scanners, at.mono_ms)
        self._incidents.end_unless("gnss", frozenset(gnss), at.mono_ms)

    def run(self, inbox: "queue.SimpleQueue[Event]", after_turn: Callable[[int], None]) -> None:
        """Turn until somebody asks us to stop. `after_turn` is called with the monotonic time."""
        more = False
        while True:
            events = _waiting(inbox, 0 if more else IDLE_S)
            if any(isinstance(event, Stop) for event in events):
                return
            more = self.turn(events)
            after_turn(self._clock.mono_ms())

    def turn(self, events: list[Event]) -> bool:
        """One round: every event, then settle. True if there is more to publish at once."""
        for event in events:
            self._attempt(partial(self._on, event))
        now_ms = self._clock.mono_ms()
        more = self._attempt(partial(self._delivery.settle, now_ms))
        self._attempt(partial(self._incidents.settle, now_ms, self._clock.stamp))
        return more

    def _attempt(self, work: Callable[[], bool | None]) -> bool:
        """Do what may touch the journal: a page that cannot be read must not stop the next tap."""
        try:
            return bool(work())
        except JournalError as error:
            self._failed(error)
            return False

    def _on(self, event: Event) -> None:
        now_ms = self._clock.mono_ms()
        match event:
            case Scanned():
                self._scanned(event)
            case Located():
                self.fix = event
            case PortOpened(name):
                self._port(name, "", now_ms)
            case PortLost(name, cause):
                self._port(name, cause, now_ms)
            case Connected():
                log.info("connected to the broker")
                self._delivery.connected(event, now_ms)
            case Disconnected():
                self._delivery.disconnected(event, now_ms)
            case PubAck():
                self._delivery.acknowledged(event, now_ms)
            case Arrived():
                self._delivery.arrived(event, now_ms)

    def _port(self, name: str, cause: str, now_ms: int) -> None:
        kind = "gnss" if self._config.gnss and name == self._config.gnss.name else "scanner"
        self.ports[name] = cause or "open"
        log.info("%s %s: %s", kind, name, cause or "open")
        if cause:
            self._incidents.begin(kind, name, cause, now_ms)
        else:
            self._incidents.end(kind, name, now_ms)

    def _scanned(self, scanned: Scanned) -> None:
        at = self._pipeline.take(scanned)
        if at is None:
            return
        concealed = credentials.conceal(scanned.scan.credential, self._key)
        try:
            notice = self._record(scanned, concealed, at)
        except JournalError as error:
            self._failed(error)
            notice = compose(Signal.FAULT, "", "", online=False, credential=concealed)
        self._panel.signal(notice)

    def _record(self, scanned: Scanned, concealed: str, at: Stamp) -> Notice:
        """Append the punch; give what to tell the person. Raises JournalError."""
        person = self._find(concealed)
        holder = person.id if person else concealed
        earlier = self._pipeline.repeats(holder, at)
        place = position.grade(
            self.fix.fix if self.fix else None,
            max(0, at.mono_ms - self.fix.mono_ms) if self.fix else 0,
            self._fence,
            self._config.rules.fix_age_s * 1000,
        )
        punch = Punch(
            concealed,
            scanned.scan.technology,
            scanned.scanner,
            place,
            person.id if person else None,
            earlier.seq if earlier else None,
        )
        entry = self._journal.append(punch, at)
        self._delivery.window.appended(entry.seq)
        self._incidents.end("storage", "", self._clock.mono_ms())
        self.tally.last_failure = ""
        if earlier is None:
            self._pipeline.stored(holder, entry.seq, at)
        signal = self._signal(earlier, known=person is not None)
        return compose(
            signal,
            person.name if person else "",
            self._local(earlier.at if earlier else at),
            online=self._delivery.online,
            seq=entry.seq,
            credential=concealed,
        )

    def _find(self, concealed: str) -> Person | None:
        """Who holds it; a roster that cannot be read costs the name, never the punch."""
        try:
            return self._journal.roster.find(concealed)
        except JournalError as error:
            self._failed(error)
            return None

    def _signal(self, earlier: Earlier | None, *, known: bool) -> Signal:
        self.tally.punches += 1
        self.tally.repeats += earlier is not None
        self.tally.unknown += not known
        if earlier is not None:
            return Signal.REPEAT
        return Signal.STORED if known else Signal.UNKNOWN

    def _failed(self, error: JournalError) -> None:
        self.tally.failures += 1
        if self.tally.last_failure != str(error):
            self.tally.last_failure = str(error)
            log.error("%s", error)
        self._incidents.begin("storage", "", error.cause, self._clock.mono_ms())

    def _local(self, at: Stamp) -> str:
        return (
            datetime.fromtimestamp(at.utc_ms / 1000, UTC).astimezone(self._zone).strftime("%H:%M")
        )


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
