"""Onto a stick: the newest first, nothing twice, and a readable part whatever interrupts it."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp
from carried import SEALER, carry, make_journal, records, reference, rows, take
from hypothesis import given
from hypothesis import strategies as st
from limits import no_file_larger_than

from edge_agent.central.store import Store
from edge_agent.errors import EdgeAgentError, JournalError
from edge_agent.journal import Journal
from edge_agent.journal.batches import Batches
from edge_agent.journal.beside import Beside
from edge_agent.ranges import Ranges
from edge_agent.technician.export import export, newest_first


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_journal(tmp_path_factory.mktemp("made"), 2200)


@pytest.fixture
def journal(made: Path, tmp_path: Path) -> Path:
    """A journal of one's own."""
    return Path(shutil.copy(made, tmp_path))


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def held(stick: Path) -> list[tuple[int, int]]:
    """First and last of every record on the stick, file by file."""
    return [
        (one.first, one.last)
        for path in sorted(stick.glob("*.bundle"))
        for one in records(path.read_bytes())
        if not one.is_end
    ]


def interrupt(journal: Path, stick: Path, after: int = 1500) -> None:
    """Ctrl-C when so many entries are written."""

    def told(done: int, _whole: int) -> None:
        if done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry(journal, stick, told=told)


def test_the_newest_come_first(journal: Path, stick: Path) -> None:
    """A stick that is pulled early has today's punches on it; the name says what is in it."""
    done = carry(journal, stick)
    assert held(stick) == [(1201, 2200), (201, 1200), (1, 200)]
    assert (done.entries, done.there, done.gone) == (2200, 0, 0)
    assert done.file is not None
    with closing(Beside(journal)) as one:
        assert done.file.name == f"{TERMINAL}-{one.journal[:8]}-1-2200.bundle"
        rest = newest_first(Batches(one, SEALER), Ranges([(1, 9), (2190, 2200)]))
        assert [packed.first for packed in rest] == [2190, 1]


def test_progress_goes_to_the_end_and_never_back(journal: Path, stick: Path) -> None:
    """In entries, of all that are to be written."""
    said: list[tuple[int, int]] = []
    carry(journal, stick, told=lambda *one: said.append(one))
    assert said == [(1000, 2200), (2000, 2200), (2200, 2200)]


def test_what_the_central_said_it_has_stays_at_home(journal: Path, stick: Path) -> None:
    """Unless everything is asked for."""
    with closing(Journal(journal, TERMINAL)) as one:
        one.note_received(2100)
    assert carry(journal, stick).entries == 100
    assert held(stick) == [(2101, 2200)]
    assert carry(journal, stick, everything=True).entries == 2100


def test_what_lies_there_whole_is_not_written_again(journal: Path, stick: Path) -> None:
    """Only what is new since; nothing at all if nothing is."""
    carry(journal, stick)
    again = carry(journal, stick)
    assert (again.file, again.entries, again.there) == (None, 0, 2200)
    with closing(Journal(journal, TERMINAL)) as one:
        one.append(punch(), stamp(9))
    assert carry(journal, stick).entries == 1
    assert len(list(stick.iterdir())) == 2


def test_an_interrupted_export_goes_on_where_it_was(
    journal: Path, stick: Path, tmp_path: Path
) -> None:
    """What was whole stays, is a bundle by itself, and is not written again."""
    interrupt(journal, stick)
    assert [path.suffix for path in stick.iterdir()] == [".part"]
    done = carry(journal, stick)
    assert (done.entries, done.there) == (200, 2000)
    with Store(tmp_path / "central.db") as store:
        outcomes = [take(store, path) for path in sorted(stick.glob("*.bundle"))]
        assert [bool(one.cut) for one in outcomes] == [False, True]
        assert rows(store) == reference(tmp_path, journal)


def test_a_part_can_be_imported_as_it_is(journal: Path, stick: Path, tmp_path: Path) -> None:
    """A stick that was pulled need not come back to the terminal first."""
    interrupt(journal, stick)
    (part,) = stick.iterdir()
    with Store(tmp_path / "central.db") as store:
        outcome = take(store, part)
        assert (outcome.new, outcome.cut) == (2000, "after record 2")


def test_an_interruption_before_the_first_record_leaves_nothing(
    stick: Path, tmp_path: Path
) -> None:
    """No file that would only puzzle somebody."""
    journal = make_journal(tmp_path, 3)
    with no_file_larger_than(100), pytest.raises(EdgeAgentError):
        carry(journal, stick)
    assert list(stick.iterdir()) == []


