"""A journal that was edited, pruned or worn, onto a stick: as over the broker."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL
from carried import SEALER, carry, make_journal, reference, rows, take

from edge_agent.central.store import Store
from edge_agent.journal import Journal
from edge_agent.journal.batches import Batches
from edge_agent.journal.beside import Beside
from edge_agent.ranges import Ranges
from edge_agent.technician.export import newest_first


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def spoil(journal: Path, statement: str) -> None:
    with closing(sqlite3.connect(journal)) as db, db:
        db.execute(statement)


def test_what_is_gone_or_edited_costs_itself_alone(stick: Path, tmp_path: Path) -> None:
    """As over the broker: the same rows, the same of them marked as broken."""
    journal = make_journal(tmp_path, 60)
    spoil(journal, "DELETE FROM entry WHERE seq BETWEEN 20 AND 22")
    spoil(journal, "UPDATE entry SET text = replace(text, 'p-4', 'p-5') WHERE seq = 41")
    spoil(journal, "UPDATE entry SET text = 'no entry any more' WHERE seq = 50")
    done = carry(journal, stick)
    assert (done.entries, done.gone) == (56, 4)
    assert done.file is not None
    with Store(tmp_path / "central.db") as store:
        outcome = take(store, done.file)
        assert (outcome.new, outcome.refused, outcome.cut) == (56, {}, "")
        assert rows(store) == reference(tmp_path, journal)
        assert [row[2] for row in rows(store) if row[6]] == [23, 41]


@pytest.mark.parametrize("everything", [False, True])
def test_a_pruned_journal_begins_behind_what_was_let_go(
    stick: Path, tmp_path: Path, everything: bool
) -> None:
    """Nothing is called gone that the central has, and its first entry is as sound as all others.

    Also where all that was received is pruned: a disk that ran short, or months without a network.
    """
    journal = make_journal(tmp_path, 60)
    with closing(Journal(journal, TERMINAL)) as one:
        one.note_received(20)
        one.front.prune(20)
    done = carry(journal, stick, everything=everything)
    assert (done.entries, done.gone) == (40, 0)
    assert done.file is not None
    with Store(tmp_path / "central.db") as store:
        assert take(store, done.file).new == 40
        assert not any(row[6] for row in rows(store))


def test_a_page_that_cannot_be_read_costs_the_entries_on_it(tmp_path: Path) -> None:
    """The rest is cut around it."""
    path = make_journal(tmp_path, 200)
    with closing(Beside(path)) as one:
        (text,) = [entry.text for entry in one.read(100, 100, 0)]
    pages = bytearray(path.read_bytes())
    at = pages.index(text.encode()) // 1024 * 1024
    pages[at : at + 1024] = b"\xff" * 1024
    path.write_bytes(pages)
    with closing(Beside(path)) as one:
        made = list(newest_first(Batches(one, SEALER), Ranges([(1, 200)])))
    lost = sum(one.last - one.first + 1 for one in made if one.payload is None)
    assert 1 <= lost <= 10
    assert sum(one.last - one.first + 1 for one in made) == 200
