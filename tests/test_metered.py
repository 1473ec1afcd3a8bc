"""A metered link: what a running agent counts, and what it does when that is spent."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from builders import punch, stamp
from tapping import STAFF, Tapper, assert_whole

from edge_agent.contract import chain, entries
from edge_agent.journal import Journal
from edge_agent.sim.configuration import TERMINAL
from edge_agent.sim.machine import Machine
from edge_agent.sim.office import Office
from edge_agent.sim.trouble import Trouble

MORNING = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
DAY_S = 86_400.0


def metered(office: Office, daily_kb: int) -> Office:
    path = office.agent_config
    network = f"\n[network]\ndaily_kb = {daily_kb}\n"
    path.write_text(path.read_text(encoding="utf-8") + network, encoding="utf-8")
    return office


def fill(path: Path, count: int) -> int:
    """Punches of two days ago; gives the last one's seq."""
    chance, rows = Random(1), []
    with closing(Journal(path, TERMINAL)) as journal:
        last = journal.last_seq
        head = journal.head_at(last) or b""
    for seq in range(last + 1, last + count + 1):
        record = punch(f"{chance.getrandbits(256):064x}")
        text = entries.text(record, stamp(seq * 1000), seq)
        head = chain.link(head, text)
        rows.append((seq, "punch", text, head))
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)
    return last + count


def counted(office: Office) -> int:
    return int(office.status().get("broker", {}).get("bytes_today") or 0)


def test_the_agent_counts_what_the_link_carries(tmp_path: Path) -> None:
    """Both ways, over several connections, to a few in a hundred."""
    with metered(Office(tmp_path, profile="id12la", people=STAFF[:9]), 10_000) as office:
        office.start()
        tapper = Tapper(office)
        for _ in range(3):
            tapper.tap(4)
            office.cut()
            office.wait_until(lambda: not office.status()["broker"]["online"])
            office.mend()
            office.wait_until(lambda: office.status()["broker"]["online"])
        assert_whole(office, tapper)

        def near() -> bool:
            carried = office.link.bytes_up + office.link.bytes_down
            return abs(counted(office) - carried) <= carried // 33

        office.wait_until(near)
        assert office.link.connections >= 4


def test_a_spent_day_lets_new_punches_go_and_the_next_one_the_rest(tmp_path: Path) -> None:
    """In the middle of a drain; a kill does not give the day's bytes back."""
    machine = Machine(tmp_path / "clock.json", MORNING)
    machine.synchronise(10)
    office = Office(tmp_path, profile="id12la", people=STAFF[:9], receipt_wait_s=1, machine=machine)
    with metered(office, 40):
        office.start()
        office.stop_agent()
        filled = fill(tmp_path / "journal.db", 2_000)
        office.link.suffer(Trouble(rate=15_000))
        office.start_agent()
        office.wait_until(lambda: counted(office) >= 40_000)
        office.wait_until(lambda: office.status()["journal"]["in_flight"] == 0)
        tapper = Tapper(office)
        tapper.tap(3)
        office.wait_until(lambda: new(office, filled) == 3)
        office.kill_agent()
        tapper.tap(3)
        office.wait_until(lambda: new(office, filled) == 6)
        assert 0 < office.stored() < office.appended()
        assert counted(office) >= 40_000
        screen = office.command("status", config=office.agent_config)
        assert "SPENT" in screen
        for _ in range(4):
            machine.pass_s(DAY_S)
            office.wait_until(lambda: counted(office) < 40_000)
            office.wait_until(lambda: counted(office) >= 40_000 or whole(office))
            if whole(office):
                break
        assert office.wait_delivered(20), office.status()


def new(office: Office, filled: int) -> int:
    """How many punches the central has that were made behind these."""
    with closing(sqlite3.connect(f"file:{office.work}/central.db?mode=ro", uri=True)) as db:
        query = "SELECT count(*) FROM entry WHERE kind = 'punch' AND seq > ?"
        return int(db.execute(query, (filled,)).fetchone()[0])


def whole(office: Office) -> bool:
    return office.stored() == office.appended()
