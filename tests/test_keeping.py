"""What is pruned, and what never is: ages, disks, restarts, kills, and a central restored."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import TERMINAL
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import DAY_MS, IDENTITY, NOW, ROOMY, SHORT, Terminal, assert_one_run, at_age, sent, stamp

from edge_agent.contract import messages
from edge_agent.errors import JournalError
from edge_agent.terminal.keeping import STEP
from edge_agent.terminal.packing import Packing
from edge_agent.uplink.pace import Pace


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path / "journal.db")
    yield one
    one.journal.close()


def test_what_is_received_and_old_goes_from_the_front(terminal: Terminal) -> None:
    """Older than keep_days goes; exactly so old stays; what is not received stays, however old."""
    terminal.append(at_age(402), at_age(401), stamp(NOW - 400 * DAY_MS - 1), at_age(400), at_age(1))
    assert terminal.settle() == 1
    terminal.receipt(2)
    assert terminal.settle() == 3
    terminal.receipt(5)
    assert terminal.settle() == 4
    assert terminal.settle(9) == 4
    assert terminal.keeping.oldest_ms == NOW - 400 * DAY_MS
    terminal.now = stamp(NOW + 1)
    assert terminal.settle() == 5


def test_the_newest_stay_whatever_their_age(tmp_path: Path) -> None:
    """By default a thousand; the very newest always, for the journal goes on from its head."""
    few = Terminal(tmp_path / "few.db", newest=3)
    few.append(*[at_age(500)] * 10)
    few.receipt(10)
    assert few.settle(3) == 8
    none = Terminal(tmp_path / "none.db")
    none.append(*[at_age(500)] * 10)
    none.receipt(10)
    assert none.settle(3) == 10
    none.journal.close()
    none.open()
    assert none.journal.last_seq == 10
    none.append(at_age(0))
    assert none.journal.last_seq == 11


def test_a_doubtful_age_is_told_by_what_stands_behind(terminal: Terminal) -> None:
    """Nobody vouched, or the date is to come: such an entry goes with the next that is sound."""
    unknown, future = at_age(9_000, None), at_age(-3_000)
    terminal.append(unknown, future, at_age(450), unknown, unknown, at_age(10), unknown)
    terminal.receipt(7)
    assert terminal.settle(5) == 4
    terminal.now = stamp(NOW + 395 * DAY_MS)
    assert terminal.settle(5) == 7


def test_what_may_be_young_stays(terminal: Terminal) -> None:
    """By the errors that are stated, the entry's and our own now."""
    terminal.append(at_age(401, 2 * DAY_MS), at_age(0))
    terminal.receipt(2)
    assert terminal.settle(3) == 1
    terminal.now = stamp(NOW + 2 * DAY_MS, 2 * DAY_MS)
    assert terminal.settle(3) == 1
    terminal.now = stamp(NOW + 2 * DAY_MS)
    assert terminal.settle(3) == 2


def test_nothing_goes_by_age_while_the_time_is_not_known(terminal: Terminal) -> None:
    """A machine that wakes up in 2038 forgets nothing for that."""
    terminal.append(at_age(500), at_age(0))
    terminal.receipt(2)
    terminal.now = stamp(NOW + 5_000 * DAY_MS, None)
    assert terminal.settle(3) == 1
    terminal.now = stamp(NOW)
    assert terminal.settle(3) == 2


def test_a_short_disk_takes_the_oldest_that_are_received(terminal: Terminal) -> None:
    """Until there is room again; what is not received stays on a full disk."""
    terminal.append(*[at_age(3)] * (3 * STEP))
    terminal.receipt(2 * STEP + 10)
    terminal.disk = SHORT
    assert terminal.settle() == STEP + 1
    terminal.disk = ROOMY
    assert terminal.settle(3) == STEP + 1
    terminal.disk = (0, 10**12)
    assert terminal.settle(5) == 2 * STEP + 11
    terminal.disk = (10**8 - 1, 10**9)  # of a small disk a tenth is enough
    terminal.receipt(3 * STEP)
    assert terminal.settle() == 3 * STEP


def test_a_stretch_without_any_time_is_passed_in_steps(terminal: Terminal) -> None:
    """However long; each turn looks at some of it."""
    terminal.append(*[at_age(0, None)] * (3 * STEP), at_age(401), at_age(1))
    terminal.receipt(3 * STEP + 2)
    assert terminal.settle(3) == 1
    assert terminal.settle(5) == 3 * STEP + 2


def test_the_chain_is_provable_at_both_ends(terminal: Terminal) -> None:
    """The head before the first that is kept is remembered, across a restart."""
    terminal.append(*[at_age(500)] * 5, *[at_age(5)] * 5)
    heads = [terminal.journal.head_at(seq) for seq in range(11)]
    terminal.receipt(10)
    assert terminal.settle(2) == 6
    for _ in range(2):
        assert terminal.journal.head_at(0) == heads[0]
        assert [terminal.journal.head_at(seq) for seq in range(5, 11)] == heads[5:]
        assert terminal.journal.head_at(4) is None
        terminal.journal.close()
        terminal.open()
    terminal.receipt(5)
    (batch,) = terminal.batches()
    assert (batch.first, batch.prev) == (6, (heads[5] or b"").hex())


