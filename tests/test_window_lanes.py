"""Which entries go first, and at whose pace."""

from windows import BATCH, WAIT_MS, publish, receipt, unsent, window

from edge_agent.ranges import Ranges
from edge_agent.uplink.window import Window


def test_today_goes_before_older_days_and_after_the_living() -> None:
    """Three lanes; the month that waited is last."""
    made = Window(30, 0, 4, WAIT_MS)
    made.connected(4, 0, Ranges([(21, 24), (27, 30)]))
    made.appended(31)
    assert publish(made, 3) == [(31, 31), (21, 24), (27, 30)]
    assert made.next(BATCH) is None  # the last place is for the living
    made.acked(1)
    assert made.next(BATCH) == (1, 10)


def test_a_link_that_has_enough_to_carry_gets_only_what_is_new() -> None:
    """A punch made now must not wait behind those of this morning."""
    made = Window(30, 0, 4, WAIT_MS)
    made.connected(4, 0, Ranges([(21, 30)]))
    assert made.next(BATCH, busy=True) is None
    made.appended(31)
    assert made.next(BATCH, busy=True) == (31, 31)


def test_a_link_that_has_cost_enough_gets_today_and_nothing_older() -> None:
    """Surveys are never live, so they wait for another day, too."""
    made = Window(30, 0, 4, WAIT_MS)
    made.connected(4, 0, Ranges([(29, 30)]))
    made.appended(31, live=False)
    made.appended(32)
    assert made.next(BATCH, spent=True) == (32, 32)
    made.published(1, 32, 32, 0)
    assert made.next(BATCH, spent=True) == (29, 30)
    made.published(2, 29, 30, 0)
    assert made.next(BATCH, spent=True) is None
    assert unsent(made) == [(1, 28), (31, 31)]


def test_what_is_sent_again_goes_at_the_centrals_pace() -> None:
    """One batch of it, then nothing of it until a receipt; what was never sent goes meanwhile."""
    made = window(60, 40)
    made.receipt(receipt(5), 0)  # restored from a backup
    assert made.next(BATCH) == (6, 15)
    made.published(1, 6, 15, 0)
    assert made.next(BATCH) == (41, 50)
    made.published(2, 41, 50, 0)
    made.acked(1)
    made.acked(2)
    assert made.next(BATCH) == (51, 60)
    made.published(3, 51, 60, 0)
    made.acked(3)
    assert made.next(BATCH) is None
    made.receipt(receipt(15), 1)
    assert made.next(BATCH) == (16, 25)


def test_a_repair_that_gets_no_receipt_is_asked_for_and_goes_on() -> None:
    """Waiting for a receipt must not become waiting for ever."""
    made = window(30, 30)
    made.receipt(receipt(0), 0)
    made.published(1, 1, 10, 0)
    made.acked(1)
    assert made.next(BATCH) is None
    assert made.ask(WAIT_MS)
    assert made.next(BATCH) == (1, 10)


def test_a_repair_that_did_not_get_through_is_one_again() -> None:
    """It goes at the central's pace also over the next connection, and not with today's."""
    made = window(30, 30)
    made.receipt(receipt(0), 0)
    made.published(1, 1, 10, 0)
    assert made.in_flight == 10
    made.disconnected()
    assert list(made.repairs) == [(1, 30)]
    made.connected(4, 0, Ranges([(21, 30)]))
    assert made.next(BATCH) == (1, 10)


def test_a_receipt_that_was_carried_is_waited_for_no_longer() -> None:
    """The central owes nothing for what it said by another way."""
    made = window(10)
    made.published(1, 1, 10, 0)
    made.acked(1)
    made.carried(10)
    assert made.owing_ms(WAIT_MS) == 0


def test_what_is_pruned_is_not_waited_for() -> None:
    """Of a batch the central lost the part that is gone here, too."""
    made = window(30)
    made.published(1, 1, 10, 0)
    made.acked(1)
    made.receipt(receipt(5), 0)
    made.pruned(6)
    made.receipt(receipt(0, (6, 10)), 0)
    assert made.owing_ms(WAIT_MS) == 0
    assert made.upto == 10
