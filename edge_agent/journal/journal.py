"""One journal in one SQLite file: append, read, and what the central has.

WAL with `synchronous=FULL`, set explicitly: `append` returns after the commit is on stable storage.
Everything the agent remembers across a power cut is here and changes with the entry that states it.
"""

import sqlite3
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from edge_agent.bounds import Bounds
from edge_agent.contract import chain, entries
from edge_agent.errors import JournalError
from edge_agent.evidence.battery_clock import Known
from edge_agent.journal.enrolled import EnrolledTable, remembering
from edge_agent.journal.failing import failing
from edge_agent.journal.memory import OpenIncident, Run
from edge_agent.journal.prune import Front
from edge_agent.journal.roster import RosterTable
from edge_agent.journal.schema import migrations
from edge_agent.journal.spent import SpentTable
from edge_agent.journal.stretch import as_head, lenient, read_entries, read_stretch
from edge_agent.records import Enrolment, Entry, Library, Person, Stamp

#: A statement and its values.
_Change = tuple[str, tuple[object, ...]]


class Journal:
    """The journal of `terminal` in the file `path`, made if it is not there.

    `previous` is the journal that a new one replaces, if that is known.
    Used by one thread. Raises JournalError when the file cannot be opened, belongs to another
    terminal, or cannot be read or written.
    """

    def __init__(self, path: Path, terminal: str, previous: str | None = None) -> None:
        self._path = path
        self._appending = failing("append to", path)
        with failing("open", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # No implicit transactions: a single statement commits itself, the rest say BEGIN.
            self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
            # A commit writes whole pages: small ones cost a worn SD card 30 % fewer bytes a punch.
            self._db.execute("PRAGMA page_size = 1024")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA wal_autocheckpoint = 4000")  # in pages: 4 MB, as is usual
            self._db.execute("PRAGMA synchronous = FULL")
            # Debian's SQLite overwrites what is deleted: 20 times the bytes to wear a card with.
            self._db.execute("PRAGMA secure_delete = FAST")
            migrations.apply(Database(self._db))
            self.terminal, self.journal, self.previous = self._identity(terminal, previous)
            self.front = Front(self._db, path)
            self._last, self._head = self._tip()
        if self.terminal != terminal:
            raise JournalError(
                "open the journal",
                str(path),
                f"it belongs to the terminal {self.terminal}, not {terminal}",
                "give this terminal a journal file of its own",
            )
        self.roster = RosterTable(self._db, path)
        self.enrolled = EnrolledTable(self._db, path)
        self.spent = SpentTable(self._db, path)
        self.stretch = partial(read_stretch, self._db)

    def _identity(self, terminal: str, previous: str | None) -> tuple[str, str, str | None]:
        fresh = (terminal, uuid.uuid4().hex, previous)
        self._db.execute("INSERT OR IGNORE INTO identity VALUES (1, ?, ?, ?)", fresh)
        row = self._db.execute("SELECT terminal, journal, previous FROM identity").fetchone()
        return row[0], row[1], row[2]

    def _tip(self) -> tuple[int, bytes]:
        row = self._db.execute(
            "SELECT seq, CAST(head AS BLOB) FROM entry ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        if row:
            return row[0], as_head(row[1])
        return self.front.cut, self.head_at(self.front.cut) or as_head(None)

    @property
    def last_seq(self) -> int:
        """The newest entry's seq; 0 for an empty journal."""
        return self._last

    @property
    def first_seq(self) -> int:
        """The oldest seq that is kept; every lower one was received and is pruned."""
        return self.front.cut + 1

    def append(self, record: entries.Record, at: Stamp) -> Entry:
        """Freeze `record` as the next entry.

        Returns after the commit is on stable storage. Raises JournalError when it is not; then
        nothing was appended.
        """
        entry = self._next(record, at)
        with self._appending:
            self._insert(entry)
        self._last, self._head = entry.seq, entry.head
        return entry

    def open_incident(self, what: str, which: str, cause: str, since_ms: int, at: Stamp) -> Entry:
        """Append the entry that opens an incident, and remember that it is open.

        It began at the monotonic time `since_ms` of this boot and is written `at`.
        """
        entry = self._next(entries.Incident(what, which, entries.OPENED, cause), at)
        remember = (what, which, entry.seq, cause, at.boot, since_ms)
        statement = "INSERT INTO open_incident VALUES (?, ?, ?, ?, ?, ?)"
        return self._append_with(entry, [(statement, remember)])

    def close_incident(self, incident: OpenIncident, at: Stamp) -> Entry:
        """Append the entry that closes an incident; its length is known within one boot only."""
        length_ms = at.mono_ms - incident.mono_ms if at.boot == incident.boot else None
        closed = entries.Incident(
            incident.what,
            incident.which,
            entries.CLOSED,
            incident.cause,
            incident.seq,
            length_ms,
        )
        forget = (incident.what, incident.which)
        statement = "DELETE FROM open_incident WHERE what = ? AND which = ?"
        return self._append_with(self._next(closed, at), [(statement, forget)])

    def enrol(
        self,
        enrolment: Enrolment,
        name: str,
        credentials: Sequence[str],
        at: Stamp,
        library: Library | None = None,
    ) -> Entry:
        """Append the entry that binds a credential, and know its holder from now on.

        Args:
            enrolment: of a finger, one whose slot was reserved before.
            name: display name of the person.
            credentials: every concealed name of the card, its own among them; of a finger none.
            at: when it was done.
            library: what the module holds with it; one commit, so that a cut leaves no slot that
                looks like a stranger's.
        """
        holder = Person(enrolment.person, name)
        known: list[_Change] = [
            ("INSERT OR REPLACE INTO enrolled VALUES (?, ?, ?)", (one, holder.id, holder.name))
            for one in credentials
        ]
        if enrolment.slot is not None:
            keep = "UPDATE finger SET stored = 1 WHERE scanner = ? AND slot = ?"
            known.append((keep, (enrolment.scanner, enrolment.slot)))
        if library is not None:
            known.append(remembering(enrolment.scanner, library))
        return self._append_with(self._next(enrolment, at), known)

    def anchor(self, clock: entries.Clock, at: Stamp, known: Known) -> Entry:
        """Append an anchor, and remember `known` for a boot that does not know the time."""
        entry, ahead = self._next(clock, at), known.rtc_ahead
        bounds = (ahead.low_ms, ahead.high_ms) if ahead else (None, None)
        values = (entry.seq, known.utc_ms, known.floor_ms, *bounds)
        statement = "INSERT OR REPLACE INTO known_time VALUES (1, ?, ?, ?, ?, ?)"
        return self._append_with(entry, [(statement, values)])

    def known_time(self) -> Known | None:
        """What the last anchor remembered; None if there never was one."""
        query = "SELECT utc_ms, floor_ms, rtc_low_ms, rtc_high_ms FROM known_time"
        with failing("read", self._path):
            row = self._db.execute(query).fetchone()
        if row is None:
            return None
        return Known(row[0], row[1], None if row[2] is None else Bounds(row[2], row[3]))

    def last_anchor(self) -> Entry | None:
        """The newest ``clock`` entry; None if there is none, or none any more."""
        query = "SELECT seq FROM known_time"
        with failing("read", self._path):
            row = self._db.execute(query).fetchone()
        return next(iter(self.read(row[0], row[0], 0)), None) if row else None

    def open_incidents(self) -> list[OpenIncident]:
        query = "SELECT what, which, seq, cause, boot, mono_ms FROM open_incident"
        with failing("read", self._path):
            return [OpenIncident(*row) for row in self._db.execute(query)]

    def begin_run(self, boot: str) -> Run | None:
        """Mark that a run began in this boot; gives the run before, None for the first."""
        with failing("begin a run in", self._path):
            row = self._db.execute("SELECT boot, stopped FROM run").fetchone()
            self._db.execute("INSERT OR REPLACE INTO run VALUES (1, ?, 0)", (boot,))
        return Run(row[0], bool(row[1])) if row else None

    def end_run(self) -> None:
        """Mark that the run ended by its own will."""
        with failing("end a run in", self._path):
            self._db.execute("UPDATE run SET stopped = 1")

    def read(self, first: int, last: int, max_bytes: int) -> list[Entry]:
        """Entries from `first` on, as far as `last` and `max_bytes` of text; at least one."""
        with failing("read", self._path):
            try:
                return read_entries(self._db, first, last, max_bytes)
            except sqlite3.OperationalError:  # a worn card left bytes that are no text: its head
                self._db.text_factory = lenient  # will tell that, once it can be read at all
                return read_entries(self._db, first, last, max_bytes)

    def head_at(self, seq: int) -> bytes | None:
        """The chain's head after entry `seq`; None if there is none that could be one."""
        if seq == 0:
            return chain.genesis(self.terminal, self.journal)
        if seq == self.front.cut:
            return self.front.head
        query = "SELECT CAST(head AS BLOB) FROM entry WHERE seq = ?"
        try:
            row = self._db.execute(query, (seq,)).fetchone()
        except sqlite3.Error:  # a worn page: whoever asks can do without, and must go on
            return None
        return row[0] if row and len(row[0]) == chain.HEAD_BYTES else None

    def received(self) -> int:
        """Every entry up to here is in the central's database, as last noted."""
        with failing("read", self._path):
            return int(self._db.execute("SELECT upto FROM received").fetchone()[0])

    def note_received(self, upto: int) -> None:
        """Remember `upto` across a restart. Losing this note costs duplicates, never an entry."""
        with failing("write to", self._path):
            self._db.execute("UPDATE received SET upto = ?", (upto,))

    def close(self) -> None:
        self._db.close()

    def _next(self, record: entries.Record, at: Stamp) -> Entry:
        seq = self._last + 1
        text = entries.text(record, at, seq)
        return Entry(seq, entries.kind_of(record), text, chain.link(self._head, text))

    def _insert(self, entry: Entry) -> None:
        row = (entry.seq, entry.kind, entry.text, entry.head)
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)

    def _append_with(self, entry: Entry, changes: Sequence[_Change]) -> Entry:
        with failing("append to", self._path), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._insert(entry)
            for statement, values in changes:
                self._db.execute(statement, values)
        self._last, self._head = entry.seq, entry.head
        return entry


def first_broken(entries_: list[Entry], prev: bytes) -> int | None:
    """Index of the first entry whose text is not what its head says; None if all are whole."""
    head = prev
    for index, entry in enumerate(entries_):
        if chain.link(head, entry.text) != entry.head:
            return index
        head = entry.head
    return None
