"""Pruning in the spine: a step at a time, and only when nobody waits."""

import queue
from pathlib import Path

from builders import punch, stamp
from wall import LATER_MS, Wall

from edge_agent.contract import messages
from edge_agent.events import Event, PortOpened, Stop
from edge_agent.terminal.keeping import NEWEST, STEP

ENTRIES = NEWEST + 2 * STEP


def long_kept(folder: Path) -> Wall:
    """A terminal whose entries are years old and received."""
    wall = Wall(folder)
    for _ in range(ENTRIES):
        wall.window.appended(wall.journal.append(punch(), stamp()).seq)
    last = wall.journal.last_seq
    receipt = messages.Receipt(
        wall.journal.terminal, wall.journal.journal, last, "00" * 32, last, ()
    )
    wall.window.receipt(receipt, 0)
    wall.journal.note_received(last)
    wall.clock.now_ms = 500 * 86_400_000
    return wall


def test_one_step_at_a_time_and_none_while_an_event_waits(tmp_path: Path) -> None:
    """An inbox that a turn does not empty goes first; then old entries go, step by step."""
    wall = long_kept(tmp_path)
    inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
    for _ in range(1_500):
        inbox.put(PortOpened("front"))
    seen: list[tuple[bool, int]] = []

    def after_turn(_now_ms: int) -> None:
        seen.append((inbox.empty(), wall.journal.front.cut))
        wall.clock.now_ms += LATER_MS
        inbox.put(Stop() if len(seen) == 6 else PortOpened("front"))

    wall.agent.run(inbox, after_turn)
    assert seen[0] == (False, 0)
    cuts = [cut for _, cut in seen[1:]]
    assert cuts[:2] == [STEP, 2 * STEP]
    assert wall.journal.last_seq - NEWEST - 5 <= cuts[-1] <= wall.journal.last_seq - NEWEST
    assert wall.agent.keeping.oldest_ms == stamp().utc_ms + 12
    assert wall.entries("incident") == []
