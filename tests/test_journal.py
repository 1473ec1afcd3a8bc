"""The journal in real SQLite files: appended whole or not at all, chained, there tomorrow."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from builders import BOOT, OTHER_BOOT, TERMINAL, enrolment, punch, stamp, start
from limits import no_file_larger_than

from edge_agent.errors import JournalError
from edge_agent.journal import Journal, OpenIncident, Run
from edge_agent.records import Entry, Person

EVERYTHING = 10**9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path, TERMINAL)) as one:
        yield one


def assert_sound(path: Path, count: int) -> None:
    """Read beside all of ours: seq 1 to `count` without a hole, and the chain from its root."""
    with closing(sqlite3.connect(path)) as db:
        name, terminal = db.execute("SELECT journal, terminal FROM identity").fetchone()
        rows = db.execute("SELECT seq, kind, text, head FROM entry ORDER BY seq").fetchall()
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    head = hashlib.sha256(f"edge-agent/journal/1\n{terminal}\n{name}".encode()).digest()
    assert [row[0] for row in rows] == list(range(1, count + 1))
    for seq, kind, text, stored in rows:
        table = json.loads(text)
        assert (table["seq"], table["kind"]) == (seq, kind)
        assert text == json.dumps(table, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        head = hashlib.sha256(head + text.encode()).digest()
        assert head == stored


@contextmanager
def full_disk(path: Path, room: int) -> Iterator[None]:
    """No file of this process may grow more than `room` bytes beyond the journal's log."""
    with no_file_larger_than(Path(f"{path}-wal").stat().st_size + room):
        yield


def append_until_full(journal: Journal) -> int:
    """The last seq that was appended before the disk was full."""
    for _ in range(50):
        last = journal.last_seq
        try:
            journal.append(punch(), stamp())
        except JournalError:
            return last
    pytest.fail("the disk never filled")


def test_entries_are_numbered_and_chained(path: Path, journal: Journal) -> None:
    """Every kind of record; what is returned is what stands in the file."""
    journal.append(start(), stamp(1))
    returned = journal.append(punch(person="p-17"), stamp(2))
    journal.open_incident("broker", "", "refused", 0, stamp(3))
    journal.close_incident(journal.open_incidents()[0], stamp(4))
    journal.enrol(enrolment(), "La Ode Amin", [], stamp(5))
    assert_sound(path, 5)
    assert journal.read(2, 2, EVERYTHING) == [returned]
    assert json.loads(returned.text)["person"] == "p-17"
    assert [one.kind for one in journal.read(1, 9, EVERYTHING)] == [
        "start", "punch", "incident", "incident", "enrolment",
    ]  # fmt: skip


def test_a_reopened_journal_goes_on(path: Path) -> None:
    """The same name, the next seq, the chain unbroken."""
    names = set()
    for run in range(3):
        with closing(Journal(path, TERMINAL)) as one:
            assert one.last_seq == 2 * run
            names.add(one.journal)
            one.append(punch(), stamp(run))
            one.append(punch(), stamp(run))
    assert len(names) == 1
    assert_sound(path, 6)


def test_each_file_is_a_journal_of_its_own(tmp_path: Path) -> None:
    """A re-imaged card begins anew under another name, so its seqs cannot collide."""
    with (
        closing(Journal(tmp_path / "a.db", TERMINAL)) as one,
        closing(Journal(tmp_path / "b.db", TERMINAL)) as other,
    ):
        assert one.journal != other.journal
        assert len(one.journal) == 32
        assert one.append(punch(), stamp()).head != other.append(punch(), stamp()).head


def test_an_append_is_on_stable_storage_before_it_returns(journal: Journal) -> None:
    """Write-ahead log, synchronised at every commit, whatever SQLite was built with."""
    assert journal._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert not journal._db.in_transaction
    journal.append(punch(), stamp())
    journal.open_incident("broker", "", "refused", 0, stamp())
    assert not journal._db.in_transaction


@pytest.mark.parametrize("room", [0, 1, 100, 600, 1048, 2096, 2500])
def test_an_append_that_fails_leaves_nothing(path: Path, journal: Journal, room: int) -> None:
    """The disk is full at some byte: no half entry, no hole, and the next append works."""
    journal.append(punch(), stamp())
    with full_disk(path, room):
        stored = append_until_full(journal)
    assert journal.last_seq == stored
    assert_sound(path, stored)
    assert journal.append(punch(), stamp()).seq == stored + 1
    with closing(Journal(path, TERMINAL)) as again:
        assert again.last_seq == stored + 1
    assert_sound(path, stored + 1)


@pytest.mark.parametrize("room", [0, 1048, 2095])  # of the two frames of 1,048 bytes that it takes
def test_an_incident_that_cannot_be_written_is_not_open(
    path: Path, journal: Journal, room: int
) -> None:
    """Entry and memory of it are one: both or neither, for opening and for closing."""
    journal.append(punch(), stamp())
    with full_disk(path, room), pytest.raises(JournalError):
        journal.open_incident("broker", "", "refused", 0, stamp())
    assert journal.open_incidents() == []
    assert_sound(path, 1)
    journal.open_incident("broker", "", "refused", 0, stamp())
    (incident,) = journal.open_incidents()
    with full_disk(path, room), pytest.raises(JournalError):
        journal.close_incident(incident, stamp())
    assert journal.open_incidents() == [incident]
    assert_sound(path, 2)


