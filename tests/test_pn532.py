"""A PN532 at work: its introduction, and cards that come and go."""

from itertools import chain, cycle, repeat
from typing import Any

import pytest
from scripted import FIRMWARE, LIST, NOBODY, RF, SAM, ScriptedPn532
from virtual import Station, on_pn532, pn532_station, scans

from edge_agent.records import Condition, Scan
from edge_agent.sim import cards
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pn532_frames import frame

CLASSIC = bytes.fromhex("01010004080404A1B2C3")
NTAG = bytes.fromhex("01010044000704C63A63110189")
FINE = Condition("")

# --- the introduction -----------------------------------------------------------------------------


def test_it_is_woken_configured_and_told_not_to_wait_for_ever() -> None:
    """Only four commands are ever said; nothing is written to a card or to the chip's memory."""
    script = ScriptedPn532()
    virtual = on_pn532(script)
    assert virtual.run(1000) == [FINE]
    woken, sam = virtual.heard[0].split(frame(b"\xd4\x14\x01\x00\x01")[:5])
    assert woken.endswith(b"\x55\x55" + bytes(14))
    assert sam
    assert script.asked[:4] == [
        (SAM, b"\x01\x00\x01"),
        (FIRMWARE, b""),
        (RF, b"\x05\xff\x01\x02"),
        (RF, b"\x01\x00"),
    ]
    assert {code for code, _ in script.asked} == {SAM, FIRMWARE, RF, LIST}
    assert {data for code, data in script.asked if code == LIST} == {b"\x01\x00", b"\x01\x03\x00"}


def test_a_chip_that_sleeps_is_woken() -> None:
    """After power-on it hears nothing until it is."""
    station = pn532_station()
    assert station.virtual.run(300) == [FINE]
    assert station.played.asked[SAM] == 1


def test_a_chip_that_fell_asleep_is_introduced_again() -> None:
    """Its supply failed, the port did not: it is silent, that is said, and it works within 3 s."""
    station = pn532_station()
    station.virtual.run(1000)
    station.virtual.begin(station.played.power())
    assert station.virtual.run(3000) == [Condition("it does not answer"), FINE]
    station.show(0)
    assert station.read(station.virtual.run(500)) == [station.scans[0]]


def test_another_chip_is_named() -> None:
    """A PN531 or PN533 answers the same commands, but not the same."""
    script = ScriptedPn532()
    script.firmware = bytes.fromhex("33020707")
    assert on_pn532(script).run(2000) == [Condition("it is no PN532: firmware version 33020707")]


def test_it_looks_about_ten_times_a_second() -> None:
    """For type B only where no card of type A is found."""
    script = ScriptedPn532(chain(repeat(NOBODY, 5), repeat(CLASSIC)))
    on_pn532(script).run(1000)
    looks = [data for code, data in script.asked if code == LIST]
    assert looks[:12] == [b"\x01\x00", b"\x01\x03\x00"] * 5 + [b"\x01\x00"] * 2
    assert 8 <= len(looks) - 5 <= 20


# --- presentations --------------------------------------------------------------------------------


@pytest.fixture
def station() -> Station:
    """A PN532 that is ready."""
    one = pn532_station()
    one.virtual.run(1000)
    return one


def test_a_card_held_for_ten_seconds_is_one_scan(station: Station) -> None:
    """And another one when it comes again."""
    for _ in range(2):
        station.show(0)
        assert station.read(station.virtual.run(10_000)) == [station.scans[0]]
        station.lift()
        assert station.virtual.run(1000) == []


def test_two_people_within_a_second_are_two_scans(station: Station) -> None:
    """Also without a look between them at an empty field."""
    station.show(0)
    first = station.read(station.virtual.run(400))
    station.lift()
    station.show(1)
    assert first + station.read(station.virtual.run(400)) == list(station.scans)


def test_two_cards_held_together_are_two_scans() -> None:
    """A wallet: each look finds the one or the other, as they come to lie."""
    looks = cycle([CLASSIC, NTAG, CLASSIC, CLASSIC, NTAG, NTAG])
    virtual = on_pn532(ScriptedPn532(looks))
    assert scans(virtual.run(10_000)) == ["04A1B2C3", "04C63A63110189"]


