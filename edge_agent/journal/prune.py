"""The front of the journal: what was cut off there, and the head of the chain before the rest.

Entries go from the front only, so what is kept is always one run of seqs without a hole. The head
after the last one that went stays: the first that is kept can be proved, sent and sealed as ever.

Pages that become free stay in the file and are written again by later appends, so the file stops
growing and does not shrink. Giving them back to the file system would move other pages into their
places and write every one of those twice, on a card that wears; the only one who needs the room is
the journal itself. So room is counted as both: what the file system has, and what the file has.
"""

import os
import sqlite3
from pathlib import Path

from edge_agent.contract import chain
from edge_agent.journal.failing import failing


class Front:
    """Where the journal begins. Raises JournalError as the journal does.

    Attributes:
        cut: every entry up to here was received and is gone; 0 while the journal is whole.
        head: of the chain at `cut`, None if it was not a head any more when it went.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self._path = path
        self.cut: int
        self.head: bytes | None
        with failing("read", path):
            self.cut, self.head = self._db.execute("SELECT cut, head FROM front").fetchone()

    def prune(self, upto: int) -> None:
        """Delete the entries up to `upto`, but none that is not noted as received, nor the newest.

        One transaction, in which the received mark itself is read: whatever is believed elsewhere,
        and wherever the power fails, an entry that the central may not have stays.
        """
        bound = "min(?, (SELECT upto FROM received), (SELECT max(seq) - 1 FROM entry))"
        found = "SELECT seq, CAST(head AS BLOB) FROM entry WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
        with failing("prune", self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            (last,) = self._db.execute(f"SELECT {bound}", (upto,)).fetchone()
            if last is None or last <= self.cut:
                return
            row = self._db.execute(found, (last,)).fetchone()
            whole = row is not None and row[0] == last and len(row[1] or b"") == chain.HEAD_BYTES
            head = row[1] if whole else None
            self._db.execute("DELETE FROM entry WHERE seq <= ?", (last,))
            self._db.execute("UPDATE front SET cut = ?, head = ?", (last, head))
        self.cut, self.head = last, head

    def room_bytes(self) -> tuple[int, int]:
        """What may still be written, to the file system or into free pages; and its whole size."""
        with failing("measure", self._path):
            disk = os.statvfs(self._path)
            (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
            (page,) = self._db.execute("PRAGMA page_size").fetchone()
        return disk.f_bavail * disk.f_frsize + free * page, disk.f_blocks * disk.f_frsize
