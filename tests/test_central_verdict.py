"""A contradiction between a terminal's witnesses judges every stamp of that boot."""

from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from central_histories import PUNCH
from central_wall import HARUN, MORNING, NOW, SITI, Wall, rows, stamp
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.central import timeline
from edge_agent.central.reports import PunchLine, punches
from edge_agent.central.store import Store
from edge_agent.central.timeline import Claim, judged
from edge_agent.contract.entries import Clock

HOUR = 3_600_000
OTHER_BOOT = "bb" * 16


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(Path(":memory:")) as one:
        yield one


def contradicted(*, settled: int | None = None) -> Wall:
    """NTP an hour ahead, two close punches by it, then a receiver that says what is right.

    Entries: start, known, punch, doubted, punch, and settled at the true time plus `settled`.
    """
    wall = Wall()
    wall.start(0, source="none", mono_ms=0)
    wall.add(Clock("known"), stamp(MORNING + HOUR, "ntp", 10_000, 30))
    wall.punch(SITI, MORNING + HOUR + 50_000, mono_ms=60_000, error_ms=40)
    doubted = stamp(MORNING + HOUR // 2 + 60_000, "ntp", 70_000, HOUR // 2 + 500)
    wall.add(Clock("doubted"), doubted)
    wall.punch(HARUN, MORNING + HOUR // 2 + 90_000, mono_ms=100_000, error_ms=HOUR // 2 + 505)
    if settled is not None:
        right = stamp(MORNING + 190_000 + settled, "gnss", 200_000, 500)
        wall.add(Clock("settled"), right)
    return wall


def holds(line: PunchLine, true_ms: int, within_ms: int) -> bool:
    """Its bounds hold the truth and are no wider than they need be."""
    assert line.not_before_ms is not None
    assert line.not_after_ms is not None
    assert line.error_ms is not None
    return line.not_before_ms <= true_ms <= line.not_after_ms and line.error_ms <= within_ms


def test_a_doubt_reaches_over_what_was_stamped_closely_before_it(store: Store) -> None:
    """Which witness was right nobody knows, so the punch may have been made at either time."""
    store.take(contradicted().batch(), NOW)
    first, second = punches(store.db)
    for line, true_ms in ((first, MORNING + 50_000), (second, MORNING + 90_000)):
        assert holds(line, true_ms, HOUR // 2 + 600)
        assert holds(line, true_ms + HOUR, HOUR // 2 + 600)
    assert first.claimed_ms == MORNING + HOUR + 50_000


def test_what_settled_it_dates_every_stamp(store: Store) -> None:
    """What excludes it was wrong and is replaced, what agrees is made narrower."""
    store.take(contradicted(settled=0).batch(), NOW)
    first, second = punches(store.db)
    assert holds(first, MORNING + 50_000, 520)
    assert holds(second, MORNING + 90_000, 520)
    assert {first.source, second.source} <= {"gnss", "ntp"}
    assert first.source == "gnss"


def test_what_agrees_with_the_settlement_stands_as_it_was(store: Store) -> None:
    """The receiver came round: the network had been right all the time."""
    store.take(contradicted(settled=HOUR).batch(), NOW)
    first, _ = punches(store.db)
    assert (first.source, first.at_ms) == ("ntp", MORNING + HOUR + 50_000)
    assert holds(first, MORNING + HOUR + 50_000, 40)


def test_a_verdict_is_of_its_boot(store: Store) -> None:
    """Stamps of another one stand as they are."""
    wall = contradicted()
    wall.add(Clock("known"), stamp(MORNING + 2 * HOUR, "ntp", 10_000, 30, boot=OTHER_BOOT))
    store.take(wall.batch(), NOW)
    (close,) = store.db.conn.execute("SELECT at_ms FROM entry WHERE seq = 6").fetchall()
    assert close == (MORNING + 2 * HOUR,)
    assert store.db.conn.execute("SELECT count(*) FROM loose WHERE seq = 6").fetchone() == (0,)


def test_a_verdict_that_the_chain_does_not_bear_out_judges_nothing(store: Store) -> None:
    """Who edits a card cannot make other people's times uncertain."""
    wall = contradicted()
    said = str(MORNING + HOUR // 2 + 60_000)
    wall.texts[3] = wall.texts[3].replace(said, str(MORNING))
    for seq in range(1, wall.last + 1):
        store.take(wall.batch(seq, seq), NOW)
    first, _ = punches(store.db)
    assert (first.at_ms, first.error_ms) == (MORNING + HOUR + 50_000, 40)


def test_one_witness_does_not_replace_what_a_battery_clock_said(store: Store) -> None:
    """It yields to any other at the terminal, also to one that lies."""
    wall = Wall()
    wall.start(0, source="none", mono_ms=0)
    wall.add(PUNCH, stamp(MORNING, "rtc", 10_000, 8_000))
    wall.add(Clock("settled"), stamp(MORNING + HOUR + 10_000, "gnss", 20_000, 500))
    store.take(wall.batch(), NOW)
    (line,) = punches(store.db)
    assert holds(line, MORNING, HOUR)
    assert holds(line, MORNING + HOUR, HOUR)


@pytest.mark.parametrize("settled", [None, 0, HOUR])
def test_the_order_of_arrival_does_not_matter(settled: int | None) -> None:
    """A backlog may bring the verdict before or after what it judges."""
    wall = contradicted(settled=settled)
    with Store(Path(":memory:")) as together:
        together.take(wall.batch(), NOW)
        expected = [rows(together, table) for table in ("entry", "loose", "clock", "boot")]
    for order in permutations(list(pairwise([0, 2, 3, 4, wall.last]))):
        with Store(Path(":memory:")) as apart:
            for low, high in order:
                apart.take(wall.batch(low + 1, high), NOW)
            found = [rows(apart, table) for table in ("entry", "loose", "clock", "boot")]
        assert found == expected, order


@given(
    st.integers(-HOUR, HOUR), st.integers(0, HOUR), st.integers(-HOUR, HOUR), st.integers(0, 5000)
)
def test_a_doubt_never_makes_narrower_and_a_settlement_never_excludes_itself(
    off_ms: int, error_ms: int, by_ms: int, by_error_ms: int
) -> None:
    """Whatever was claimed and whatever is said of it."""
    stamped = Claim(0, MORNING + off_ms, "ntp", error_ms)
    own = timeline.own(stamped)
    by = Claim(60_000, MORNING + 60_000 + by_ms, "gnss", by_error_ms)
    doubt = judged(own, stamped, by, settled=False)
    right = judged(own, stamped, by, settled=True)
    assert None not in (doubt.low_ms, doubt.high_ms, right.low_ms, right.high_ms)
    slack = 7  # of the oscillator over a minute
    assert (doubt.low_ms or 0) <= min(own.low_ms or 0, MORNING + by_ms - by_error_ms - slack)
    assert (doubt.high_ms or 0) >= max(own.high_ms or 0, MORNING + by_ms + by_error_ms + slack)
    assert MORNING + by_ms - by_error_ms - slack <= (right.low_ms or 0)
    assert (right.high_ms or 0) <= MORNING + by_ms + by_error_ms + slack