def test_a_full_stick_keeps_what_is_whole(stick: Path, tmp_path: Path) -> None:
    """One line that says so; with room it goes on."""
    journal = make_journal(tmp_path, 5000, bulk=True)
    with no_file_larger_than(100_000), pytest.raises(EdgeAgentError) as error:
        carry(journal, stick)
    assert "so large" in str(error.value)
    assert "\n" not in str(error.value)
    done = carry(journal, stick)
    assert (done.there, done.entries) == (2000, 3000)
    with Store(tmp_path / "central.db") as store:
        for path in stick.glob("*.bundle"):
            take(store, path)
        assert rows(store) == reference(tmp_path, journal)


@given(st.none() | st.integers(0, 999), st.integers(0, 1000))
def test_a_part_torn_anywhere_is_completed(
    tmp_path_factory: pytest.TempPathFactory, flip: int | None, keep: int
) -> None:
    """Power lost at any byte, or bytes that never reached the stick: all arrives in two files."""
    folder = tmp_path_factory.mktemp("torn")
    journal = make_journal(folder, 30)
    (folder / "stick").mkdir()
    whole = carry(journal, folder / "stick").file
    assert whole is not None
    torn = bytearray(whole.read_bytes())
    size = len(torn)
    if flip is not None:
        torn[flip * size // 1000] ^= 0xFF
    torn = torn[: size * keep // 1000]
    whole.unlink()
    whole.with_name(whole.name + ".part").write_bytes(torn)
    carry(journal, folder / "stick")
    with Store(folder / "central.db") as store:
        for path in (folder / "stick").iterdir():
            if path.suffix == ".bundle":
                take(store, path)
        assert len(rows(store)) == 30


def test_bundles_for_another_key_do_not_count(journal: Path, stick: Path) -> None:
    """The organisation made a new key: what lies there nobody can open."""
    carry(journal, stick)
    with closing(Beside(journal)) as one:
        done = export(one, SEALER, SEALER.key, stick)
    assert done.entries == 2200
    assert len(list(stick.iterdir())) == 2


def test_other_peoples_files_are_left_alone(journal: Path, stick: Path, tmp_path: Path) -> None:
    """Photographs, other terminals' bundles and parts, and what only has the name of one."""
    other = tmp_path / "other"
    other.mkdir()
    carry(make_journal(other, 5), stick)
    (theirs,) = stick.iterdir()
    theirs.rename(stick / "b.part")
    (stick / "a.bundle").write_bytes(b"not one")
    (stick / "c.bundle").mkdir()
    before = (stick / "b.part").read_bytes()
    assert carry(journal, stick).entries == 2200
    assert (stick / "b.part").read_bytes() == before
    assert (stick / "a.bundle").read_bytes() == b"not one"


def test_two_exports_do_not_write_one_stick_at_once(journal: Path, stick: Path) -> None:
    """The second says that it must wait, and harms nothing."""
    refused: list[str] = []

    def told(_done: int, _whole: int) -> None:
        if not refused:
            with pytest.raises(EdgeAgentError) as error:
                carry(journal, stick)
            refused.append(str(error.value))

    assert carry(journal, stick, told=told).entries == 2200
    assert "another export" in refused[0]


def test_a_file_can_be_named_but_is_never_overwritten(journal: Path, stick: Path) -> None:
    """Also not a bundle of one's own."""
    assert carry(journal, stick / "mine.bundle").file == stick / "mine.bundle"
    with pytest.raises(EdgeAgentError, match="already"):
        carry(journal, stick / "mine.bundle")


def test_a_directory_that_is_not_there_is_said(journal: Path, stick: Path) -> None:
    """A stick that is not mounted must not become a file on the terminal's card."""
    for wrong in ("stik", "nowhere/x", "nowhere/x.bundle"):
        with pytest.raises(EdgeAgentError, match="no such directory") as error:
            carry(journal, stick / wrong)
        assert "\n" not in str(error.value)
    assert list(stick.iterdir()) == []


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Reading leaves no trace."""
    with pytest.raises(JournalError, match="no such file"):
        Beside(tmp_path / "journal.db")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_to_the_journal(journal: Path, stick: Path) -> None:
    """Byte for byte what it was."""
    before = journal.read_bytes()
    carry(journal, stick)
    assert journal.read_bytes() == before
