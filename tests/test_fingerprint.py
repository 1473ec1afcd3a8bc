"""A fingerprint module at work: its introduction, presses, and what it may answer to them."""

from dataclasses import replace
from typing import Any

import pytest
from scripted import ScriptedModule, acknowledgement
from virtual import Station, Virtual, module_station

from edge_agent import profile
from edge_agent.devices.fingerprint import FingerprintDecoder
from edge_agent.events import Show
from edge_agent.records import Condition, Library, Misread, Scan, Signal
from edge_agent.sim import fingerprint_models as models
from edge_agent.sim.fingerprint import FingerprintModule

FINE = Condition("")
SILENT = Condition("it does not answer")
PLAIN = profile.Fingerprint()
KNOWN = {17: "anna", 3: "budi"}


def chip_of(station: Station) -> FingerprintModule:
    chip = station.played.chip
    assert isinstance(chip, FingerprintModule)
    return chip


@pytest.fixture
def station() -> Station:
    """An R503 that is ready."""
    one = module_station()
    one.virtual.run(2000)
    return one


def press(station: Station, finger: str, held_ms: int = 2000) -> list[Any]:
    """The records of a press, and of the second after it."""
    chip_of(station).place(finger)
    records = station.virtual.run(held_ms)
    station.lift()
    return records + station.virtual.run(1000)


def scripted(answers: dict[int, list[str]], settings: profile.Fingerprint) -> Virtual:
    """A module of a script, which holds no finger unless it says so."""
    usual = {0x01: ["02"], 0x1D: ["000000"], 0x1F: ["00" + "00" * 32]}
    return Virtual(FingerprintDecoder(settings), ScriptedModule(usual | answers))


#: 00 0011 006F: found in slot 17 with score 111, as an R311 said it.
FOUND, NOT_FOUND = "000011006F", "0900000000"
SMALL = profile.Fingerprint(capacity=162)


# --- the introduction -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "pages"), [(models.R503, 1), (models.AS608, 2), (models.R307, 4)], ids=str
)
def test_a_module_says_what_it_holds(model: models.Model, pages: int) -> None:
    """Each model, its boot time and its pages of 256 slots included; slots rise."""
    station = module_station(model, PLAIN, slots={model.capacity - 1: "a", 0: "b", 17: "c"})
    records = station.virtual.run(2000)
    assert records[-2:] == [Library(model.capacity, 3, (0, 17, model.capacity - 1)), FINE]
    assert station.played.asked[models.READ_INDEX_TABLE] == pages


def test_a_module_without_an_index_table_is_not_asked_for_it() -> None:
    """It says how many; which ones, it cannot."""
    station = module_station(models.ZFM20, replace(PLAIN, index_table=False))
    assert station.virtual.run(2000)[-2:] == [Library(162, 2, None), FINE]
    assert station.played.asked[models.READ_INDEX_TABLE] == 0
    asked = module_station(models.ZFM20, PLAIN)
    assert asked.virtual.run(2000)[-2:] == [Library(162, 2, None), FINE]
    assert asked.played.asked[models.READ_INDEX_TABLE] == 1


def test_a_clone_that_does_not_tell_its_capacity_works_if_the_profile_does() -> None:
    """Some R308 do not answer ReadSysPara at all."""
    clone = replace(models.R307, silent=frozenset({models.READ_SYS_PARA}))
    *_, mute = module_station(clone, PLAIN).virtual.run(5000)
    assert "set fingerprint.capacity in its profile" in mute.trouble
    station = module_station(clone, replace(PLAIN, capacity=500))
    assert station.virtual.run(5000)[-2:] == [Library(500, 2, (3, 17)), FINE]
    assert press(station, "anna")[0].slot == 17


def test_another_password_is_named_with_its_cure() -> None:
    """And said once; the right one in the profile opens the module."""
    cause = "it wants another password: set fingerprint.password in its profile"
    wrong = module_station(settings=PLAIN, password=0x12345678)
    assert wrong.virtual.run(5000) == [SILENT, Condition(cause)]
    right = module_station(settings=replace(PLAIN, password="12345678"), password=0x12345678)
    assert press(right, "budi", 4000)[-1].slot == 3


