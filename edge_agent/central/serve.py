"""`edge-agent central serve`: from the broker into the database, and receipts back.

    paho's thread   inbox.put(Message)                              nothing else
    this thread     take up to MAX_TURN messages, decode them
                    store all of them in one transaction            the commit is on the disk
                    publish one receipt for each journal touched    QoS 1, retained
                    acknowledge the messages                        now the broker may forget them

A program killed anywhere in between gets the same messages again and stores nothing twice. If the
commit fails, there is neither receipt nor acknowledgement: the connection is dropped, and the
broker delivers again when it is back. What is not a valid message is counted, acknowledged and
answered by nothing. A terminal that comes online is told what is stored of its journal. So is each
whose status the broker has retained, whenever we connect: the receipt that it has retained beside
that may be of a better past, of a database before it was restored from a backup.
"""

import logging
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from queue import Empty

from edge_agent.central.link import CLOSED, Event, Inbox, Link, Message, Options, Subscribed
from edge_agent.central.store import Store
from edge_agent.contract import messages, topics
from edge_agent.errors import CentralError, MessageError
from edge_agent.events import Connected, Disconnected, PubAck

#: Messages in one transaction; a batch of 1,000 entries is two megabytes once it is parsed.
MAX_TURN = 16
#: How often the heartbeat is written, and the longest an idle turn lasts.
BEAT_MS = 10_000
IDLE_S = 0.5

log = logging.getLogger("edge_agent.central")

Stream = tuple[str, str]


