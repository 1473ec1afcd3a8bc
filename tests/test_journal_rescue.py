"""A journal file that SQLite cannot read any more is set aside whole, and taps go on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp

from edge_agent.errors import JournalError
from edge_agent.journal import Journal, open_journal


@pytest.fixture(params=["plain", "50% of #1?mode=rw"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where a journal is, in folders of any name."""
    folder = tmp_path / str(request.param)
    folder.mkdir()
    return folder / "journal.db"


def wear_out(path: Path, table: str) -> str:
    """Make a journal whose page of `table` is worn; gives the journal's name."""
    with closing(Journal(path, TERMINAL)) as journal:
        for number in range(3):
            journal.append(punch(), stamp(number))
        name = journal.journal
    with closing(sqlite3.connect(path)) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        page = db.execute(query, (table,)).fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    return name


def test_a_sound_journal_is_simply_opened(path: Path) -> None:
    """Nothing is set aside, whether it is new or old."""
    for last_seq in range(2):
        journal, aside = open_journal(path, TERMINAL)
        with closing(journal):
            assert (journal.last_seq, journal.previous, aside) == (last_seq, None, "")
            journal.append(punch(), stamp())


def test_a_new_journal_names_the_damaged_one_that_it_replaces(path: Path) -> None:
    """The entries' page is worn, the name can still be read; the damaged file is kept as it was."""
    name = wear_out(path, "entry")
    damaged = path.read_bytes()
    journal, aside = open_journal(path, TERMINAL)
    with closing(journal):
        assert (journal.previous, journal.last_seq) == (name, 0)
        assert journal.journal != name
        assert journal.append(punch(), stamp()).seq == 1
    assert Path(aside).read_bytes() == damaged
    assert Path(aside).name == "journal.db.damaged-1"
    again, aside = open_journal(path, TERMINAL)
    with closing(again):
        assert (again.previous, again.last_seq, aside) == (name, 1, "")


def test_a_journal_whose_name_is_gone_is_replaced_by_one_that_names_none(path: Path) -> None:
    """Each time under a new number; what was kept before stays."""
    for number in (1, 2, 3):
        wear_out(path, "identity")
        journal, aside = open_journal(path, TERMINAL)
        with closing(journal):
            assert (journal.previous, journal.last_seq) == (None, 0)
        assert Path(aside).name == f"journal.db.damaged-{number}"
        path.unlink()
    assert len(list(path.parent.glob("journal.db.damaged-?"))) == 3


def test_what_is_not_damage_is_not_set_aside(path: Path) -> None:
    """Another terminal's journal, and a directory where it should be."""
    with closing(Journal(path, "wonco-1")):
        pass
    for at in (path, path.parent):
        with pytest.raises(JournalError):
            open_journal(at, TERMINAL)
    assert path.exists()
    assert not list(path.parent.glob("*damaged*"))
