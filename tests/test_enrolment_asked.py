"""Who may be enrolled, where, and when: what is refused before anybody is asked for a card."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from test_enrolment import CARD, KNOWN, begin
from wall import Wall


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """A terminal whose roster knows p-2 and p-1 by a card each."""
    one = Wall(tmp_path)
    one.roster(**{KNOWN: "p-2", "1F00644BB6": "p-1"})
    with closing(one.journal):
        yield one


def test_a_second_enrolment_at_the_same_time_is_refused(wall: Wall) -> None:
    """At whatever scanner, card or finger; the first goes on."""
    begin(wall)
    wall.present(CARD)
    wall.holds()
    for do, scanner in (("card", "rear"), ("card", "front"), ("finger", "door")):
        wall.ask(do, 2, person="p-2", scanner=scanner)
        ((text, end),) = wall.said(2)
        assert end == "refused"
        assert "p-1 is being enrolled at front" in text
    assert wall.ordered == []
    wall.present(CARD)
    assert wall.said()[-1][1] == "done"
    wall.ask("card", 2, person="p-2", scanner="rear")
    assert [end for _, end in wall.said(2)] == [""]


def test_a_person_that_no_roster_knows_may_be_enrolled(wall: Wall) -> None:
    """By a name that is given, or without any; who is known keeps the name of the roster."""
    for person, words, name in (
        ("p-9", {"name": "Wa Ode Baru"}, "Wa Ode Baru"),
        ("p-8", {}, ""),
        ("p-2", {}, "Name p-2"),
        ("p-1", {"name": "La Ode Lain"}, "La Ode Lain"),
    ):
        begin(wall, person, **words)
        number = f"3C{person[-1] * 8}"
        wall.present(number)
        wall.present(number)
        assert wall.said()[-1][1] == "done"
        wall.present(number)
        assert wall.shown[-1].lines[0] == name
        wall.signals.clear()
    assert [one["person"] for one in wall.entries("enrolment")] == ["p-9", "p-8", "p-2", "p-1"]


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ({"person": ""}, "a person id has 1 to 64"),
        ({}, "a person id has 1 to 64"),
        ({"person": "x" * 65}, "a person id has 1 to 64"),
        ({"person": "p\n1"}, "a person id has 1 to 64"),
        ({"person": "   "}, "a person id has 1 to 64"),
        ({"person": "p-1 "}, "a person id has 1 to 64"),
        ({"person": "p-\udcff"}, "a person id has 1 to 64"),
        ({"person": "p-1", "name": "\udcff"}, "a name has 0 to 80"),
        ({"person": "p-1", "name": "\x1b[2J"}, "a name has 0 to 80"),
        ({"person": "p-1", "name": "x" * 81}, "a name has 0 to 80"),
        ({"person": "p-1", "scanner": ""}, "2 scanners for it"),
        ({"person": "p-1", "scanner": "side"}, "no scanner side for a card"),
        ({"person": "p-1", "scanner": "door"}, "no scanner door for a card"),
    ],
)
def test_what_cannot_be_enrolled_is_refused_before_anybody_is_asked(
    wall: Wall, words: dict[str, str], cause: str
) -> None:
    """Nothing is shown, and the hint says what would do."""
    wall.ask("card", **{"scanner": "front", **words})
    ((text, end),) = wall.said()
    assert end == "refused"
    assert cause in text
    if "scanner" in cause:
        assert "--scanner: front, rear" in text
    assert (wall.signals, wall.ordered) == ([], [])
    wall.present(CARD)
    assert wall.signals == ["unknown"]


def test_the_only_scanner_that_would_do_needs_no_name(tmp_path: Path) -> None:
    """One reader and one module: each is meant when its kind is; without one that is said."""
    one = Wall(tmp_path, {"front": "id12la", "door": "r503"})
    with closing(one.journal):
        one.holds()
        one.ask("card", person="p-1")
        assert [end for _, end in one.said()] == [""]
        one.hang_up()
        one.ask("finger", person="p-1")
        assert [scanner for scanner, _ in one.ordered] == ["door"]


def test_where_no_scanner_would_do_that_is_said(tmp_path: Path) -> None:
    """A terminal without a module takes no fingers, and one without a reader no cards."""
    for number, (model, do) in enumerate((("id12la", "finger"), ("r503", "card"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        one = Wall(folder, {"front": model})
        with closing(one.journal):
            one.ask(do, person="p-1")
            ((text, end),) = one.said()
            assert (end, "0 scanners for it; configure one" in text) == ("refused", True)


@pytest.mark.parametrize("do", ["", "?", "CARD", "fingers"])
def test_what_nobody_knows_is_refused(wall: Wall, do: str) -> None:
    """A newer command than the agent, or somebody who tries."""
    wall.ask(do, person="p-1")
    assert [end for _, end in wall.said()] == ["refused"]
