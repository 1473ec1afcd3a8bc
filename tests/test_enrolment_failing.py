"""Enrolments that go wrong half-way: what was taken is punched, and nobody is told an untruth."""

import queue
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_enrolment import CARD, KNOWN, PATIENCE_MS, begin, punched
from test_journal import full_disk
from wall import Wall, concealed

from edge_agent.events import Asked, Event, Stop
from edge_agent.records import Enrolling, Step

OWN = "1F00644BB6"


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal whose roster knows p-2 and p-1 by a card each."""
    one = Wall(tmp_path)
    one.roster(**{KNOWN: "p-2", OWN: "p-1"})
    with closing(one.journal):
        yield one


def test_a_card_that_cannot_be_written_is_bound_to_nobody(tmp_path: Path, wall: Wall) -> None:
    """Red, as for a punch; and nobody hears that it is done."""
    begin(wall)
    wall.present(CARD)
    with full_disk(tmp_path / "journal.db", 0):
        wall.present(CARD)
        assert wall.signals == ["enrol", "fault"]
        assert "done" not in [end for _, end in wall.said()]
        assert wall.journal.enrolled.holder(concealed(f"em4100:{CARD}")) is None
    assert wall.entries("enrolment") == []


def test_a_failure_is_counted_and_an_incident(tmp_path: Path, wall: Wall) -> None:
    """As any entry that cannot be written."""
    begin(wall)
    wall.present(CARD)
    with full_disk(tmp_path / "journal.db", 0):
        wall.present(CARD)
    assert wall.agent.punching.tally.failures >= 1
    wall.wait()
    assert [one["what"] for one in wall.entries("incident")] == ["storage"]


@pytest.mark.parametrize(("card", "end"), [(KNOWN, "refused"), (OWN, "done")])
def test_what_was_taken_is_a_punch_when_a_known_card_ends_it(
    wall: Wall, card: str, end: str
) -> None:
    """Somebody presented an unknown card first: that person was there."""
    begin(wall)
    first = wall.present(CARD)
    wall.present(card)
    assert wall.said()[-1][1] == end
    assert (concealed(f"em4100:{CARD}"), None, first.mono_ms) in punched(wall)
    assert len(punched(wall)) == 2
    assert wall.signals[-1] == "stored"


def test_what_was_taken_is_a_punch_when_the_agent_stops(wall: Wall) -> None:
    """An update in the middle of an enrolment costs nobody a punch."""
    begin(wall)
    first = wall.present(CARD)
    inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
    inbox.put(Stop())
    wall.agent.run(inbox, lambda now_ms: None)
    assert punched(wall) == [(concealed(f"em4100:{CARD}"), None, first.mono_ms)]


@pytest.mark.parametrize("reads", [1, 2])
def test_what_was_taken_is_a_punch_as_soon_as_the_disk_has_room(
    tmp_path: Path, wall: Wall, reads: int
) -> None:
    """The enrolment ended while nothing could be written."""
    begin(wall)
    moments = [wall.present(CARD).mono_ms]
    with full_disk(tmp_path / "journal.db", 0):
        moments += [wall.present(CARD).mono_ms for _ in range(reads - 1)]
        wall.wait(PATIENCE_MS)
        assert punched(wall) == []
    wall.wait()
    assert [at_ms for _, _, at_ms in punched(wall)] == moments
    assert wall.agent.punching.tally.last_failure == ""


def test_what_is_said_in_one_breath_is_done_in_its_order(wall: Wall) -> None:
    """A hang-up and the next call in one turn of the spine."""
    begin(wall)
    first = wall.present(CARD)
    wall.turn(Asked(1, {}), Asked(2, {"do": "card", "person": "p-2", "scanner": "front"}))
    assert [end for _, end in wall.said(2)] == [""]
    assert punched(wall) == [(concealed(f"em4100:{CARD}"), None, first.mono_ms)]


def test_whoever_asked_for_a_card_is_told_that_it_could_not_be_written(
    tmp_path: Path, wall: Wall
) -> None:
    """At once and with the cause, not after a minute with another one."""
    begin(wall)
    wall.present(CARD)
    with full_disk(tmp_path / "journal.db", 0):
        wall.present(CARD)
        text, end = wall.said()[-1]
        assert (end, "append to the journal" in text) == ("refused", True)


def test_whoever_asked_for_a_finger_is_told_that_it_could_not_be_written(
    tmp_path: Path, wall: Wall
) -> None:
    """And the panel says so as well: it asked for the finger."""
    wall.holds()
    wall.ask("finger", person="p-1", scanner="door")
    wall.holds(wall.slot)
    with full_disk(tmp_path / "journal.db", 0):
        wall.says(Enrolling(Step.STORED, wall.slot))
        text, end = wall.said()[-1]
        assert (end, "append to the journal" in text) == ("refused", True)
        assert wall.signals[-1] == "fault"
    begin(wall, "p-2")


@pytest.mark.parametrize("number", ["FF00CE754C", "FFFFCE754C"])
def test_a_card_that_some_reader_takes_for_somebody_elses_is_refused(
    wall: Wall, number: str
) -> None:
    """Its last bytes are those of another's card: behind Wiegand-26 both would be the latter's."""
    begin(wall, "p-2")
    wall.present(CARD)
    wall.present(CARD)
    begin(wall, "p-1")
    wall.present(number)
    wall.present(number)
    text, end = wall.said()[-1]
    assert (end, "p-2" in text) == ("refused", True)
    assert wall.signals[-1] == "taken"
    assert len(wall.entries("enrolment")) == 1
    wall.present("CE754C", "rear")
    assert [person for _, person, _ in punched(wall)] == [None, None, "p-2"]


def test_a_part_that_the_roster_gives_to_somebody_else_counts_as_well(wall: Wall) -> None:
    """The organisation registered a card by the number printed on it."""
    wall.roster(**{"00CE754C": "p-2"})
    begin(wall, "p-1")
    wall.present(CARD)
    wall.present(CARD)
    text, end = wall.said()[-1]
    assert (end, "p-2" in text) == ("refused", True)
    assert wall.entries("enrolment") == []


def test_slots_of_enrolments_that_came_to_nothing_are_used_again(tmp_path: Path) -> None:
    """Once the module has said that it does not hold them; else it would be full of nobody."""
    one = Wall(tmp_path, {"door": "r503"})
    with closing(one.journal):
        one.holds(capacity=2)
        for _ in range(5):
            one.ask("finger", person="p-1")
            one.hang_up()
        assert one.finger("p-1", capacity=2) in (0, 1)
        assert one.said()[-1][1] == "done"


def test_wherever_the_disk_is_full_the_books_agree_with_the_module(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Bound and said so, or neither; and the next start does not take the module for another."""
    for room in range(0, 6 * 1048, 524):
        folder = tmp_path_factory.mktemp("wall")
        one = Wall(folder, {"door": "r503"})
        one.holds()
        one.ask("finger", person="p-1")
        one.holds(one.slot)
        with full_disk(folder / "journal.db", room):
            one.says(Enrolling(Step.STORED, one.slot))
        is_bound = bool(one.entries("enrolment"))
        said = [end for _, end in one.said()]
        again = Wall(folder, {"door": "r503"})
        with closing(one.journal), closing(again.journal):
            again.holds(one.slot)
            again.wait()
            found = [incident["what"] for incident in again.entries("incident")]
            assert ("done" in said, "module" in found) == (is_bound, False), room


@pytest.mark.parametrize(("do", "scanner"), [("card", "front"), ("finger", "door")])
def test_nobody_is_asked_to_come_to_a_scanner_that_is_gone(
    wall: Wall, do: str, scanner: str
) -> None:
    """It is said at once, not after a minute of trying."""
    wall.holds()
    wall.unplug(scanner)
    wall.ask(do, person="p-1", scanner=scanner)
    assert [end for _, end in wall.said()] == ["refused"]
    assert wall.signals == []
    wall.plug(scanner)
    wall.holds()
    wall.ask(do, person="p-1", scanner=scanner)
    assert "refused" not in [end for _, end in wall.said()]


def test_one_card_after_the_other(wall: Wall) -> None:
    """A box of new cards is enrolled, and is no pile of punches."""
    for number in range(20):
        card = f"3C{number:08X}"
        begin(wall, f"p-{number}")
        wall.present(card)
        wall.present(card)
        assert wall.said()[-1][1] == "done"
    assert punched(wall) == []
    assert len(wall.entries("enrolment")) == 20
