"""Bad input gets one clear outcome: counted, named, and nothing is lost by it."""

import json
import os
import random
import resource
import sqlite3
import threading
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

from tapping import Tapper, assert_whole, running
from witness import ROOT, Witness

from edge_agent.sim.configuration import TERMINAL
from edge_agent.sim.office import Office
from edge_agent.sim.scanner import id12la_frame

CHANNELS = ("entries", "receipt", "status", "roster")
JOURNAL = "0" * 32
HASH = "0" * 64


def logs(office: Office) -> str:
    names = ("run.log", "central.log")
    return "".join((office.work / name).read_text(encoding="utf-8") for name in names)


def refusals(office: Office) -> str:
    return office.command("central", "gaps", config=office.central_config)


class Noise(threading.Thread):
    """Random bytes into a port as fast as it takes them."""

    def __init__(self, office: Office) -> None:
        super().__init__(daemon=True)
        self._port = office.gnss
        self._done = threading.Event()
        self.sent = 0

    def run(self) -> None:
        while not self._done.is_set():
            self.sent += self._port.write(os.urandom(2048))

    def end(self) -> None:
        self._done.set()
        self.join(5)


def test_garbage_on_every_port_costs_no_tap(tmp_path: Path) -> None:
    """Full-rate noise at the receiver, noise and half frames at the scanner: every tap is taken."""
    chance = random.Random(1)
    with running(tmp_path) as (office, tapper):
        assert office.gnss.wait_open(5)
        noise = Noise(office)
        noise.start()
        for _ in range(30):
            half = id12la_frame("3C00CE754C")[: chance.randrange(1, 15)]
            wrong_baud = bytes(chance.randrange(128, 256) for _ in range(40))
            office.scanner.write(chance.randbytes(200) + half + wrong_baud)
            tapper.tap(1)
        noise.end()
        assert_whole(office, tapper)
        office.wait_until(lambda: _counts(office, "front") > 30 * 200)
        assert noise.sent > 100_000
        assert "Traceback" not in logs(office)
        # A flood of bytes is not a flood of memory.
        assert _resident_kb(office) < 60_000


def _counts(office: Office, name: str) -> int:
    ports = office.status().get("ports", [])
    return sum(port["noise"] for port in ports if port["name"] == name)


