"""How the central's database came to its present shape; `schema` says what that is."""

from sqlite_utils.db import Database
from sqlite_utils.migrations import Migrations

from edge_agent.contract.canonical import MAX_INTEGER

MIGRATIONS = Migrations("edge-agent-central")


@MIGRATIONS()
def create(db: Database) -> None:
    """The first shape of the database."""
    for statement in _CREATE.split(";"):
        db.conn.execute(statement)


_CREATE = """
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    journal TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    UNIQUE (terminal, journal)
);
CREATE TABLE entry (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    text TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    broken INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX entry_punch ON entry (at_ms) WHERE kind = 'punch';
CREATE INDEX entry_broken ON entry (stream) WHERE broken = 1;
CREATE TABLE span (
    stream INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    prev BLOB NOT NULL,
    head BLOB NOT NULL,
    key TEXT NOT NULL,
    signature TEXT NOT NULL,
    sent TEXT,
    PRIMARY KEY (stream, first)
) WITHOUT ROWID;
CREATE TABLE posting (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    site TEXT NOT NULL,
    site_name TEXT NOT NULL,
    zone TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE TABLE terminal (
    name TEXT PRIMARY KEY,
    key TEXT,
    state TEXT NOT NULL DEFAULT 'unknown',
    state_ms INTEGER,
    heard_ms INTEGER,
    retired_ms INTEGER,
    journal TEXT,
    last_seq INTEGER,
    site TEXT,
    version TEXT,
    boot TEXT
) WITHOUT ROWID;
CREATE TABLE refusal (
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    detail TEXT NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY (source, reason)
) WITHOUT ROWID;
CREATE TABLE person (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    site TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE holder (
    credential TEXT PRIMARY KEY,
    person TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE roster (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    key_id TEXT NOT NULL
);
CREATE TABLE serving (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    connected INTEGER NOT NULL,
    beat_ms INTEGER NOT NULL
)
"""


@MIGRATIONS()
def enrolments(db: Database) -> None:
    """Enrolments, also those that came when this program did not know them yet."""
    for statement in _ENROLMENTS.split(";"):
        db.conn.execute(statement)


@MIGRATIONS()
def short_names(db: Database) -> None:
    """Which names of a card are only what some readers make of it."""
    db.conn.execute("ALTER TABLE holder ADD COLUMN short INTEGER NOT NULL DEFAULT 0")


@MIGRATIONS()
def pruned_journals(db: Database) -> None:
    """From which entry on a terminal still holds its journal; 1 until it says otherwise."""
    db.conn.execute("ALTER TABLE terminal ADD COLUMN first_seq INTEGER NOT NULL DEFAULT 1")


@MIGRATIONS()
def resolved_times(db: Database) -> None:
    """Bounds for the time of every entry, resolved anew from what the entries claim."""
    for statement in _RESOLVED_TIMES.split(";"):
        db.conn.execute(statement)


@MIGRATIONS()
def surveys(db: Database) -> None:
    """Surveys of the network, also those stored before, and where the sites lie."""
    for statement in _SURVEYS.split(";"):
        db.conn.execute(statement)


# Every boot is stale: `open_database` resolves them when all migrations are done. When a posting or
# an enrolment was made is told by its entry.
_RESOLVED_TIMES = """
CREATE TABLE loose (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    vouched INTEGER NOT NULL,
    low_ms INTEGER,
    high_ms INTEGER,
    source TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX loose_vague ON loose (low_ms)
    WHERE low_ms IS NULL OR high_ms IS NULL OR high_ms - low_ms > 120000;
INSERT INTO loose
    SELECT stream, seq, 0, NULL, NULL, 'none' FROM entry
    WHERE json_extract(text, '$.at.error_ms') IS NULL OR json_extract(text, '$.at.source') = 'none'
    UNION ALL
    SELECT stream, seq, 1, at_ms - json_extract(text, '$.at.error_ms'),
        at_ms + json_extract(text, '$.at.error_ms'), json_extract(text, '$.at.source') FROM entry
    WHERE json_extract(text, '$.at.error_ms') > 1000
    AND json_extract(text, '$.at.source') <> 'none';
CREATE TABLE clock (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
INSERT INTO clock SELECT stream, seq FROM entry WHERE kind = 'clock'
    AND json_extract(text, '$.at.error_ms') IS NOT NULL
    AND json_extract(text, '$.at.source') <> 'none';
CREATE TABLE boot (
    stream INTEGER NOT NULL,
    boot TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    mono_ms INTEGER NOT NULL DEFAULT 0,
    known_first INTEGER,
    known_last INTEGER,
    floor_ms INTEGER,
    floor_mono_ms INTEGER,
    after_ms INTEGER,
    before_ms INTEGER,
    verdict INTEGER,
    stale INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, boot)
) WITHOUT ROWID;
CREATE INDEX boot_order ON boot (stream, first);
CREATE INDEX boot_stale ON boot (stream) WHERE stale = 1;
INSERT INTO boot (stream, boot, first, last, stale)
    SELECT stream, json_extract(text, '$.at.boot'), min(seq), max(seq), 1 FROM entry GROUP BY 1, 2;
ALTER TABLE posting DROP COLUMN at_ms;
ALTER TABLE enrolment DROP COLUMN at_ms
"""


