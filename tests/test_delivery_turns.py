"""Turns of delivery: what goes, what waits, what a failing disk or broker leaves as it was."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp, start
from turns import IDENTITY, SECOND, Turns

from edge_agent.contract import messages
from edge_agent.errors import JournalError, MessageError
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.terminal.delivery import STALLED_MS


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "journal.db", TERMINAL)
    for number in range(20):
        one.append(punch(f"{number:064x}"), stamp(number))
    with closing(one):
        yield one


def test_the_mark_that_a_stick_raised_is_lowered_at_once(journal: Journal) -> None:
    """A kill after that must not leave a mark by which somebody could prune."""
    one = Turns(journal, Ranges())
    one.connect()
    one.delivery.receiving.take_carried(one.receipt(18), one.now_ms)
    assert journal.received() == 18
    one.received(9)
    one.turn(1)
    assert journal.received() == 9


def test_an_entry_larger_than_the_broker_takes_is_in_nobodys_way(journal: Journal) -> None:
    """It is counted, and tried again at a broker that takes more."""
    seq = journal.append(start(), stamp()).seq
    journal.append(punch(), stamp())
    one = Turns(journal, Ranges())
    one.connect(max_bytes=410)
    sent: list[int] = []
    for _ in range(30):
        for batch in one.run():
            sent += batch
        for mid in one.link.batches:
            one.ack(mid)
    assert sent == [*range(1, seq), seq + 1]
    assert one.delivery.rejected["entry is larger than the broker takes"] == 1
    one.lose()
    assert one.run() == [[seq]]


def test_a_large_roster_does_not_make_a_narrow_link_look_dead(journal: Journal) -> None:
    """A PUBACK may stand behind it for minutes; when nothing comes any more, it is dead."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    for seconds in range(180):
        one.link.carried = (5_000, 5_000 * seconds)
        one.turn(SECOND)
        assert not one.link.abandoned
    for _ in range(STALLED_MS // SECOND + 2):
        one.turn(SECOND)
    assert one.links[0].abandoned


def test_a_broker_that_only_answers_pings_is_dead(journal: Journal) -> None:
    """A few bytes now and then are no roster."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    for seconds in range(STALLED_MS // SECOND + 2):
        one.link.carried = (5_000, 2 * seconds)
        one.turn(SECOND)
    assert one.links[0].abandoned


def test_the_roster_is_asked_for_behind_the_backlog_or_after_a_minute(journal: Journal) -> None:
    """It may be larger than all that waits; and once a connection."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    assert one.link.topics == []
    one.received(20)
    one.turn(1)
    one.turn(1)
    assert one.link.topics == [IDENTITY.topic("roster")]
    one.window.appended(journal.append(punch(), stamp()).seq)
    one.lose()
    one.turn(29 * SECOND)
    for mid in list(one.link.batches):
        one.ack(mid)
    one.turn(30 * SECOND)
    assert one.link.topics == []
    one.turn(2 * SECOND)
    assert one.link.topics == [IDENTITY.topic("roster")]


def test_when_the_budget_is_spent_today_goes_and_the_rest_waits_for_tomorrow(
    journal: Journal,
) -> None:
    """In the middle of a drain; a restart does not forget it, another day does; nor the roster."""
    one = Turns(journal, Ranges([(19, 20)]), daily_kb=10)
    one.connect()
    one.link.carried = (6_000, 4_000)
    one.turn(SECOND)
    first = [entry["seq"] for batch in one.link.batches.values() for entry in batch.entries]
    assert first == [19, 20]
    for mid in list(one.link.batches):
        one.ack(mid)
    one.window.appended(journal.append(punch(), stamp()).seq, live=False)
    one.window.appended(journal.append(punch(), stamp()).seq)
    assert one.run() == [[22]]
    for mid in list(one.link.batches):
        one.ack(mid)
    assert journal.spent.read()[1] == 10_000  # a kill comes at any moment
    one.turn(61 * SECOND)
    assert not one.link.abandoned
    assert one.link.topics == []
    again = Turns(journal, Ranges([(19, 20)]), daily_kb=10)
    again.stamp = one.at()
    again.connect()
    assert again.run() == [[19, 20]]
    for mid in list(again.link.batches):
        again.ack(mid)
    assert again.run() == []
    again.now_ms += 24 * 3600 * SECOND
    again.link.carried = (10, 10)
    again.delivery.metering.measure(again.link, again.at())
    assert set(range(1, 19)) <= {seq for batch in again.run() for seq in batch}


def test_a_disk_that_takes_no_note_does_not_slow_the_drain(journal: Journal) -> None:
    """It is told once in five seconds, not at every turn."""
    one = Turns(journal, Ranges())
    one.connect()
    one.turn(6 * SECOND)
    one.received(5)
    journal._db.execute("PRAGMA query_only = 1")
    failed = 0
    for _ in range(20):
        try:
            one.turn(100)
        except JournalError:
            failed += 1
    assert failed == 1
    journal._db.execute("PRAGMA query_only = 0")
    one.turn(5 * SECOND)
    assert journal.received() == 5


def test_time_left_is_told_from_what_receipts_gained(journal: Journal) -> None:
    """Nothing before the first, nothing where they stand still or go back."""
    one = Turns(journal, Ranges())
    one.connect()
    left_ms = one.delivery.receiving.left_ms
    assert left_ms() is None
    one.now_ms += 10 * SECOND
    one.received(10)
    assert left_ms() == 10 * SECOND
    one.received(0)
    assert left_ms() is None


def test_a_boot_in_1970_does_not_give_the_days_bytes_back(journal: Journal) -> None:
    """A terminal without a battery clock, after a power cut."""
    journal.spent.note(stamp().utc_ms // 86_400_000, 10_000)
    one = Turns(journal, Ranges(), daily_kb=10)
    one.stamp = replace(stamp(), utc_ms=5_000, source="none", error_ms=None)
    one.connect()
    one.link.carried = (100, 100)
    one.turn(SECOND)
    assert one.run() == []


def test_what_was_lost_comes_smaller_and_receipts_make_it_larger_again(journal: Journal) -> None:
    """A connection that ends with something under way may have ended because of it."""
    one = Turns(journal, Ranges())
    one.connect()
    for most in (20, 10, 5, 2, 1, 1):
        assert len(one.run()[0]) == most
        one.lose()
    one.run()
    one.ack(max(one.link.batches))
    one.received(1)
    assert len(one.run()[0]) > 1


def test_a_refusal_is_not_answered_at_once(journal: Journal) -> None:
    """A broker whose quota is exceeded gets a moment."""
    one = Turns(journal, Ranges())
    one.connect()
    one.run()
    (mid,) = one.link.batches
    one.ack(mid, "Quota exceeded")
    assert one.run() == []
    one.turn(20)
    assert len(one.link.batches) == 2


def test_a_carried_receipt_that_nobody_here_can_check_raises_no_mark(journal: Journal) -> None:
    """What it speaks of is pruned, so the journal cannot bear it out."""
    journal.note_received(10)
    journal.front.prune(10)
    one = Turns(journal, Ranges())
    said = messages.Receipt(TERMINAL, journal.journal, 5, "ab" * 32, 20, ((6, 6),))
    with pytest.raises(MessageError, match="head"):
        one.delivery.receiving.take_carried(messages.encode_receipt(said), 0)
    assert journal.received() == 10
