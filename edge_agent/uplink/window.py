"""Which entries to publish next, and what became of those published. Pure: time is an argument.

An entry is *unsent*, *in flight* (published, no PUBACK), *awaiting* (the broker has it, the central
has not said so) or *received*. Only a receipt makes it received. It becomes unsent again when

* the connection ends, or the broker refuses the message;
* a receipt has a batch that was published later and not this one: the broker lost it, because MQTT
  keeps the order of one publisher's messages on one topic;
* no receipt comes for long: then the oldest batch alone is sent again, to ask;
* a receipt says that the central no longer has it (a database restored from a backup).

Three lanes: what was made since the connection began goes first, and one place in the window is
its alone; then what was made earlier today; then the backlog from its beginning. What is sent again
because the central lacks it goes at the central's pace, one batch for each receipt: a thousand
terminals that all repair at once must not drown a server that has just been mended.
"""

from collections import deque
from dataclasses import dataclass

from edge_agent.contract.messages import Receipt
from edge_agent.ranges import Ranges

#: The wait for a receipt doubles up to this; a central may be away for days.
LONGEST_WAIT_MS = 600_000


@dataclass(frozen=True, slots=True)
class Flight:
    """A published batch: its place in the order of publishing, its entries, why it was sent."""

    order: int
    first: int
    last: int
    sent_ms: int
    repair: bool


