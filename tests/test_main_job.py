"""Real input, end to end: bytes on a serial port become rows in the central's database."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import shared
from contract_check import read
from witness import Witness

from edge_agent.contract import credentials
from edge_agent.sim.office import Office
from edge_agent.sim.replay import device_bytes
from edge_agent.sim.scanner import PHANTOMS, Rdm6300

#: Captured frames of cards, with the ten digits that each must become. Sources: Seeed RDM630-Spec,
#: Stack Overflow 11848921, python-rdm6300's tests, HB-UNI-Sen-RFID-RC issue 3.
RDM6300_FRAMES = {
    "0236324533303836434544303803": "62E3086CED",
    "0230313030303733344530443203": "01000734E0",
    "0233433030434537353443434203": "3C00CE754C",
    "0236373030334235314336434203": "67003B51C6",
    "0231463030363434424236383603": "1F00644BB6",
}
#: The ID-12LA's layout (data sheet page 4) applied to two of these cards.
ID12_FRAMES = {
    "023632453330383643454430380D0A03": "62E3086CED",
    "023343303043453735344343420D0A03": "3C00CE754C",
}
#: A checksum that does not add up: python-rdm6300's tests.
BAD_FRAME = "0236383030334235314336434203"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A running office whose scanner is an RDM6300."""
    with Office(tmp_path) as one:
        one.start()
        yield one


def key_of(office: Office) -> bytes:
    return credentials.parse_key((office.work / "credential.key").read_text(encoding="ascii"))


def punches(office: Office) -> list[dict[str, Any]]:
    """The central's punches, once everything is delivered."""
    assert office.wait_delivered(20)
    printed = office.command("central", "punches", "--json", config=office.central_config)
    found: list[dict[str, Any]] = json.loads(printed)
    return found


def test_captured_rdm6300_frames_become_punches_with_the_right_credential(office: Office) -> None:
    """Each card, held for two frames, is one punch; the central can match it, the wire cannot."""
    with Witness(office.broker) as witness:
        for number, frame in enumerate(RDM6300_FRAMES, start=1):
            office.scanner.write(bytes.fromhex(frame) * 2)
            assert office.panel.wait(number, 5)
        found = [one["credential"] for one in punches(office)]
        wire = b"".join(json.dumps(read(p)).encode() for t, p in witness.seen if "entries" in t)
    cards = list(RDM6300_FRAMES.values())
    key = key_of(office)
    assert found == [credentials.conceal(f"em4100:{card}", key) for card in cards]
    assert not any(card.encode() in wire for card in cards)


def test_captured_id12_frames_become_punches_with_the_right_credential(tmp_path: Path) -> None:
    """A reader that speaks once a presentation needs only one frame."""
    with Office(tmp_path, profile="id12la") as office:
        office.start()
        for number, frame in enumerate(ID12_FRAMES, start=1):
            office.scanner.write(bytes.fromhex(frame))
            assert office.panel.wait(number, 5)
        key = key_of(office)
        expected = [credentials.conceal(f"em4100:{card}", key) for card in ID12_FRAMES.values()]
        assert [one["credential"] for one in punches(office)] == expected


def test_phantoms_and_bad_frames_are_no_punches(office: Office) -> None:
    """Frames that come once, with a valid checksum and no card, or a wrong one, punch nothing."""
    for digits in PHANTOMS:
        office.scanner.write(b"\x02" + digits.encode() + b"\x03")
    office.scanner.write(bytes.fromhex(BAD_FRAME) * 2)
    Rdm6300(office.scanner).present("3C00CE754C", held_s=0.2)
    assert office.panel.wait(1, 5)
    key = key_of(office)
    assert [one["credential"] for one in punches(office)] == [
        credentials.conceal("em4100:3C00CE754C", key)
    ]
    (front,) = [port for port in office.status()["ports"] if port["name"] == "front"]
    assert front["rejected"] >= 3  # number 0, and the bad frame twice


RECEIVERS = (
    "april6_2019",
    "gp-320fw-2019-04-07-coldboot",
    "mt3339",
    "mtk-3301",
    "navika-100-fix",
    "neo-m8n",
    "quectel-L70",
    "quectel-eg25-g-2",
    "tn200",
    "ublox-8",
)
#: Without a fix at the end of the log: never one, only a void one, lost again.
WITHOUT_FIX = frozenset({"april6_2019", "tn200"})
#: Two dimensions, three satellites or a HDOP of 5 at the end of the log.
WEAK = frozenset({"mtk-3301"})


@pytest.mark.timeout(300)
def test_captured_receivers_give_punches_their_position(office: Office) -> None:
    """A punch after each log has a position of the reference daemon, or none where it has none."""
    captures = {log: shared(f"devices/nmea/{log}.log").read_bytes() for log in RECEIVERS}
    for number, capture in enumerate(captures.values(), start=1):
        office.stop_agent()  # a fix of the log before must not count
        office.start_agent()
        assert office.gnss.wait_open(10)
        office.gnss.write(device_bytes(capture))
        assert office.gnss.drain(10)
        Rdm6300(office.scanner).present("3C00CE754C", held_s=0.2)
        assert office.panel.wait(number, 5)
    places = [json.loads(_text(office, one["seq"]))["place"] for one in punches(office)]
    for log, place in zip(RECEIVERS, places, strict=True):
        if log in WITHOUT_FIX:
            assert place == {"grade": "no_sky", "reasons": "none"}, log
            continue
        # None of them was made in Bungi, and some had a poor sky at the end.
        weak = log in WEAK
        assert (place["grade"], "reasons" in place) == ("no_sky" if weak else "outside", weak), log
        found = place["lat_e7"] / 1e7, place["lon_e7"] / 1e7
        reference = _reference(shared(f"devices/nmea/{log}.log.chk"))
        assert any(_near(found, fix) for fix in reference), log


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) < 1e-4


def _reference(path: Path) -> list[tuple[float, float]]:
    """Every fix of the reference daemon for a log."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    reports = [json.loads(line) for line in lines if line.startswith('{"class":"TPV"')]
    return [(one["lat"], one["lon"]) for one in reports if one.get("mode", 0) >= 2 and "lat" in one]


def _text(office: Office, seq: int) -> str:
    with closing(sqlite3.connect(office.work / "central.db")) as db:
        text: str = db.execute("SELECT text FROM entry WHERE seq = ?", (seq,)).fetchone()[0]
        return text
