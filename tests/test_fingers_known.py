"""Enrolments of fingers that do not go straight: known already, two fingers, a cut in between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_fingers import persons
from test_journal import full_disk
from wall import LATER_MS, Wall

from edge_agent.records import Enrolling, Library, Step

PATIENCE_MS = 60_000


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal whose empty fingerprint module has introduced itself."""
    one = Wall(tmp_path)
    one.holds()
    with closing(one.journal):
        yield one


def begin(wall: Wall, person: str) -> int:
    """The module waits for a finger of `person`; the slot that is reserved."""
    wall.said()
    wall.shown.clear()
    wall.ask("finger", person=person, scanner="door")
    wall.says(Enrolling(Step.PLACE, wall.slot))
    assert wall.said() == [("the finger on the sensor, please", "")]
    assert wall.signals == ["enrol"]
    return wall.slot


def taken(wall: Wall, slot: int) -> tuple[str, str]:
    """The module knows the finger: it says so, and then whose slot it found, as ever."""
    wall.says(Enrolling(Step.TAKEN, wall.slot, found=slot))
    wall.press(slot)
    (last,) = wall.said()
    return last


def test_a_finger_of_somebody_else_is_refused_and_a_punch(wall: Wall) -> None:
    """Whose it is is said; the owner sees green; the reserved slot is free again."""
    held = wall.finger("p-2")
    reserved = begin(wall, "p-1")
    text, end = taken(wall, held)
    assert (end, "belongs to p-2" in text) == ("refused", True)
    assert wall.signals == ["stored"]
    assert persons(wall) == ["p-2"]
    assert set(wall.journal.enrolled.fingers("door")) == {held} != {reserved}
    assert len(wall.entries("enrolment")) == 1


def test_a_finger_that_the_person_has_already_is_done_and_a_punch(wall: Wall) -> None:
    """Nothing is written twice, and no slot is lost."""
    held = wall.finger("p-1")
    begin(wall, "p-1")
    text, end = taken(wall, held)
    assert (end, "p-1's already" in text) == ("done", True)
    assert wall.signals == ["stored"]  # no green before there is a punch
    assert persons(wall) == ["p-1"]
    assert set(wall.journal.enrolled.fingers("door")) == {held}
    assert len(wall.entries("enrolment")) == 1


def test_a_finger_in_a_slot_of_nobody_is_adopted(tmp_path: Path) -> None:
    """The module held it before we knew each other: the slot is booked, and the punch is named."""
    one = Wall(tmp_path)
    with closing(one.journal):
        one.holds(9)
        begin(one, "p-1")
        text, end = taken(one, 9)
        assert (end, "in slot 9" in text) == ("done", True)
        assert one.signals == ["enrolled", "stored"]
        assert persons(one) == ["p-1"]
        (enrolment,) = one.entries("enrolment")
        assert (enrolment["slot"], enrolment["person"]) == (9, "p-1")
        assert set(one.journal.enrolled.fingers("door")) == {9}
        one.holds(9)
        one.wait()
        assert one.entries("incident") == []


def test_two_different_fingers_are_refused_and_the_slot_is_free(wall: Wall) -> None:
    """Nothing was stored, so nothing needs to be remembered."""
    slot = begin(wall, "p-1")
    wall.says(Enrolling(Step.DIFFERENT, slot))
    assert wall.said() == [("the two images are not of one finger", "refused")]
    assert wall.signals == ["misread"]
    assert wall.journal.enrolled.fingers("door") == {}
    wall.press(slot)
    assert persons(wall) == [None]


def test_an_enrolment_that_failed_keeps_its_slot(wall: Wall) -> None:
    """The module may have stored the finger before it fell silent: nobody else's goes there."""
    slot = begin(wall, "p-1")
    wall.says(Enrolling(Step.FAILED, slot, "it does not answer"))
    assert wall.said() == [("it does not answer", "refused")]
    assert wall.signals == ["misread"]
    assert set(wall.journal.enrolled.fingers("door")) == {slot}
    wall.holds(slot)
    wall.wait()
    assert wall.entries("incident") == []
    wall.press(slot)
    assert persons(wall) == [None]  # nobody was told that it is bound
    begin(wall, "p-1")
    _, end = taken(wall, slot)
    assert end == "done"
    assert persons(wall) == [None, "p-1"]


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("index", [False, True])
def test_a_cut_between_reserving_and_binding_is_no_incident(
    tmp_path: Path, wall: Wall, stored: bool, index: bool
) -> None:
    """The next start finds a reserved slot; the module holds the finger by then, or does not."""
    slot = begin(wall, "p-1")
    again = Wall(tmp_path)  # the journal as the power cut left it
    with closing(again.journal):
        slots = (slot,) if stored else ()
        again.says(Library(200, len(slots), slots if index else None))
        again.wait()
        assert again.entries("incident") == []
        again.press(slot)
        assert persons(again) == [None]
        other = begin(again, "p-2")
        if stored or not index:  # else the module has said that nothing lies there
            assert other != slot


