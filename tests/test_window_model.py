"""The window against a model of everything that goes wrong: nothing is lost, nothing starves.

The model has a broker that acknowledges, refuses, loses and hangs up, and a central that stores
what arrives in the order of publishing and whose receipts may be lost, late or stale.
"""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.contract.messages import Receipt
from edge_agent.ranges import Ranges
from edge_agent.uplink.window import LONGEST_WAIT_MS, Window

#: Gaps in one receipt of the model's central; small, so that the limit is met.
MOST_MISSING = 2
BATCH = 3
WAIT_MS = 20_000
ANSWERS = ("kept", "kept", "lost", "refused")
WAITS_MS = (0, 1, WAIT_MS, LONGEST_WAIT_MS)


def numbers(pairs: Ranges) -> set[int]:
    return {number for first, last in pairs for number in range(first, last + 1)}


def receipt_for(store: set[int]) -> Receipt:
    """What an honest central says of its database: `MOST_MISSING` gaps at most."""
    spans = list(Ranges((seq, seq) for seq in store))
    upto = spans[0][1] if spans and spans[0][0] == 1 else 0
    last, missing = upto, []
    for first, end in spans:
        if first > upto and len(missing) < MOST_MISSING:
            missing.append((last + 1, first - 1))
            last = end
    return Receipt("bungi-1", "00" * 16, upto, "00" * 32, last, tuple(missing))


