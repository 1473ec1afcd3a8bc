"""From the journal to the central: connect, publish what the window says, believe only receipts."""

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from edge_agent.contract import topics
from edge_agent.errors import EdgeAgentError, JournalError
from edge_agent.events import Arrived, Connected, Disconnected, PubAck
from edge_agent.journal import Journal
from edge_agent.journal.batches import BATCH_BYTES
from edge_agent.ranges import Ranges
from edge_agent.records import Stamp
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.metering import Metering
from edge_agent.terminal.packing import Identity, Packed, Packing
from edge_agent.terminal.receiving import Receiving
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.usage import Usage
from edge_agent.uplink.window import Window

log = logging.getLogger("edge_agent.terminal")

#: A published message without PUBACK for so long means that the link is dead, whatever TCP thinks.
STALLED_MS = 30_000
#: How often the received mark is written while it moves. A lost mark costs duplicates, no entry.
_NOTE_EVERY_MS = 5_000
#: What MQTT puts around topic and payload of a PUBLISH, at most: fixed header, lengths, mid.
_AROUND = 10
#: The roster can be larger than a day's punches: it is asked for behind them, or after this.
_ROSTER_AFTER_MS = 60_000


class Link(Protocol):
    """What delivery needs of `uplink.Connection`."""

    link: int

    @property
    def carried(self) -> tuple[int, int]: ...
    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int: ...
    def listen(self, topic: str) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


