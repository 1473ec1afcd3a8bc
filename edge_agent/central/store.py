"""The central's store: every entry exactly once, its place in the chain, and the receipts for it.

    with store.writing():                    one transaction for everything inside
        store.take(batch, now_ms)            raises MessageError: refused, nothing of it is stored
        receipt = store.receipt(terminal, journal)
    publish(receipt)                         only now: the commit is on the disk

Refusals by reason: ``seal`` (the signature is not the key's), ``key`` (another key than the one
this terminal is trusted with: the first seen, unless `trust` said otherwise), ``conflict`` (a seq
comes again with another text; the first stays).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from edge_agent.central.boots import stretches
from edge_agent.central.extract import extract
from edge_agent.central.resolution import Resolution
from edge_agent.central.roster import Register
from edge_agent.central.schema import failing, open_database
from edge_agent.central.weave import Span, Weave, weave
from edge_agent.contract import chain
from edge_agent.contract.messages import MAX_MISSING, Batch, Receipt, Status
from edge_agent.errors import MessageError
from edge_agent.ranges import Ranges

_SPAN = "first, last, prev, head, key, signature, sent"


class Store:
    """The database and everything that changes it."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, made if it is not there. Raises CentralError."""
        self.path = path
        self.db = open_database(path, create=True)
        self._conn = self.db.conn
        self._resolution = Resolution(self._conn)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._conn.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, on the disk when the block ends; inside another one, a part of it.

        Raises:
            CentralError: nothing of the block is stored.
        """
        if self._conn.in_transaction:
            yield
            return
        with failing("write to", self.path):
            self._conn.execute("BEGIN IMMEDIATE")  # a later upgrade would fail instead of waiting
            try:
                yield
                self._resolution.settle()
                self._conn.execute("COMMIT")
            except BaseException:
                self._conn.rollback()
                self._resolution.forget()
                raise

    def take(self, batch: Batch, now_ms: int) -> int:
        """Store what is new in `batch` and return how many entries that was.

        Raises:
            MessageError: refused, reason ``seal``, ``key`` or ``conflict``.
            CentralError: the database cannot be written.
        """
        _check_seal(batch)
        with self.writing():
            self._check_key(batch.terminal, batch.seal.key)
            stream = self._stream(batch.terminal, batch.journal)
            spans = self._spans(stream, batch) if stream else []
            if stream:
                self._check_same(stream, batch, spans)
            woven = weave(batch, spans)
            self._insert(stream or self._found(batch, now_ms), batch, spans, woven, now_ms)
            self._hear(batch, now_ms)
        return sum(run.last - run.first + 1 for run in woven.runs)

    def receipt(self, terminal: str, journal: str) -> Receipt:
        """What is stored of a journal. The cost does not depend on the number of entries.

        `last` ends before the first gap that the message has no room for, and before a joint that
        the chain does not bear out: the statement is exact as far as it goes.
        """
        upto, head = 0, chain.genesis(terminal, journal)
        missing: list[tuple[int, int]] = []
        last = 0
        for first, end, span_head in self._conn.execute(
            "SELECT first, last, head FROM span WHERE stream = ? ORDER BY first LIMIT ?",
            (self._stream(terminal, journal), MAX_MISSING + 2),
        ):
            if first == 1:
                upto, head = end, span_head
            elif first == last + 1 or len(missing) == MAX_MISSING:
                break
            else:
                missing.append((last + 1, first - 1))
            last = end
        return Receipt(terminal, journal, upto, head.hex(), last, tuple(missing))

    def note(self, status: Status, now_ms: int, *, retained: bool = False) -> None:
        """Keep a terminal's status. A retained one is the broker's memory: nobody was heard now.

        Raises:
            MessageError: refused, reason ``key``.
        """
        heard = None if retained or status.state == "offline" else now_ms
        with self.writing():
            self._check_key(status.terminal, status.key)
            self._conn.execute(
                "INSERT INTO terminal"
                " (name, state, state_ms, heard_ms, journal, last_seq, site, version, boot,"
                " first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
                " state = excluded.state, state_ms = excluded.state_ms,"
                " heard_ms = coalesce(excluded.heard_ms, heard_ms), journal = excluded.journal,"
                " last_seq = excluded.last_seq, site = excluded.site,"
                " version = excluded.version, boot = excluded.boot, first_seq = excluded.first_seq",
                (
                    *(status.terminal, status.state, now_ms, heard, status.journal),
                    *(status.last_seq, status.site, status.version, status.boot),
                    status.first_seq or 1,
                ),
            )

    def refuse(self, source: str, error: MessageError, now_ms: int) -> None:
        """Count a refused message of `source`: a terminal's name, "" if the topic named none."""
        with self.writing():
            self._conn.execute(
                "INSERT INTO refusal VALUES (?, ?, 1, ?, ?) ON CONFLICT (source, reason) DO UPDATE"
                " SET count = count + 1, detail = excluded.detail, last_ms = excluded.last_ms",
                (source, error.reason, error.detail[:300], now_ms),
            )

    def trust(self, terminal: str, key: str) -> None:
        """Accept `key`, 64 hex digits, as the terminal's from now on, known or not yet known."""
        with self.writing():
            self._conn.execute(
                "INSERT INTO terminal (name, key) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET key = excluded.key",
                (terminal, key),
            )

    def retire(self, terminal: str, now_ms: int) -> bool:
        """Wait no longer for this terminal in roll-calls, until it is heard again.

        Returns:
            False if there is no such terminal.
        """
        with self.writing():
            done = self._conn.execute(
                "UPDATE terminal SET retired_ms = ? WHERE name = ?", (now_ms, terminal)
            )
            return done.rowcount == 1

    def beat(self, connected: bool, now_ms: int) -> None:
        """The heartbeat of the serving program: it runs, and whether it has its broker."""
        with self.writing():
            self._conn.execute(
                "INSERT INTO serving VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE"
                " SET connected = excluded.connected, beat_ms = excluded.beat_ms",
                (connected, now_ms),
            )

    def connected(self, now_ms: int) -> None:
        """A new connection: who is online is unknown until the broker says so on this one."""
        with self.writing():
            self._conn.execute("UPDATE terminal SET state = 'unknown', state_ms = ?", (now_ms,))
            self.beat(True, now_ms)

    def enlist(self, register: Register, now_ms: int) -> int:
        """Replace the roster and return its version, which only ever rises."""
        with self.writing():
            row = self._conn.execute("SELECT version FROM roster").fetchone()
            version = max(now_ms, row[0] + 1 if row else 1)
            for table in ("person", "holder", "shared", "roster"):
                self._conn.execute(f"DELETE FROM {table}")  # noqa: S608  # our own names
            self._conn.executemany(
                "INSERT INTO person VALUES (?, ?, ?)",
                ((one.person, one.name, one.site) for one in register.people),
            )
            self._conn.executemany(
                "INSERT INTO holder VALUES (?, ?, ?)",
                ((one, who, one in register.shorter) for one, who in register.holders.items()),
            )
            self._conn.executemany(
                "INSERT INTO shared VALUES (?)", ((name,) for name in register.ambiguous)
            )
            self._conn.execute(
                "INSERT INTO roster VALUES (1, ?, ?)", (version, register.credential_key)
            )
        return version

    def _check_key(self, terminal: str, key: str) -> None:
        row = self._conn.execute("SELECT key FROM terminal WHERE name = ?", (terminal,)).fetchone()
        if row and row[0] and row[0] != key:
            raise MessageError("key", f"{key} is not the key that {terminal} is trusted with")

    def _stream(self, terminal: str, journal: str) -> int | None:
        found = self._conn.execute(
            "SELECT id FROM stream WHERE terminal = ? AND journal = ?", (terminal, journal)
        ).fetchone()
        return found[0] if found else None

    def _found(self, batch: Batch, now_ms: int) -> int:
        self._conn.execute(
            "INSERT INTO stream (terminal, journal, since_ms) VALUES (?, ?, ?)",
            (batch.terminal, batch.journal, now_ms),
        )
        return int(self._conn.execute("SELECT last_insert_rowid()").fetchone()[0])

    def _spans(self, stream: int, batch: Batch) -> list[Span]:
        """The spans that overlap or touch the batch, ascending."""
        near = []
        for row in self._conn.execute(
            f"SELECT {_SPAN} FROM span WHERE stream = ? AND first <= ? ORDER BY first DESC",  # noqa: S608
            (stream, batch.seal.seq + 1),
        ):
            span = Span(*row)
            if span.last < batch.first - 1:
                break
            near.append(span)
        return near[::-1]

    def _check_same(self, stream: int, batch: Batch, spans: Iterable[Span]) -> None:
        new = Ranges([(batch.first, batch.seal.seq)])
        again = new.minus(new.minus(Ranges((span.first, span.last) for span in spans)))
        for first, last in again:
            for seq, text in self._conn.execute(
                "SELECT seq, text FROM entry WHERE stream = ? AND seq BETWEEN ? AND ?",
                (stream, first, last),
            ):
                if text != batch.texts[seq - batch.first]:
                    raise MessageError("conflict", f"entry {seq} differs from the one stored")

    def _insert(
        self, stream: int, batch: Batch, spans: Iterable[Span], woven: Weave, now_ms: int
    ) -> None:
        for run in woven.runs:
            part = slice(run.first - batch.first, run.last - batch.first + 1)
            self._conn.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (stream, e["seq"], e["kind"], e["at"]["utc_ms"], text, now_ms, run.broken)
                    for e, text in zip(batch.entries[part], batch.texts[part], strict=True)
                ),
            )
            broken = range(run.first, run.last + 1) if run.broken else woven.joints
            for stretch in stretches(stream, batch.entries[part], broken):
                extract(self._conn, stream, stretch.others, now_ms)
                self._resolution.note(stretch)
        for seq in woven.joints:
            self._conn.execute(
                "UPDATE entry SET broken = 1 WHERE stream = ? AND seq = ?", (stream, seq)
            )
            self._resolution.doubt(stream, seq)
        if woven.runs:
            self._conn.executemany(
                "DELETE FROM span WHERE stream = ? AND first = ?",
                [(stream, span.first) for span in spans],
            )
            self._conn.executemany(
                "INSERT INTO span VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (stream, s.first, s.last, s.prev, s.head, s.key, s.signature, s.sent)
                    for s in woven.spans
                ],
            )

    def _hear(self, batch: Batch, now_ms: int) -> None:
        self._conn.execute(
            "INSERT INTO terminal (name, key, heard_ms) VALUES (?, ?, ?) ON CONFLICT (name)"
            " DO UPDATE SET key = excluded.key, heard_ms = excluded.heard_ms",
            (batch.terminal, batch.seal.key, now_ms),
        )


def _check_seal(batch: Batch) -> None:
    """The key signed where these very texts lead; a good seal over other texts is a forgery."""
    if not batch.seal.verify(batch.terminal, batch.journal):
        raise MessageError("seal", f"of entry {batch.seal.seq} is not a signature of its key")
    if chain.follow(bytes.fromhex(batch.prev), batch.texts).hex() != batch.seal.lead:
        raise MessageError("seal", f"of entry {batch.seal.seq} is over other texts")
