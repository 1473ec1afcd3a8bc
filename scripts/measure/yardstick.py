"""What is measured with: the punches of an office, percentiles, and a bare commit."""

import hashlib
import random
import sqlite3
from pathlib import Path

from edge_agent.contract import credentials, entries
from edge_agent.records import Grade, Place, Punch, Stamp

TERMINAL, ROOT = "bungi-01", "attendance/bench"
KEY = bytes(range(32))
BOOT = "b" * 32
STAFF = 60
OFFICE = (-53694400, 1226939600)


def punch(number: int) -> tuple[Punch, Stamp]:
    """The punch `number` of an office of 60 people; fixes jitter as they do in nature."""
    chance = random.Random(number)
    person = chance.randrange(STAFF)
    place = Place(
        Grade.VERIFIED,
        OFFICE[0] + chance.randint(-300, 300),
        OFFICE[1] + chance.randint(-300, 300),
        chance.randint(20, 1100),
        chance.randint(1, 5),
        chance.randint(7, 12),
        chance.randint(80, 130),
        chance.randint(38, 49),
    )
    card = credentials.conceal(f"em4100:3C00{person:06X}", KEY)
    later_ms = number * 31_000 + chance.randint(0, 30_000)
    at = Stamp(BOOT, 60_000 + later_ms, 1_790_000_000_000 + later_ms, "ntp", chance.randint(5, 60))
    return Punch(card, "em4100", "front", place, f"P{person:03d}"), at


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def written() -> int:
    """Bytes that this process has caused to be written to the storage layer."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


class Bare:
    """The yardstick of an append: the same row committed with nothing around it."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.execute(
            "CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT, text TEXT, head BLOB)"
        )

    def commit(self, row: tuple[int, str, str, bytes]) -> None:
        self.db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", row)


def row(seq: int) -> tuple[int, str, str, bytes]:
    """The row that the journal writes for the punch `seq`, composed beforehand."""
    text = entries.text(*punch(seq), seq)
    return seq, "punch", text, hashlib.sha256(text.encode()).digest()
