"""The time of every entry is resolved, honestly and in whatever order the entries come."""

from itertools import pairwise
from pathlib import Path

from central_histories import DAY, History, histories
from central_wall import rows
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.central.store import Store


def late(history: History) -> int:
    """An instant at which the central may have received everything."""
    return int(max(history.truth.values())) + DAY


def resolved(store: Store) -> list[list[tuple[object, ...]]]:
    """All that may not depend on the order of arrival."""
    return [rows(store, table) for table in ("entry", "loose", "clock", "boot")]


@settings(max_examples=400, deadline=None)
@given(histories(), st.data())
def test_the_truth_lies_within_the_bounds_however_the_entries_come(history, data):
    """Any drift, leap second, honest error and order of batches; the same rows in the end."""
    wall, now_ms = history.wall, late(history)
    edges = data.draw(st.lists(st.integers(1, wall.last), max_size=6))
    cuts = sorted({0, wall.last, *edges})
    parts = list(pairwise(cuts))
    order = data.draw(st.permutations(parts))
    again = data.draw(st.lists(st.tuples(*[st.integers(1, wall.last)] * 2), max_size=3))
    with Store(Path(":memory:")) as together, Store(Path(":memory:")) as apart:
        together.take(wall.batch(), now_ms)
        for low, high in order:
            apart.take(wall.batch(low + 1, high), now_ms)
            for pair in again:
                apart.take(wall.batch(min(pair), max(pair)), now_ms)
            check(apart, history)
        check(together, history)
        assert resolved(apart) == resolved(together)


def check(store: Store, history: History) -> None:
    for seq, at_ms, low_ms, high_ms in store.db.conn.execute(
        "SELECT e.seq, e.at_ms, ifnull(l.low_ms, -9e15), ifnull(l.high_ms, 9e15)"
        " FROM entry e JOIN loose l ON l.stream = e.stream AND l.seq = e.seq"
    ):
        assert low_ms <= history.truth[seq] <= high_ms
        assert low_ms <= at_ms <= high_ms
