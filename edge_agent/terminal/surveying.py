"""What the network is worth here, hour by hour: when it is asked, and what a `survey` entry says.

The last `survey` entry of the journal is the memory of when one is due; what was counted since is
in the status file, which outlives the agent in memory and not a power cut. So an agent that is
restarted every few minutes surveys once an hour, and about the whole hour; after a power cut the
first survey is about the time since, and short, or the power was on for too little to tell.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any

from edge_agent.contract import entries
from edge_agent.contract.entries import Survey
from edge_agent.errors import JournalError, MessageError
from edge_agent.events import Surveyed
from edge_agent.journal import Journal
from edge_agent.records import Reception, Stamp
from edge_agent.terminal.delivery import Delivery

log = logging.getLogger("edge_agent.terminal")

#: Name of the modem's port: in the status, in incidents, and no scanner's.
MODEM = "modem"
WIFI = "wifi"
#: The slowest modem has answered everything by then.
_PATIENCE_MS = 60_000
#: A journal that could not be written is not tried at every turn.
_AGAIN_MS = 60_000
#: Of `survey_s`: less than the one is too little to tell anything, a new connection takes a minute;
#: the very first survey comes after the other, for whoever has just screwed the terminal on.
_SHORTEST, _FIRST = 6, 60
#: The last survey is looked for among so many entries, so many at a time.
_LOOK_BACK, _PAGE = 10_000, 500


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted between two surveys; bytes are of the sockets to the broker."""

    online_ms: int = 0
    attempts: int = 0
    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def since(self, earlier: "Counts") -> "Counts":
        pairs = zip(astuple(self), astuple(earlier), strict=True)
        return Counts(*(now - before for now, before in pairs))


