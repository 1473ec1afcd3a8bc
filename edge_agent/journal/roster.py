"""The roster on the terminal: concealed credential -> person. Replaced whole, never in part."""

import sqlite3
from collections.abc import Mapping

from edge_agent.records import Person


class RosterTable:
    """The roster tables of a journal's database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @property
    def version(self) -> int:
        """Version of the roster in force; 0 before the first."""
        return int(self._db.execute("SELECT version FROM roster_version").fetchone()[0])

    @property
    def count(self) -> int:
        """How many credentials it holds."""
        return int(self._db.execute("SELECT count(*) FROM roster").fetchone()[0])

    def find(self, credential: str) -> Person | None:
        """Who holds this concealed credential; None if the roster does not know it."""
        row = self._db.execute(
            "SELECT person, name FROM roster WHERE credential = ?", (credential,)
        ).fetchone()
        return Person(*row) if row else None

    def replace(self, version: int, people: Mapping[str, Person]) -> bool:
        """Put a newer roster in force, in one transaction. False if it is not newer."""
        if version <= self.version:
            return False
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM roster")
            self._db.executemany(
                "INSERT INTO roster VALUES (?, ?, ?)",
                ((credential, person.id, person.name) for credential, person in people.items()),
            )
            self._db.execute("UPDATE roster_version SET version = ?", (version,))
        return True
