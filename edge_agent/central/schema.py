"""The central's database: SQLite in WAL mode with `synchronous=FULL`, and what stands in it.

    stream    one journal of one terminal
    entry     the entries themselves, once each on (stream, seq)
    loose     entries whose time is not vouched for closely by themselves
    clock     which entries are ``clock`` entries that somebody vouches for: anchors
    boot      which entries are of which boot, and what other boots say of its time
    span      which seqs are stored, as ranges with the chain's heads at both ends and the last seal
    posting   where a terminal belonged from an entry on, and where that lies: its ``start`` entries
    enrolment who was given which credential at a terminal: its ``enrolment`` entries
    survey    what the network was worth to a terminal: its ``survey`` entries
    terminal  trusted key, last status, when it was heard
    refusal   what was not accepted, counted by sender and reason
    person    the roster: who there is; holder: which concealed credential is whose
    shared    short names that cards of two persons have, so that they are nobody's
    serving   the heartbeat of `edge-agent central serve`

`entry.at_ms` is the best statement about its time (see `resolution`); what the terminal claimed
stays in the text. If the entry is loose, its bounds stand there: `low_ms` is not before, `high_ms`
not after, NULL where nothing bounds it; else they are what it claimed.

Everything that grows with the number of punches is keyed by (stream, seq), so a row is appended
where the last one of its terminal stands and no index over random values is ever touched.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils.db import Database

from edge_agent.central.migrations import MIGRATIONS
from edge_agent.central.resolution import Resolution
from edge_agent.errors import CentralError


def open_database(path: Path, *, create: bool = False) -> Database:
    """Open the central's database and bring it to the present shape.

    Args:
        path: the database file.
        create: make it if it is not there.

    Raises:
        CentralError: it is not there, is no database, or cannot be opened or written.
    """
    if not create and not path.is_file():
        raise CentralError(
            "open", str(path), "no such file", "start `edge-agent central serve` once, or name it"
        )
    with failing("open", path):
        # Two threads never use it at once; the one that opens it need not be the one that serves.
        conn = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = FULL")
            db = Database(conn)
            MIGRATIONS.apply(db)
            _resolve_stale(conn)
        except BaseException:
            conn.close()
            raise
    return db


def _resolve_stale(conn: sqlite3.Connection) -> None:
    """Finish what a migration has left to do."""
    if conn.execute("SELECT 1 FROM boot WHERE stale = 1 LIMIT 1").fetchone():
        conn.execute("BEGIN IMMEDIATE")
        Resolution(conn).settle()
        conn.execute("COMMIT")


@contextmanager
def failing(operation: str, path: Path) -> Iterator[None]:
    """Turn an error of SQLite into a `CentralError` that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise CentralError(operation, str(path), str(error), _cure(str(error))) from error


@contextmanager
def reading(db: Database) -> Iterator[None]:
    """One unchanging view of the database for several queries."""
    db.conn.execute("BEGIN")
    try:
        yield
    finally:
        db.conn.rollback()


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """The database at `path` for reading: one unchanging view, closed at the end.

    Raises:
        CentralError: it is not there, is no database, or cannot be opened.
    """
    db = open_database(path)
    try:
        with reading(db):
            yield db
    finally:
        db.conn.close()


def _cure(cause: str) -> str:
    if "full" in cause:
        return "free space on its disk; nothing was acknowledged, so the broker delivers it again"
    if "locked" in cause:
        return "another program is writing to it; try again when that has ended"
    if "not a database" in cause or "malformed" in cause:
        return "restore it from a backup, or move it away to begin with an empty one"
    return "check the disk, the folder and its permissions"
