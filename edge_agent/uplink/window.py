"""Which entries to publish next, and what became of those published. Pure: time is an argument.

An entry is *unsent*, *in flight* (published, no PUBACK), *awaiting* (the broker has it, the central
has not said so) or *received*. Only a receipt makes it received. It becomes unsent again when

* the connection ends, or the broker refuses the message;
* a receipt has a batch that was published later and not this one: the broker lost it, because MQTT
  keeps the order of one publisher's messages on one topic;
* no receipt comes for long: then the oldest batch alone is sent again, to ask;
* a receipt says that the central no longer has it (a database restored from a backup).

Punches made since the connection began go before the backlog, and one place in the window is
theirs alone.
"""

from collections import deque
from dataclasses import dataclass

from edge_agent.contract.messages import Receipt
from edge_agent.ranges import Ranges

#: The wait for a receipt doubles up to this; a central may be away for days.
LONGEST_WAIT_MS = 600_000


@dataclass(frozen=True, slots=True)
class Flight:
    """A published batch: its place in the order of publishing, and its entries."""

    order: int
    first: int
    last: int
    sent_ms: int


class Window:
    """The delivery state of one journal.

    Args:
        last_seq: newest entry.
        upto: every entry up to here is received, as noted before the last restart.
        room: how many batches may be in flight.
        receipt_wait_ms: after so long without a receipt the oldest batch is sent again.
    """

    def __init__(self, last_seq: int, upto: int, room: int, receipt_wait_ms: int) -> None:
        upto = min(upto, last_seq)  # a journal restored from an old copy has less than was noted
        self.unsent = Ranges([(upto + 1, last_seq)])
        self.received = Ranges([(1, upto)])
        self._room = self._most_room = room
        self._first_wait_ms = self._wait_ms = receipt_wait_ms
        self._last_seq = last_seq
        self._live_from = last_seq + 1
        self._flights: dict[int, Flight] = {}
        self._awaiting: deque[Flight] = deque()
        self._published = 0
        self._owing_since_ms = self._asked_ms = 0
        self._asking = False

    @property
    def upto(self) -> int:
        """Every entry from 1 to here is received."""
        whole = self.received.from_(1)
        return whole[1] if whole and whole[0] == 1 else 0

    @property
    def backlog(self) -> int:
        """How many entries are not received."""
        return self._last_seq - self.received.count

    @property
    def in_flight(self) -> int:
        """How many entries are published and without PUBACK."""
        return sum(flight.last - flight.first + 1 for flight in self._flights.values())

    def appended(self, seq: int) -> None:
        """A new entry is in the journal."""
        self._last_seq = seq
        self.unsent.add(seq, seq)

    def forget(self, first: int, last: int) -> None:
        """These entries cannot be sent: they are gone from the journal."""
        self.unsent.remove(first, last)

    def connected(self, room: int, now_ms: int) -> None:
        """A connection began whose broker lets us have `room` messages in flight."""
        self._room = max(1, min(self._most_room, room))
        self._live_from = self._last_seq + 1
        self._owing_since_ms = self._asked_ms = now_ms
        self._asking = False

    def disconnected(self) -> bool:
        """The connection is over, and with it every message that had no PUBACK; True if any."""
        return sum(self.refused(mid) for mid in list(self._flights)) > 0

    def next(self, most: int) -> tuple[int, int] | None:
        """The range of entries to publish now, at most `most`; None if there is no room or need."""
        free = self._room - len(self._flights)
        live = self.unsent.from_(self._live_from)
        reserved = 1 if self._room > 1 and live is None else 0
        if free <= reserved:
            return None
        chosen = live or self.unsent.from_(1)
        if chosen is None:
            return None
        return chosen[0], min(chosen[1], chosen[0] + most - 1)

    def published(self, mid: int, first: int, last: int, now_ms: int) -> None:
        """Entries `first` to `last` went out as message `mid`."""
        self.unsent.remove(first, last)
        if not (self._flights or self._awaiting or self._asking):
            self._owing_since_ms = self._asked_ms = now_ms
        self._published += 1
        self._flights[mid] = Flight(self._published, first, last, now_ms)

    def acked(self, mid: int) -> None:
        """The broker has message `mid`; no more than that."""
        flight = self._flights.pop(mid, None)
        if flight is not None and not self.received.covers(flight.first, flight.last):
            self._awaiting.append(flight)

    def refused(self, mid: int) -> bool:
        """The broker does not want message `mid`, or never saw it. False if it is none of ours."""
        flight = self._flights.pop(mid, None)
        if flight is None:
            return False
        self._again(flight)
        return True

    def receipt(self, receipt: Receipt, now_ms: int) -> None:
        """The central's database has what `receipt` says; the caller checked that it is ours."""
        have = Ranges([(1, receipt.last)])
        for first, last in receipt.missing:
            have.remove(first, last)
        for first, last in self.received.minus(have):
            self.unsent.add(first, last)
        self.received = have
        for first, last in have:
            self.unsent.remove(first, last)
        self._drop_overtaken()
        self._wait_ms = self._first_wait_ms
        self._owing_since_ms = self._asked_ms = now_ms
        self._asking = False

    def carried(self, upto: int) -> None:
        """The central has every entry up to here, as somebody carried the word; it may be old."""
        self.received.add(1, upto)
        self.unsent.remove(1, upto)
        covers = self.received.covers
        self._awaiting = deque(one for one in self._awaiting if not covers(one.first, one.last))

    def ask(self, now_ms: int) -> bool:
        """Send the oldest batch again if no receipt came for too long; True if it was time."""
        waited_ms = now_ms - self._asked_ms
        if self._flights or not self._awaiting or waited_ms < self._wait_ms:
            return False
        self._again(self._awaiting.popleft())
        self._asking = True  # what it owes, it has owed since before
        self._wait_ms = min(self._wait_ms * 2, LONGEST_WAIT_MS)
        self._asked_ms = now_ms
        return True

    def owing_ms(self, now_ms: int) -> int:
        """How long the central has owed a receipt; 0 when it owes none."""
        return now_ms - self._owing_since_ms if self._awaiting else 0

    def owes(self, seq: int) -> bool:
        """True while an entry up to `seq` is still to be sent, or sent and not receipted."""
        waiting = [*self._flights.values(), *self._awaiting]
        unsent = self.unsent.from_(1)
        return bool(unsent and unsent[0] <= seq) or any(one.first <= seq for one in waiting)

    def stalled(self, now_ms: int, limit_ms: int) -> bool:
        """True if the broker has left a message without PUBACK for `limit_ms`."""
        return any(now_ms - flight.sent_ms > limit_ms for flight in self._flights.values())

    def _drop_overtaken(self) -> None:
        """Forget batches that arrived; those that a later one overtook were lost by the broker."""
        waiting, self._awaiting = self._awaiting, deque()
        newest = 0
        left = []
        for flight in waiting:
            if self.received.covers(flight.first, flight.last):
                newest = max(newest, flight.order)
            else:
                left.append(flight)
        for flight in left:
            if flight.order < newest:
                self._again(flight)
            else:
                self._awaiting.append(flight)

    def _again(self, flight: Flight) -> None:
        lost = Ranges([(flight.first, flight.last)]).minus(self.received)
        for first, last in lost:
            self.unsent.add(first, last)
