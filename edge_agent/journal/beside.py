"""The journal as somebody beside the agent reads it: nothing is written, nothing is made."""

import sqlite3
from functools import partial
from pathlib import Path

from edge_agent.contract import chain
from edge_agent.errors import JournalError
from edge_agent.journal.failing import failing
from edge_agent.journal.stretch import lenient, read_entries, read_stretch
from edge_agent.records import Entry


class Beside:
    """The journal in the file `path`, also while an agent appends to it.

    Attributes:
        terminal, journal: whose it is.
        first_seq, last_seq: the oldest entry's and, when it was opened, the newest's.

    Raises JournalError when it is not there or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        hint = "start the agent once, or name its configuration with --config"
        if not path.is_file():
            raise JournalError("read the journal", str(path), "no such file", hint)
        with failing("read", path):
            uri = f"{path.absolute().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, timeout=5)
            self._db.text_factory = lenient  # bytes that are no text: the head will tell
            found = self._db.execute("SELECT terminal, journal FROM identity").fetchone()
            (cut,) = self._db.execute("SELECT cut FROM front").fetchone()
            (high,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()
        if found is None:
            raise JournalError("read the journal", str(path), "no agent ever opened it", hint)
        self.terminal, self.journal = str(found[0]), str(found[1])
        self.first_seq, self.last_seq = int(cut) + 1, int(high)
        self.stretch = partial(read_stretch, self._db)

    def received(self) -> int:
        """Every entry up to here is in the central's database, as last noted."""
        with failing("read", self._path):
            return int(self._db.execute("SELECT upto FROM received").fetchone()[0])

    def read(self, first: int, last: int, max_bytes: int) -> list[Entry]:
        """Entries from `first` on, as far as `last` and `max_bytes` of text; at least one."""
        with failing("read", self._path):
            return read_entries(self._db, first, last, max_bytes)

    def head_at(self, seq: int) -> bytes | None:
        """The chain's head after entry `seq`; None if there is none that could be one."""
        if seq == 0:
            return chain.genesis(self.terminal, self.journal)
        query = "SELECT CAST(head AS BLOB) FROM entry WHERE seq = ?"
        query += " UNION ALL SELECT head FROM front WHERE cut = ?"
        try:
            row = self._db.execute(query, (seq, seq)).fetchone()
        except sqlite3.Error:
            return None
        return row[0] if row and len(row[0] or b"") == chain.HEAD_BYTES else None

    def close(self) -> None:
        self._db.close()
