"""A terminal's journal that leaves by hand or over the broker, and the central's rows of it."""

import hashlib
import io
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from builders import TERMINAL, enrolment, punch, stamp, start

from edge_agent.central import imports
from edge_agent.central.store import Store
from edge_agent.contract import bundle, chain, entries, messages
from edge_agent.journal import Journal
from edge_agent.journal.batches import Batches
from edge_agent.journal.beside import Beside
from edge_agent.ranges import Ranges
from edge_agent.technician.export import Written, export, newest_first
from edge_agent.terminal.packing import Identity, Packing
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window

PRIVATE = "5c" * 32
PUBLIC = bundle.public_key(PRIVATE)
SEALER = chain.Sealer.from_hex("42" * 32)
NOW_MS = 1_795_400_000_000


def make_journal(folder: Path, count: int, *, bulk: bool = False) -> Path:
    """A journal of `count` entries of several kinds; `bulk` writes rows without a commit each."""
    path = folder / "journal.db"
    with closing(Journal(path, TERMINAL)) as journal:
        if bulk:
            _fill(journal, path, count)
            return path
        for number in range(count):
            at = stamp(number * 1000)
            if number == 0:
                journal.append(start(), at)
            elif number % 7 == 3:
                journal.append(enrolment(credential=f"{number:064x}"), at)
            elif number % 11 == 5:
                journal.append(entries.Clock("better"), at)
            else:
                journal.append(punch(f"{number:064x}", f"p-{number % 9}"), at)
    return path


def _fill(journal: Journal, path: Path, count: int) -> None:
    head, rows = chain.genesis(journal.terminal, journal.journal), []
    for seq in range(1, count + 1):
        concealed = hashlib.sha256(str(seq).encode()).hexdigest()  # does not deflate, as on a wall
        text = entries.text(punch(concealed), stamp(seq * 1000), seq)
        head = chain.link(head, text)
        rows.append((seq, "punch", text, head))
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)


def carry(journal: Path, target: Path, **wanted: Any) -> Written:
    with closing(Beside(journal)) as beside:
        return export(beside, SEALER, PUBLIC, target, **wanted)


def take(store: Store, file: Path, private: str = PRIVATE) -> imports.Outcome:
    return imports.take(store, file, private, lambda: NOW_MS)


def over_the_broker(journal: Path, first: int = 1, last: int | None = None) -> Iterator[bytes]:
    """The payloads that the agent would publish for these entries."""
    with closing(Journal(journal, TERMINAL)) as one:
        window = Window(last or one.last_seq, first - 1, 10, 1000)
        packing = Packing(one, Identity(TERMINAL, "attendance", SEALER), window, Pace(), _no_fault)
        for mid in range(10**6):
            packed = packing.next(0)
            if packed is None and not window.unsent:
                return
            if packed is not None:
                window.published(mid, packed.first, packed.last, 0)
                window.acked(mid)
                yield packed.payload


def _no_fault(what: str, which: str, cause: str) -> None:
    """The tests look at what is sent."""


def publish(store: Store, payloads: Iterable[bytes]) -> None:
    for payload in payloads:
        store.take(messages.decode_batch(payload), NOW_MS + 77)


def made_of(journal: Path, *ranges: tuple[int, int]) -> bytes:
    """A whole bundle of these entries, in the order of an export."""
    with closing(Beside(journal)) as beside:
        out = bundle.Writing(beside.terminal, beside.journal, PUBLIC, bundle.new_key())
        data = out.header.line()
        for packed in newest_first(Batches(beside, SEALER), Ranges(ranges)):
            if packed.payload is not None:
                data += out.record(packed.first, packed.last, packed.payload)
        return data + out.end()


def records(data: bytes) -> list[bundle.Record]:
    stream = io.BytesIO(data)
    bundle.read_header(stream.read)
    return list(bundle.read_records(stream.read))


def rows(store: Store) -> list[Any]:
    """All that the central knows of entries, but for when it was received and from which side."""
    query = (
        "SELECT terminal, journal, seq, kind, at_ms, text, broken FROM entry"
        " JOIN stream ON stream.id = entry.stream ORDER BY terminal, journal, seq"
    )
    return store.db.conn.execute(query).fetchall()


def reference(folder: Path, journal: Path) -> list[Any]:
    """The rows of a central that got everything over the broker."""
    with Store(folder / "reference.db") as store:
        publish(store, over_the_broker(journal))
        return rows(store)
