"""`Ranges` is a set of whole numbers: held against Python's own."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.ranges import Ranges

NUMBERS = st.integers(1, 40)
PAIRS = st.tuples(NUMBERS, NUMBERS)
STEPS = st.lists(st.tuples(st.booleans(), PAIRS), max_size=30)


def numbers(ranges: Ranges) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


def built(steps: list[tuple[bool, tuple[int, int]]]) -> tuple[Ranges, set[int]]:
    """The same additions (True) and removals (False) done to `Ranges` and to a set."""
    ranges, plain = Ranges(), set()
    for adding, (first, last) in steps:
        if adding:
            ranges.add(first, last)
            plain |= set(range(first, last + 1))
        else:
            ranges.remove(first, last)
            plain -= set(range(first, last + 1))
    return ranges, plain


@given(STEPS)
@example([(True, (1, 5)), (True, (6, 9)), (False, (3, 3)), (True, (3, 3))])
def test_additions_and_removals_give_the_set(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    """The pairs hold exactly the set's numbers, sorted, disjoint and joined where adjacent."""
    ranges, plain = built(steps)
    assert numbers(ranges) == plain
    assert ranges.count == len(plain)
    assert ranges.last == max(plain, default=0)
    assert bool(ranges) == bool(plain)
    pairs = list(ranges)
    assert all(first <= last for first, last in pairs)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(pairs))


@given(STEPS, PAIRS)
def test_covers_means_every_number(
    steps: list[tuple[bool, tuple[int, int]]], pair: tuple[int, int]
) -> None:
    """A range is covered when none of its numbers is missing."""
    ranges, plain = built(steps)
    first, last = sorted(pair)
    assert ranges.covers(first, last) == (set(range(first, last + 1)) <= plain)


@given(STEPS, NUMBERS)
def test_from_gives_the_lowest_range_at_or_above(
    steps: list[tuple[bool, tuple[int, int]]], start: int
) -> None:
    """It begins at the first member from `start` on and ends where the members end."""
    ranges, plain = built(steps)
    above = sorted(number for number in plain if number >= start)
    if not above:
        assert ranges.from_(start) is None
        return
    last = above[0]
    while last + 1 in plain:
        last += 1
    assert ranges.from_(start) == (above[0], last)


@given(STEPS, STEPS)
def test_minus_is_the_difference_and_changes_neither(
    steps: list[tuple[bool, tuple[int, int]]], others: list[tuple[bool, tuple[int, int]]]
) -> None:
    """What is left is in the one and not in the other; both stay as they were."""
    ranges, plain = built(steps)
    other, other_plain = built(others)
    assert numbers(ranges.minus(other)) == plain - other_plain
    assert numbers(ranges) == plain
    assert numbers(other) == other_plain


@given(STEPS, STEPS)
def test_equal_sets_are_equal_however_they_came_about(
    steps: list[tuple[bool, tuple[int, int]]], others: list[tuple[bool, tuple[int, int]]]
) -> None:
    """Equality is that of the numbers."""
    ranges, plain = built(steps)
    other, other_plain = built(others)
    assert (ranges == other) == (plain == other_plain)
    assert ranges == Ranges((number, number) for number in plain)


def test_a_range_that_ends_before_it_begins_is_empty() -> None:
    """Adding or removing it changes nothing."""
    ranges = Ranges([(1, 3)])
    ranges.add(9, 8)
    ranges.remove(3, 2)
    assert list(ranges) == [(1, 3)]


def test_walking_is_not_disturbed_by_changes() -> None:
    """Whoever removes while walking sees the ranges of the beginning."""
    ranges = Ranges([(1, 2), (4, 5), (7, 8)])
    for first, last in ranges:
        ranges.remove(first, last)
    assert not ranges