def test_a_module_with_an_address_of_its_own_is_spoken_to() -> None:
    """And one that has another does not answer."""
    settings = replace(SMALL, address="00000001")
    assert scripted({}, settings).run(3000) == [SILENT]


# --- presses --------------------------------------------------------------------------------------


def test_a_press_is_a_scan_with_slot_and_score(station: Station) -> None:
    """The number is the slot; whose it is, only the agent knows."""
    (scan,) = press(station, "anna")
    assert scan == Scan("finger", "17", slot=17, score=scan.score)
    assert 50 <= scan.score <= 200


def test_a_finger_held_for_ten_seconds_is_one_scan(station: Station) -> None:
    """And another when it comes again, which may be at once."""
    for _ in range(2):
        assert [one.slot for one in press(station, "anna", 10_000)] == [17]


def test_two_people_one_after_the_other_are_two_scans(station: Station) -> None:
    """As fast as the module can be used: half a second of lifting between them."""
    for finger in ("anna", "budi"):
        chip_of(station).place(finger)
        station.virtual.run(800)
        station.lift()
        station.virtual.run(500)
    assert station.read(station.virtual.records) == list(station.scans)


def test_an_unknown_finger_is_one_misread(station: Station) -> None:
    """However long it is held; three images of it were tried."""
    searches = station.played.asked[models.SEARCH]
    assert press(station, "candra", 10_000) == [Misread("not found")]
    assert station.played.asked[models.SEARCH] == searches + 3


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_bad_image_is_taken_again(station: Station, bad: int) -> None:
    """Up to three of one press."""
    chip_of(station).blur(bad)
    assert [one.slot for one in press(station, "anna")] == [17]


def test_a_press_of_bad_images_is_one_misread(station: Station) -> None:
    """It says what is wrong with them."""
    chip_of(station).blur(99, 0x07)
    assert press(station, "anna", 5000) == [Misread("too few features")]
    chip_of(station).blur(0)
    assert [one.slot for one in press(station, "anna")] == [17]


def test_a_finger_that_leaves_between_two_images_is_one_misread() -> None:
    """There is nothing to try again with."""
    virtual = scripted({0x01: ["02", "00", "02"], 0x02: ["06"]}, SMALL)
    assert virtual.run(3000)[2:] == [Misread("image too messy")]


@pytest.mark.parametrize(("looks", "times"), [(1, 1), (2, 2)])
def test_a_finger_is_lifted_when_two_looks_do_not_see_it(looks: int, times: int) -> None:
    """One look without it may be a bad image."""
    seen = ["02", *["00"] * 3, *["02"] * looks, *["00"] * 3, "02"]
    virtual = scripted({0x01: seen, 0x04: [FOUND]}, SMALL)
    assert virtual.run(5000)[2:] == [Scan("finger", "17", slot=17, score=111)] * times


def test_a_sensor_that_sees_a_finger_all_the_time_is_named(station: Station) -> None:
    """Nobody presses for a minute; grease does. It is over when nothing is seen any more."""
    chip_of(station).place("grease")
    records = station.virtual.run(200_000)
    dirty = Condition("it sees a finger all the time: clean the sensor")
    assert records == [Misread("not found"), dirty]
    station.lift()
    assert station.virtual.run(1000) == [FINE]
    assert [one.slot for one in press(station, "anna")] == [17]


# --- what it may answer ---------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["09", "24"])
def test_not_found_is_not_found_with_any_length(code: str) -> None:
    """Synochip modules say 24 of an empty library, and some modules leave out the zeros."""
    for answer in (code, code + "00000000"):
        virtual = scripted({0x01: ["02", *["00"] * 4, "02"], 0x04: [answer]}, SMALL)
        assert virtual.run(5000)[2:] == [Misread("not found")]


