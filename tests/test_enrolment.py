"""Cards bound to people beside a running agent: read twice, nobody else's, and no tap lost."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL
from contract_check import validator
from test_journal import assert_sound
from wall import LATER_MS, Wall, concealed

from edge_agent.events import Scanned
from edge_agent.journal import Journal
from edge_agent.records import Scan

CARD, OTHER, KNOWN = "3C00CE754C", "62E3086CED", "01000734E0"
#: When nothing was presented for so long, it is over.
PATIENCE_MS = 60_000


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal whose roster knows p-2 and p-1 by a card each."""
    one = Wall(tmp_path)
    one.roster(**{KNOWN: "p-2", "1F00644BB6": "p-1"})
    with closing(one.journal):
        yield one


def begin(wall: Wall, person: str = "p-1", **words: str) -> None:
    """Ask for a card of `person` at the front reader; forget what was said until then."""
    wall.said()
    wall.shown.clear()
    wall.ask("card", person=person, **{"scanner": "front", **words})
    assert [end for _, end in wall.said()] == [""]
    assert wall.signals == ["enrol"]


def bind(wall: Wall, card: str, person: str) -> None:
    begin(wall, person)
    wall.present(card)
    wall.present(card)
    assert wall.said()[-1][1] == "done"
    assert wall.signals[-1] == "enrolled"


def punched(wall: Wall) -> list[tuple[str, str | None, int]]:
    """Credential, person and moment of every punch, in the journal's order."""
    return [
        (one["credential"], one.get("person"), one["at"]["mono_ms"])
        for one in wall.entries("punch")
    ]


def test_a_card_presented_twice_is_bound(tmp_path: Path, wall: Wall) -> None:
    """Said and shown step by step; one entry states it, fit for the contract and in the chain."""
    wall.ask("card", person="p-1", scanner="front")
    assert wall.said() == [("Name p-1 (p-1): the card at front, please, twice", "")]
    wall.present(CARD)
    assert wall.said() == [("the same card again, please", "")]
    assert wall.signals == ["enrol", "enrol"]
    at = wall.present(CARD)
    assert wall.said() == [("the card now belongs to Name p-1 (p-1)", "done")]
    assert [(one.signal.value, one.lines[1]) for one in wall.shown] == [("enrolled", "Name p-1")]
    (entry,) = wall.entries("enrolment")
    assert validator("entry").is_valid(entry)
    assert (entry["credential"], entry["person"]) == (concealed(f"em4100:{CARD}"), "p-1")
    assert (entry["technology"], entry["scanner"], "slot" in entry) == ("em4100", "front", False)
    assert entry["at"]["mono_ms"] == at.mono_ms
    assert wall.window.backlog == wall.journal.last_seq == 3  # start, clock and this: delivered
    assert_sound(tmp_path / "journal.db", 2)


def test_a_bound_card_is_a_punch_of_its_holder_from_then_on(tmp_path: Path, wall: Wall) -> None:
    """At every scanner and after a restart; while it was being bound it was none."""
    bind(wall, CARD, "p-1")
    assert punched(wall) == []
    wall.present(CARD, "rear")
    assert [person for _, person, _ in punched(wall)] == ["p-1"]
    assert wall.signals == ["stored"]
    with closing(Journal(tmp_path / "journal.db", TERMINAL)) as again:
        holder = again.enrolled.holder(concealed(f"em4100:{CARD}"))
        assert (holder.id, holder.name) == ("p-1", "Name p-1") if holder else False


def test_a_bound_card_is_known_to_readers_that_read_a_part_of_it(wall: Wall) -> None:
    """The ten digits printed on it, and Wiegand-26; the parts of another card are not."""
    bind(wall, CARD, "p-1")
    for part in ("00CE754C", "CE754C", "00CE754D"):
        wall.present(part, "rear")
    assert [person for _, person, _ in punched(wall)] == ["p-1", "p-1", None]


def test_the_organisation_has_the_last_word(wall: Wall) -> None:
    """A roster that knows the card otherwise is believed, and the enrolment stays what it was."""
    bind(wall, CARD, "p-1")
    wall.roster(**{CARD: "p-2"})
    wall.present(CARD)
    assert [person for _, person, _ in punched(wall)] == ["p-2"]


def test_a_card_that_lies_there_is_read_once(wall: Wall) -> None:
    """Twice means: gone and back. A reader that repeats must not bind what was held too long."""
    begin(wall)
    for at_ms in range(0, 3000, 100):
        wall.clock.now_ms = at_ms
        wall.turn(Scanned("front", Scan("em4100", CARD), wall.clock.stamp()))
    assert wall.said() == [("the same card again, please", "")]
    wall.present(CARD)
    assert wall.said()[-1][1] == "done"


def test_a_second_number_that_is_not_the_first_is_refused(wall: Wall) -> None:
    """Both are punches of unknowns, from when each was presented."""
    begin(wall)
    first = wall.present(CARD)
    second = wall.present(OTHER)
    text, end = wall.said()[-1]
    assert end == "refused"
    assert "the second number is not the first" in text
    assert wall.signals == ["enrol", "unstable"]
    assert punched(wall) == [
        (concealed(f"em4100:{CARD}"), None, first.mono_ms),
        (concealed(f"em4100:{OTHER}"), None, second.mono_ms),
    ]
    assert wall.entries("enrolment") == []
    wall.present(OTHER)
    assert wall.signals == ["repeat"]  # the enrolment is over


