"""The tables, made and changed by migrations that are applied in order and never edited.

`entry` has no index but its own key: appending a row touches one page of the table, whatever its
size. `head` stands in each row so that any stretch of the journal can be sent and sealed without
reading what is before it.
"""

from typing import Any

from sqlite_utils import Database, Migrations

migrations = Migrations("edge-agent-journal")


@migrations()
def m001_journal(db: Database) -> None:
    """Identity, entries, what the central has, what is open, how the last run ended."""
    _all(
        db,
        """CREATE TABLE identity (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            terminal TEXT NOT NULL,
            journal TEXT NOT NULL,
            previous TEXT)""",
        """CREATE TABLE entry (
            seq INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            text TEXT NOT NULL,
            head BLOB NOT NULL)""",
        "CREATE TABLE received (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL)",
        """CREATE TABLE open_incident (
            what TEXT NOT NULL,
            which TEXT NOT NULL,
            seq INTEGER NOT NULL,
            cause TEXT NOT NULL,
            boot TEXT NOT NULL,
            mono_ms INTEGER NOT NULL,
            PRIMARY KEY (what, which)) WITHOUT ROWID""",
        """CREATE TABLE run (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            boot TEXT NOT NULL,
            stopped INTEGER NOT NULL)""",
        "INSERT INTO received VALUES (1, 0)",
    )


@migrations()
def m002_roster(db: Database) -> None:
    """Who holds which concealed credential."""
    _all(
        db,
        """CREATE TABLE roster (
            credential TEXT PRIMARY KEY,
            person TEXT NOT NULL,
            name TEXT NOT NULL) WITHOUT ROWID""",
        "CREATE TABLE roster_version (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER)",
        "INSERT INTO roster_version VALUES (1, 0)",
    )


@migrations()
def m003_enrolled(db: Database) -> None:
    """Cards enrolled here; slots of fingerprint modules, by our books and by theirs."""
    _all(
        db,
        """CREATE TABLE enrolled (
            credential TEXT PRIMARY KEY,
            person TEXT NOT NULL,
            name TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE finger (
            scanner TEXT NOT NULL,
            slot INTEGER NOT NULL,
            credential TEXT NOT NULL,
            person TEXT NOT NULL,
            name TEXT NOT NULL,
            stored INTEGER NOT NULL,
            PRIMARY KEY (scanner, slot)) WITHOUT ROWID""",
        """CREATE TABLE library (
            scanner TEXT PRIMARY KEY,
            capacity INTEGER NOT NULL,
            count INTEGER NOT NULL,
            slots TEXT) WITHOUT ROWID""",
    )


@migrations()
def m004_known_time(db: Database) -> None:
    """The last anchor, and what was known then, for a boot that does not know the time."""
    db.execute(
        """CREATE TABLE known_time (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            seq INTEGER NOT NULL,
            utc_ms INTEGER NOT NULL,
            floor_ms INTEGER NOT NULL,
            rtc_low_ms INTEGER,
            rtc_high_ms INTEGER)"""
    )


@migrations()
def m005_front(db: Database) -> None:
    """Where a pruned journal begins, and the chain's head there."""
    _all(
        db,
        """CREATE TABLE front (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            cut INTEGER NOT NULL,
            head BLOB)""",
        "INSERT INTO front VALUES (1, 0, NULL)",
    )


@migrations()
def m006_spent(db: Database) -> None:
    """What a metered link has cost on which day, UTC days since 1970."""
    _all(
        db,
        """CREATE TABLE spent (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            day INTEGER NOT NULL,
            bytes INTEGER NOT NULL)""",
        "INSERT INTO spent VALUES (1, 0, 0)",
    )


def _all(db: Any, *statements: str) -> None:
    for statement in statements:
        db.execute(statement)
