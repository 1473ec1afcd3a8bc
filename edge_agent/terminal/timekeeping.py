"""What time it is on this terminal: asks the witnesses, tells the clock, writes the anchors."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from edge_agent import BUILT, profile
from edge_agent.bounds import around
from edge_agent.config import Gnss
from edge_agent.contract import canonical, entries
from edge_agent.contract.canonical import MAX_INTEGER
from edge_agent.errors import JournalError, MessageError
from edge_agent.events import Located
from edge_agent.evidence import battery_clock
from edge_agent.evidence.battery_clock import Known
from edge_agent.evidence.receiver_time import ReceiverTime
from edge_agent.evidence.timekeeper import GNSS, NTP, RTC, Belief, Timekeeper
from edge_agent.journal import Journal
from edge_agent.ports.chrony import RefClock
from edge_agent.ports.clock import Clock, Reading, utc_of
from edge_agent.terminal.clock_faults import ClockFaults
from edge_agent.terminal.incidents import Incidents

log = logging.getLogger("edge_agent.terminal")

_DAY_MS = 86_400_000
#: Stamps that have become so many times better, and by so much, are worth an anchor for the others.
_BETTER_TIMES, _BETTER_MS = 4, 1000
#: Witnesses that exclude each other for a moment, while one of them is being set, doubt nothing.
_DOUBT_AFTER_MS = 3000
#: What was confirmed longer ago says nothing that the last anchor did not say.
_FRESH_MS = 60_000
#: So much beyond what was told of a doubt is not told again.
_MORE_MS = 1000
#: Witnesses that flap: after the first time they are doubted so long before that is settled again.
_SETTLED_EVERY_MS = 3_600_000
#: chrony takes a sample a second.
_OFFER_EVERY_MS = 900


def floor_ms(known: Known | None) -> int:
    """UTC that is certainly past: the date of the program, or what was known at its latest."""
    built_ms = round(datetime.fromisoformat(BUILT).replace(tzinfo=UTC).timestamp()) * 1000
    return max(built_ms, known.floor_ms if known else 0)


class Timekeeping:
    """Keeps `clock.belief`, for the spine.

    Args:
        journal: keeps the anchors, and what was known across a power cut.
        clock: of this machine.
        incidents: where steps and contradictions are told.
        appended: called with the seq of every entry written here.
        late_ms: the most that the receiver's sentences come after their second.
        refclock: chrony's reference clock, None if the receiver does not set the machine's clock.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        incidents: Incidents,
        appended: Callable[[int], None],
        late_ms: int,
        refclock: RefClock | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._faults = ClockFaults(incidents)
        self._appended = appended
        self._refclock = refclock
        self._offered_ms = 0
        self._taken: bool | None = None
        known = journal.known_time()
        self.floor_ms = floor_ms(known)
        # The kernel's clock is no second witness if it was taught by the first.
        self.keeper = Timekeeper(self.floor_ms, independent=refclock is None)
        self.receiver = ReceiverTime(late_ms)
        self._settled_ms: int | None = None
        self._anchored_ms: int | None = None
        self._worst_ms = 0
        self._doubted_since_ms: int | None = None
        self._doubted: Belief | None = None
        self._inherited = False
        self._hear_anchor()
        if self._anchored_ms is None:
            self._hear_battery(known)

    @property
    def receiver_contradicted(self) -> bool:
        """Whether the receiver's time is certainly past, or excludes another's and may be wrong."""
        belief = self.keeper.belief
        against = any(one.source == GNSS for one in self.keeper.contradictions)
        alone = self.keeper.doubted and belief is not None and belief.source == GNSS
        return self.receiver.behind or against or alone

    def located(self, located: Located) -> None:
        """The receiver named an instant."""
        if located.fix.utc_ms is None:
            return
        offset = self.receiver.take(located.fix.utc_ms, located.mono_ms, self.floor_ms)
        if offset is None:
            return
        self.keeper.heard(GNSS, offset, located.mono_ms, corrected=self.receiver.corrected)
        self._clock.belief = self._believed()
        if self._refclock and located.mono_ms - self._offered_ms >= _OFFER_EVERY_MS:
            self._offered_ms = located.mono_ms
            now = self._clock.reading()
            utc_ns = (offset.middle_ms + now.mono_ms) * 1_000_000
            self._say_taken(
                self._refclock.path,
                taken=self._refclock.offer(now.system_ns, utc_ns - now.system_ns),
            )

    def _say_taken(self, path: str, *, taken: bool) -> None:
        """Whether chronyd gets the offers, once each time that it changes."""
        if taken is self._taken:
            return
        self._taken = taken
        if taken:
            log.info("chrony takes the receiver's time at %s", path)
        else:
            hint = "see that chronyd runs, makes this socket and lets the agent write to it"
            log.warning("offer time to chrony at %s: not taken; %s", path, hint)

    def look(self) -> Reading:
        """Look at this machine's clocks: what the kernel vouches for, and whether they stepped."""
        now = self._clock.reading()
        offset = utc_of(now)
        if offset is not None:
            self.keeper.heard(NTP, offset, now.mono_ms)
        self._clock.belief = self._believed()
        self._faults.watch_system(now, self._clock.belief)
        self._faults.tell(self.keeper.contradictions, self.keeper.belief, now.mono_ms)
        return now

    def settle(self) -> None:
        """Look, and write an anchor if one is due. Raises JournalError."""
        now = self.look()
        belief = self._clock.belief
        why = self._due(belief, now.mono_ms) if belief else None
        if belief is None or why is None:
            return
        at = self._clock.stamp()
        off_ms = now.system_ms - belief.utc(now.mono_ms).middle_ms
        record = entries.Clock(why, off_ms if abs(off_ms) <= MAX_INTEGER else None)
        entry = self._journal.anchor(record, at, self._known(belief, now))
        log.info("clock %s: %s within %s ms", why, at.source, at.error_ms)
        self._anchored_ms, self._worst_ms = now.mono_ms, 0
        if why in (entries.DOUBTED, entries.SETTLED):
            self._doubted = belief if why == entries.DOUBTED else None
            if why == entries.SETTLED:
                self._settled_ms = now.mono_ms
            self._inherited &= self._doubted is not None
            self.keeper.changed = False  # an anchor that says no more than "known" judges nothing
        self._appended(entry.seq)

    def _believed(self) -> Belief | None:
        """What may be stamped: no less than a doubt from before that two have not settled."""
        belief, doubted = self.keeper.belief, self._doubted
        if doubted is None or not self._inherited or self.keeper.confirmed:
            return belief
        if belief is None:
            return doubted
        mono_ms = max(belief.mono_ms, doubted.mono_ms)
        both = belief.carried(mono_ms).joined(doubted.carried(mono_ms))
        return Belief(both, mono_ms, belief.source)

    def _due(self, belief: Belief, mono_ms: int) -> str | None:
        error_ms = belief.carried(mono_ms).error_ms
        self._worst_ms = worst_ms = max(self._worst_ms, error_ms)
        if self._anchored_ms is None:
            return "known"
        judgement = self._judgement(belief, mono_ms)
        if judgement is not None or self._doubted is not None:
            return judgement
        if worst_ms >= _BETTER_TIMES * error_ms and worst_ms - error_ms >= _BETTER_MS:
            return "better"
        fresh = mono_ms - belief.mono_ms < _FRESH_MS
        return "daily" if fresh and mono_ms - self._anchored_ms >= _DAY_MS else None

    def _judgement(self, belief: Belief, mono_ms: int) -> str | None:
        """What has to be said about the other stamps of this boot.

        A doubt that an agent before this one has told is settled by two witnesses only.
        """
        if self.keeper.doubted:
            if self._doubted_since_ms is None:
                self._doubted_since_ms = mono_ms
            if mono_ms - self._doubted_since_ms < _DOUBT_AFTER_MS:
                return None
        else:
            self._doubted_since_ms = None
            if self.keeper.confirmed or not self._inherited:
                over = self.keeper.changed or self._doubted is not None
                return entries.SETTLED if over and self._may_settle(mono_ms) else None
        said = belief.carried(mono_ms)
        told = self._doubted.carried(mono_ms).wider(_MORE_MS) if self._doubted is not None else None
        return None if told is not None and told.joined(said) == told else entries.DOUBTED

    def _may_settle(self, mono_ms: int) -> bool:
        last_ms = self._settled_ms
        return last_ms is None or mono_ms - last_ms >= _SETTLED_EVERY_MS

    def _known(self, belief: Belief, now: Reading) -> Known:
        """What a later boot may build on."""
        utc = belief.utc(now.mono_ms)
        rtc_ms = self._clock.rtc_ms()
        ahead = None if rtc_ms is None else battery_clock.ahead(rtc_ms, utc)
        # A false date would outlive its liar there: one witness alone moves no floor.
        past_ms = utc.low_ms if self.keeper.confirmed else 0
        return Known(utc.low_ms, max(self.floor_ms, past_ms), ahead)

    def _hear_anchor(self) -> None:
        """What an agent before this one knew in this boot, and whether it was in doubt."""
        try:
            anchor = self._journal.last_anchor()
            if anchor is None:
                return
            said = canonical.decode(anchor.text.encode())
            entries.check(said, anchor.seq)
        except (JournalError, MessageError) as error:  # a worn card; we can do without
            log.warning("the last anchor: %s", error)
            return
        at = said["at"]
        if at["boot"] != self._clock.boot or at.get("error_ms") is None:
            return
        offset = around(at["utc_ms"] - at["mono_ms"], at["error_ms"])
        if said["why"] == entries.DOUBTED:
            self._doubted, self._inherited = Belief(offset, at["mono_ms"], at["source"]), True
        else:
            self.keeper.heard(at["source"], offset, at["mono_ms"])
        self._anchored_ms = at["mono_ms"]

    def _hear_battery(self, known: Known | None) -> None:
        rtc_ms, mono_ms = self._clock.rtc_ms(), self._clock.mono_ms()
        utc = None if rtc_ms is None else battery_clock.utc(rtc_ms, known)
        if utc is not None:
            self.keeper.heard(RTC, utc.moved(-mono_ms), mono_ms)


def keep_time(
    gnss: Gnss | None,
    journal: Journal,
    clock: Clock,
    incidents: Incidents,
    appended: Callable[[int], None],
) -> Timekeeping:
    """Timekeeping with the receiver that is configured. Raises ConfigError, JournalError."""
    late_ms = profile.gnss(gnss.profile).late_ms if gnss else 0
    refclock = RefClock(gnss.chrony) if gnss and gnss.chrony else None
    return Timekeeping(journal, clock, incidents, appended, late_ms, refclock)
