"""The enrolment of a finger, step by step, and whatever may come between its steps."""

from typing import Any

import pytest
from decoder_cases import MOST_HELD, held
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import TROUBLES
from virtual import FINGER_COMMANDS, Station, module_station

from edge_agent.events import CancelEnrolment, EnrolFinger, Show
from edge_agent.records import Condition, Enrolling, Library, Misread, Scan, Signal, Step
from edge_agent.sim import fingerprint_models as models
from edge_agent.sim.fingerprint import FingerprintModule

FINE = Condition("")
STEPS = [Step.PLACE, Step.LIFT, Step.AGAIN, Step.STORED]


@pytest.fixture
def station() -> Station:
    """An R503 that is ready and knows two fingers."""
    return ready()


def ready() -> Station:
    one = module_station()
    one.virtual.run(2000)
    return one


def chip_of(station: Station) -> FingerprintModule:
    chip = station.played.chip
    assert isinstance(chip, FingerprintModule)
    return chip


def steps(records: list[Any]) -> list[Step]:
    return [one.step for one in records if isinstance(one, Enrolling)]


def order(station: Station, slot: int = 5) -> None:
    station.virtual.decoder.order(EnrolFinger(slot))
    station.virtual.run(500)


def press(station: Station, finger: str, held_ms: int = 1500) -> list[Any]:
    """The records of a press, and of the second after it."""
    chip_of(station).place(finger)
    records = station.virtual.run(held_ms)
    station.lift()
    return records + station.virtual.run(1000)


def test_a_finger_that_is_taken_twice_is_stored(station: Station) -> None:
    """The steps in order, then what the library is now; after it, it is a finger like another."""
    before = len(station.virtual.records)
    order(station)
    press(station, "candra")
    press(station, "candra")
    records = station.virtual.records[before:]
    assert [one if isinstance(one, Library) else one.step for one in records] == [
        *STEPS[:3],
        Library(200, 3, (3, 5, 17)),
        Step.STORED,
    ]
    assert {one.slot for one in records if isinstance(one, Enrolling)} == {5}
    assert chip_of(station).slots[5] == "candra"
    assert [one.slot for one in press(station, "candra")] == [5]


def test_a_finger_that_the_module_knows_is_not_stored_again(station: Station) -> None:
    """It is said where it is, and it is a press of that finger, too."""
    order(station)
    taken, scan = press(station, "anna")
    assert taken == Enrolling(Step.TAKEN, 5, found=17)
    assert (scan.credential, scan.slot) == ("finger:17", 17)
    assert chip_of(station).written == 0


def test_two_different_fingers_are_not_one(station: Station) -> None:
    """Nothing is stored."""
    order(station)
    press(station, "candra")
    assert press(station, "dewi") == [Enrolling(Step.DIFFERENT, 5)]
    assert chip_of(station).written == 0
    assert press(station, "anna")[0].slot == 17


def test_a_bad_image_is_taken_again(station: Station) -> None:
    """As often as patience lasts."""
    order(station)
    chip_of(station).blur(3)
    assert steps(press(station, "candra", 4000)) == [Step.LIFT, Step.AGAIN]


@pytest.mark.parametrize(
    ("blurred", "cause"), [(0, "no finger was placed"), (999, "image too messy")]
)
def test_patience_ends(station: Station, blurred: int, cause: str) -> None:
    """Nobody came, or no image was good; half a minute for the one, two for the other at most."""
    order(station)
    if blurred:
        chip_of(station).blur(blurred)
        chip_of(station).place("candra")
    records = station.virtual.run(120_000)
    assert records[0] == Enrolling(Step.FAILED, 5, cause)
    assert station.virtual.at_ms[-len(records)] < (120_000 if blurred else 32_000)


@pytest.mark.parametrize("pressed", [False, True])
def test_an_enrolment_can_be_cancelled(station: Station, pressed: bool) -> None:
    """Before the first press and before the second; then a press is a press again."""
    order(station)
    if pressed:
        press(station, "candra")
    station.virtual.decoder.order(CancelEnrolment())
    assert station.virtual.run(500) == [Enrolling(Step.FAILED, 5, "it was cancelled")]
    assert [one.slot for one in press(station, "anna")] == [17]


def test_another_enrolment_does_not_go_on_where_one_was_cancelled(station: Station) -> None:
    """Two orders in a moment: nobody's finger ends in the slot of another."""
    order(station)
    press(station, "candra")
    decoder = station.virtual.decoder
    decoder.order(CancelEnrolment())
    decoder.order(EnrolFinger(6))
    assert station.virtual.run(1000) == [
        Enrolling(Step.FAILED, 5, "it was cancelled"),
        Enrolling(Step.PLACE, 6),
    ]
    press(station, "dewi")
    press(station, "dewi")
    assert chip_of(station).slots.items() >= {(6, "dewi")}
    assert 5 not in chip_of(station).slots