def test_every_operation_on_a_full_disk_fails_as_one_of_ours(path: Path, journal: Journal) -> None:
    """Operation, object, cause and cure, and nothing changes; SQLite's own errors stay inside."""
    journal.begin_run(BOOT)
    people = {f"{number:064}": Person("p", "Wa Ode") for number in range(3000)}
    operations = {
        "append to": lambda: journal.append(punch(), stamp()),
        "write to": lambda: journal.note_received(1),
        "begin a run in": lambda: journal.begin_run(OTHER_BOOT),
        "end a run in": journal.end_run,
        "put a roster into": lambda: journal.roster.replace(1, people),
    }
    with full_disk(path, 0):
        for verb, operation in operations.items():
            with pytest.raises(JournalError) as caught:
                operation()
            assert caught.value.operation == f"{verb} the journal"
            assert caught.value.subject == str(path)
            assert caught.value.cause
            assert "on paper" in caught.value.hint
    assert (journal.received(), journal.roster.version, journal.roster.count) == (0, 0, 0)
    assert journal.begin_run(OTHER_BOOT) == Run(BOOT, stopped=False)


def test_a_worn_file_fails_as_one_of_ours(path: Path) -> None:
    """Every way of reading; the pages of the file are gone under the open journal."""
    with closing(Journal(path, TERMINAL)) as one:
        for number in range(200):
            one.append(punch(), stamp(number))
    with closing(Journal(path, TERMINAL)) as one:
        path.write_bytes(b"\xff" * path.stat().st_size)
        for read in (
            lambda: one.read(1, 200, EVERYTHING),
            lambda: one.roster.find("ab"),
            lambda: one.roster.version,
            lambda: one.roster.count,
            one.received,
            one.open_incidents,
        ):
            with pytest.raises(JournalError, match="read the journal"):
                read()


def test_a_journal_of_another_terminal_is_refused(path: Path, journal: Journal) -> None:
    """A card that was put into the wrong box; both names are said."""
    journal.append(punch(), stamp())
    with pytest.raises(JournalError, match="belongs to the terminal bungi-1, not wonco-1"):
        Journal(path, "wonco-1")
    assert_sound(path, 1)


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """A file that is no database, a directory in its place, a file for a directory."""
    (tmp_path / "text").write_bytes(b"no database" * 1000)
    for name in ("text", ".", "text/journal.db"):
        with pytest.raises(JournalError, match="open the journal") as caught:
            Journal(tmp_path / name, TERMINAL)
        assert str(tmp_path) in caught.value.subject
        assert str(caught.value).isprintable()


def test_an_incident_is_remembered_until_it_is_closed(path: Path) -> None:
    """Across a restart; its length is known within one boot only."""
    with closing(Journal(path, TERMINAL)) as one:
        opened = one.open_incident("scanner", "front", "unplugged", 1000, stamp(3000))
        one.open_incident("scanner", "rear", "unplugged", 2000, stamp(4000))
    with closing(Journal(path, TERMINAL)) as one:
        front, rear = one.open_incidents()
        assert front == OpenIncident("scanner", "front", opened.seq, "unplugged", BOOT, 1000)
        same = json.loads(one.close_incident(front, stamp(61_000)).text)
        other = json.loads(one.close_incident(rear, stamp(50, OTHER_BOOT)).text)
        assert one.open_incidents() == []
    assert (same["state"], same["opened"], same["length_ms"]) == ("closed", 1, 60_000)
    assert (other["opened"], "length_ms" in other) == (2, False)
    with closing(Journal(path, TERMINAL)) as one:
        assert one.open_incidents() == []


def test_a_run_says_how_the_one_before_ended(path: Path) -> None:
    """Nothing before the first; stopped only if it said so."""
    with closing(Journal(path, TERMINAL)) as one:
        assert one.begin_run(BOOT) is None
        one.end_run()
        assert one.begin_run(OTHER_BOOT) == Run(BOOT, stopped=True)
    with closing(Journal(path, TERMINAL)) as one:
        assert one.begin_run(BOOT) == Run(OTHER_BOOT, stopped=False)


def test_the_received_mark_is_kept(path: Path) -> None:
    """Nothing is received at first."""
    with closing(Journal(path, TERMINAL)) as one:
        assert one.received() == 0
        one.note_received(41)
    with closing(Journal(path, TERMINAL)) as one:
        assert one.received() == 41


def seqs(entries: list[Entry]) -> list[int]:
    return [one.seq for one in entries]


def test_reading_stops_at_the_limit_but_gives_one(journal: Journal) -> None:
    """As many texts as fit; an entry larger than the limit still moves."""
    entries = [journal.append(punch(), stamp(number)) for number in range(5)]
    size = len(entries[0].text)
    assert journal.read(2, 4, EVERYTHING) == entries[1:4]
    assert seqs(journal.read(1, 5, 3 * size)) == [1, 2, 3]
    assert seqs(journal.read(1, 5, 3 * size - 1)) == [1, 2]
    assert seqs(journal.read(3, 5, 1)) == [3]
    assert journal.read(6, 9, EVERYTHING) == []


def test_heads_are_known_at_every_seq(journal: Journal) -> None:
    """The root at 0, nothing beyond the end."""
    first = journal.append(punch(), stamp())
    root = hashlib.sha256(f"edge-agent/journal/1\n{TERMINAL}\n{journal.journal}".encode())
    assert journal.head_at(0) == root.digest()
    assert journal.head_at(1) == first.head
    assert journal.head_at(2) is None