def test_a_central_that_asks_for_everything_gets_what_is_kept(terminal: Terminal) -> None:
    """In silence about the rest, which is counted; then pruning goes on above that hole."""
    terminal.append(*[at_age(500)] * 20, *[at_age(5)] * 10)
    terminal.receipt(30)
    assert terminal.settle(2) == 21
    terminal.receipt(0)
    assert (terminal.window.gone, terminal.window.backlog, terminal.window.upto) == (20, 10, 20)
    assert sent(terminal.batches()) == list(range(21, 31))
    terminal.receipt(30, (1, 20))
    assert (terminal.window.gone, terminal.window.backlog, terminal.window.upto) == (20, 0, 30)
    assert terminal.batches() == []
    terminal.now = stamp(NOW + 400 * DAY_MS)
    terminal.append(terminal.now)
    assert terminal.settle(3) == 31
    assert sent(terminal.batches()) == [31]


def test_a_mark_that_is_not_lowered_yet_lets_nothing_go(terminal: Terminal) -> None:
    """The latest receipt has less than what is noted, and the disk did not take that yet."""
    terminal.append(*[at_age(500)] * 10)
    terminal.receipt(10)
    lower = messages.Receipt(TERMINAL, terminal.journal.journal, 3, "00" * 32, 3, ())
    terminal.window.receipt(lower, 0)
    assert terminal.journal.received() == 10
    assert terminal.settle(3) == 4


def test_pruning_beside_a_delivery_disturbs_none(terminal: Terminal) -> None:
    """Batches in flight, and what the broker lost of them, are sent again as far as it is kept."""
    terminal.append(*[at_age(500)] * 20, *[at_age(5)] * 10)
    packing = Packing(terminal.journal, IDENTITY, terminal.window, Pace(), lambda *_: None)
    assert packing.next(0) is not None
    terminal.window.published(1, 1, 30, 0)
    terminal.receipt(15)
    assert terminal.settle() == 16
    assert terminal.window.in_flight > 0
    terminal.window.disconnected()
    assert sent(terminal.batches()) == list(range(16, 31))


def test_a_fault_of_the_disk_is_not_told_at_every_turn(tmp_path: Path) -> None:
    """It is raised, tried again after an hour, and nothing is lost by it."""
    one = Terminal(tmp_path / "journal.db")
    one.append(*[at_age(500)] * 5)
    one.receipt(5)
    one.journal.close()
    with pytest.raises(JournalError):
        one.keeping.settle(1)
    one.keeping.settle(3_600_000)
    one.open()
    assert one.settle(2) == 5


def test_free_pages_are_written_again(tmp_path: Path) -> None:
    """The file stops growing: a year more of entries takes the room of those that went."""
    one = Terminal(tmp_path / "journal.db")
    one.append(*[at_age(500)] * 1_000)
    one.receipt(1_000)
    one.settle(10)
    room, _ = one.journal.front.room_bytes()
    one.journal.close()
    size = one.path.stat().st_size
    one.open()
    one.append(*[at_age(0)] * 900)
    assert one.journal.front.room_bytes()[0] < room
    one.journal.close()
    assert one.path.stat().st_size == size


_PRUNER = """
import sys
from pathlib import Path
from edge_agent.journal import Journal
journal = Journal(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
while True:
    journal.front.prune(journal.front.cut + 7)
"""


def test_a_kill_at_any_moment_leaves_one_whole_run(tmp_path: Path) -> None:
    """SIGKILL while a process prunes as fast as it can, again and again."""
    one = Terminal(tmp_path / "journal.db")
    one.append(*[at_age(500)] * 2_500)
    heads = [one.journal.head_at(seq) for seq in range(2_501)]
    one.receipt(2_400)
    one.journal.close()
    chance, cuts = random.Random(5), [0]
    while cuts[-1] < 2_400 and len(cuts) < 12:
        command = [sys.executable, "-c", _PRUNER, str(one.path), TERMINAL]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.06))
            os.kill(process.pid, signal.SIGKILL)
        one.open()
        cuts.append(one.journal.front.cut)
        assert [one.journal.head_at(seq) for seq in range(cuts[-1], 2_501)] == heads[cuts[-1] :]
        assert_one_run(one)
        one.journal.close()
    assert cuts == sorted(cuts)
    assert 0 < cuts[1] < cuts[-1] <= 2_400


STEPS = st.one_of(
    st.tuples(st.just("append"), st.integers(1, 40), st.integers(-1, 900)),
    st.tuples(st.just("receipt"), st.integers(0, 300), st.integers(0, 300)),
    st.tuples(st.just("late"), st.integers(0, 300), st.integers(0, 300)),
    st.tuples(st.just("settle"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("restart"), st.booleans(), st.integers(0, 30)),
)


@settings(max_examples=80)
@given(steps=st.lists(STEPS, max_size=30))
def test_what_the_central_may_not_have_is_never_pruned(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    """Random histories: what the last receipt had, or an earlier one of what is gone since."""
    one = Terminal(tmp_path_factory.mktemp("keeping") / "journal.db")
    had: set[int] = set()
    for what, number, other in steps:
        match what:
            case "append":
                one.append(*[at_age(other) if other >= 0 else at_age(0, None)] * number)
            case "receipt" | "late":
                last = min(number, one.journal.last_seq)
                low = min(other, last)
                holes = [(low, low + 3)] if low > 0 and low + 3 < last else []
                one.receipt(last, *holes, noted=what == "receipt")
                had = set(range(1, last + 1)) - {n for a, b in holes for n in range(a, b + 1)}
            case "settle":
                one.disk = SHORT if other else ROOMY
                before = one.journal.first_seq
                went = set(range(before, one.settle(number)))
                assert went <= had
            case "restart":
                one.journal.close()
                one.open()
    assert_one_run(one)
    one.journal.close()