def _resident_kb(office: Office) -> int:
    lines = Path(f"/proc/{office.status()['pid']}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def rubbish() -> dict[str, bytes]:
    """By a word for it: what must never be taken for a message, on any topic."""
    good = {"receipt": 1, "terminal": TERMINAL, "journal": JOURNAL, "upto": 0}
    return {
        "empty": b"",
        "random": random.Random(2).randbytes(300),
        "text": b"hello",
        "half JSON": b'{"receipt":1,',
        "a list": b"[1,2,3]",
        "nothing": b"{}",
        "another schema": json.dumps({"batch": 2, "terminal": TERMINAL}).encode(),
        "a fraction": json.dumps({**good, "head": HASH, "last": 0.5, "missing": []}).encode(),
        "a promise": json.dumps(
            {**good, "upto": 10**9, "head": HASH, "last": 10**9, "missing": []}
        ).encode(),
        "half deflated": zlib.compress(b"{}" * 500)[:-5],
        "a bomb": zlib.compress(b" " * 50_000_000, 9),
        "oversized": b"{" + b" " * 1_200_000,
        "UTF-16": '{"receipt":1}'.encode("utf-16"),
        "deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
        "half a surrogate": b'{"receipt":1,"terminal":"\\ud800"}',
    }


def test_rubbish_on_every_topic_is_counted_and_changes_nothing(tmp_path: Path) -> None:
    """Fifteen kinds of rubbish on four topics; taps go on, reasons are counted at both ends."""
    with running(tmp_path) as (office, tapper):
        tapper.tap(3)
        with Witness(office.broker, check=False) as stranger:
            for payload in rubbish().values():
                for channel in CHANNELS:
                    stranger.publish(f"{TERMINAL}/{channel}", payload)
            stranger.publish("another-one/entries", b"{}")
            stranger.publish(f"{TERMINAL}/no-such-channel", b"{}")
        tapper.tap(3)
        assert_whole(office, tapper)
        rejected = office.status()["rejected"]
        said = refusals(office)
    for channel in ("receipt", "roster"):
        for reason in ("json", "schema", "encoding", "size"):
            assert rejected.get(f"{channel}: {reason}", 0) > 0, (channel, reason, rejected)
    assert rejected["receipt: journal"] == 1  # "a promise": another journal's
    for reason in ("json", "schema", "encoding", "size"):
        assert reason in said
    assert "Traceback" not in logs(office)


def test_a_replayed_message_changes_nothing(tmp_path: Path) -> None:
    """Old batches, receipts and rosters, sent again by a stranger, double and lose nothing."""
    with running(tmp_path) as (office, tapper), Witness(office.broker) as witness:
        tapper.tap(5)
        assert_whole(office, tapper)
        heard = list(witness.seen)
        for topic, payload in heard:
            witness.publish(topic.removeprefix(f"{ROOT}/"), payload)
        tapper.tap(5)
        assert_whole(office, tapper)


def test_a_forged_receipt_lets_nothing_go(tmp_path: Path) -> None:
    """A receipt must know the chain's head at its `upto`; one that does not is refused."""
    with running(tmp_path) as (office, tapper):
        office.stop_central()
        tapper.tap(5)
        journal = office.status()["journal"]
        forged = {
            "receipt": 1,
            "terminal": TERMINAL,
            "journal": journal["id"],
            "upto": journal["last_seq"],
            "head": HASH,
            "last": journal["last_seq"],
            "missing": [],
        }
        with Witness(office.broker) as stranger:
            stranger.publish(f"{TERMINAL}/receipt", json.dumps(forged).encode())
        office.wait_until(lambda: office.status()["rejected"].get("receipt: head") == 1)
        assert office.status()["journal"]["backlog"] >= 5
        office.start_central()
        assert_whole(office, tapper)


def _change_journal(office: Office, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(office.work / "journal.db")) as db, db:
        assert db.execute(statement, values).rowcount == 1


def _tamper_office(office: Office, tapper: Tapper, statement: str, *values: Any) -> dict[str, Any]:
    """Tap, change the journal behind the agent's back before anything is delivered, deliver."""
    office.cut()
    tapper.tap(6)
    office.stop_agent()
    _change_journal(office, statement, *values)
    office.mend()
    office.start_agent()
    tapper.tap(2)
    office.wait_until(lambda: any("tamper" in text for text in office.texts("incident")))
    office.wait_until(lambda: office.stored() >= office.appended() - 1)
    printed = office.command("central", "gaps", "--json", config=office.central_config)
    (found,) = json.loads(printed)
    return dict(found)


def test_a_tampered_journal_row_is_delivered_and_named(tmp_path: Path) -> None:
    """The edited entry reaches the central marked as broken; all others are sound."""
    with running(tmp_path) as (office, tapper):
        change = (
            "UPDATE entry SET text = replace(text, '\"P2\"', '\"P3\"') WHERE text LIKE '%\"P2\"%'"
        )
        gaps = _tamper_office(office, tapper, change)
        assert office.wait_delivered(20)
        printed = office.command("central", "punches", "--json", config=office.central_config)
        broken = [one["broken"] for one in json.loads(printed)]
    assert gaps["broken"] == 1
    assert gaps["missing"] == []
    assert broken == [False, False, True, False, False, False, False, False]


def test_a_journal_row_that_is_no_entry_any_more_holds_up_nothing(tmp_path: Path) -> None:
    """What cannot be a message is a gap at the central, named in the journal; the rest arrives."""
    with running(tmp_path) as (office, tapper):
        change = "UPDATE entry SET text = 'scratched' WHERE text LIKE '%\"P2\"%'"
        gaps = _tamper_office(office, tapper, change)
    assert [first == last for first, last in gaps["missing"]] == [True]
    assert gaps["broken"] == 0


def test_a_deleted_journal_row_is_a_gap_and_named(tmp_path: Path) -> None:
    """What was removed from the journal is missing at the central by number; the rest is there."""
    with running(tmp_path) as (office, tapper):
        change = "DELETE FROM entry WHERE text LIKE '%\"P2\"%'"
        gaps = _tamper_office(office, tapper, change)
        punches = office.entries("punch")
    gone = set(range(1, punches[-1]["seq"])) - {one["seq"] for one in punches}
    assert [tuple(one) for one in gaps["missing"]] == [(min(gone & _inside(punches)),) * 2]


def _inside(punches: list[dict[str, Any]]) -> set[int]:
    """Seqs between the first punches; the row that was deleted is the hole among them."""
    return set(range(punches[0]["seq"], punches[4]["seq"]))


def test_a_tap_that_cannot_be_stored_is_red_and_never_green(tmp_path: Path) -> None:
    """With no room for one byte more the panel says so; with room again it is green again."""
    with running(tmp_path) as (office, tapper):
        tapper.tap(2)
        pid = office.status()["pid"]
        full = (tmp_path / "journal.db-wal").stat().st_size
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (full, before[1]))
        tapper.tap(2)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        tapper.tap(2)
        signals = [one["signal"] for one in office.panel.notices]
        assert signals == ["stored", "stored", "fault", "fault", "stored", "stored"]
        assert office.wait_delivered(20)
        account = office.account(tapper.count, 0)
        assert account.holds
        assert account.punches == 4
        storage = [one for one in office.entries("incident") if one["what"] == "storage"]
        assert [one["state"] for one in storage] == ["opened", "closed"]
        assert "Traceback" not in logs(office)