class Surveying:
    """Appends a survey each `every_ms`.

    Args:
        journal: keeps them.
        delivery: what was delivered, and how.
        stamp: now.
        every_ms: from one survey to the next.
        ask: each named ``modem`` or ``wifi``: has it asked how well it hears; the answer comes as
            `heard`.
        before: the status that an earlier agent left, as `status` made it; {} if there is none.
    """

    def __init__(
        self,
        journal: Journal,
        delivery: Delivery,
        stamp: Callable[[], Stamp],
        every_ms: int,
        ask: Mapping[str, Callable[[], None]],
        before: Mapping[str, Any],
    ) -> None:
        self.heard_last: Surveyed | None = None
        self._journal = journal
        self._delivery = delivery
        self._stamp = stamp
        self._every_ms = every_ms
        self._ask = ask
        self._is_open = {name: name != MODEM for name in ask}
        self._last_seq, self._last_at = _last(journal)
        self._counted = Counts()
        self._latency_ms: int | None = None
        self._awaited: set[str] | None = None
        self._answers: dict[str, Reception] = {}
        self._asked_ms = self._next_try_ms = 0
        at = stamp()
        self._since_ms = at.mono_ms
        self._take_up(before, at)

    @property
    def counts(self) -> Counts:
        """Since the last survey."""
        now_ms = self._stamp().mono_ms
        return _counts(self._delivery, now_ms).since(self._counted)

    def status(self) -> dict[str, Any]:
        """What the next agent takes up, and what people want to see."""
        heard = self.heard_last
        return {
            "after": self._last_seq,
            "since_ms": self._since_ms,
            "counts": asdict(self.counts),
            "heard_ms": heard.mono_ms if heard else None,
            "reception": asdict(heard.reception) if heard else None,
        }

    def begin(self) -> None:
        """The agent begins: see what can be heard; a modem says so when its port opens."""
        if WIFI in self._ask:
            self._ask[WIFI]()

    def port(self, *, is_open: bool) -> None:
        """The modem's port opened and answers, or it does not."""
        if MODEM in self._is_open:
            self._is_open[MODEM] = is_open
        if not is_open and self._awaited is not None:
            self._awaited.discard(MODEM)

    def heard(self, event: Surveyed) -> None:
        """The modem or the Wi-Fi interface said how well it hears."""
        if self._awaited is None:
            self._note(event)
        elif event.mono_ms >= self._asked_ms:
            self._answers[event.reception.bearer] = event.reception
            self._awaited.discard(event.reception.bearer)
            self._note(event)

    def _note(self, event: Surveyed) -> None:
        """For people to see: of two, what the survey would say."""
        last = self.heard_last
        if last is None or last.reception.bearer != MODEM or event.reception.bearer == MODEM:
            self.heard_last = event

    def settle(self, now_ms: int) -> None:
        """Ask if a survey is due, and append it when all have answered. Raises JournalError."""
        if self._awaited is None:
            if now_ms < self._next_try_ms or not self._is_due(self._stamp()):
                return
            self._awaited = self._begin_asking(now_ms)
        if not self._awaited or now_ms - self._asked_ms >= min(_PATIENCE_MS, self._every_ms):
            self._append()

    def _begin_asking(self, now_ms: int) -> set[str]:
        """Ask those that are there; gives their names."""
        self._asked_ms, self._answers = now_ms, {}
        asked = [name for name in self._ask if self._is_open[name]]
        for name in asked:
            self._ask[name]()
        return set(asked)

    def _is_due(self, now: Stamp) -> bool:
        """Not before there is something to tell, and not before the last one is long enough ago."""
        length_ms = now.mono_ms - self._since_ms
        if self._last_at is None:
            return length_ms >= self._every_ms // _FIRST
        ago_ms = _between(self._last_at, now)
        if ago_ms is not None and 0 <= ago_ms < self._every_ms:
            return False
        return length_ms >= self._every_ms // _SHORTEST

    def _append(self) -> None:
        """What was counted begins anew only when the entry is stored."""
        self._awaited = None
        at = self._stamp()
        self._next_try_ms = at.mono_ms + _AGAIN_MS
        total = _counts(self._delivery, at.mono_ms)
        part = total.since(self._counted)
        latency_ms = self._delivery.usage.take_latency_ms()
        self._latency_ms = self._latency_ms if latency_ms is None else latency_ms
        survey = Survey(
            at.mono_ms - self._since_ms,
            **asdict(part),
            backlog=self._delivery.window.backlog,
            latency_ms=self._latency_ms,
            oldest_ms=self._oldest_ms(at),
            reception=self._answers.get(MODEM) or self._answers.get(WIFI),
        )
        entry = self._journal.append(survey, at)
        self._delivery.window.appended(entry.seq, live=False)
        self._last_seq, self._last_at = entry.seq, at
        self._counted, self._since_ms, self._latency_ms = total, at.mono_ms, None
        self._next_try_ms = 0
        log.info("survey %d: online %d of %d ms", entry.seq, survey.online_ms, survey.length_ms)

    def _oldest_ms(self, at: Stamp) -> int | None:
        """Age of the oldest entry that the central does not have."""
        seq = self._delivery.window.upto + 1
        if self._delivery.window.backlog == 0:
            return None
        try:
            found = self._journal.read(seq, seq, 0)
        except JournalError:
            return None
        made_at = _stamp_of(found[0].text) if found else None
        age_ms = _between(made_at, at) if made_at else None
        return None if age_ms is None or age_ms < 0 else age_ms

    def _take_up(self, before: Mapping[str, Any], at: Stamp) -> None:
        """Go on counting where an agent of this boot left off, if that is not long ago.

        What it counted before its last survey is in that survey: then it starts from nothing.
        """
        try:
            was, left_ms = before["survey"], at.mono_ms - before["at"]["mono_ms"]
            counts = Counts(**was["counts"])
            fits = before["at"]["boot"] == at.boot and was["after"] == self._last_seq
            since_ms = was["since_ms"]
            whole = all(type(one) is int and one >= 0 for one in (since_ms, *astuple(counts)))
            fits &= 0 <= left_ms <= self._every_ms // _SHORTEST and since_ms <= at.mono_ms
        except (KeyError, TypeError):  # another version's, or nobody's
            return
        if fits and whole:
            self._since_ms = since_ms
            self._counted = Counts().since(counts)


def _counts(delivery: Delivery, now_ms: int) -> Counts:
    usage = delivery.usage
    return Counts(
        usage.online_ms(now_ms),
        usage.attempts,
        usage.connections,
        usage.bytes_up,
        usage.bytes_down,
    )


def _between(earlier: Stamp, later: Stamp) -> int | None:
    """From one stamp to the other: within a boot, or where both are vouched for; else None."""
    if earlier.boot == later.boot:
        return later.mono_ms - earlier.mono_ms
    if earlier.error_ms is None or later.error_ms is None:
        return None
    return later.utc_ms - earlier.utc_ms


def _stamp_of(text: str) -> Stamp | None:
    """The stamp of an entry; None if its row was damaged."""
    try:
        said = json.loads(text)
        entries.check(said, said["seq"])
        return Stamp(**said["at"])
    except (ValueError, TypeError, KeyError, MessageError):
        return None


def _last(journal: Journal) -> tuple[int | None, Stamp | None]:
    """Seq and stamp of the last survey, looked for from the end of the journal."""
    last, end = journal.last_seq, max(0, journal.last_seq - _LOOK_BACK)
    try:
        while last > end:
            page = journal.read(max(end, last - _PAGE) + 1, last, 10**9)
            for entry in reversed(page):
                if entry.kind == entries.SURVEY:
                    return entry.seq, _stamp_of(entry.text)
            last -= _PAGE
    except JournalError as error:  # a worn page; an early survey is better than none
        log.warning("the last survey: %s", error)
    return None, None
