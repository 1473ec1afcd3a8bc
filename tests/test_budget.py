"""A metered link: counted by the day, and never a reason to lose time."""

import pytest

from edge_agent.uplink.budget import DAY_MS, Budget

NOON = 20_000 * DAY_MS + DAY_MS // 2


def test_bytes_of_a_day_add_up_until_they_are_spent() -> None:
    """Both ways, whatever they were for."""
    budget = Budget(1_000)
    budget.add(600, NOON, 0)
    assert not budget.is_spent
    budget.add(400, NOON + 1, 1)
    assert budget.is_spent


def test_another_day_begins_at_midnight_utc() -> None:
    """What was spent is yesterday's."""
    budget = Budget(1_000, NOON // DAY_MS, 1_000)
    assert budget.is_spent
    budget.add(10, NOON + DAY_MS, 5)
    assert (budget.day, budget.spent) == (NOON // DAY_MS + 1, 10)


def test_a_clock_that_stands_still_does_not_stop_a_terminal_for_ever() -> None:
    """After 24 hours of its own time it is another day, whatever the date says."""
    budget = Budget(1_000, 0, 0)
    budget.add(1_000, 0, 0)
    budget.add(1, 0, DAY_MS - 1)
    assert budget.is_spent
    budget.add(1, 0, DAY_MS)
    assert not budget.is_spent


@pytest.mark.parametrize("spent", [0, 10**12])
def test_where_nobody_counts_nothing_is_ever_spent(spent: int) -> None:
    """Most offices are not metered."""
    assert not Budget(None, 0, spent).is_spent


def test_a_machine_that_wakes_up_in_1970_has_no_other_days_bytes() -> None:
    """Nobody vouches for that date; it goes on counting for the day that was noted."""
    budget = Budget(1_000, NOON // DAY_MS, 900)
    budget.add(100, 5_000, 0, vouched=False)
    assert budget.is_spent
    budget.add(1, NOON, 1)
    assert budget.is_spent
    budget.add(1, NOON + DAY_MS, 2, vouched=False)
    assert (budget.day, budget.spent) == (NOON // DAY_MS + 1, 1)


def test_a_day_from_the_future_ends_when_somebody_vouches_for_the_time() -> None:
    """A receiver had lied; it must not cost a terminal its budget until that day."""
    budget = Budget(1_000, NOON // DAY_MS + 400, 1_000)
    budget.add(1, NOON, 0)
    assert not budget.is_spent
