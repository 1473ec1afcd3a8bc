"""A module that is not the one that was enrolled: an incident, and never a wrong name."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from contract_check import validator
from test_fingers import persons
from wall import Wall

from edge_agent.records import Condition, Enrolling, Library, Step


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal at whose module two people are enrolled, in `wall.theirs`."""
    one = Wall(tmp_path)
    one.holds()
    first = one.finger("p-1")
    one.theirs = (first, one.finger("p-2", first))
    one.said()
    one.shown.clear()
    with closing(one.journal):
        yield one


def incidents(wall: Wall) -> list[tuple[str, str, str]]:
    """Kind, object and state of every incident, once it is settled."""
    wall.wait()
    found = wall.entries("incident")
    assert all(validator("entry").is_valid(one) for one in found)
    return [(one["what"], one["which"], one["state"]) for one in found]


def strangers(wall: Wall) -> dict[str, tuple[int, ...]]:
    """What other modules could hold."""
    first, second = wall.theirs
    more = next(slot for slot in range(200) if slot not in wall.theirs)
    return {
        "empty": (),
        "one gone": (first,),
        "one more": (first, second, more),
        "one elsewhere": (first, more),
    }


@pytest.mark.parametrize("what", ["empty", "one gone", "one more", "one elsewhere"])
def test_a_module_that_holds_something_else_is_an_incident_without_names(
    wall: Wall, what: str
) -> None:
    """Its fingers are punches of nobody we know, also in the slots that we know."""
    wall.holds(*strangers(wall)[what])
    assert incidents(wall) == [("module", "door", "opened")]
    cause = wall.entries("incident")[0]["cause"]
    assert cause.startswith("swapped or emptied: ")
    for slot in range(200):
        wall.press(slot)
    assert set(persons(wall)) == {None}
    assert set(wall.signals) == {"unknown"}
    wall.holds(*strangers(wall)[what])
    assert len(incidents(wall)) == 1  # said once


def test_punches_of_a_strange_module_do_not_carry_our_credentials(wall: Wall) -> None:
    """Else the central, which knows whose they are, would give them the wrong name."""
    ours = {one["credential"] for one in wall.entries("enrolment")}
    wall.holds()
    for slot in wall.theirs:
        wall.press(slot)
    assert ours.isdisjoint(one["credential"] for one in wall.entries("punch"))


def test_when_the_right_module_is_back_it_is_over(wall: Wall) -> None:
    """Closed with its length, and names are names again."""
    wall.holds()
    wall.wait(60_000)
    wall.press(wall.theirs[0])
    wall.holds(*wall.theirs)
    assert incidents(wall) == [("module", "door", "opened"), ("module", "door", "closed")]
    assert wall.entries("incident")[1]["length_ms"] >= 60_000
    wall.press(wall.theirs[0])
    wall.press(wall.theirs[1])
    assert persons(wall) == [None, "p-1", "p-2"]


def test_a_swap_while_the_agent_was_off_is_found_at_the_start(tmp_path: Path, wall: Wall) -> None:
    """Before a finger; and it lasts over the next start as well, until the right one is back."""
    for _ in range(2):
        again = Wall(tmp_path)
        with closing(again.journal):
            again.holds()
            again.press(wall.theirs[0])
            assert persons(again)[-1] is None
            assert incidents(again) == [("module", "door", "opened")]
    again = Wall(tmp_path)
    with closing(again.journal):
        again.holds(*wall.theirs)
        again.press(wall.theirs[0])
        assert persons(again)[-1] == "p-1"
        assert incidents(again)[-1] == ("module", "door", "closed")


def test_another_model_is_another_module(wall: Wall) -> None:
    """However many fingers it holds, and wherever."""
    wall.holds(*wall.theirs, capacity=162 if max(wall.theirs) < 162 else 1000)
    assert incidents(wall) == [("module", "door", "opened")]
    assert wall.entries("incident")[0]["cause"].startswith("another module: ")


def test_a_strange_module_enrols_nobody(wall: Wall) -> None:
    """The refusal says what to do."""
    wall.holds()
    wall.ask("finger", person="p-3", scanner="door")
    ((text, end),) = wall.said()
    assert end == "refused"
    assert "it is not the module that was enrolled" in text
    assert "edge-agent enrol forget door" in text


