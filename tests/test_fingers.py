"""Fingers: whose is in which slot, in books that are good for one module only."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from contract_check import validator
from hypothesis import given
from hypothesis import strategies as st
from test_journal import assert_sound
from wall import Wall, concealed

from edge_agent.records import Enrolling, Library, Misread, Step
from edge_agent.terminal.fingers import difference


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal whose empty fingerprint module has introduced itself."""
    one = Wall(tmp_path)
    one.holds()
    with closing(one.journal):
        yield one


def persons(wall: Wall) -> list[str | None]:
    """Whose each punch is."""
    return [one.get("person") for one in wall.entries("punch")]


# --- what a module says of itself -----------------------------------------------------------------

SLOTS = st.frozensets(st.integers(0, 30), max_size=12)


def library(*slots: int, capacity: int = 200, index: bool = True) -> Library:
    return Library(capacity, len(slots), tuple(sorted(slots)) if index else None)


@given(SLOTS, SLOTS, SLOTS)
def test_a_module_may_differ_in_reserved_slots_only(
    before: frozenset[int], now: frozenset[int], reserved: frozenset[int]
) -> None:
    """A reserved slot may hold the finger already, or not yet; any other must be as it was."""
    found = difference(library(*before), library(*now), reserved)
    assert (found == "") == (before ^ now <= reserved)


@given(st.integers(0, 30), st.integers(0, 30), SLOTS)
def test_a_module_without_an_index_table_may_hold_more_by_reserved_ones_only(
    before: int, now: int, reserved: frozenset[int]
) -> None:
    """Only the number of its fingers is known."""
    found = difference(Library(162, before, None), Library(162, now, None), reserved)
    assert (found == "") == (before <= now <= before + len(reserved))


def test_what_is_different_is_said() -> None:
    """As text of an incident."""
    full = library(3, 17, 40)
    assert difference(full, library(3, 17, 40, capacity=162), frozenset()) == (
        "another module: 162 slots instead of 200"
    )
    assert difference(full, library(), frozenset()) == (
        "swapped or emptied: 3 of 3 fingers gone, 0 new"
    )
    assert difference(full, library(3, 9), frozenset()) == (
        "swapped or emptied: 2 of 3 fingers gone, 1 new"
    )
    assert difference(library(1, index=False), library(1, 2, index=False), frozenset()) == (
        "2 fingers instead of 1"
    )


# --- slots ----------------------------------------------------------------------------------------


@given(st.integers(1, 24), st.data())
def test_every_free_slot_is_drawn_before_there_is_none(
    tmp_path_factory: pytest.TempPathFactory, capacity: int, data: st.DataObject
) -> None:
    """None that the module uses, none that is booked, each once, and then a clear refusal."""
    held = set(data.draw(st.frozensets(st.integers(0, capacity - 1), max_size=capacity)))
    one = Wall(tmp_path_factory.mktemp("wall"), {"door": "r503"})
    with closing(one.journal):
        one.holds(*held, capacity=capacity)
        while len(held) < capacity:
            slot = one.finger("p-1", *held, capacity=capacity)
            assert slot in range(capacity)
            assert slot not in held
            held.add(slot)
        one.said()
        one.ask("finger", person="p-1")
        ((text, end),) = one.said()
        assert (end, f"all {capacity} slots are in use" in text) == ("refused", True)


def test_slots_are_drawn_at_random(wall: Wall) -> None:
    """Two modules that were filled in the same order must not hold the same slots."""
    drawn = []
    for _ in range(30):
        wall.ask("finger", person="p-1", scanner="door")
        drawn.append(wall.slot)
        wall.hang_up()
    assert drawn != sorted(drawn)
    assert max(drawn) - min(drawn) > 60


def test_a_slot_is_booked_before_the_module_is_asked_to_store(wall: Wall) -> None:
    """The power may go at any moment after that."""
    wall.ask("finger", person="p-1", scanner="door")
    assert wall.booked == [{wall.slot}]
    assert not wall.journal.enrolled.fingers("door")[wall.slot].stored
    assert wall.entries("enrolment") == []


def test_nobody_is_enrolled_at_a_module_that_has_not_said_what_it_holds(tmp_path: Path) -> None:
    """It may be missing, or not answer."""
    one = Wall(tmp_path)
    with closing(one.journal):
        one.ask("finger", person="p-1", scanner="door")
        ((text, end),) = one.said()
        assert (end, "the module has not answered yet" in text) == ("refused", True)
        assert one.ordered == []


def test_a_module_that_cannot_say_where_needs_to_be_empty_first(tmp_path: Path) -> None:
    """Storing over a finger that is not in our books would be somebody's loss."""
    one = Wall(tmp_path, {"door": "zfm20"})
    with closing(one.journal):
        one.says(Library(162, 1, None))
        one.ask("finger", person="p-1")
        ((text, end),) = one.said()
        assert (end, "empty the module first" in text) == ("refused", True)
        one.says(Library(162, 0, None))
        one.ask("forget", scanner="door")
        one.ask("finger", person="p-1")
        assert len(one.ordered) == 1