class Window:
    """The delivery state of one journal.

    Args:
        last_seq: newest entry.
        upto: every entry up to here is received, as noted before the last restart.
        room: how many batches may be in flight.
        receipt_wait_ms: after so long without a receipt the oldest batch is sent again.
        first: oldest entry that is kept.
    """

    def __init__(
        self, last_seq: int, upto: int, room: int, receipt_wait_ms: int, first: int = 1
    ) -> None:
        upto = min(upto, last_seq)  # a journal restored from an old copy has less than was noted
        self.unsent = Ranges([(upto + 1, last_seq)])
        self.received = Ranges([(1, upto)])
        self._room = self._most_room = room
        self._first_wait_ms = self._wait_ms = receipt_wait_ms
        self._last_seq = last_seq
        self._live, self._today, self._repair = Ranges(), Ranges(), Ranges()
        self._forgotten = Ranges()
        self._first = first
        self._flights: dict[int, Flight] = {}
        self._awaiting: deque[Flight] = deque()
        self._published = 0
        self._owing_since_ms = self._asked_ms = 0
        self._asking = False

    @property
    def upto(self) -> int:
        """Every entry from 1 to here is received, or was received and is pruned."""
        whole = self.received.from_(self._first)
        return whole[1] if whole and whole[0] == self._first else self._first - 1

    @property
    def repairs(self) -> Ranges:
        """What is to be sent again because the central lacks it."""
        return Ranges(self._repair)

    @property
    def repairing(self) -> bool:
        """True while something that was sent again has no receipt: the next waits for it."""
        return any(one.repair for one in (*self._flights.values(), *self._awaiting))

    @property
    def backlog(self) -> int:
        """How many entries are not received and can be."""
        return self._last_seq - self.received.count - self.gone

    @property
    def gone(self) -> int:
        """How many entries the central has no more, though it once had them, and we neither."""
        return Ranges([(1, self._first - 1)]).minus(self.received).count

    @property
    def in_flight(self) -> int:
        """How many entries are published and without PUBACK."""
        return sum(flight.last - flight.first + 1 for flight in self._flights.values())

    def appended(self, seq: int, *, live: bool = True) -> None:
        """A new entry is in the journal; one that is not `live` waits with the backlog."""
        self._last_seq = seq
        self.unsent.add(seq, seq)
        if live:
            self._live.add(seq, seq)

    def forget(self, first: int, last: int) -> None:
        """These entries cannot be sent now; with the next connection they are tried again."""
        self.unsent.remove(first, last)
        self._forgotten.add(first, last)

    def pruned(self, first: int) -> None:
        """The journal begins at `first` now. What it was is received: not to be sent."""
        self._first = first

    def connected(self, room: int, now_ms: int, today: Ranges | None = None) -> None:
        """A connection began whose broker lets us have `room` messages in flight.

        Args:
            today: entries that go before the older ones, unless they go at the central's pace.
        """
        self._room = max(1, min(self._most_room, room))
        self._live, self._today = Ranges(), (today or Ranges()).minus(self._repair)
        self._send_again(self._forgotten.minus(self.received))
        self._forgotten = Ranges()
        self._owing_since_ms = self._asked_ms = now_ms
        self._asking = False

    def disconnected(self) -> None:
        """The connection is over, and with it every message that had no PUBACK."""
        for mid in list(self._flights):
            self.refused(mid)

    def next(self, most: int, *, busy: bool = False, spent: bool = False) -> tuple[int, int] | None:
        """The range of entries to publish now, at most `most`; None if there is no room or need.

        Args:
            busy: the link has enough to carry, so only what was made since the connection began.
            spent: it has cost enough today, so nothing of the backlog.
        """
        free = self._room - len(self._flights)
        live = self._first_of(self._live)
        reserved = 1 if self._room > 1 and live is None else 0
        if free <= reserved:
            return None
        chosen = live
        if chosen is None and not busy:
            chosen = self._first_of(self._today) or (None if spent else self._backlog())
        if chosen is None:
            return None
        return chosen[0], min(chosen[1], chosen[0] + most - 1)

    def published(self, mid: int, first: int, last: int, now_ms: int) -> None:
        """Entries `first` to `last` went out as message `mid`."""
        self.unsent.remove(first, last)
        if not (self._flights or self._awaiting or self._asking):
            self._owing_since_ms = self._asked_ms = now_ms
        self._published += 1
        again = self._repair.from_(first)
        repair = again is not None and again[0] <= last
        self._repair.remove(first, last)
        self._flights[mid] = Flight(self._published, first, last, now_ms, repair)

    def acked(self, mid: int) -> None:
        """The broker has message `mid`; no more than that."""
        flight = self._flights.pop(mid, None)
        if flight is not None and self._lost(flight):
            self._awaiting.append(flight)

    def refused(self, mid: int) -> None:
        """The broker does not want message `mid`, or never saw it."""
        flight = self._flights.pop(mid, None)
        if flight is not None:
            self._again(flight)

    def receipt(self, receipt: Receipt, now_ms: int) -> None:
        """The central's database has what `receipt` says; the caller checked that it is ours."""
        have = Ranges([(1, receipt.last)])
        for first, last in receipt.missing:
            have.remove(first, last)
        self._mend(self.received.minus(have))
        self.received = have
        for first, last in have:
            for lane in (self.unsent, self._repair, self._live, self._today):
                lane.remove(first, last)
        self._drop_overtaken()
        self._wait_ms = self._first_wait_ms
        self._owing_since_ms = self._asked_ms = now_ms
        self._asking = False

    def carried(self, upto: int) -> None:
        """The central has every entry up to here, as somebody carried the word; it may be old."""
        self.received.add(1, upto)
        for lane in (self.unsent, self._repair, self._live, self._today):
            lane.remove(1, upto)
        self._awaiting = deque(filter(self._lost, self._awaiting))

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
            if self._lost(flight):
                left.append(flight)
            else:
                newest = max(newest, flight.order)
        for flight in left:
            if flight.order < newest:
                self._mend(self._lost(flight))
            else:
                self._awaiting.append(flight)

    def _first_of(self, lane: Ranges) -> tuple[int, int] | None:
        """The first range of a lane that is not sent."""
        for first, last in lane:
            found = self.unsent.from_(first)
            if found is not None and found[0] <= last:
                return found[0], min(found[1], last)
        return None

    def _backlog(self) -> tuple[int, int] | None:
        """The first range that is not sent, without repairs while one of them has no receipt."""
        waits = self._repair and self.repairing
        return (self.unsent.minus(self._repair) if waits else self.unsent).from_(1)

    def _again(self, flight: Flight) -> None:
        lost = self._lost(flight)
        if flight.repair:
            self._mend(lost)
        self._send_again(lost)

    def _mend(self, lost: Ranges) -> None:
        """What the central lacks although it was sent; it is no longer a matter of today."""
        self._send_again(lost)
        for first, last in lost:
            self._repair.add(max(first, self._first), last)
            self._live.remove(first, last)
            self._today.remove(first, last)

    def _lost(self, flight: Flight) -> Ranges:
        """What of it the central has not, as far as anybody still can send it."""
        return Ranges([(max(flight.first, self._first), flight.last)]).minus(self.received)

    def _send_again(self, lost: Ranges) -> None:
        """As far as it is still kept: whoever asks for more is not told what nobody has."""
        for first, last in lost:
            self.unsent.add(max(first, self._first), last)
