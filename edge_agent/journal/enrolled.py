"""What was enrolled at this terminal: cards beside the roster, and whose finger is in a slot."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge_agent.journal.failing import failing
from edge_agent.records import Library, Person


@dataclass(frozen=True, slots=True)
class Finger:
    """One slot of a fingerprint module and whose finger is to be, or is, in it.

    Attributes:
        credential: concealed; made anew at each enrolment, so that a slot that is used again is not
            the person who had it before.
        stored: the module has said that it keeps the template.
    """

    scanner: str
    slot: int
    credential: str
    person: Person
    stored: bool


class EnrolledTable:
    """The enrolment tables of a journal's database. Raises JournalError as the journal does.

    What binds a credential to a person is written by `Journal.enrol`, with the entry that says so.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._reading = failing("read", path)
        self._writing = failing("note an enrolment in", path)

    def holder(self, credential: str) -> Person | None:
        """Who holds this concealed card by an enrolment here."""
        with self._reading:
            row = self._db.execute(
                "SELECT person, name FROM enrolled WHERE credential = ?", (credential,)
            ).fetchone()
        return Person(*row) if row else None

    def fingers(self, scanner: str) -> dict[int, Finger]:
        """What the slots of this scanner's module should hold, by slot."""
        query = "SELECT slot, credential, person, name, stored FROM finger WHERE scanner = ?"
        with self._reading:
            rows = self._db.execute(query, (scanner,)).fetchall()
        return {
            slot: Finger(scanner, slot, credential, Person(person, name), bool(stored))
            for slot, credential, person, name, stored in rows
        }

    def reserve(self, finger: Finger) -> None:
        """Before the module is asked to store: a power cut in between leaves no nameless slot."""
        with self._writing:
            self._db.execute(
                "INSERT OR REPLACE INTO finger VALUES (?, ?, ?, ?, ?, 0)",
                (
                    finger.scanner,
                    finger.slot,
                    finger.credential,
                    finger.person.id,
                    finger.person.name,
                ),
            )

    def release(self, scanner: str, slot: int) -> None:
        """The module was not asked to store after all."""
        with self._writing:
            self._db.execute(
                "DELETE FROM finger WHERE scanner = ? AND slot = ? AND NOT stored", (scanner, slot)
            )

    def known_library(self, scanner: str) -> Library | None:
        """What the module held when that was last in order; None before the first time."""
        with self._reading:
            row = self._db.execute(
                "SELECT capacity, count, slots FROM library WHERE scanner = ?", (scanner,)
            ).fetchone()
        if row is None:
            return None
        capacity, count, slots = row
        return Library(capacity, count, None if slots is None else _numbers(slots))

    def remember(self, scanner: str, library: Library) -> None:
        """This is what the module holds, and that is in order."""
        with self._writing:
            self._db.execute(*remembering(scanner, library))

    def forget(self, scanner: str) -> int:
        """Another module hangs there now: nobody's finger is in it. Gives how many were."""
        with self._writing, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM library WHERE scanner = ?", (scanner,))
            return self._db.execute("DELETE FROM finger WHERE scanner = ?", (scanner,)).rowcount


def remembering(scanner: str, library: Library) -> tuple[str, tuple[object, ...]]:
    """The statement, and its values, that remembers what a module holds."""
    slots = None if library.slots is None else " ".join(map(str, library.slots))
    values = (scanner, library.capacity, library.count, slots)
    return "INSERT OR REPLACE INTO library VALUES (?, ?, ?, ?)", values


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split())