def test_a_slot_that_is_not_there_is_refused_by_the_module(station: Station) -> None:
    """And said; nothing is stored elsewhere."""
    order(station, slot=200)
    press(station, "candra")
    records = press(station, "candra")
    assert records[0] == Enrolling(Step.FAILED, 200, "it answered 0B to command 06")
    assert records[1] == Condition("it answered 0B to command 06")
    assert chip_of(station).slots.keys() == {3, 17}


# --- interruptions --------------------------------------------------------------------------------


def enrolment_until(count: int, finger: str) -> tuple[Station, int]:
    """An enrolment of `finger`, stopped after so many messages, and which press it was in."""
    station = ready()
    virtual, chip = station.virtual, chip_of(station)
    virtual.decoder.order(EnrolFinger(5))
    total = len(virtual.heard) + virtual.said + count

    def is_over() -> bool:
        return len(virtual.heard) + virtual.said >= total

    for turn in (1, 2):
        chip.place(finger)
        virtual.run(1200, is_over)
        if is_over():
            return station, turn
        chip.lift()
        virtual.run(800, is_over)
    return station, 2


@pytest.mark.parametrize("power", [True, False], ids=["power", "cable"])
@pytest.mark.parametrize("finger", ["candra", "anna"])
def test_a_cable_pulled_in_an_enrolment_ends_it_without_a_phantom(finger: str, power: bool) -> None:
    """After each message: a finger that was seen for the enrolment is no punch when it lies on.

    One that the module knows is one press, whether the enrolment got to see that or not.
    """
    for count in range(1, 45):
        station, turn = enrolment_until(count, finger)
        seen = station.played.asked[models.IMG_2_TZ] >= turn
        station.unplug(power=power)
        station.virtual.run(2500)
        records = station.virtual.records
        scans = [one.slot for one in records if isinstance(one, Scan)]
        assert scans in ([[]] if finger == "candra" else [[17], [17] * turn]), count
        assert not (seen and any(isinstance(one, Misread) for one in records)), count
        station.lift()
        station.virtual.run(1000)
        assert [one.slot for one in press(station, "budi")] == [3], count


def test_an_order_from_before_the_cable_was_cut_is_forgotten(station: Station) -> None:
    """It waited for a finger to lift; whoever gave it was told that the scanner is gone."""
    chip_of(station).place("anna")
    station.virtual.run(1000)
    order(station)
    station.unplug()
    station.virtual.run(1000)
    station.lift()
    station.virtual.run(3000)
    assert steps(station.virtual.records) == []


def test_a_module_that_goes_silent_fails_the_enrolment_and_recovers(station: Station) -> None:
    """It is said once as the enrolment's end and once as the module's trouble."""
    order(station)
    station.wire.change = lambda message: []
    assert station.virtual.run(3000) == [
        Enrolling(Step.FAILED, 5, "it does not answer"),
        Condition("it does not answer"),
    ]
    station.wire.change = lambda message: [(0, message)]
    assert station.virtual.run(3000)[-1] == FINE
    assert [one.slot for one in press(station, "anna")] == [17]


@settings(max_examples=40)
@given(troubles=st.lists(TROUBLES, max_size=30), held_ms=st.integers(300, 2500))
def test_trouble_in_an_enrolment_binds_no_other_finger(troubles: list[Any], held_ms: int) -> None:
    """Stored is said only of what is stored, where it was asked for, and of that finger."""
    station = ready()
    coming = list(troubles)
    station.wire.change = lambda message: coming.pop(0)(message) if coming else [(0, message)]
    before = len(station.virtual.records)
    order(station)
    for _ in range(3):
        press(station, "candra", held_ms)
    station.virtual.run(30_000)
    records, slots = station.virtual.records[before:], chip_of(station).slots
    assert slots.items() - {(3, "budi"), (17, "anna")} <= {(5, "candra")}
    assert Step.STORED not in steps(records) or slots[5] == "candra"
    assert {one.slot for one in records if isinstance(one, Scan)} <= {5}
    assert held(station.virtual.decoder) <= MOST_HELD


# --- what is never said ---------------------------------------------------------------------------


def test_no_template_ever_leaves_the_module_and_nothing_is_deleted(station: Station) -> None:
    """All commands there are, in one life; each `Virtual` of every test holds to the same list."""
    station.virtual.decoder.order(Show(Signal.ENROL))
    order(station)
    press(station, "candra")
    press(station, "candra")
    press(station, "anna")
    assert set(station.played.asked) == FINGER_COMMANDS
    never = {models.UP_CHAR, 0x09, models.UP_IMAGE, 0x0B, models.DELET_CHAR, models.EMPTY}
    never |= {models.SET_SYS_PARA, models.SET_PWD, models.SET_ADDER, models.LOAD_CHAR}
    assert not never & FINGER_COMMANDS
    assert (chip_of(station).exported, chip_of(station).written) == (0, 1)
