"""The roster on the terminal: concealed credential -> person. Replaced whole, never in part."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from edge_agent.journal.failing import failing
from edge_agent.records import Person


class RosterTable:
    """The roster tables of a journal's database. Raises JournalError as the journal does."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        self._counted = (-1, 0)

    @property
    def version(self) -> int:
        """Version of the roster in force; 0 before the first."""
        return self._number("SELECT version FROM roster_version")

    @property
    def count(self) -> int:
        """How many credentials it holds; counted once for each version."""
        version = self.version
        if self._counted[0] != version:
            self._counted = version, self._number("SELECT count(*) FROM roster")
        return self._counted[1]

    def find(self, credential: str) -> Person | None:
        """Who holds this concealed credential; None if the roster does not know it."""
        with failing("read", self._path):
            row = self._db.execute(
                "SELECT person, name FROM roster WHERE credential = ?", (credential,)
            ).fetchone()
        return Person(*row) if row else None

    def name(self, person: str) -> str:
        """Display name of a person id; "" if the roster does not know it."""
        with failing("read", self._path):
            row = self._db.execute(
                "SELECT name FROM roster WHERE person = ? LIMIT 1", (person,)
            ).fetchone()
        return str(row[0]) if row else ""

    def replace(self, version: int, people: Mapping[str, Person]) -> bool:
        """Put a newer roster in force, in one transaction. False if it is not newer."""
        if version <= self.version:
            return False
        with failing("put a roster into", self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM roster")
            self._db.executemany(
                "INSERT INTO roster VALUES (?, ?, ?)",
                ((credential, person.id, person.name) for credential, person in people.items()),
            )
            self._db.execute("UPDATE roster_version SET version = ?", (version,))
        return True

    def _number(self, query: str) -> int:
        with failing("read", self._path):
            return int(self._db.execute(query).fetchone()[0])
