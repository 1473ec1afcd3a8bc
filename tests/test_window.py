"""What becomes of published entries, rule by rule; `test_window_model` has all at once."""

import pytest
from windows import BATCH, WAIT_MS, publish, receipt, unsent, window

from edge_agent.uplink.window import LONGEST_WAIT_MS, Window


def test_a_fresh_window_has_everything_unsent_but_what_was_noted() -> None:
    """Up to the received mark of the last run."""
    made = Window(30, 12, 4, WAIT_MS)
    assert unsent(made) == [(13, 30)]
    assert (made.upto, made.backlog, made.in_flight) == (12, 18, 0)


def test_batches_go_in_order_and_no_larger_than_asked() -> None:
    """The backlog from its beginning."""
    made = window(25)
    assert publish(made, 3) == [(1, 10), (11, 20), (21, 25)]
    assert made.next(BATCH) is None
    assert (made.in_flight, made.backlog) == (25, 25)


def test_an_ack_is_not_a_receipt() -> None:
    """The broker has it, no more than that: there is room again, and nothing is received."""
    made = window()
    publish(made, 1)
    made.acked(1)
    assert (made.in_flight, made.backlog, made.upto) == (0, 30, 0)
    assert unsent(made) == [(11, 30)]


def test_a_receipt_makes_entries_received() -> None:
    """Whatever the broker said or did not say before."""
    made = window()
    publish(made, 2)
    made.acked(1)
    made.receipt(receipt(20), 0)
    assert (made.upto, made.backlog) == (20, 10)
    made.acked(2)
    assert not made.ask(10 * LONGEST_WAIT_MS)
    assert unsent(made) == [(21, 30)]


def test_entries_above_a_gap_are_received_but_not_up_to() -> None:
    """The mark is the end of the first unbroken range."""
    made = window()
    made.receipt(receipt(4, (8, 12), (20, 30)), 0)
    assert (made.upto, made.backlog) == (4, 10)
    assert unsent(made) == [(5, 7), (13, 19)]


def test_a_refusal_is_not_an_ack() -> None:
    """A message that the broker does not want is unsent again."""
    made = window()
    publish(made, 2)
    made.refused(1)
    assert unsent(made) == [(1, 10), (21, 30)]
    assert made.in_flight == 10


def test_an_ended_connection_takes_its_unacknowledged_messages_back() -> None:
    """What was acknowledged may still be on its way to the central and is not sent twice."""
    made = window()
    publish(made, 3)
    made.acked(1)
    made.disconnected()
    assert unsent(made) == [(11, 30)]
    assert made.in_flight == 0


def test_an_unknown_message_changes_nothing() -> None:
    """A late answer to a connection that is over."""
    made = window()
    publish(made, 1)
    made.acked(99)
    made.refused(99)
    assert (made.in_flight, unsent(made)) == (10, [(11, 30)])


def test_a_batch_that_a_later_one_overtook_was_lost() -> None:
    """MQTT keeps the order of one publisher on one topic: the broker has dropped the first."""
    made = window()
    publish(made, 3)
    for mid in (1, 2, 3):
        made.acked(mid)
    made.receipt(receipt(0, (11, 20)), 0)
    assert unsent(made) == [(1, 10)]  # and not 21 to 30: those may still come


def test_a_batch_is_not_lost_while_only_earlier_ones_have_arrived() -> None:
    """Its turn may come."""
    made = window()
    publish(made, 3)
    for mid in (1, 2, 3):
        made.acked(mid)
    made.receipt(receipt(10), 0)
    assert unsent(made) == []
    assert made.backlog == 20


def test_the_order_is_that_of_publishing_and_not_of_numbers() -> None:
    """A live punch went first; its receipt says nothing about the backlog after it."""
    made = window(20)
    made.appended(21)
    assert publish(made, 3) == [(21, 21), (1, 10), (11, 20)]
    for mid in (1, 2, 3):
        made.acked(mid)
    made.receipt(receipt(0, (21, 21)), 0)
    assert unsent(made) == []
    made.receipt(receipt(0, (11, 21)), 0)
    assert unsent(made) == [(1, 10)]


def test_only_the_missing_part_of_a_lost_batch_is_sent_again() -> None:
    """The central had a piece of it from before."""
    made = window()
    publish(made, 3)
    for mid in (1, 2, 3):
        made.acked(mid)
    made.receipt(receipt(0, (4, 7), (11, 30)), 0)
    assert unsent(made) == [(1, 3), (8, 10)]


def test_a_central_that_is_silent_is_asked_with_the_oldest_batch_alone() -> None:
    """Not before its time, not while an answer of the broker is due, and one batch only."""
    made = window()
    publish(made, 3)
    made.acked(1)
    made.acked(2)
    assert not made.ask(WAIT_MS)
    made.acked(3)
    assert not made.ask(WAIT_MS - 1)
    assert made.ask(WAIT_MS)
    assert unsent(made) == [(1, 10)]
    assert not made.ask(WAIT_MS)


