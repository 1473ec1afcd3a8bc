"""A journal that somebody, or a worn card, has changed; and the roster beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp

from edge_agent.journal import Journal
from edge_agent.journal.journal import first_broken
from edge_agent.records import Person

EVERYTHING = 10**9
AMIN, WA_ODE = Person("p-1", "La Ode Amin"), Person("p-2", "Wa Ode Siti")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """The file of a journal of ten entries, closed."""
    path = tmp_path / "journal.db"
    with closing(Journal(path, TERMINAL)) as journal:
        for number in range(10):
            journal.append(punch(), stamp(number))
    return path


def tamper(path: Path, statement: str) -> None:
    """Change the file behind the journal's back."""
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement).rowcount == 1


def broken(path: Path) -> int | None:
    """Index of the first entry that is not what its head says."""
    with closing(Journal(path, TERMINAL)) as journal:
        return first_broken(journal.read(1, 10, EVERYTHING), journal.head_at(0) or b"")


def test_a_whole_chain_has_no_broken_entry(path: Path) -> None:
    """From the root, from the middle, and for no entries at all."""
    with closing(Journal(path, TERMINAL)) as journal:
        entries = journal.read(1, 10, EVERYTHING)
        assert first_broken(entries, journal.head_at(0) or b"") is None
        assert first_broken(entries[4:], entries[3].head) is None
        assert first_broken([], b"") is None


@pytest.mark.parametrize(
    ("change", "index"),
    [
        ("text = replace(text, 'front', 'fro0t')", 4),
        ("text = text || ' '", 4),
        ("text = ''", 4),
        ("text = CAST(x'7bff9f7d' AS TEXT)", 4),
        ("text = x'7bff'", 4),
        ("text = 7", 4),
        ("head = zeroblob(32)", 4),
        ("head = x''", 4),
        ("head = 'a head'", 4),
        ("head = 7", 4),
        ("head = (SELECT head FROM entry WHERE seq = 4)", 4),
    ],
)
def test_a_changed_entry_is_found_whatever_stands_there(
    path: Path, change: str, index: int
) -> None:
    """Other text, no text, bytes that are no text, another head, no head."""
    tamper(path, f"UPDATE entry SET {change} WHERE seq = 5")
    assert broken(path) == index


def test_two_entries_that_changed_places_are_found(path: Path) -> None:
    """Order is part of the chain."""
    tamper(path, "UPDATE entry SET seq = 99 WHERE seq = 4")
    tamper(path, "UPDATE entry SET seq = 4 WHERE seq = 5")
    tamper(path, "UPDATE entry SET seq = 5 WHERE seq = 99")
    assert broken(path) == 3


def test_a_deleted_entry_leaves_a_hole_that_shows(path: Path) -> None:
    """The rest is read, its numbers are its own, and the chain does not close over the gap."""
    tamper(path, "DELETE FROM entry WHERE seq = 5")
    with closing(Journal(path, TERMINAL)) as journal:
        entries = journal.read(1, 10, EVERYTHING)
        assert [one.seq for one in entries] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
        assert first_broken(entries, journal.head_at(0) or b"") == 4
        assert journal.head_at(5) is None
        assert journal.read(5, 5, EVERYTHING) == []
        assert journal.append(punch(), stamp()).seq == 11


@pytest.mark.parametrize("change", ["head = 'a head'", "head = 7", "text = x'ff'", "text = 7"])
def test_a_damaged_tip_does_not_keep_the_terminal_from_recording(path: Path, change: str) -> None:
    """The next punch is stored upon it; what is broken is broken there and nowhere else."""
    tamper(path, f"UPDATE entry SET {change} WHERE seq = 10")
    with closing(Journal(path, TERMINAL)) as journal:
        assert journal.append(punch(), stamp()).seq == 11
        entries = journal.read(1, 11, EVERYTHING)
        assert first_broken(entries, journal.head_at(0) or b"") == 9
        assert first_broken(entries[10:], entries[9].head) is None


# --- the roster -----------------------------------------------------------------------------------


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path, TERMINAL)) as one:
        yield one


def test_nobody_is_known_before_the_first_roster(journal: Journal) -> None:
    """Version 0, empty."""
    assert (journal.roster.version, journal.roster.count) == (0, 0)
    assert journal.roster.find("ab" * 32) is None


def test_a_newer_roster_replaces_the_whole_of_the_older(path: Path, journal: Journal) -> None:
    """Who is not in the new one is not known any more; it survives a restart."""
    assert journal.roster.replace(1, {"aa" * 32: AMIN, "bb" * 32: WA_ODE})
    assert journal.roster.find("aa" * 32) == AMIN
    assert journal.roster.replace(3, {"cc" * 32: AMIN, "dd" * 32: AMIN})
    with closing(Journal(path, TERMINAL)) as again:
        assert (again.roster.version, again.roster.count) == (3, 2)
        assert again.roster.find("bb" * 32) is None
        assert again.roster.find("cc" * 32) == again.roster.find("dd" * 32) == AMIN


@pytest.mark.parametrize("version", [1, 2])
def test_a_roster_that_is_not_newer_changes_nothing(journal: Journal, version: int) -> None:
    """The same version again, or an older one that a broker kept."""
    journal.roster.replace(2, {"aa" * 32: AMIN})
    assert not journal.roster.replace(version, {"bb" * 32: WA_ODE})
    assert (journal.roster.version, journal.roster.count) == (2, 1)
    assert journal.roster.find("aa" * 32) == AMIN


def test_an_empty_roster_is_a_roster(journal: Journal) -> None:
    """An office may be closed."""
    journal.roster.replace(1, {"aa" * 32: AMIN})
    assert journal.roster.replace(2, {})
    assert (journal.roster.version, journal.roster.count) == (2, 0)


def test_a_roster_brought_by_hand_is_in_force_in_the_running_agent(
    path: Path, journal: Journal
) -> None:
    """Another process puts it there; the next punch finds it, and appends go on."""
    assert journal.roster.find("aa" * 32) is None
    with closing(Journal(path, TERMINAL)) as other:
        other.roster.replace(1, {"aa" * 32: AMIN})
        assert journal.roster.find("aa" * 32) == AMIN
        assert journal.append(punch(), stamp()).seq == 11