def test_a_damaged_journal_is_set_aside_and_taps_go_on(tmp_path: Path) -> None:
    """A file that is no database any more closes no office; it is kept, named, and replaced."""
    with running(tmp_path) as (office, tapper):
        tapper.tap(2)
        assert office.wait_delivered(20)
        office.stop_agent()
        scratched = b"\xff" * 4096 + (tmp_path / "journal.db").read_bytes()[4096:]
        (tmp_path / "journal.db").write_bytes(scratched)
        office.start_agent()
        tapper.tap(2)
        assert (tmp_path / "journal.db.damaged-1").read_bytes() == scratched
        office.wait_until(lambda: bool(office.entries("incident")))
        assert [(i["what"], i["which"]) for i in office.entries("incident")] == [
            ("storage", "journal")
        ]
        office.wait_until(lambda: office.status()["journal"]["backlog"] == 0)
        printed = office.command("central", "punches", "--json", config=office.central_config)
        assert len(json.loads(printed)) == 4


def test_a_roster_that_cannot_be_read_costs_the_name_and_not_the_punch(tmp_path: Path) -> None:
    """Nobody is sent to the paper list because a name cannot be shown."""
    with running(tmp_path) as (office, tapper):
        tapper.tap(1)
        office.stop_agent()
        with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
            db.execute("DROP TABLE roster")
        office.start_agent()
        tapper.tap(2)
        signals = [one["signal"] for one in office.panel.notices]
        assert signals == ["stored", "unknown", "unknown"]
        assert office.wait_delivered(20)
        assert office.account(tapper.count, 0).holds


def test_a_receipt_as_long_as_a_book_is_refused_at_once(tmp_path: Path) -> None:
    """A few kilobytes that inflate to a million ranges do not hold up the next tap."""
    pairs = ",".join(["[3,3]"] * 600_000)
    book = f'{{"receipt":1,"missing":[{pairs}]}}'.encode()
    with running(tmp_path) as (office, tapper), Witness(office.broker, check=False) as stranger:
        stranger.publish(f"{TERMINAL}/receipt", zlib.compress(book, 9), retain=True)
        tapper.tap(1)
        office.wait_until(lambda: office.status()["rejected"].get("receipt: size") == 1)
        assert_whole(office, tapper)
