"""Faults that begin and end, as entries: after their grace, once, across restarts."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import OTHER_BOOT, TERMINAL, stamp
from test_journal import full_disk

from edge_agent.errors import JournalError
from edge_agent.journal import Journal
from edge_agent.records import Stamp
from edge_agent.terminal.incidents import Incidents

GRACE_MS = {"scanner": 2000, "broker": 10_000}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.db", TERMINAL)) as one:
        yield one


class Faults(Incidents):
    """Incidents with the seqs that they announced."""

    def __init__(self, journal: Journal) -> None:
        self.announced: list[int] = []
        super().__init__(journal, GRACE_MS, self.announced.append)


@pytest.fixture
def faults(journal: Journal) -> Faults:
    return Faults(journal)


def at(mono_ms: int) -> Callable[[], Stamp]:
    return lambda: stamp(mono_ms)


def written(journal: Journal) -> list[tuple[str, str, str]]:
    """State, kind and object of every incident in the journal."""
    tables = [json.loads(one.text) for one in journal.read(1, 10**6, 10**9)]
    return [(one["state"], one["what"], one["which"]) for one in tables]


def test_a_fault_is_an_incident_once_its_grace_is_over(journal: Journal, faults: Faults) -> None:
    """With its cause, and announced for delivery; then never again while it lasts."""
    faults.begin("scanner", "front", "unplugged", 1000)
    faults.settle(2999, at(2999))
    assert written(journal) == []
    faults.settle(3000, at(3000))
    faults.begin("scanner", "front", "unplugged still", 4000)
    faults.settle(9000, at(9000))
    assert written(journal) == [("opened", "scanner", "front")]
    assert faults.announced == [1]
    (incident,) = faults.open
    assert (incident.cause, incident.mono_ms) == ("unplugged", 1000)


def test_a_fault_shorter_than_its_grace_is_none(journal: Journal, faults: Faults) -> None:
    """And its time does not count towards the next one."""
    faults.begin("scanner", "front", "unplugged", 0)
    faults.end("scanner", "front", 1800)
    faults.begin("scanner", "front", "unplugged", 1900)
    faults.settle(3000, at(3000))
    assert written(journal) == []


def test_saying_a_fault_again_does_not_postpone_it(journal: Journal, faults: Faults) -> None:
    """The grace runs from the first time, and the first cause stands."""
    for now_ms in range(0, 2001, 100):
        faults.begin("scanner", "front", f"seen at {now_ms}", now_ms)
    faults.settle(2000, at(2000))
    assert faults.open[0].cause == "seen at 0"


def test_a_kind_without_a_grace_opens_at_once(journal: Journal, faults: Faults) -> None:
    """Tampering has none."""
    faults.begin("tamper", "5", "the text is not what was written", 0)
    faults.settle(0, at(0))
    assert written(journal) == [("opened", "tamper", "5")]


def test_an_ended_fault_is_closed_with_its_length(journal: Journal, faults: Faults) -> None:
    """By the monotonic clock, from its beginning, the grace included."""
    faults.begin("broker", "", "refused", 1_000)
    faults.settle(11_000, at(11_000))
    faults.end("broker", "", 61_000)
    faults.settle(61_000, at(61_000))
    faults.settle(71_000, at(71_000))
    assert written(journal) == [("opened", "broker", ""), ("closed", "broker", "")]
    closed = json.loads(journal.read(2, 2, 10**9)[0].text)
    assert (closed["opened"], closed["length_ms"], closed["cause"]) == (1, 60_000, "refused")
    assert (faults.open, faults.announced) == ([], [1, 2])


def test_a_fault_that_comes_back_at_once_goes_on(journal: Journal, faults: Faults) -> None:
    """Over and back within one turn is the same incident."""
    faults.begin("tamper", "5", "x", 0)
    faults.settle(0, at(0))
    faults.end("tamper", "5", 1)
    faults.begin("tamper", "5", "x", 1)
    faults.settle(1, at(1))
    assert written(journal) == [("opened", "tamper", "5")]


def test_a_fault_that_outlived_its_grace_is_written_even_if_it_is_over(
    journal: Journal, faults: Faults
) -> None:
    """A full disk is such a one: only when it is over can it be told."""
    faults.begin("broker", "", "refused", 0)
    faults.end("broker", "", 60_000)
    faults.settle(60_100, at(60_100))
    assert written(journal) == [("opened", "broker", ""), ("closed", "broker", "")]
    assert faults.announced == [1, 2]
    assert json.loads(journal.read(2, 2, 10**9)[0].text)["length_ms"] == 60_100
    faults.settle(60_200, at(60_200))
    assert (faults.open, faults.announced) == ([], [1, 2])


def test_ending_what_never_was_changes_nothing(journal: Journal, faults: Faults) -> None:
    """Every receipt says that the central is there."""
    faults.end("central", "", 0)
    faults.settle(0, at(0))
    assert written(journal) == []


def test_each_object_has_its_own_incident(journal: Journal, faults: Faults) -> None:
    """Two scanners fail, one comes back."""
    faults.begin("scanner", "front", "x", 0)
    faults.begin("scanner", "rear", "x", 0)
    faults.settle(5000, at(5000))
    faults.end("scanner", "rear", 5001)
    faults.settle(5001, at(5001))
    assert [one.which for one in faults.open] == ["front"]


def test_what_was_open_is_open_after_a_restart(journal: Journal, faults: Faults) -> None:
    """It is not opened again, and is closed when it ends, by the next run."""
    faults.begin("broker", "", "refused", 0)
    faults.settle(10_000, at(10_000))
    again = Faults(journal)
    again.begin("broker", "", "still refused", 0)
    again.settle(60_000, at(60_000))
    assert again.announced == []
    again.end("broker", "", 0)
    again.settle(0, lambda: stamp(0, OTHER_BOOT))
    assert again.announced == [2]
    assert "length_ms" not in json.loads(journal.read(2, 2, 10**9)[0].text)


def test_what_is_no_longer_configured_is_no_longer_at_fault(
    journal: Journal, faults: Faults
) -> None:
    """A scanner that was taken away for good."""
    for name in ("front", "rear"):
        faults.begin("scanner", name, "x", 0)
    faults.begin("broker", "", "x", 0)
    faults.settle(10_000, at(10_000))
    again = Faults(journal)
    again.end_unless("scanner", frozenset({"front", "side"}), 10_001)
    again.settle(10_001, at(10_001))
    assert sorted(one.which for one in again.open) == ["", "front"]


def test_what_cannot_be_written_stays_due(tmp_path: Path, journal: Journal, faults: Faults) -> None:
    """Opening and closing alike; nothing is written twice when the disk has room again."""
    faults.begin("tamper", "1", "x", 0)
    faults.settle(0, at(0))
    faults.begin("tamper", "2", "x", 1)
    faults.end("tamper", "1", 1)
    for _ in range(3):
        with full_disk(tmp_path / "journal.db", 0), pytest.raises(JournalError):
            faults.settle(2, at(2))
    assert [one.which for one in faults.open] == ["1"]
    faults.settle(3, at(3))
    faults.settle(4, at(4))
    assert [one.which for one in faults.open] == ["2"]
    assert sorted(written(journal)) == [
        ("closed", "tamper", "1"), ("opened", "tamper", "1"), ("opened", "tamper", "2"),
    ]  # fmt: skip
    assert faults.announced == [1, 2, 3]
