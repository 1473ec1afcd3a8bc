"""From a presentation to a stored punch: whose it is, where it was, and what to tell the person."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from edge_agent.config import Config
from edge_agent.contract import credentials
from edge_agent.errors import JournalError
from edge_agent.events import Scanned
from edge_agent.evidence.track import Track
from edge_agent.journal import Journal
from edge_agent.panel.messages import Notice, compose
from edge_agent.ports.clock import Clock
from edge_agent.records import Person, Punch, Signal, Stamp
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.fingers import Fingers
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.pipeline import Earlier, Pipeline

log = logging.getLogger("edge_agent.terminal")

#: What staff call what they present.
_THINGS = {"finger": "Jari", "qr": "Kode"}


@dataclass
class Tally:
    """What the agent did since it started, for the status."""

    punches: int = 0
    repeats: int = 0
    unknown: int = 0
    misreads: int = 0
    failures: int = 0
    last_failure: str = ""


class Punching:
    """Appends punches."""

    def __init__(
        self,
        config: Config,
        journal: Journal,
        clock: Clock,
        pipeline: Pipeline,
        delivery: Delivery,
        incidents: Incidents,
        fingers: Fingers,
        track: Track,
        credential_key: bytes,
    ) -> None:
        self.tally = Tally()
        self._journal = journal
        self._clock = clock
        self._pipeline = pipeline
        self._delivery = delivery
        self._incidents = incidents
        self._fingers = fingers
        self._track = track
        self._key = credential_key
        self._zone = ZoneInfo(config.site.zone)

    def record(self, scanned: Scanned, concealed: str, person: Person | None, at: Stamp) -> Notice:
        """Append the punch; give what to tell the person. Raises JournalError."""
        scan = scanned.scan
        holder = person.id if person else concealed
        earlier = self._pipeline.repeats(holder, at)
        punch = Punch(
            concealed,
            scan.technology,
            scanned.scanner,
            self._track.place(at.mono_ms),
            person.id if person else None,
            earlier.seq if earlier else None,
            scan.card or None,
            scan.slot,
            scan.score,
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
            thing=_THINGS.get(scan.technology, "Kartu"),
        )

    def holder(self, scanned: Scanned) -> tuple[str, Person | None]:
        """The concealed credential and who holds it; books that cannot be read cost the name."""
        scan = scanned.scan
        try:
            if scan.slot is not None:
                finger = self._fingers.find(scanned.scanner, scan.slot)
                if finger is not None:
                    return finger.credential, finger.person
                return self._fingers.nameless(scanned.scanner, scan.slot), None
            names = [
                credentials.conceal(name, self._key)
                for name in credentials.registered(scan.credential)
            ]
            return names[0], self._card_holder(names)
        except JournalError as error:
            self.failed(error)
            return credentials.conceal(scan.credential, self._key), None

    def _card_holder(self, names: Sequence[str]) -> Person | None:
        for find in (self._journal.roster.find, self._journal.enrolled.holder):
            for name in names:
                person = find(name)
                if person is not None:
                    return person
        return None

    def _signal(self, earlier: Earlier | None, *, known: bool) -> Signal:
        self.tally.punches += 1
        self.tally.repeats += earlier is not None
        self.tally.unknown += not known
        if earlier is not None:
            return Signal.REPEAT
        return Signal.STORED if known else Signal.UNKNOWN

    def failed(self, error: JournalError) -> None:
        self.tally.failures += 1
        if self.tally.last_failure != str(error):
            self.tally.last_failure = str(error)
            log.error("%s", error)
        self._incidents.begin("storage", "", error.cause, self._clock.mono_ms())

    def _local(self, at: Stamp) -> str:
        """The time on the wall; a wrong one would be a lie that people remember."""
        if at.source == "none":
            return "--:--"
        return (
            datetime.fromtimestamp(at.utc_ms / 1000, UTC).astimezone(self._zone).strftime("%H:%M")
        )
