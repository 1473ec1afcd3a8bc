"""What was enrolled here, in real SQLite files: with its entry or not at all, there tomorrow."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, enrolment, punch, stamp
from contract_check import validator
from test_journal import EVERYTHING, assert_sound, full_disk

from edge_agent.errors import JournalError
from edge_agent.journal import Finger, Journal
from edge_agent.records import Library, Person

AMIN, SITI = Person("p-17", "La Ode Amin"), Person("p-2", "Wa Ode Siti")
NAMES = ["aa" * 32, "bb" * 32]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with closing(Journal(path, TERMINAL)) as one:
        yield one


def finger(slot: int, person: Person = AMIN, scanner: str = "door") -> Finger:
    return Finger(scanner, slot, f"{slot:064x}", person, stored=False)


def enrol_finger(journal: Journal, slot: int) -> None:
    journal.enrolled.reserve(finger(slot))
    journal.enrol(enrolment(slot), AMIN.name, (), stamp())


def test_a_card_is_known_by_every_name_that_was_given(path: Path, journal: Journal) -> None:
    """From then on and after a restart; the entry says it once, by its own name."""
    assert journal.enrolled.holder(NAMES[0]) is None
    entry = journal.enrol(enrolment(credential=NAMES[0]), AMIN.name, NAMES, stamp(7))
    assert [journal.enrolled.holder(one) for one in (*NAMES, "cc" * 32)] == [AMIN, AMIN, None]
    assert entry.kind == "enrolment"
    assert validator("entry").is_valid(json.loads(entry.text))
    assert NAMES[1] not in entry.text
    assert AMIN.name not in entry.text  # names are the roster's business
    with closing(Journal(path, TERMINAL)) as again:
        assert again.enrolled.holder(NAMES[1]) == AMIN
        assert again.read(1, 9, EVERYTHING) == [entry]


def test_enrolments_are_links_of_the_chain(path: Path, journal: Journal) -> None:
    """Numbered and chained among punches and incidents."""
    journal.append(punch(), stamp())
    journal.enrol(enrolment(), AMIN.name, NAMES, stamp())
    journal.open_incident("tamper", "door", "swapped", 0, stamp())
    enrol_finger(journal, 3)
    journal.append(punch(), stamp())
    assert_sound(path, 5)


@pytest.mark.parametrize("room", [0, 1048, 2096, 3144])
@pytest.mark.parametrize("slot", [None, 3])
def test_what_cannot_be_written_is_not_bound(
    path: Path, journal: Journal, room: int, slot: int | None
) -> None:
    """Entry and binding are one: both or neither, at whatever page the disk is full."""
    journal.append(punch(), stamp())
    journal.enrolled.reserve(finger(3))
    names = [f"{number:064x}" for number in range(100)]  # so many that they need pages of their own
    with full_disk(path, room), pytest.raises(JournalError, match="append to the journal"):
        journal.enrol(enrolment(slot), AMIN.name, names, stamp())
    assert_sound(path, 1)
    assert not any(journal.enrolled.holder(one) for one in names)
    assert not journal.enrolled.fingers("door")[3].stored
    journal.enrol(enrolment(slot), AMIN.name, names, stamp())
    assert_sound(path, 2)
    assert journal.enrolled.holder(names[99]) == AMIN
    assert journal.enrolled.fingers("door")[3].stored == (slot is not None)


def test_a_finger_is_reserved_then_stored(path: Path, journal: Journal) -> None:
    """In its own scanner's book; each step is there after a restart."""
    journal.enrolled.reserve(finger(3))
    journal.enrolled.reserve(finger(3, SITI, "gate"))
    with closing(Journal(path, TERMINAL)) as again:
        assert again.enrolled.fingers("door") == {3: finger(3)}
        again.enrol(enrolment(3), AMIN.name, (), stamp())
    with closing(Journal(path, TERMINAL)) as again:
        assert again.enrolled.fingers("door")[3].stored
        assert again.enrolled.fingers("gate") == {3: finger(3, SITI, "gate")}
        assert again.enrolled.fingers("front") == {}


def test_a_reservation_is_taken_back_and_what_is_stored_is_not(journal: Journal) -> None:
    """A step that came too late must not cost anybody a finger."""
    journal.enrolled.reserve(finger(4))
    journal.enrolled.release("door", 4)
    assert journal.enrolled.fingers("door") == {}
    enrol_finger(journal, 3)
    journal.enrolled.release("door", 3)
    journal.enrolled.release("gate", 3)
    assert set(journal.enrolled.fingers("door")) == {3}