def test_the_next_enrolment_of_the_person_adopts_what_the_cut_left(
    tmp_path: Path, wall: Wall
) -> None:
    """The module says that it knows the finger, and in a slot that is reserved for this person."""
    slot = begin(wall, "p-1")
    again = Wall(tmp_path)
    with closing(again.journal):
        again.holds(slot)
        begin(again, "p-1")
        text, end = taken(again, slot)
        assert (end, f"in slot {slot}" in text) == ("done", True)
        assert persons(again) == ["p-1"]
        again.holds(slot)
        again.wait()
        assert again.entries("incident") == []
    third = Wall(tmp_path)
    with closing(third.journal):
        third.holds()  # by now the finger must be there
        third.wait()
        assert [one["what"] for one in third.entries("incident")] == ["module"]


@pytest.mark.parametrize("how", ["hang-up", "time-out"])
def test_a_module_is_told_that_nobody_waits_any_more(wall: Wall, how: str) -> None:
    """Else it would take the finger of whoever comes next, who only wants to punch."""
    begin(wall, "p-1")
    if how == "hang-up":
        wall.hang_up()
    else:
        wall.wait(PATIENCE_MS - 1)
        assert wall.cancels == 0
        wall.wait(1)
    assert wall.cancels == 1
    assert wall.said()[-1][1] == "refused"
    wall.wait(PATIENCE_MS)
    assert wall.cancels == 1
    begin(wall, "p-2")


def test_a_module_that_goes_away_ends_the_enrolment(wall: Wall) -> None:
    """Unplugged, or it does not answer any more; when it is back it has forgotten the order."""
    begin(wall, "p-1")
    wall.unplug("door")
    assert wall.said() == [("the scanner is gone", "refused")]
    wall.plug("door")
    wall.holds()
    begin(wall, "p-1")


def test_a_known_finger_of_another_module_is_a_punch_meanwhile(tmp_path: Path) -> None:
    """And so is a card; only the module that is asked for a finger is busy."""
    one = Wall(tmp_path, {"front": "id12la", "door": "r503", "gate": "r503"})
    with closing(one.journal):
        one.holds()
        one.holds(scanner="gate")
        slot = one.finger("p-2", scanner="gate")
        reserved = begin(one, "p-1")
        one.press(slot, scanner="gate")
        one.says(Enrolling(Step.STORED, reserved), "gate")  # not from the one that was asked
        one.present("3C00CE754C")
        assert persons(one) == ["p-2", None]
        assert one.said() == []
        one.holds(reserved)
        one.says(Enrolling(Step.STORED, reserved))
        assert one.said()[-1][1] == "done"


def test_what_cannot_be_written_is_bound_to_nobody(tmp_path: Path, wall: Wall) -> None:
    """The module has the finger, the journal has not: nobody is told that it is bound."""
    slot = begin(wall, "p-1")
    wall.holds(slot)
    with full_disk(tmp_path / "journal.db", 0):
        wall.says(Enrolling(Step.STORED, slot))
        wall.wait(PATIENCE_MS)
        assert "done" not in [end for _, end in wall.said()]
        assert "enrolled" not in wall.signals
        assert not wall.journal.enrolled.fingers("door")[slot].stored
    wall.wait(LATER_MS)
    assert wall.entries("enrolment") == []
    wall.press(slot)
    assert persons(wall) == [None]
    begin(wall, "p-1")
    _, end = taken(wall, slot)
    assert end == "done"
    assert persons(wall) == [None, "p-1"]


def test_a_finger_bound_to_the_wrong_person_is_bound_again(wall: Wall) -> None:
    """Its template stays where it is; its credential is a new one."""
    held = wall.finger("p-2")
    before = wall.journal.enrolled.fingers("door")[held].credential
    wall.said()
    wall.ask("finger", person="p-1", scanner="door", instead_of="p-2")
    assert taken(wall, held)[1] == "done"
    finger = wall.journal.enrolled.fingers("door")[held]
    assert (finger.person.id, finger.stored) == ("p-1", True)
    assert finger.credential != before
    wall.press(held)
    assert persons(wall)[-1] == "p-1"