def test_asking_grows_rarer_until_a_receipt_comes() -> None:
    """The wait doubles up to its longest, and a receipt makes it short again."""
    made = window(10)
    publish(made, 1)
    made.acked(1)
    now_ms, waits = 0, []
    for _ in range(8):
        asked_ms = next(ms for ms in range(now_ms, now_ms + 10**6, 1000) if made.ask(ms))
        waits.append(asked_ms - now_ms)
        now_ms = asked_ms
        publish(made, 1, now_ms)
        made.acked(1)
    assert waits == [20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000, 600_000]
    made.appended(11)
    made.receipt(receipt(10), now_ms)
    publish(made, 1, now_ms)
    made.acked(1)
    assert made.ask(now_ms + WAIT_MS)


def test_the_central_owes_since_it_was_first_owing() -> None:
    """Asking does not forgive the debt; a receipt does, and so does an empty window."""
    made = window(20)
    assert made.owing_ms(5_000) == 0
    publish(made, 1, 5_000)
    assert made.owing_ms(6_000) == 0  # the broker has not even got it
    made.acked(1)
    assert made.owing_ms(7_000) == 2_000
    made.ask(5_000 + WAIT_MS)
    publish(made, 2, 5_000 + WAIT_MS)
    made.acked(1)
    made.acked(2)
    assert made.owing_ms(65_000) == 60_000
    made.receipt(receipt(10), 70_000)
    assert made.owing_ms(75_000) == 5_000
    made.receipt(receipt(20), 80_000)
    assert made.owing_ms(90_000) == 0
    made.appended(21)
    publish(made, 1, 100_000)
    made.acked(1)
    assert made.owing_ms(101_000) == 1_000


def test_a_central_owes_nothing_for_the_time_without_a_connection() -> None:
    """No receipt could have come; the wait begins with the connection."""
    made = window(10)
    publish(made, 1)
    made.acked(1)
    made.disconnected()
    made.connected(4, 500_000)
    assert made.owing_ms(500_001) == 1
    assert not made.ask(500_000 + WAIT_MS - 1)
    assert made.ask(500_000 + WAIT_MS)


def test_a_central_that_lost_its_database_is_sent_everything_again() -> None:
    """Restored from a backup: its receipt is less than what it had said before."""
    made = window()
    made.receipt(receipt(30), 0)
    assert (made.backlog, unsent(made)) == (0, [])
    made.receipt(receipt(10, (15, 20)), 0)
    assert (made.backlog, made.upto, unsent(made)) == (14, 10, [(11, 14), (21, 30)])


def test_live_punches_go_before_the_backlog() -> None:
    """Live is what was appended since the connection began; after the next one it is backlog."""
    made = window(30)
    made.appended(31)
    made.appended(32)
    assert publish(made, 2) == [(31, 32), (1, 10)]
    made.disconnected()
    made.connected(4, 0)
    assert publish(made, 1) == [(1, 10)]


@pytest.mark.parametrize("room", [2, 4, 10])
def test_one_place_is_kept_for_a_live_punch(room: int) -> None:
    """A backlog never fills the window; the next person does not wait for it."""
    made = window(1000, room=room)
    assert len(publish(made, room - 1)) == room - 1
    assert made.next(BATCH) is None
    made.appended(1001)
    assert made.next(BATCH) == (1001, 1001)
    made.published(99, 1001, 1001, 0)
    made.appended(1002)
    assert made.next(BATCH) is None
    made.acked(99)
    assert made.next(BATCH) == (1002, 1002)


def test_the_brokers_room_is_kept_if_it_is_less_than_ours() -> None:
    """Receive Maximum, which paho ignores; with room for one the backlog must have it."""
    made = Window(100, 0, 4, WAIT_MS)
    for room, places in ((1, 1), (2, 1), (3, 2), (65_535, 3), (0, 1)):
        made.disconnected()
        made.connected(room, 0)
        publish(made, places)
        assert made.next(BATCH) is None


def test_entries_that_are_gone_cannot_be_sent() -> None:
    """They stay in the backlog, for they were never received, and block nothing."""
    made = window(30)
    made.forget(1, 12)
    assert publish(made, 1) == [(13, 22)]
    assert made.backlog == 30


def test_a_message_without_an_answer_stalls_the_connection() -> None:
    """The oldest counts; an answered one does not."""
    made = window()
    publish(made, 1, 1_000)
    assert not made.stalled(31_000, 30_000)
    assert made.stalled(31_001, 30_000)
    made.acked(1)
    assert not made.stalled(99_000, 30_000)
