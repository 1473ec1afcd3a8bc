"""SQLite's errors as ours: what was done, to which file, why it failed, what to do meanwhile."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_agent.errors import JournalError


@contextmanager
def failing(verb: str, path: Path) -> Iterator[None]:
    """Raise JournalError for whatever SQLite or the file system refuses in here."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        hint = "record attendance on paper until this is mended"
        raise JournalError(f"{verb} the journal", str(path), str(error), hint) from error
