"""From the journal to the central: connect, publish what the window says, believe only receipts."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_agent.contract import canonical, chain, entries, messages, topics
from edge_agent.errors import EdgeAgentError, MessageError
from edge_agent.journal import Journal
from edge_agent.journal.journal import first_broken
from edge_agent.records import Arrived, Connected, Disconnected, Entry, PubAck
from edge_agent.terminal.incidents import Incidents
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.window import Window

#: Entries of a full batch. 500 halve the bytes of 100; beyond that little is won.
BATCH = 500
#: Texts of a batch; they deflate to a tenth or less.
BATCH_BYTES = 400_000
#: A published message without PUBACK for so long means that the link is dead, whatever TCP thinks.
STALLED_MS = 30_000
#: How often the received mark is written while it moves. A lost mark costs duplicates, no entry.
_NOTE_EVERY_MS = 5_000
#: Stands for the head before an entry whose predecessor is gone from the journal.
_NO_HEAD = bytes(chain.HEAD_BYTES)


class Link(Protocol):
    """What delivery needs of `uplink.Connection`."""

    link: int

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who delivers: the terminal under its organisation's topic root, and the key of its seals."""

    terminal: str
    topic_root: str
    sealer: chain.Sealer

    def topic(self, channel: str) -> str:
        return topics.topic(self.topic_root, self.terminal, channel)


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
    ) -> None:
        self.window = window
        self.rejected: Counter[str] = Counter()
        self.last_receipt_ms: int | None = None
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
        self._max_bytes = BATCH_BYTES
        self._pause_until_ms = 0
        self._noted = window.upto
        self._noted_ms = 0

    @property
    def online(self) -> bool:
        """True while the broker has accepted our connection."""
        return self._online

    def connected(self, event: Connected, now_ms: int) -> None:
        if not self._is_current(event.link):
            return
        self._online = True
        self.cause = ""
        self._max_bytes = min(event.max_bytes, BATCH_BYTES)
        self._incidents.end("broker", "", now_ms)
        self.window.connected(event.room, now_ms)
        self._publish_status("online")

    def disconnected(self, event: Disconnected, now_ms: int) -> None:
        if self._is_current(event.link):
            self._lost(event.cause, now_ms)

    def acknowledged(self, event: PubAck, now_ms: int) -> None:
        """A PUBACK gives room in the window. A refusal is none: the entries go again, later."""
        if not self._is_current(event.link):
            return
        if not event.refusal:
            self.window.acked(event.mid)
            self._backoff.reset()
            self._incidents.end("broker", "refusal", now_ms)
            return
        self.window.refused(event.mid)
        self.rejected[f"refused by the broker: {event.refusal}"] += 1
        self._pause_until_ms = now_ms + self._backoff.next_ms()
        self._incidents.begin("broker", "refusal", event.refusal, now_ms)

    def arrived(self, event: Arrived, now_ms: int) -> None:
        """A message for us; what does not fit is counted by reason and changes nothing."""
        if not self._is_current(event.link):
            return
        _, channel = topics.split(self._identity.topic_root, event.topic)
        try:
            if channel == topics.RECEIPT:
                self._take_receipt(messages.decode_receipt(event.payload), now_ms)
            elif channel == topics.ROSTER:
                self._take_roster(messages.decode_roster(event.payload))
            else:
                raise MessageError("topic", event.topic)
        except MessageError as error:
            self.rejected[f"{channel or 'topic'}: {error.reason}"] += 1

    def settle(self, now_ms: int) -> bool:
        """Once a turn: connect, ask, publish at most one batch. True if there is more to do."""
        more = False
        if self._connection is None:
            if now_ms >= self._next_attempt_ms:
                self._begin_connection(now_ms)
        elif self.window.stalled(now_ms, STALLED_MS):
            self._connection.abandon()
            self._lost("the broker stopped answering", now_ms)
        elif self._online and now_ms >= self._pause_until_ms:
            self.window.ask(now_ms)
            more = self._publish_next(now_ms)
        self._report(now_ms)
        self._note_received(now_ms)
        return more

    def close(self) -> None:
        """Say goodbye on the wire and write the received mark."""
        if self._connection is not None:
            if self._online:
                self._publish_status("offline")
            self._connection.close()
        self._online, self.cause = False, "the agent stopped"
        self._journal.note_received(self.window.upto)

    def _begin_connection(self, now_ms: int) -> None:
        self._links += 1
        try:
            self._connection = self._connect(self._links)
        except EdgeAgentError as error:  # a certificate or password that is gone: taps go on
            self._lost(str(error), now_ms)

    def _is_current(self, link: int) -> bool:
        return self._connection is not None and self._connection.link == link

    def _lost(self, cause: str, now_ms: int) -> None:
        self._connection = None
        self._online = False
        self.cause = cause
        self.window.disconnected()
        self._next_attempt_ms = now_ms + self._backoff.next_ms()

    def _publish_status(self, state: str) -> None:
        if self._connection is not None:
            topic = self._identity.topic(topics.STATUS)
            self._connection.publish(topic, self._status(state), retain=True)

    def _publish_next(self, now_ms: int) -> bool:
        chosen = self.window.next(BATCH)
        if chosen is None or self._connection is None:
            return False
        prev, batch = self._sound_batch(*chosen, now_ms)
        if not batch:
            return True
        texts = [one.text for one in batch]
        first, last = batch[0].seq, batch[-1]
        who = self._identity
        # A broken entry comes alone; only then can the texts lead anywhere but to the last head.
        lead = chain.link(prev, texts[0]) if len(texts) == 1 else last.head
        sent = None if lead == last.head else lead
        seal = who.sealer.seal(who.terminal, self._journal.journal, last.seq, last.head, sent)
        payload = messages.encode_batch(
            who.terminal, self._journal.journal, prev, texts, first, seal
        )
        mid = self._connection.publish(who.topic(topics.ENTRIES), payload)
        self.window.published(mid, first, last.seq, now_ms)
        return True

    def _sound_batch(self, first: int, last: int, now_ms: int) -> tuple[bytes, list[Entry]]:
        """Entries from `first` on whose chain is whole, with the head before them.

        An entry that is not what its head says goes alone, so that the central can name it; one
        that is gone from the journal is a gap for ever. Either is an incident; the rest is sent.
        """
        found = self._journal.read(first, last, self._max_bytes)
        there = found[0].seq if found else last + 1
        if there > first:
            self.window.forget(first, there - 1)
            self._tampered(f"{first}-{there - 1}", "gone from the journal", now_ms)
            return b"", []
        known = self._journal.head_at(first - 1)
        prev = known or _NO_HEAD
        whole = [one for index, one in enumerate(found) if one.seq == first + index]
        broken = first_broken(whole, prev)
        if broken == 0:
            if known:  # else it only stands behind a hole, which has been said
                self._tampered(str(first), "the text is not what was written", now_ms)
            return prev, self._broken_entry(whole[0])
        return prev, whole[:broken]

    def _broken_entry(self, entry: Entry) -> list[Entry]:
        """An entry that its head does not bear out: evidence, if it still is an entry at all."""
        try:
            entries.check(canonical.decode(entry.text.encode()), entry.seq)
        except MessageError:  # the central would refuse it for ever; the row stays in the journal
            self.window.forget(entry.seq, entry.seq)
            return []
        return [entry]

    def _tampered(self, which: str, cause: str, now_ms: int) -> None:
        self._incidents.begin("tamper", which, cause, now_ms)

    def _take_receipt(self, receipt: messages.Receipt, now_ms: int) -> None:
        if receipt.terminal != self._identity.terminal:
            raise MessageError("terminal", receipt.terminal)
        if receipt.journal != self._journal.journal:
            raise MessageError("journal", receipt.journal)  # of a journal that ours replaced
        if receipt.last > self._journal.last_seq:
            self._tampered("journal", "the central has entries that it has not", now_ms)
            raise MessageError("future", f"{receipt.last} is not written yet")
        head = self._journal.head_at(receipt.upto)
        if head is not None and head.hex() != receipt.head:
            self._tampered("receipt", f"the central's head at {receipt.upto} differs", now_ms)
            raise MessageError("head", f"at {receipt.upto}")
        self.window.receipt(receipt, now_ms)
        self.last_receipt_ms = now_ms
        self._incidents.end("central", "", now_ms)

    def _take_roster(self, roster: messages.Roster) -> None:
        if roster.terminal != self._identity.terminal:
            raise MessageError("terminal", roster.terminal)
        if not self._journal.roster.replace(roster.version, roster.people):
            raise MessageError("version", f"{roster.version} is not newer")

    def _report(self, now_ms: int) -> None:
        if not self._online:
            self._incidents.begin("broker", "", self.cause, now_ms)
        elif self.window.owing_ms(now_ms) >= self._central_grace_ms:
            since_ms = now_ms - self.window.owing_ms(now_ms)
            self._incidents.begin("central", "", "no receipt comes", since_ms)

    def _note_received(self, now_ms: int) -> None:
        upto = self.window.upto
        if upto != self._noted and now_ms - self._noted_ms >= _NOTE_EVERY_MS:
            self._journal.note_received(upto)
            self._noted, self._noted_ms = upto, now_ms