@pytest.mark.parametrize(
    ("command", "answer", "cause"),
    [
        (0x01, "FD", "it answered FD to command 01"),
        (0x01, "29", "it answered 29 to command 01"),
        (0x02, "77", "it answered 77 to command 02"),
        (0x04, "77", "it answered 77 to command 04"),
        (0x04, "21", "it wants its password first"),
        (0x1D, "01", "it answered 01 to command 1D"),
        (0x04, "0000A2006F", "it found slot 162 of 162"),
        (0x04, "00FFFF006F", "it found slot 65535 of 162"),
        (0x04, "00", "it does not answer"),
        (0x02, FOUND, "it does not answer"),
    ],
)
def test_an_answer_that_cannot_be_is_reported_as_itself(
    command: int, answer: str, cause: str
) -> None:
    """An unknown code is no success, a slot that is not there no finger, a length no answer."""
    script = {0x01: ["02", "00"], 0x04: [FOUND]} | {command: [answer]}
    records = scripted(script, SMALL).run(8000)
    assert Condition(cause) in records
    assert not [one for one in records if isinstance(one, Scan | Misread)]


def test_a_module_that_wakes_up_by_itself_says_nothing_that_counts(station: Station) -> None:
    """EF01 FFFFFFFF 07 0003 FF 0109, at any moment of a press, answers nothing."""
    woken = acknowledgement(b"\xff")
    for in_ms in range(0, 1200, 40):
        station.virtual.say(woken, in_ms)
    assert [one.slot for one in press(station, "anna")] == [17]
    assert station.virtual.decoder.counts.rejected >= 30


def test_debug_text_before_an_acknowledgement_costs_nothing() -> None:
    """As an R311 prints it."""
    station = module_station(models.R307, PLAIN, debug=True)
    station.virtual.run(3000)
    assert [one.slot for one in press(station, "anna")] == [17]
    assert station.virtual.decoder.counts.noise > 0


@pytest.mark.parametrize("late_ms", [0, 1, 30, 300])
def test_every_acknowledgement_twice_is_still_one_scan(station: Station, late_ms: int) -> None:
    """One that is too short or too long for the question answers nothing."""
    station.wire.change = lambda message: [(0, message), (late_ms, message)]
    assert [one.slot for one in press(station, "anna", 4000)] == [17]


@pytest.mark.parametrize("late_ms", [400, 700, 950])
def test_a_late_acknowledgement_is_not_taken_for_a_search(late_ms: int) -> None:
    """That of the image comes twice, and again while the search goes on."""
    virtual = scripted({0x01: ["02", "00", "00", "02"], 0x04: [NOT_FOUND]}, SMALL)
    module = virtual._answer
    assert isinstance(module, ScriptedModule)
    slow = {0x04: 1000}
    module.twist = lambda code, messages: [
        (slow.get(code, 0) + in_ms, data) for in_ms, data in messages
    ]
    virtual.run(1000, until=lambda: module.asked[-1:] == [b"\x02\x01"])
    virtual.say(acknowledgement(b"\x00"), late_ms)
    virtual.run(10_000)
    assert not [one for one in virtual.records if isinstance(one, Scan)]
    assert Misread("not found") in virtual.records


# --- the ring -------------------------------------------------------------------------------------


def test_the_ring_shows_what_the_panel_says(station: Station) -> None:
    """At the next look; only the last of several."""
    decoder, chip = station.virtual.decoder, chip_of(station)
    decoder.order(Show(Signal.FAULT))
    decoder.order(Show(Signal.STORED))
    station.virtual.run(500)
    assert chip.ring is not None
    assert (chip.ring.control, chip.ring.colour, chip.ring.times) == (2, 4, 2)
    assert station.played.asked[models.AURA_LED] == 1
    assert [one.slot for one in press(station, "anna")] == [17]


def test_a_module_without_a_ring_is_not_told_about_light() -> None:
    """35 is another command there."""
    station = module_station(models.AS608, PLAIN)
    station.virtual.decoder.order(Show(Signal.STORED))
    station.virtual.run(3000)
    assert station.played.asked[models.AURA_LED] == 0


def test_a_light_from_before_the_cable_was_cut_is_not_shown_after_it(station: Station) -> None:
    """What it was about is over."""
    station.virtual.decoder.order(Show(Signal.STORED))
    station.unplug()
    station.virtual.run(2000)
    assert chip_of(station).ring is None