class Delivery:
    """Owns the window and the connection.

    Args:
        journal: entries, heads and the received mark.
        identity: who we are on the wire.
        window: which entries are where.
        connect: begins connection number `link`; its events come back through the inbox.
        status: payload of the retained status for a state ``online`` or ``offline``.
        incidents: told of a broker or a central that does not answer, and of tampering.
        backoff: waits between connections.
        central_grace_ms: a receipt owed for so long is an incident.
        stamp: the present time.
        today: which entries are of today and go before older ones.
        daily_kb: what the link may cost a day, None where nobody counts.
    """

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        window: Window,
        connect: Callable[[int], Link],
        status: Callable[[str], bytes],
        incidents: Incidents,
        backoff: Backoff,
        central_grace_ms: int,
        stamp: Callable[[], Stamp],
        today: Callable[[], Ranges],
        daily_kb: int | None = None,
    ) -> None:
        self.window = window
        self.metering = Metering(journal, Usage(), daily_kb)
        self.rejected: Counter[str] = Counter()
        self.cause = "not connected yet"
        self._journal = journal
        self._identity = identity
        self._connect = connect
        self._status = status
        self._incidents = incidents
        self._backoff = backoff
        self._central_grace_ms = central_grace_ms
        self._connection: Link | None = None
        self._links = 0
        self._next_attempt_ms = 0
        self._online = False
        self._greeting: int | None = None
        self._pause_until_ms = 0
        self._now_ms = 0
        self._owed: dict[tuple[str, str], int] = {}
        self._stamp = stamp
        self._today = today
        self._pace = Pace()
        self.receiving = Receiving(journal, identity, window, self._pace, incidents, self.rejected)
        metered = daily_kb is not None
        self._packing = Packing(journal, identity, window, self._pace, self._fault, metered=metered)
        self._noted_ms = 0
        self._online_ms = 0
        self._listens = False
        self._most_bytes = 0

    @property
    def online(self) -> bool:
        """True while the broker has accepted our connection."""
        return self._online

    @property
    def usage(self) -> Usage:
        """What the way to the broker was worth."""
        return self.metering.usage

    def heard(self, event: Connected | Disconnected | PubAck | Arrived, now_ms: int) -> None:
        """The connection says something; one that is over has nothing to say any more."""
        if not self._is_current(event.link):
            return
        match event:
            case Connected():
                log.info("connected to the broker")
                self._connected(event, now_ms)
            case Disconnected():
                self._lost(event.cause, now_ms)
            case PubAck():
                self._acknowledged(event, now_ms)
            case Arrived():
                self._arrived(event, now_ms)

    def _connected(self, event: Connected, now_ms: int) -> None:
        self._online = True
        self.cause = ""
        self._online_ms = now_ms
        self._listens = False
        self.receiving.connected(now_ms)
        self.usage.connected(now_ms)
        self._packing.max_bytes = min(event.max_bytes, BATCH_BYTES)
        self._most_bytes = event.max_bytes - len(self._identity.topic(topics.ENTRIES)) - _AROUND
        self._incidents.end("broker", "", now_ms)
        self.window.connected(event.room, now_ms, self._today())
        self._pace.connected()
        self._greeting = self._publish_status("online")

    def _acknowledged(self, event: PubAck, now_ms: int) -> None:
        """A PUBACK gives room in the window. A refusal is none: the entries go again, later."""
        if event.mid == self._greeting:  # it had a place in the broker's window, too
            self._greeting = None
        if not event.refusal:
            self.window.acked(event.mid)
            self._backoff.reset()
            latency_ms = self._pace.acked(event.mid, now_ms)
            if latency_ms is not None:
                self.usage.acked(latency_ms)
            return
        self.window.refused(event.mid)
        self._pace.refused(event.mid)
        self.rejected[f"refused by the broker: {event.refusal}"] += 1
        self._pause_until_ms = now_ms + self._backoff.next_ms()
        self._owe("broker", "refusal", event.refusal, now_ms)

    def _arrived(self, event: Arrived, now_ms: int) -> None:
        self.receiving.take(event.topic, event.payload, now_ms)
        for (what, which), owed in list(self._owed.items()):
            if not self.window.owes(owed):
                del self._owed[what, which]
                self._incidents.end(what, which, now_ms)

    def settle(self, now_ms: int) -> bool:
        """Once a turn: connect, ask, publish at most one batch. True if there is more to do."""
        more = False
        self._now_ms = now_ms
        if self._connection is None:
            if now_ms >= self._next_attempt_ms:
                self._begin_connection(now_ms)
        elif self._is_stalled(now_ms):
            self._connection.abandon()
            self._lost("the broker stopped answering", now_ms)
        elif self._online and self._greeting is None and now_ms >= self._pause_until_ms:
            if self.window.ask(now_ms):
                self._pace.shrink()
            more = self._publish_next(now_ms)
            self._listen(now_ms)
        if self._connection is not None:
            self.metering.measure(self._connection, self._stamp())
        self._report(now_ms)
        self._note_received(now_ms)
        return more

    def _is_stalled(self, now_ms: int) -> bool:
        """True if a batch, or the status that goes before all batches, has no answer for long."""
        limit_ms = self.metering.patience_ms(now_ms, STALLED_MS)
        greeting = self._greeting is not None and now_ms - self._online_ms > limit_ms
        return greeting or self.window.stalled(now_ms, limit_ms)

    def close(self) -> None:
        """Say goodbye on the wire and write the received mark."""
        if self._connection is not None:
            if self._online:
                self._publish_status("offline")
            self._connection.close()
        self._online, self.cause = False, "the agent stopped"
        with suppress(JournalError):  # the notes spare duplicates and bytes, no more
            self.receiving.note()
            self.metering.note()

    def _begin_connection(self, now_ms: int) -> None:
        self._links += 1
        self.usage.attempted()
        try:
            self._connection = self._connect(self._links)
        except EdgeAgentError as error:  # a certificate or password that is gone: taps go on
            self._lost(str(error), now_ms)

    def _is_current(self, link: int) -> bool:
        return self._connection is not None and self._connection.link == link

    def _lost(self, cause: str, now_ms: int) -> None:
        ended, self._connection = self._connection, None
        self._online = False
        self.cause = cause
        self._greeting = None
        self.window.disconnected()
        self._pace.lost()
        self._next_attempt_ms = now_ms + self._backoff.next_ms()
        self.usage.ended(now_ms)
        if ended is not None:
            self.metering.measure(ended, self._stamp(), last=True)

    def _listen(self, now_ms: int) -> None:
        """Ask for the roster once nothing waits: it may be larger than all that does."""
        if self._connection is None or self._listens or self.metering.budget.is_spent:
            return
        if self.window.backlog == 0 or now_ms - self._online_ms >= _ROSTER_AFTER_MS:
            self._listens = True
            self._connection.listen(self._identity.topic(topics.ROSTER))

    def _publish_status(self, state: str) -> int | None:
        if self._connection is None:
            return None
        topic = self._identity.topic(topics.STATUS)
        return self._connection.publish(topic, self._status(state), retain=True)

    def _publish_next(self, now_ms: int) -> bool:
        """Publish one batch if there is need and room. True if another may be due at once."""
        wanted = self.window.unsent.count
        packed = self._packing.next(now_ms, spent=self.metering.budget.is_spent)
        if packed is None or self._connection is None:
            return self.window.unsent.count < wanted  # a hole was found: go on behind it
        if len(packed.payload) > self._most_bytes:
            self._too_large(packed)
            return True
        mid = self._connection.publish(self._identity.topic(topics.ENTRIES), packed.payload)
        self.window.published(mid, packed.first, packed.last, now_ms)
        count = packed.last - packed.first + 1
        self._pace.published(mid, count, len(packed.payload), now_ms)
        return True

    def _too_large(self, packed: Packed) -> None:
        """The broker would hang up at it. A lone entry waits for a broker that takes more."""
        if packed.first < packed.last:
            self._pace.shrink()
            return
        self.window.forget(packed.first, packed.last)
        self.rejected["entry is larger than the broker takes"] += 1

    def _fault(self, what: str, which: str, cause: str) -> None:
        self._incidents.begin(what, which, cause, self._now_ms)

    def _report(self, now_ms: int) -> None:
        if not self._online:
            self._incidents.begin("broker", "", self.cause, now_ms)
        elif self.window.owing_ms(now_ms) >= self._central_grace_ms:
            since_ms = now_ms - self.window.owing_ms(now_ms)
            self._owe("central", "", "no receipt comes", since_ms)

    def _owe(self, what: str, which: str, cause: str, since_ms: int) -> None:
        """Begin an incident that is over only when what is owed now is received.

        Were one receipt enough, the entry that opens the incident would, once received, close it,
        and a batch that never gets through would fill the journal with the two in turns.
        """
        self._owed.setdefault((what, which), self._journal.last_seq)
        self._incidents.begin(what, which, cause, since_ms)

    def _note_received(self, now_ms: int) -> None:
        upto, noted = self.window.upto, self.receiving.noted
        late = now_ms - self._noted_ms >= _NOTE_EVERY_MS
        if upto < noted or (late and upto > noted):  # less: nothing may go by the old
            self._noted_ms = now_ms  # also if the disk refuses: it is not asked at every turn
            self.receiving.note()