class Terminal(RuleBasedStateMachine):
    """One terminal, its broker and its central."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.last_seq = 0
        self.live_from = 0
        self.room = 0  # 0: no connection
        self.mids = 0
        self.flying: dict[int, tuple[int, int]] = {}  # published on this connection, no answer
        self.queued: list[tuple[int, int]] = []  # at the broker, for the central
        self.first = 1
        self.noted = 0
        self.surveys: set[int] = set()
        self.today: set[int] = set()
        self.store: set[int] = set()
        self.ever: set[int] = set()
        self.receipts: list[Receipt] = []

    @initialize(backlog=st.integers(0, 20), room=st.integers(2, 5))
    def begin(self, backlog: int, room: int) -> None:
        self.most_room = room
        self.last_seq = backlog
        self.window = Window(backlog, 0, room, WAIT_MS)

    @rule()
    def punch(self) -> None:
        self.last_seq += 1
        self.window.appended(self.last_seq)

    @rule()
    def survey(self) -> None:
        self.last_seq += 1
        self.surveys.add(self.last_seq)
        self.window.appended(self.last_seq, live=False)

    @rule()
    def note_what_is_received(self) -> None:
        self.noted = self.window.upto

    @rule()
    def restart_the_agent(self) -> None:
        """The received mark on disk may be older than what was received."""
        self.room, self.flying = 0, {}
        self.window = Window(self.last_seq, self.noted, self.most_room, WAIT_MS, self.first)

    @rule(most=st.integers(1, 10))
    def prune(self, most: int) -> None:
        """So many from the front, none that is not received and noted as that."""
        upto = min(self.first - 1 + most, self.window.upto, self.noted, self.last_seq - 1)
        if upto >= self.first:
            self.first = upto + 1
            self.window.pruned(self.first)

    @precondition(lambda self: self.window.unsent)
    @rule()
    def meet_a_page_that_cannot_be_read(self) -> None:
        """Now; with the next connection it can."""
        first, _ = next(iter(self.window.unsent))
        self.window.forget(first, first)

    @precondition(lambda self: self.room == 0)
    @rule(room=st.integers(1, 10), today=st.integers(0, 10))
    def connect(self, room: int, today: int) -> None:
        """The last entries are of today."""
        self.room, self.mids = min(room, self.most_room), 0
        self.live_from = self.last_seq + 1
        self.today = set(range(max(1, self.last_seq - today + 1), self.live_from)) - self.surveys
        given = Ranges((seq, seq) for seq in self.today)
        self.window.connected(room, self.now_ms, given)

    @precondition(lambda self: self.room)
    @rule(busy=st.booleans(), spent=st.booleans())
    def publish(self, busy: bool, spent: bool) -> None:
        self.publish_next(busy=busy, spent=spent)

    def lanes(self) -> tuple[set[int], ...]:
        """What waits and may go: what is new, what is of today, the backlog."""
        waiting, again = numbers(self.window.unsent), numbers(self.window.repairs)
        fresh = {one for one in waiting if one >= self.live_from} - again - self.surveys
        rest = waiting - fresh
        return fresh, rest & self.today - again, rest - (again if self.window.repairing else set())

    def publish_next(self, *, busy: bool = False, spent: bool = False) -> bool:
        """One batch, if the window says so."""
        (fresh, today, backlog), waiting = self.lanes(), numbers(self.window.unsent)
        due = set() if busy else today if spent else backlog
        chosen = self.window.next(BATCH, busy=busy, spent=spent)
        if chosen is None:
            assert not (due and len(self.flying) < max(1, self.room - 1)), "nothing starves"
            assert not (fresh and len(self.flying) < self.room), "the living never wait"
            return False
        first, last = chosen
        sent, live = set(range(first, last + 1)), bool(fresh)
        assert sent <= waiting
        assert last - first < BATCH
        assert sent <= (fresh or due), "live before backlog, and nothing that is to wait"
        assert live or sent <= today or not today, "today before older days"
        self.mids += 1
        self.flying[self.mids] = chosen
        self.window.published(self.mids, first, last, self.now_ms)
        assert len(self.flying) <= self.room, "never more than there is room"
        assert live or self.room == 1 or len(self.flying) < self.room, "one place is for the living"
        return True

    @rule(ms=st.sampled_from(WAITS_MS))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms
        if self.room:
            self.window.ask(self.now_ms)

    @precondition(lambda self: self.flying)
    @rule(how=st.sampled_from(ANSWERS))
    def answer(self, how: str) -> None:
        """The oldest message is acknowledged and kept, acknowledged and lost, or refused."""
        mid = min(self.flying)
        batch = self.flying.pop(mid)
        if how == "refused":
            self.window.refused(mid)
            return
        self.window.acked(mid)
        if how == "kept":
            self.queued.append(batch)

    @precondition(lambda self: self.room)
    @rule(arrived=st.integers(0, 5))
    def hang_up(self, arrived: int) -> None:
        """Of the messages without an answer the first few had arrived, the others had not."""
        self.queued += list(self.flying.values())[:arrived]
        self.room, self.flying = 0, {}
        self.window.disconnected()

    @rule()
    def the_broker_forgets(self) -> None:
        self.queued = []

    # --- the central ---

    @precondition(lambda self: self.queued)
    @rule()
    def store_one(self) -> None:
        first, last = self.queued.pop(0)
        self.store |= set(range(first, last + 1))
        self.ever |= self.store
        self.receipts.append(receipt_for(self.store))

    @precondition(lambda self: self.receipts)
    @rule(which=st.integers(-3, -1))
    def take_a_receipt_by_hand(self, which: int) -> None:
        """It may be old, and the central may have lost since what it tells of."""
        self.window.carried(self.receipts[max(which, -len(self.receipts))].upto)

    @rule(kept=st.sets(st.integers(1, 30)))
    def restore_from_a_backup(self, kept: set[int]) -> None:
        self.store &= kept

    @precondition(lambda self: self.receipts and self.room)
    @rule(which=st.integers(-3, -1))
    def take_a_receipt(self, which: int) -> None:
        """The newest, or a stale one; any may also never come."""
        self.window.receipt(self.receipts[max(which, -len(self.receipts))], self.now_ms)
        self.noted = min(self.noted, self.window.upto)  # less is noted at once

    # --- what holds ---

    @invariant()
    def nothing_is_received_that_the_central_never_had(self) -> None:
        if hasattr(self, "window"):
            assert numbers(self.window.received) <= self.ever
            assert numbers(self.window.received).isdisjoint(numbers(self.window.unsent))
            assert numbers(self.window.unsent) <= set(range(self.first, self.last_seq + 1))
            before, repairs = set(range(1, self.first)), numbers(self.window.repairs)
            assert repairs.isdisjoint(before | numbers(self.window.received))
            gone = before - numbers(self.window.received)
            assert self.window.backlog == self.last_seq - self.window.received.count - len(gone)
            assert set(range(1, self.window.upto + 1)) <= self.ever
            in_flight = sum(last - first + 1 for first, last in self.flying.values())
            assert self.window.in_flight == in_flight

    def teardown(self) -> None:
        """From now on all behave, and one more person comes: everything arrives.

        At first the link has cost enough today: what is of today goes all the same.
        """
        if not hasattr(self, "window"):
            return
        if self.room:
            self.hang_up(0)
        self.connect(10, 5)
        self.punch()
        self.drain(spent=True)
        assert self.lanes()[:2] == (set(), set())
        assert self.last_seq in self.store
        self.drain(spent=False)
        assert self.store >= set(range(self.first, self.last_seq + 1))
        assert self.ever >= set(range(1, self.last_seq + 1))
        assert (self.window.backlog, self.window.upto) == (0, self.last_seq)

    def drain(self, *, spent: bool) -> None:
        for _ in range(3):
            self.time_passes(LONGEST_WAIT_MS)
            for _ in range(2 * self.last_seq + 2):  # more turns than any sensible order needs
                if not self.publish_next(spent=spent):
                    break
                self.answer("kept")
                while self.queued:
                    self.store_one()
                    self.take_a_receipt(-1)


TestTerminal = Terminal.TestCase
TestTerminal.settings = settings(max_examples=100, stateful_step_count=40)


def history(terminal: Terminal, chance: Random) -> Callable[[], object]:
    """Something that can happen now, as the rules above allow it."""
    possible: list[Callable[[], object]] = [
        terminal.punch,
        terminal.survey,
        terminal.note_what_is_received,
        lambda: terminal.prune(chance.randint(1, 10)),
        lambda: terminal.time_passes(chance.choice(WAITS_MS)),
    ]
    if terminal.room:
        possible += [lambda: terminal.publish(chance.random() < 0.3, chance.random() < 0.3)] * 4
        possible += [lambda: terminal.hang_up(chance.randint(0, 5))]
    else:
        possible += [lambda: terminal.connect(chance.randint(1, 10), chance.randint(0, 10))] * 3
    if terminal.flying:
        possible += [lambda: terminal.answer(chance.choice(ANSWERS))] * 3
    if terminal.queued:
        possible += [terminal.store_one] * 3
    if terminal.receipts and terminal.room:
        possible += [lambda: terminal.take_a_receipt(chance.randint(-3, -1))] * 2
    if chance.random() < 0.05:
        possible = [
            terminal.the_broker_forgets,
            terminal.restart_the_agent,
            lambda: terminal.restore_from_a_backup(set(range(1, chance.randint(1, 30)))),
        ]
        if terminal.receipts:
            possible.append(lambda: terminal.take_a_receipt_by_hand(chance.randint(-3, -1)))
        if terminal.window.unsent:
            possible.append(terminal.meet_a_page_that_cannot_be_read)
    return chance.choice(possible)


@pytest.mark.parametrize("seed", range(100))
def test_a_long_history_ends_well(seed: int) -> None:
    """Two hundred steps of chance, each checked; then all behave and everything arrives."""
    chance = Random(seed)
    terminal = Terminal()
    terminal.begin(chance.randint(0, 20), chance.randint(2, 5))
    for _ in range(200):
        history(terminal, chance)()
        terminal.nothing_is_received_that_the_central_never_had()
    terminal.teardown()
