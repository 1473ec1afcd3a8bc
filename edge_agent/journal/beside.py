"""The journal as somebody beside the agent reads it: nothing is written, nothing is made."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from edge_agent.contract import chain
from edge_agent.errors import JournalError
from edge_agent.journal.failing import failing
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
            self._db.text_factory = _lenient  # bytes that are no text: the head will tell
            found = self._db.execute("SELECT terminal, journal FROM identity").fetchone()
            # One after the other: asked together, SQLite reads every row.
            low = self._db.execute("SELECT coalesce(min(seq), 1) FROM entry").fetchone()
            high = self._db.execute("SELECT coalesce(max(seq), 0) FROM entry").fetchone()
        if found is None:
            raise JournalError("read the journal", str(path), "no agent ever opened it", hint)
        self.terminal, self.journal = str(found[0]), str(found[1])
        self.first_seq, self.last_seq = int(low[0]), int(high[0])

    def received(self) -> int:
        """Every entry up to here is in the central's database, as last noted."""
        with failing("read", self._path):
            return int(self._db.execute("SELECT upto FROM received").fetchone()[0])

    def read(self, first: int, last: int, max_bytes: int) -> list[Entry]:
        """Entries from `first` on, as far as `last` and `max_bytes` of text; at least one."""
        found: list[Entry] = []
        with failing("read", self._path):
            rows = self._db.execute(
                "SELECT seq, kind, CAST(text AS TEXT), CAST(head AS BLOB) FROM entry"
                " WHERE seq BETWEEN ? AND ? ORDER BY seq",
                (first, last),
            )
            for seq, kind, text, head in rows:
                max_bytes -= len(text)
                if found and max_bytes < 0:
                    break
                whole = isinstance(head, bytes) and len(head) == chain.HEAD_BYTES
                found.append(Entry(seq, kind, text, head if whole else bytes(chain.HEAD_BYTES)))
            rows.close()
        return found

    def head_at(self, seq: int) -> bytes | None:
        """The chain's head after entry `seq`; None if there is none that could be one."""
        if seq == 0:
            return chain.genesis(self.terminal, self.journal)
        with suppress(JournalError):
            for entry in self.read(seq, seq, 0):
                return entry.head if any(entry.head) else None
        return None

    def close(self) -> None:
        self._db.close()


def _lenient(data: bytes) -> str:
    """Text of a row, with a mark for each byte that is none."""
    return data.decode(errors="replace")
