"""The window against a model of everything that goes wrong: nothing is lost, whatever happens.

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
        self.store: set[int] = set()
        self.ever: set[int] = set()
        self.receipts: list[Receipt] = []

    @initialize(backlog=st.integers(0, 20), room=st.integers(2, 5))
    def begin(self, backlog: int, room: int) -> None:
        self.most_room = room
        self.last_seq = backlog
        self.window = Window(backlog, 0, room, WAIT_MS)

    # --- the terminal ---

    @rule()
    def punch(self) -> None:
        self.last_seq += 1
        self.window.appended(self.last_seq)

    @rule(forgotten=st.integers(0, 5))
    def restart_the_agent(self, forgotten: int) -> None:
        """The received mark on disk may be older than what was received."""
        upto = max(0, self.window.upto - forgotten)
        self.room, self.flying = 0, {}
        self.window = Window(self.last_seq, upto, self.most_room, WAIT_MS)

    @precondition(lambda self: self.room == 0)
    @rule(room=st.integers(1, 10))
    def connect(self, room: int) -> None:
        self.room, self.mids = min(room, self.most_room), 0
        self.live_from = self.last_seq + 1
        self.window.connected(room, self.now_ms)

    @precondition(lambda self: self.room)
    @rule()
    def publish(self) -> None:
        self.publish_next()

    def publish_next(self) -> bool:
        """One batch, if the window says so."""
        waiting = numbers(self.window.unsent)
        chosen = self.window.next(BATCH)
        if chosen is None:
            backlog_fits = len(self.flying) < max(1, self.room - 1)
            waiting -= numbers(self.window.repairs) if self.window.repairing else set()
            assert not (waiting and backlog_fits)
            fresh = {one for one in waiting if one >= self.live_from}
            assert not (fresh - numbers(self.window.repairs) and len(self.flying) < self.room)
            return False
        first, last = chosen
        assert set(range(first, last + 1)) <= waiting
        assert last - first < BATCH
        fresh = {one for one in waiting if one >= self.live_from} - numbers(self.window.repairs)
        live = first in fresh
        assert live == bool(fresh), "live before backlog"
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

    # --- the broker ---

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

    @rule(kept=st.sets(st.integers(1, 30)))
    def restore_from_a_backup(self, kept: set[int]) -> None:
        self.store &= kept

    @precondition(lambda self: self.receipts and self.room)
    @rule(which=st.integers(-3, -1))
    def take_a_receipt(self, which: int) -> None:
        """The newest, or a stale one; any may also never come."""
        self.window.receipt(self.receipts[max(which, -len(self.receipts))], self.now_ms)

    # --- what holds ---

    @invariant()
    def nothing_is_received_that_the_central_never_had(self) -> None:
        if hasattr(self, "window"):
            assert numbers(self.window.received) <= self.ever
            assert numbers(self.window.received).isdisjoint(numbers(self.window.unsent))
            assert numbers(self.window.unsent) <= set(range(1, self.last_seq + 1))
            assert self.window.backlog == self.last_seq - self.window.received.count
            assert self.window.in_flight == sum(
                last - first + 1 for first, last in self.in_flight()
            )

    def in_flight(self) -> list[tuple[int, int]]:
        return list(self.flying.values())

    def teardown(self) -> None:
        """From now on all behave, and one more person comes: everything arrives."""
        if not hasattr(self, "window"):
            return
        if self.room:
            self.hang_up(0)
        self.connect(10)
        self.punch()
        for _ in range(3):
            for _ in range(2 * self.last_seq + 2):  # more turns than any sensible order needs
                if not self.publish_next():
                    break
                self.answer("kept")
                while self.queued:
                    self.store_one()
                    self.take_a_receipt(-1)
            self.time_passes(LONGEST_WAIT_MS)
        assert self.store == set(range(1, self.last_seq + 1))
        assert (self.window.backlog, self.window.upto) == (0, self.last_seq)


TestTerminal = Terminal.TestCase
TestTerminal.settings = settings(max_examples=100, stateful_step_count=40)


def history(terminal: Terminal, chance: Random) -> Callable[[], object]:
    """Something that can happen now, as the rules above allow it."""
    possible: list[Callable[[], object]] = [
        terminal.punch,
        lambda: terminal.time_passes(chance.choice(WAITS_MS)),
    ]
    if terminal.room:
        possible += [terminal.publish] * 3 + [lambda: terminal.hang_up(chance.randint(0, 5))]
    else:
        possible += [lambda: terminal.connect(chance.randint(1, 10))] * 3
    if terminal.flying:
        possible += [lambda: terminal.answer(chance.choice(ANSWERS))] * 3
    if terminal.queued:
        possible += [terminal.store_one] * 3
    if terminal.receipts and terminal.room:
        possible += [lambda: terminal.take_a_receipt(chance.randint(-3, -1))] * 2
    if chance.random() < 0.05:
        possible = [
            terminal.the_broker_forgets,
            lambda: terminal.restart_the_agent(chance.randint(0, 5)),
            lambda: terminal.restore_from_a_backup(set(range(1, chance.randint(1, 30)))),
        ]
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