def test_a_module_that_cannot_say_where_relies_on_our_books(tmp_path: Path) -> None:
    """Every slot is drawn once, those of enrolments that came to nothing among them."""
    one = Wall(tmp_path, {"door": "zfm20"})
    with closing(one.journal):
        one.says(Library(4, 0, None))
        one.ask("finger", person="p-1")
        drawn = [one.slot]
        one.hang_up()  # it may have been stored at the last moment
        for count in range(1, 4):
            one.ask("finger", person=f"p-{count}")
            drawn.append(one.slot)
            one.says(Library(4, count, None))
            one.says(Enrolling(Step.STORED, one.slot))
        assert sorted(drawn) == [0, 1, 2, 3]
        one.says(Library(4, 3, None))
        one.wait()
        assert one.entries("incident") == []


# --- a finger is stored ---------------------------------------------------------------------------


def test_a_stored_finger_names_punches(tmp_path: Path, wall: Wall) -> None:
    """Person, slot and score; the entry fits the contract, the chain holds."""
    slot = wall.finger("p-1")
    texts = [text for text, _ in wall.said()]
    assert texts[:3] == [
        "the finger on the sensor, please", "lift it", "the same finger again, please",
    ]  # fmt: skip
    assert texts[3] == f"the finger now belongs to p-1 (no name is known), in slot {slot}"
    assert wall.signals == ["enrol", "enrol", "enrolled"]
    wall.press(slot, score=87)
    assert wall.signals == ["stored"]
    (enrolment,), (punch,) = wall.entries("enrolment"), wall.entries("punch")
    assert (enrolment["person"], enrolment["slot"], enrolment["scanner"]) == ("p-1", slot, "door")
    assert (punch["person"], punch["slot"], punch["score"]) == ("p-1", slot, 87)
    assert punch["credential"] == enrolment["credential"]
    assert validator("entry").is_valid(enrolment)
    assert validator("entry").is_valid(punch)
    assert_sound(tmp_path / "journal.db", wall.journal.last_seq)


def test_the_credential_of_a_finger_is_not_the_slots_number(wall: Wall) -> None:
    """It is made anew, and an unbooked slot has another at each module."""
    slot = wall.finger("p-1")
    (enrolment,) = wall.entries("enrolment")
    guesses = {concealed(f"finger:{slot}"), concealed(f"finger:bungi-1/door/{slot}")}
    assert enrolment["credential"] not in guesses
    strangers = {wall.fingers.nameless(name, one) for name in ("door", "gate") for one in (4, 5)}
    assert len(strangers) == 4


def test_a_slot_that_is_used_again_is_another_credential(tmp_path: Path) -> None:
    """A module of one slot: who had it before is not who has it now."""
    one = Wall(tmp_path, {"door": "r503"})
    with closing(one.journal):
        one.holds(capacity=1)
        assert one.finger("p-1", capacity=1) == 0
        one.press(0)
        one.ask("forget", scanner="door")
        one.holds(capacity=1)
        one.ask("forget", scanner="door")
        assert one.finger("p-2", capacity=1) == 0
        one.press(0)
        assert persons(one) == ["p-1", "p-2"]
        first, second = [punch["credential"] for punch in one.entries("punch")]
        assert first != second


def test_two_modules_have_books_of_their_own(tmp_path: Path) -> None:
    """The same slot in both is two people; the finger of one is nobody's at the other."""
    one = Wall(tmp_path, {"door": "r503", "gate": "r503"})
    with closing(one.journal):
        one.holds(capacity=2)
        one.holds(capacity=1, scanner="gate")
        slot = one.finger("p-1", capacity=2)
        one.finger("p-2", capacity=1, scanner="gate")
        one.press(slot)
        one.press(1 - slot)
        one.press(0, scanner="gate")
        assert persons(one) == ["p-1", None, "p-2"]


def test_the_first_sight_of_a_module_is_what_it_should_hold(tmp_path: Path) -> None:
    """Fingers that are in it already are punches without a name, and no incident."""
    one = Wall(tmp_path)
    with closing(one.journal):
        one.holds(3, 4)
        one.press(4)
        one.holds(3, 4)
        one.wait()
        assert persons(one) == [None]
        assert one.signals == ["unknown"]
        assert one.entries("incident") == []


def test_an_unknown_finger_is_told_that_it_is_a_finger(wall: Wall) -> None:
    """Not that a card is unknown."""
    wall.press(5)
    assert wall.shown[-1].lines == ("Jari tidak", "dikenal. Dicatat")
    assert wall.entries("punch")[0]["slot"] == 5


def test_a_finger_that_cannot_be_read_is_asked_for_again(wall: Wall) -> None:
    """Counted and shown, and no punch: nobody knows whose it was."""
    wall.says(Misread("image too messy"))
    assert wall.signals == ["misread"]
    assert wall.agent.punching.tally.misreads == 1
    assert wall.entries("punch") == []


def test_steps_of_an_enrolment_that_was_given_up_bind_nobody(wall: Wall) -> None:
    """The module was not quick enough to be stopped, and the next one is being enrolled."""
    wall.ask("finger", person="p-1", scanner="door")
    given_up = wall.slot
    wall.hang_up()
    wall.ask("finger", person="p-2", scanner="door")
    wall.holds(given_up)
    for step in (Step.AGAIN, Step.STORED):
        wall.says(Enrolling(step, given_up))
    assert wall.entries("enrolment") == []
    wall.press(given_up)
    assert persons(wall) == [None]
    assert wall.entries("incident") == []
