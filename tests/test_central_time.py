"""The time of every entry is resolved, honestly and in whatever order the entries come."""

import sqlite3
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from central_histories import DAY, PUNCH, History, histories
from central_wall import HARUN, MORNING, NOW, SITI, Wall, full_wall, rows, stamp, wall_at
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.central.reports import punches
from edge_agent.central.store import Store
from edge_agent.contract.entries import Clock


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


@settings(max_examples=30, deadline=None)
@given(histories())
def test_what_an_older_central_stored_is_resolved_when_the_database_is_opened(history):
    """The same rows as if they had come today."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "central.db"
        with Store(path) as store:
            store.take(history.wall.batch(), late(history))
            expected = resolved(store)
        with closing(sqlite3.connect(path)) as db, db:
            db.executescript(
                "DROP TABLE loose; DROP TABLE clock; DROP TABLE boot;"
                "UPDATE entry SET at_ms = json_extract(text, '$.at.utc_ms');"
                "ALTER TABLE posting ADD COLUMN at_ms; ALTER TABLE enrolment ADD COLUMN at_ms;"
                "DELETE FROM _sqlite_migrations WHERE name = 'resolved_times'"
            )
        with Store(path) as store:
            assert resolved(store) == expected


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        yield one


def test_an_anchor_that_comes_later_dates_what_came_before_it_and_keeps_the_claim(store):
    """A machine without a clock chip: an hour of 1970, then the receiver has a fix."""
    wall = Wall()
    wall.start(30_000, source="none", mono_ms=30_000)
    wall.punch(SITI, 60_000, source="none", mono_ms=60_000)
    store.take(wall.batch(), NOW)
    (line,) = punches(store.db)
    assert (line.source, line.not_before_ms, line.not_after_ms) == ("none", None, NOW)
    wall.add(Clock("known"), stamp(MORNING, "gnss", 1_260_000, 500))
    store.take(wall.batch(3, 3), NOW)
    (line,) = punches(store.db)
    assert (line.at_ms, line.error_ms, line.source) == (MORNING - 1_200_000, 621, "gnss")
    assert (line.claimed_ms, line.claimed_source) == (60_000, "none")


def test_an_entry_that_the_chain_does_not_bear_out_dates_nothing(store):
    """Who edits a card in his laptop must not move other people's punches."""
    wall = Wall()
    wall.start(0, source="none", mono_ms=0)
    wall.punch(SITI, 0, source="none", mono_ms=60_000)
    wall.add(Clock("known"), stamp(MORNING, "gnss", 1_260_000, 500))
    wall.texts[2] = wall.texts[2].replace(str(MORNING), str(MORNING - 3_600_000))
    store.take(wall.batch(1, 2), NOW)
    store.take(wall.batch(3, 3), NOW)
    assert store.db.conn.execute("SELECT broken FROM entry WHERE seq = 3").fetchone() == (1,)
    (line,) = punches(store.db)
    assert (line.source, line.not_after_ms) == ("none", NOW)


def test_a_rough_stamp_that_the_chain_does_not_bear_out_dates_no_neighbour(store):
    """Nor if the boot has better ones: the sound one counts, though it is farther away."""
    wall = Wall()
    wall.start(0, source="none", mono_ms=0)
    wall.punch(SITI, MORNING, mono_ms=60_000, error_ms=2000)
    wall.add(Clock("known"), stamp(MORNING, "gnss", 1_260_000, 500))
    wall.texts[1] = wall.texts[1].replace(str(MORNING), str(MORNING - 9_000_000))
    for seq in (1, 2, 3):
        store.take(wall.batch(seq, seq), NOW)
    assert store.db.conn.execute("SELECT at_ms FROM entry WHERE seq = 1").fetchone() == (
        MORNING - 1_260_000,
    )


def test_an_anchor_that_is_found_broken_later_dates_nothing_any_more(store):
    """Its joint with what came before it does not hold; what it had dated is open again."""
    wall, other = Wall(), Wall()
    for one in (wall, other):
        one.start(0, source="none", mono_ms=0)
        one.punch(SITI if one is wall else HARUN, 0, source="none", mono_ms=60_000)
        one.add(Clock("known"), stamp(MORNING, "gnss", 1_260_000, 500))
        one.punch(SITI, 0, source="none", mono_ms=1_270_000)
    store.take(wall.batch(3, 4), NOW)
    assert punches(store.db)[0].source == "gnss"
    store.take(other.batch(1, 2), NOW)
    assert store.db.conn.execute("SELECT broken FROM entry WHERE seq = 3").fetchone() == (1,)
    assert {line.source for line in punches(store.db)} == {"none"}


def test_a_batch_that_is_rolled_back_leaves_nothing_to_resolve(store):
    """What was noted of it is forgotten with it."""
    wall = full_wall(5)
    with suppress(RuntimeError), store.writing():
        store.take(wall.batch(), NOW)
        raise RuntimeError
    store.beat(True, NOW)
    assert not punches(store.db)
    store.take(wall.batch(), NOW)
    assert len(punches(store.db)) == 4


def test_punches_that_may_be_of_a_time_are_found_wherever_their_best_statement_lies(store):
    """Between two instants a week apart: the middle is days away from either."""
    wall = wall_at()
    wall.add(PUNCH, stamp(0, "none", 1000, boot="aa" * 16))
    wall.add(PUNCH, stamp(MORNING + 7 * DAY, mono_ms=0, boot="bb" * 16))
    store.take(wall.batch(), NOW + 8 * DAY)
    (line,) = punches(store.db, since_ms=MORNING, until_ms=MORNING + 1)
    assert line.source == "between"
    assert not punches(store.db, since_ms=MORNING + 8 * DAY)
    assert len(punches(store.db, until_ms=MORNING + 8 * DAY, limit=1)) == 1