# An entry of a kind that was not known had to have no field in particular.
_ENROLMENTS = """
CREATE TABLE enrolment (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    credential TEXT NOT NULL,
    technology TEXT NOT NULL,
    scanner TEXT NOT NULL,
    person TEXT NOT NULL,
    slot INTEGER,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE TABLE shared (
    credential TEXT PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO enrolment
    SELECT stream, seq, at_ms, json_extract(text, '$.credential'),
        json_extract(text, '$.technology'), json_extract(text, '$.scanner'),
        json_extract(text, '$.person'),
        iif(json_type(text, '$.slot') = 'integer', json_extract(text, '$.slot'), NULL)
    FROM entry WHERE kind = 'enrolment'
    AND json_type(text, '$.credential') = 'text' AND json_type(text, '$.technology') = 'text'
    AND json_type(text, '$.scanner') = 'text' AND json_type(text, '$.person') = 'text';
UPDATE roster SET version = version + 1 WHERE EXISTS (SELECT 1 FROM enrolment)
"""


def _whole(path: str, least: int) -> str:
    """The whole number at `path` of an entry, `least` or more, NULL for anything else."""
    found = f"json_extract(text, '$.{path}')"
    return f"iif(json_type(text, '$.{path}') = 'integer' AND {found} >= {least}, {found}, NULL)"


def _word(path: str) -> str:
    return f"iif(json_type(text, '$.{path}') = 'text', json_extract(text, '$.{path}'), NULL)"


# Of a kind that was not known, what is not as the contract has it since is none. The index tells
# when a survey was made and whether it is broken; `kind` is in it, else SQLite looks at every row.
_SURVEYS = f"""
CREATE TABLE survey (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    length_ms INTEGER NOT NULL,
    online_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    connections INTEGER NOT NULL,
    bytes_up INTEGER NOT NULL,
    bytes_down INTEGER NOT NULL,
    backlog INTEGER NOT NULL,
    latency_ms INTEGER,
    oldest_ms INTEGER,
    bearer TEXT,
    registration TEXT,
    technology TEXT,
    operator TEXT,
    rssi_dbm INTEGER,
    rsrp_dbm INTEGER,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;
CREATE INDEX entry_survey ON entry (at_ms, broken, kind) WHERE kind = 'survey';
INSERT INTO survey SELECT * FROM (
    SELECT stream, seq,
        {_whole("length_ms", 0)} AS length_ms, {_whole("online_ms", 0)} AS online_ms,
        {_whole("attempts", 0)} AS attempts, {_whole("connections", 0)} AS connections,
        {_whole("bytes_up", 0)} AS bytes_up, {_whole("bytes_down", 0)} AS bytes_down,
        {_whole("backlog", 0)} AS backlog, {_whole("latency_ms", 0)}, {_whole("oldest_ms", 0)},
        {_word("reception.bearer")}, {_word("reception.registration")},
        {_word("reception.technology")}, {_word("reception.operator")},
        {_whole("reception.rssi_dbm", -MAX_INTEGER)}, {_whole("reception.rsrp_dbm", -MAX_INTEGER)}
    FROM entry WHERE kind = 'survey'
) WHERE length_ms + online_ms + attempts + connections + bytes_up + bytes_down + backlog NOTNULL;
ALTER TABLE posting ADD COLUMN lat_e7 INTEGER;
ALTER TABLE posting ADD COLUMN lon_e7 INTEGER;
UPDATE posting SET (lat_e7, lon_e7) = (
    SELECT json_extract(text, '$.lat_e7'), json_extract(text, '$.lon_e7') FROM entry e
    WHERE e.stream = posting.stream AND e.seq = posting.seq
    AND json_type(text, '$.lat_e7') = 'integer' AND json_type(text, '$.lon_e7') = 'integer'
)
"""  # noqa: S608  # our own words