@pytest.mark.parametrize("misses", [1, 3, 5])
def test_a_card_is_gone_after_so_many_misses_in_a_row(misses: int) -> None:
    """One fewer is a bad angle."""
    for missed, times in ((misses - 1, 1), (misses, 2)):
        seen = chain([CLASSIC] * 2, [NOBODY] * missed, [CLASSIC] * 2)
        virtual = on_pn532(ScriptedPn532(seen), misses=misses)
        assert scans(virtual.run(3000)) == ["04A1B2C3"] * times


def test_misses_that_are_not_in_a_row_are_none() -> None:
    """A card at the edge of the field is seen now and then."""
    virtual = on_pn532(ScriptedPn532([CLASSIC, NOBODY, NOBODY] * 20))
    assert scans(virtual.run(8000)) == ["04A1B2C3"]


@pytest.mark.parametrize(("away_ms", "times"), [(0, 1), (2000, 1), (3500, 2)])
def test_the_same_card_after_an_interruption_is_the_same_presentation(
    station: Station, away_ms: int, times: int
) -> None:
    """For three seconds; then nobody can say that it was held all the time."""
    station.show(0)
    station.virtual.run(500)
    station.unplug(away_ms)
    station.virtual.run(2000)
    assert station.read(station.virtual.records) == [station.scans[0]] * times


def placed(card: cards.Card, held_ms: int = 3000, times: int = 1) -> list[Any]:
    """What is read of a card that is held, and goes, so often."""
    one = pn532_station()
    chip = one.played.chip
    assert isinstance(chip, Pn532)
    one.virtual.run(1000)
    before = len(one.virtual.records)
    for _ in range(times):
        chip.place(card)
        one.virtual.run(held_ms)
        chip.lift()
        one.virtual.run(1000)
    return one.virtual.records[before:]


def test_a_random_uid_is_one_scan_a_presentation_and_named_so() -> None:
    """A telephone makes up a number at each look."""
    first, second = placed(cards.PHONE, times=2)
    assert {first.card, second.card} == {"random"}
    assert first.value[:2] == second.value[:2] == "08"


def test_a_changing_pupi_is_one_scan_a_presentation() -> None:
    """Type B may make up its number at each look, too."""
    changing = cards.TypeB(bytes.fromhex("2C8D214B"), new_pupi=True)
    assert [one.technology for one in placed(changing, times=2)] == ["14443b"] * 2
    assert placed(cards.SIM, times=2) == [Scan("14443b", "2C8D214B")] * 2


@pytest.mark.parametrize("uid", ["88A1B2C3", "04A1B2C3D4E580", "8804A1B2C3D4E5F60718"])
def test_a_uid_is_kept_whole(uid: str) -> None:
    """4, 7 or 10 bytes; an 88 is part of it, the chip has taken the cascade tags out."""
    assert placed(cards.TypeA(bytes.fromhex(uid))) == [Scan("14443a", uid, "ultralight")]


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        (cards.MIFARE_1K, "classic"),
        (cards.TypeA(b"\x01\x02\x03\x04", sel_res=0x18), "classic"),
        (cards.NTAG, "ultralight"),
        (cards.DESFIRE, "desfire"),
        (cards.CPU_CARD, "smart"),
        (cards.E_KTP, "ektp"),
        (cards.TypeA(bytes(7), sel_res=0x20, ats=b"\x10\x78\x77\x81\x02P308G0P3_10"), "ektp"),
        (cards.TypeA(bytes(7), sel_res=0x20, ats=b"\x0d\x10\x02079141_001"), "ektp"),
        (cards.TypeA(bytes(7), sel_res=0x20, ats=b"\x0c\x78079141_001"), "smart"),
        (cards.TypeA(bytes(7), sel_res=0x20, ats=b"\x02\x70"), "smart"),
        (cards.TypeA(bytes(7), sel_res=0x20), "smart"),
    ],
)
def test_a_card_is_named_by_its_kind(card: cards.TypeA, kind: str) -> None:
    """Historical bytes stand behind the interface bytes that T0 announces."""
    assert [(one.value, one.card) for one in placed(card)] == [(card.uid.hex().upper(), kind)]