def wall_ms() -> int:
    """UTC milliseconds since 1970 by this machine's clock."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Debt:
    """A receipt to publish, and the messages to acknowledge behind it."""

    receipt: messages.Receipt
    behind: tuple[Message, ...]


class Central:
    """Serves one store from one broker until it is told to stop."""

    def __init__(self, options: Options, store: Store, now_ms: Callable[[], int] = wall_ms) -> None:
        self._options = options
        self._store = store
        self._now_ms = now_ms
        self._inbox = Inbox()
        self._link: Link | None = None
        self._links = 0
        self._ready = False
        self._room = 0
        self._in_flight = 0
        self._debts: dict[Stream, _Debt] = {}
        self._failures = 0
        self._retry_at = 0.0
        self._cause = ""
        self._fault = ""
        self._beat_at = float("-inf")
        self._refused: Counter[str] = Counter()

    def run(self, stop: threading.Event, alive: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set; it is looked at twice a second.

        Args:
            stop: ends the program after the turn in hand.
            alive: called once a turn by the thread that does the work, for a watchdog.

        Raises:
            CentralError: the TLS files cannot be used.
        """
        while not stop.is_set():
            self._keep_connected()
            self._turn(self._gather())
            alive()
        if self._link:
            self._link.close(wait_s=2.0)
        self._attempt(lambda: self._store.beat(False, self._now_ms()))
        log.info("stopped")

    def _keep_connected(self) -> None:
        if self._link is None and time.monotonic() >= self._retry_at:
            self._links += 1
            subscriptions = [
                topics.topic(self._options.root, "+", channel)
                for channel in (topics.ENTRIES, topics.STATUS)
            ]
            self._link = Link(self._options, self._links, self._inbox, subscriptions)
            self._link.open()

    def _gather(self) -> list[Event]:
        """What has come in; waits for the first, but never longer than an idle turn."""
        wait_s = IDLE_S
        if self._link is None:
            wait_s = min(wait_s, max(0.0, self._retry_at - time.monotonic()))
        events = []
        try:
            events.append(self._inbox.get(timeout=wait_s))
            while len(events) < MAX_TURN:
                events.append(self._inbox.get_nowait())
        except Empty:
            pass
        return events

    def _turn(self, events: Sequence[Event]) -> None:
        ended = None
        arrived = []
        for event in events:
            match event:
                case Message():
                    arrived.append(event)
                case Connected():
                    self._attempt(partial(self._begin, event.room))
                case Subscribed():
                    log.info("connected to %s:%d", self._options.host, self._options.port)
                case PubAck():
                    self._answered(event)
                case Disconnected():
                    ended = event
        if arrived:
            self._attempt(partial(self._take, arrived))
        if time.monotonic() - self._beat_at >= BEAT_MS / 1000:  # the wall clock may step back
            self._attempt(self._beat)
        if ended:
            self._end(ended)
        self._settle()

    def _attempt(self, write: Callable[[], None]) -> None:
        """Do what writes to the database; if it fails, the broker keeps what was not stored."""
        try:
            write()
        except CentralError as error:
            if str(error) != self._fault:
                self._fault = str(error)
                log.error("%s", error)  # noqa: TRY400  # one clear line, not a traceback
            self._ready = False
            self._debts.clear()
            if self._link:
                self._link.close()

    def _begin(self, room: int) -> None:
        self._store.connected(self._now_ms())
        self._ready, self._room, self._in_flight, self._cause = True, room, 0, ""

    def _end(self, ended: Disconnected) -> None:
        delay_s = min(self._options.first_retry_s * 2**self._failures, self._options.last_retry_s)
        delay_s *= random.uniform(0.5, 1.0)
        self._failures = min(self._failures + 1, 20)
        self._retry_at = time.monotonic() + delay_s
        self._link, self._ready = None, False
        self._debts.clear()
        if ended.cause not in (self._cause, CLOSED):
            self._cause = ended.cause
            broker = f"{self._options.host}:{self._options.port}"
            log.warning("no connection to %s: %s; trying again for ever", broker, ended.cause)
        self._attempt(self._beat)

    def _beat(self) -> None:
        self._beat_at = time.monotonic()
        self._store.beat(self._ready, self._now_ms())
        if self._refused:
            log.warning("refused %s", ", ".join(f"{n} x {why}" for why, n in self._refused.items()))
            self._refused.clear()

    def _take(self, arrived: Sequence[Message]) -> None:
        """Store messages and, once that is on the disk, owe their receipts."""
        decoded = [(message, self._decode(message)) for message in arrived]
        behind: dict[Stream | None, list[Message]] = {}
        with self._store.writing():
            for message, content in decoded:
                stream = self._store_one(message, content)
                behind.setdefault(stream, []).append(message)
            receipts = {s: self._store.receipt(*s) for s in behind if s}
        self._failures, self._fault = 0, ""
        for message in behind.pop(None, []):
            message.link.ack(message)
        for stream, receipt in receipts.items():
            before = self._debts.pop(stream, None)
            owed = (*(before.behind if before else ()), *behind[stream])
            self._debts[stream] = _Debt(receipt, owed)

    def _decode(self, message: Message) -> messages.Batch | messages.Status | MessageError:
        terminal, channel = topics.split(self._options.root, message.topic)
        try:
            content: messages.Batch | messages.Status
            if channel == topics.ENTRIES:
                content = messages.decode_batch(message.payload)
            elif channel == topics.STATUS:
                content = messages.decode_status(message.payload)
            else:
                raise MessageError("topic", "not one of ours")
            if content.terminal != terminal:
                raise MessageError("topic", f"the message is of {content.terminal}")
        except MessageError as error:
            return error
        return content

    def _store_one(
        self, message: Message, content: messages.Batch | messages.Status | MessageError
    ) -> Stream | None:
        """The journal whose receipt is due, if any."""
        now_ms = self._now_ms()
        try:
            match content:
                case MessageError():
                    raise content
                case messages.Batch():
                    self._store.take(content, now_ms)
                case messages.Status():
                    self._store.note(content, now_ms, retained=message.retained)
        except MessageError as error:
            detail = f"{message.topic[:120]}: {error.detail}"
            self._store.refuse(self._source(message), MessageError(error.reason, detail), now_ms)
            self._refused[error.reason] += 1
            return None
        if isinstance(content, messages.Status) and content.state == "offline":
            return (content.terminal, content.journal) if message.retained else None
        return content.terminal, content.journal

    def _source(self, message: Message) -> str:
        terminal, _ = topics.split(self._options.root, message.topic)
        return terminal if re.fullmatch(topics.TERMINAL_PATTERN, terminal) else ""

    def _answered(self, ack: PubAck) -> None:
        if self._link and ack.link == self._link.number:
            self._in_flight -= 1
        if ack.refusal:
            log.warning("the broker refuses a receipt: %s", ack.refusal)

    def _settle(self) -> None:
        """Publish the receipts owed, as many as the broker has room for, and acknowledge."""
        while self._ready and self._link and self._debts and self._in_flight < self._room:
            stream = next(iter(self._debts))
            debt = self._debts.pop(stream)
            topic = topics.topic(self._options.root, stream[0], topics.RECEIPT)
            self._in_flight += 1
            if self._link.publish(topic, messages.encode_receipt(debt.receipt)):
                # Sent behind the receipt on one connection: the broker cannot have it without.
                for message in debt.behind:
                    message.link.ack(message)