@pytest.mark.parametrize(
    "library",
    [
        Library(200, 3, (0, 17, 199)),
        Library(200, 0, ()),  # which is not the same as not knowing
        Library(162, 3, None),
        Library(5000, 5000, tuple(range(5000))),
    ],
    ids=["some", "none", "unknown", "full"],
)
def test_what_a_module_holds_is_remembered_as_it_was_said(
    path: Path, journal: Journal, library: Library
) -> None:
    """The last word counts, for each scanner by itself."""
    assert journal.enrolled.known_library("door") is None
    journal.enrolled.remember("door", Library(1, 1, (0,)))
    journal.enrolled.remember("door", library)
    with closing(Journal(path, TERMINAL)) as again:
        assert again.enrolled.known_library("door") == library
        assert again.enrolled.known_library("gate") is None


def test_forgetting_a_module_costs_its_fingers_and_nobody_elses(journal: Journal) -> None:
    """Reserved ones too; cards, other modules and the journal stay."""
    enrol_finger(journal, 3)
    journal.enrolled.reserve(finger(4))
    journal.enrolled.reserve(finger(3, SITI, "gate"))
    journal.enrolled.remember("door", Library(200, 1, (3,)))
    journal.enrolled.remember("gate", Library(200, 0, ()))
    journal.enrol(enrolment(), AMIN.name, NAMES, stamp())
    assert journal.enrolled.forget("door") == 2
    assert journal.enrolled.forget("door") == 0
    assert (journal.enrolled.fingers("door"), journal.enrolled.known_library("door")) == ({}, None)
    assert journal.enrolled.fingers("gate") == {3: finger(3, SITI, "gate")}
    assert journal.enrolled.known_library("gate") == Library(200, 0, ())
    assert journal.enrolled.holder(NAMES[0]) == AMIN
    assert journal.last_seq == 2


def test_a_roster_does_not_touch_what_was_enrolled(journal: Journal) -> None:
    """A roster is replaced whole; an enrolment is not a part of it."""
    journal.enrol(enrolment(), AMIN.name, NAMES, stamp())
    enrol_finger(journal, 3)
    journal.roster.replace(1, {})
    assert journal.enrolled.holder(NAMES[0]) == AMIN
    assert journal.enrolled.fingers("door")[3].person == AMIN


def test_the_roster_gives_the_name_of_a_person(journal: Journal) -> None:
    """By any of the person's cards; nothing for somebody it does not know."""
    journal.roster.replace(1, {"aa" * 32: AMIN, "bb" * 32: AMIN, "cc" * 32: SITI})
    assert [journal.roster.name(one) for one in ("p-17", "p-2", "p-3")] == [
        "La Ode Amin", "Wa Ode Siti", "",
    ]  # fmt: skip


def test_a_journal_of_the_version_before_gets_the_tables(path: Path) -> None:
    """An update on the wall keeps every entry, and the roster."""
    with closing(Journal(path, TERMINAL)) as one:
        one.append(punch(), stamp())
        one.roster.replace(1, {"aa" * 32: AMIN})
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("enrolled", "finger", "library"):
            db.execute(f"DROP TABLE {table}")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm003_enrolled'")
    with closing(Journal(path, TERMINAL)) as one:
        assert one.roster.find("aa" * 32) == AMIN
        enrol_finger(one, 3)
    assert_sound(path, 2)


def test_every_operation_on_a_worn_or_full_disk_fails_as_one_of_ours(path: Path) -> None:
    """Operation, object, cause and cure; nothing of SQLite comes out, and nothing changes."""
    with closing(Journal(path, TERMINAL)) as one:
        enrol_finger(one, 3)
        books = one.enrolled
        writes = (
            lambda: books.reserve(finger(5)),
            lambda: books.remember("door", Library(5000, 5000, tuple(range(5000)))),
            lambda: books.forget("door"),
        )
        with full_disk(path, 0):
            for write in writes:
                with pytest.raises(JournalError, match="note an enrolment in the journal"):
                    write()
        assert set(books.fingers("door")) == {3}
    with closing(Journal(path, TERMINAL)) as one:
        path.write_bytes(b"\xff" * path.stat().st_size)
        for read in (
            lambda: one.enrolled.holder("ab"),
            lambda: one.enrolled.fingers("door"),
            lambda: one.enrolled.known_library("door"),
            lambda: one.roster.name("p-1"),
        ):
            with pytest.raises(JournalError, match="read the journal"):
                read()
