"""A journal file that SQLite cannot read any more: set aside, whole, so that taps go on.

A worn card must not close an office's terminal. Nothing is deleted: the damaged file keeps its
entries for whoever salvages them, and the new journal says which one it replaces, if that can still
be read.
"""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from edge_agent.errors import JournalError
from edge_agent.journal.journal import Journal

#: SQLite file format, section 1.2: page sizes are powers of two from 512.
_SMALLEST_PAGE = 512
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_journal(path: Path, terminal: str) -> tuple[Journal, str]:
    """The journal of `terminal` at `path`, and where a damaged one went, "" if there was none.

    Raises:
        JournalError: it cannot be opened, for another reason than damage.
    """
    try:
        return Journal(path, terminal), ""
    except JournalError as error:
        code = getattr(error.__cause__, "sqlite_errorcode", None)
        if code is None or code & 0xFF not in _DAMAGED or not _was_journal(path):
            raise
    previous = _identity(path)
    aside = _set_aside(path)
    return Journal(path, terminal, previous), aside


def _identity(path: Path) -> str | None:
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"  # a path may hold what means more in a URI
        with closing(sqlite3.connect(uri, uri=True)) as db:
            found: str = db.execute("SELECT journal FROM identity").fetchone()[0]
            return found
    except (sqlite3.Error, TypeError):
        return None


def _was_journal(path: Path) -> bool:
    """Whole pages of SQLite's; a key or a text that was named by mistake is left alone."""
    size = path.stat().st_size
    return size >= 2 * _SMALLEST_PAGE and size % _SMALLEST_PAGE == 0


def _set_aside(path: Path) -> str:
    for number in count(1):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            break
    for suffix in ("-wal", "-shm", ""):  # the file itself last: until then nothing has happened
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return str(aside)
