"""What a metered link has cost today, across a restart."""

import sqlite3
from pathlib import Path

from edge_agent.journal.failing import failing


class SpentTable:
    """One row. Losing the last note costs a few bytes beyond the budget, no more."""

    def __init__(self, db: sqlite3.Connection, path: Path) -> None:
        self._db = db
        self._path = path

    def read(self) -> tuple[int, int]:
        """The UTC day since 1970, and the bytes of that day. Raises JournalError."""
        with failing("read", self._path):
            day, count = self._db.execute("SELECT day, bytes FROM spent").fetchone()
        return day, count

    def note(self, day: int, count: int) -> None:
        """Remember both. Raises JournalError."""
        with failing("write to", self._path):
            self._db.execute("UPDATE spent SET day = ?, bytes = ?", (day, count))
