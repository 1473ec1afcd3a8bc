"""Waits between connections: doubling, bounded, spread."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.uplink.backoff import Backoff


@given(st.integers(10, 10_000), st.integers(1, 100), st.integers(0, 2**32))
def test_each_wait_is_a_part_of_a_bound_that_doubles(first: int, factor: int, seed: int) -> None:
    """Never more than the bound, never less than its tenth, never above the longest."""
    longest = first * factor
    backoff = Backoff(first, longest, Random(seed))
    bound = first
    for _ in range(12):
        wait = backoff.next_ms()
        assert bound // 10 <= wait <= bound <= longest
        bound = min(bound * 2, longest)


def test_a_success_begins_anew() -> None:
    """After a connection that stood, the next loss is a first one."""
    backoff = Backoff(100, 60_000, Random(1))
    for _ in range(10):
        backoff.next_ms()
    backoff.reset()
    assert backoff.next_ms() <= 100
    assert backoff.next_ms() <= 200


def test_two_hundred_terminals_do_not_return_in_one_second() -> None:
    """All lose the broker at once; in no second of the first waits do more than a third return."""
    waits = [Backoff(5_000, 60_000, Random(seed)).next_ms() for seed in range(200)]
    seconds = Counter(wait // 1000 for wait in waits)
    assert len(seconds) == 5
    assert max(seconds.values()) <= 66


def test_a_long_outage_spreads_them_further() -> None:
    """After the sixth attempt the returns lie over most of a minute, evenly."""
    returns = []
    for seed in range(200):
        backoff = Backoff(5_000, 60_000, Random(seed))
        for _ in range(5):
            backoff.next_ms()
        returns.append(backoff.next_ms())
    assert max(Counter(wait // 1000 for wait in returns).values()) <= 12