@pytest.mark.parametrize("reads", [0, 1])
def test_a_card_with_a_random_number_is_refused_at_once(wall: Wall, reads: int) -> None:
    """Also if the first reading looked like a card; what was read is a punch all the same."""
    begin(wall)
    for _ in range(reads):
        wall.present(CARD)
    at = wall.present("08A1B2C3", technology="14443a", card="random")
    assert wall.said()[-1] == ("the card says another number each time", "refused")
    assert wall.signals[-1] == "unstable"
    assert punched(wall)[reads:] == [(concealed("14443a:08A1B2C3"), None, at.mono_ms)]
    assert len(punched(wall)) == reads + 1
    assert wall.entries("punch")[-1]["card"] == "random"


def test_a_card_of_somebody_else_by_the_roster_is_refused_and_a_punch(wall: Wall) -> None:
    """Whose it is is said to whoever enrols; the owner, who may just be passing, sees green."""
    begin(wall)
    at = wall.present(KNOWN)
    text, end = wall.said()[-1]
    assert end == "refused"
    assert "belongs to p-2" in text
    assert wall.signals == ["stored"]
    assert punched(wall) == [(concealed(f"em4100:{KNOWN}"), "p-2", at.mono_ms)]
    assert wall.entries("enrolment") == []


def test_a_card_of_somebody_else_by_an_enrolment_is_refused_and_a_punch(wall: Wall) -> None:
    """Nor may the part of it that a shorter reader gives become another person's."""
    bind(wall, CARD, "p-2")
    for number in (CARD, "00CE754C", "CE754C"):
        begin(wall)
        wall.present(number)
        text, end = wall.said()[-1]
        assert (end, "belongs to p-2" in text) == ("refused", True)
        assert wall.signals[-1] in ("stored", "repeat")
    assert {person for _, person, _ in punched(wall)} == {"p-2"}
    assert len(wall.entries("enrolment")) == 1


def test_a_card_that_the_person_has_already_is_done_and_a_punch(wall: Wall) -> None:
    """By the roster or by an enrolment; nothing is written twice."""
    bind(wall, CARD, "p-1")
    for number in (CARD, "1F00644BB6"):
        begin(wall)
        wall.present(number)
        text, end = wall.said()[-1]
        assert (end, "p-1's already" in text) == ("done", True)
    assert [person for _, person, _ in punched(wall)] == ["p-1", "p-1"]
    assert len(wall.entries("enrolment")) == 1


@pytest.mark.parametrize("reads", [0, 1])
@pytest.mark.parametrize("how", ["hang-up", "time-out", "unplugged"])
def test_what_was_taken_and_not_bound_is_a_punch_from_when_it_was_presented(
    wall: Wall, how: str, reads: int
) -> None:
    """Whoever asked hung up, nobody came in time, the reader was unplugged."""
    begin(wall)
    moments = [wall.present(CARD).mono_ms for _ in range(reads)]
    taken = [(concealed(f"em4100:{CARD}"), None, at_ms) for at_ms in moments]
    assert punched(wall) == []
    if how == "hang-up":
        wall.hang_up()
    elif how == "unplugged":
        wall.unplug("front")
    else:
        wall.wait(PATIENCE_MS - LATER_MS * reads - 1)
        assert (punched(wall), wall.said()[reads:]) == ([], [])
        wall.wait(1)
    assert wall.said()[-1][1] == "refused"
    assert punched(wall) == taken
    assert wall.entries("enrolment") == []
    wall.plug("front")
    begin(wall, "p-2")  # and there is room for the next


def test_only_the_one_who_asked_ends_it_by_hanging_up(wall: Wall) -> None:
    """Others come and go."""
    begin(wall)
    wall.hang_up(caller=2)
    wall.unplug("rear")
    wall.present(CARD)
    wall.present(CARD)
    assert wall.said()[-1][1] == "done"


def test_other_scanners_take_punches_meanwhile(wall: Wall) -> None:
    """Known and unknown, the very card that is being enrolled among them."""
    begin(wall)
    wall.present(CARD)
    for number in (KNOWN, OTHER, CARD):
        wall.present(number, "rear")
    assert wall.signals == ["enrol", "stored", "unknown", "unknown"]
    assert [person for _, person, _ in punched(wall)] == ["p-2", None, None]
    wall.present(CARD)
    assert wall.said()[-1][1] == "done"


def test_what_was_bound_to_the_wrong_person_is_bound_again(wall: Wall) -> None:
    """Only if whoever asks says who has it now, and only what was bound here."""
    bind(wall, CARD, "p-3")
    begin(wall, "p-1")
    wall.present(CARD)
    assert "--instead-of p-3" in wall.said()[-1][0]
    begin(wall, "p-1", instead_of="p-2")
    wall.present(CARD)
    assert wall.said()[-1][1] == "refused"
    begin(wall, "p-1", instead_of="p-3")
    wall.present(CARD)
    wall.present(CARD)
    assert wall.said()[-1][1] == "done"
    wall.present(CARD, "rear")
    assert [person for _, person, _ in punched(wall)][-1] == "p-1"
    assert [one["person"] for one in wall.entries("enrolment")] == ["p-3", "p-1"]


def test_what_the_roster_says_is_not_bound_to_another(wall: Wall) -> None:
    """That is mended where the roster is made; the taps meanwhile are its holder's punches."""
    begin(wall, "p-1", instead_of="p-2")
    wall.present(KNOWN)
    wall.present(KNOWN)
    assert wall.said()[-1][1] == "refused"
    wall.wait()
    assert {person for _, person, _ in punched(wall)} == {"p-2"}
    assert wall.entries("enrolment") == []
