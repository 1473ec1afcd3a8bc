"""A journal with its keeping, without the rest of a terminal, for tests of what is pruned."""

import sqlite3
from contextlib import closing
from pathlib import Path

from builders import BOOT, TERMINAL, punch

from edge_agent.contract import chain, messages
from edge_agent.journal import Journal
from edge_agent.records import Stamp
from edge_agent.terminal.keeping import SPARE_BYTES, Keeping
from edge_agent.terminal.packing import Identity, Packing
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window

DAY_MS = 86_400_000
NOW = 1_795_389_000_000
ROOMY, SHORT = (10 * SPARE_BYTES, 100 * SPARE_BYTES), (SPARE_BYTES - 1, 100 * SPARE_BYTES)
IDENTITY = Identity(TERMINAL, "attendance", chain.Sealer.new())


def stamp(utc_ms: int, error_ms: int | None = 0) -> Stamp:
    return Stamp(BOOT, 0, utc_ms, "none" if error_ms is None else "ntp", error_ms)


def at_age(days: float, error_ms: int | None = 0) -> Stamp:
    return stamp(round(NOW - days * DAY_MS), error_ms)


class Terminal:
    """A journal with its keeping; `keep_days` is 400, and all may go if `newest` is 0."""

    def __init__(self, path: Path, newest: int = 0) -> None:
        self.now, self.disk = stamp(NOW), ROOMY
        self.now_ms = 0
        self.path, self.newest = path, newest
        self.open()

    def open(self) -> None:
        self.journal = journal = Journal(self.path, TERMINAL)
        self.window = Window(journal.last_seq, journal.received(), 4, 20_000, journal.first_seq)
        self.window.connected(4, 0)
        self.keeping = Keeping(
            journal, self.window, 400, lambda: self.now, lambda: self.disk, self.newest
        )

    def append(self, *stamps: Stamp) -> None:
        for one in stamps:
            self.window.appended(self.journal.append(punch(), one).seq)

    def receipt(self, last: int, *missing: tuple[int, int], noted: bool = True) -> None:
        """What delivery does with one; it is noted later if that is safe."""
        upto = missing[0][0] - 1 if missing else last
        said = messages.Receipt(TERMINAL, self.journal.journal, upto, "00" * 32, last, missing)
        self.window.receipt(said, self.now_ms)
        if noted or self.window.upto < self.journal.received():
            self.journal.note_received(self.window.upto)

    def settle(self, times: int = 1) -> int:
        """So many steps, each when it is due; gives the oldest seq that is left."""
        for _ in range(times):
            self.now_ms += 3_600_000
            self.keeping.settle(self.now_ms)
        return self.journal.first_seq

    def batches(self) -> list[messages.Batch]:
        """All that is sent now; each is read back with its seal and its chain."""
        faults: list[object] = []
        packing = Packing(
            self.journal, IDENTITY, self.window, Pace(), lambda *fault: faults.append(fault)
        )
        found = []
        while packed := packing.next(0):
            self.window.published(packed.first, packed.first, packed.last, 0)
            self.window.acked(packed.first)
            batch = messages.decode_batch(packed.payload)
            assert batch.seal.verify(TERMINAL, self.journal.journal)
            lead = chain.follow(bytes.fromhex(batch.prev), batch.texts)
            assert lead.hex() == batch.seal.head
            found.append(batch)
        assert faults == []
        return found


def sent(batches: list[messages.Batch]) -> list[int]:
    return sorted(one["seq"] for batch in batches for one in batch.entries)


def assert_one_run(one: Terminal) -> None:
    """Read beside ours: first to last without a hole, chained, whole pages."""
    with closing(sqlite3.connect(one.path)) as db:
        rows = db.execute("SELECT seq, text, head FROM entry ORDER BY seq").fetchall()
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    first, last = one.journal.first_seq, one.journal.last_seq
    assert [seq for seq, _, _ in rows] == list(range(first, last + 1))
    head = one.journal.head_at(first - 1)
    assert head is not None
    for _, text, stored in rows:
        head = chain.link(head, text)
        assert head == stored