def test_forgetting_begins_anew(wall: Wall) -> None:
    """The strange module is the right one from now on, and what it holds is nobody's."""
    wall.holds(7)
    assert incidents(wall) == [("module", "door", "opened")]
    wall.ask("forget", scanner="door")
    assert wall.said() == [("2 fingers forgotten at door", "done")]
    assert incidents(wall)[1:] == [("module", "door", "closed")]
    for slot in (7, *wall.theirs):
        wall.press(slot)
    assert set(persons(wall)) == {None}
    slot = wall.finger("p-3", 7)
    wall.press(slot)
    assert persons(wall)[-1] == "p-3"
    wall.holds(7, slot)
    assert len(incidents(wall)) == 2


@pytest.mark.parametrize("what", ["empty", "one gone", "one more", "one elsewhere"])
def test_forgetting_before_the_new_module_is_there_is_as_good(wall: Wall, what: str) -> None:
    """The old one is unplugged, forgotten, and the new one plugged in: its first sight counts."""
    wall.unplug("door")
    wall.ask("forget", scanner="door")
    assert wall.said() == [("2 fingers forgotten at door", "done")]
    wall.plug("door")
    wall.holds(*strangers(wall)[what])
    assert {kind for kind, _, _ in incidents(wall)} == {"scanner"}
    wall.press(wall.theirs[0])
    assert persons(wall) == [None]


def test_nobody_is_enrolled_at_a_module_that_is_gone(wall: Wall) -> None:
    """What it said when it was there is no reason to ask anybody for a finger."""
    wall.says(Condition("it does not answer"))
    wall.ask("finger", person="p-3", scanner="door")
    ((text, end),) = wall.said()
    assert (end, "at door" in text) == ("refused", True)
    assert len(wall.ordered) == 2


@pytest.mark.parametrize("scanner", ["front", "side"])
def test_what_is_no_module_cannot_be_forgotten(wall: Wall, scanner: str) -> None:
    """A card reader has no books, and a slip of the pen must not cost the only module's."""
    wall.ask("forget", scanner=scanner)
    ((text, end),) = wall.said()
    assert (end, f"no scanner {scanner}" in text) == ("refused", True)
    wall.press(wall.theirs[0])
    assert persons(wall) == ["p-1"]


def test_nothing_is_forgotten_while_somebody_is_being_enrolled(wall: Wall) -> None:
    """The slot would be bound in books that are gone."""
    wall.ask("finger", person="p-3", scanner="door")
    wall.ask("forget", 2, scanner="door")
    ((text, end),) = wall.said(2)
    assert (end, "p-3 is being enrolled at door" in text) == ("refused", True)
    wall.press(wall.theirs[0])
    assert persons(wall) == ["p-1"]


def test_a_module_that_says_only_how_many_is_compared_by_that(tmp_path: Path) -> None:
    """Emptied or with more fingers it is found; one with as many others cannot be."""
    one = Wall(tmp_path, {"door": "zfm20"})
    with closing(one.journal):
        one.says(Library(162, 0, None))
        one.ask("finger", person="p-1")
        slot = one.slot
        one.says(Library(162, 1, None))
        one.says(Enrolling(Step.STORED, slot))
        one.says(Library(162, 1, None))
        assert incidents(one) == []
        one.press(slot)
        for count in (0, 2):
            one.says(Library(162, count, None))
            one.press(slot)
            assert incidents(one)[-1] == ("module", "door", "opened")
            one.says(Library(162, 1, None))
            assert incidents(one)[-1] == ("module", "door", "closed")
        assert persons(one) == ["p-1", None, None]


def test_a_module_that_does_not_answer_is_a_fault_of_the_scanner(wall: Wall) -> None:
    """Not one that says that somebody tampered with it."""
    wall.says(Condition("it does not answer"))
    assert incidents(wall) == [("scanner", "door", "opened")]
    assert wall.agent.ports["door"] == "it does not answer"
    wall.says(Condition(""))
    wall.holds(*wall.theirs)
    assert incidents(wall)[1:] == [("scanner", "door", "closed")]
    wall.press(wall.theirs[0])
    assert persons(wall) == ["p-1"]
