"""What one presentation is, at every kind of scanner of a running terminal."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_agent.sim import cards, crowd, fingerprint_models
from edge_agent.sim.day import Staff
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.office import Office
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.qr import QrModule
from edge_agent.sim.scanner import Id12la, Rdm6300, TextReader

HELD_S = 10.0
UID = f"14443a:{cards.E_KTP.uid.hex().upper()}"
STAFF = [
    Staff("P1", "Wa Ode Rosmina", "3C00CE6E5F"),
    Staff("P2", "La Samiru", "3C00D10263"),
    Staff("P3", "Wa Nuria", UID),
    Staff("P4", "Muhammad Arfan", "qr:198501012010011001"),
]


@dataclass
class Wall:
    """A terminal with everything on it."""

    office: Office
    front: Rdm6300
    id12: Id12la
    desk: TextReader
    chip: Pn532
    sensor: FingerprintModule
    codes: QrModule

    def punches(self) -> list[dict[str, Any]]:
        return self.office.entries("punch")

    def repeat_line(self, value: str, for_s: float) -> None:
        """A reader that sends its line again and again while the card lies there."""
        until, pause = time.monotonic() + for_s, threading.Event()
        while time.monotonic() < until:
            self.desk.present(value)
            pause.wait(0.3)

    def answered(self, count: int) -> bool:
        """Wait until so many punches were shown."""
        shown = crowd._answers
        self.office.wait_until(lambda: len(shown(self.office)) >= count)
        return len(shown(self.office)) == count


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    """Duplicate period a minute, as in an office."""
    with ExitStack() as stack:
        office = stack.enter_context(
            Office(tmp_path, scanners=crowd.SCANNERS, duplicate_s=60, people=STAFF)
        )
        ports = office.ports
        r503 = FingerprintModule(ports["finger"], fingerprint_models.R503, slots={17: "anna"})
        made = Wall(
            office,
            Rdm6300(ports["front"]),
            Id12la(ports["id12"]),
            TextReader(ports["desk"]),
            stack.enter_context(Pn532(ports["card"])),
            stack.enter_context(r503),
            stack.enter_context(QrModule(ports["qr"], pause_s=0.3)),
        )
        office.start()
        yield made


def at_once(*people: Callable[[], object]) -> None:
    """All of them at the same time; returns when the last has gone."""
    hands = [threading.Thread(target=one) for one in people]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()


def test_what_is_held_for_ten_seconds_is_one_punch(wall: Wall) -> None:
    """A card at each reader, a finger and a QR code, all held for ten seconds."""
    at_once(
        lambda: wall.front.present("3C00CE6E5F", HELD_S),
        lambda: wall.repeat_line("0013697667", HELD_S),
        lambda: wall.chip.present(cards.E_KTP, HELD_S),
        lambda: wall.sensor.press("anna", HELD_S),
        lambda: wall.codes.show("198501012010011001", HELD_S),
    )
    assert wall.answered(5)
    assert Counter(one["scanner"] for one in wall.punches()) == Counter(
        ["front", "desk", "card", "finger", "qr"]
    )


def test_a_punch_says_what_was_read(wall: Wall) -> None:
    """The kind of a card; slot and score of a finger, whose templates stay in the module."""
    wall.chip.present(cards.E_KTP, 0.5)
    assert wall.answered(1)
    wall.sensor.press("anna", 1.5)
    assert wall.answered(2)
    card, finger = wall.punches()
    assert (card["technology"], card["card"], card["person"]) == ("14443a", "ektp", "P3")
    assert (finger["technology"], finger["slot"]) == ("finger", 17)
    assert finger["score"] > 0
    assert wall.sensor.exported == wall.sensor.written == 0


def test_two_people_within_a_second_are_two_punches(wall: Wall) -> None:
    """At one reader, one after the other; and at two, together."""
    wall.id12.present("3C00CE6E5F")
    wall.id12.present("3C00D10263")
    assert wall.answered(2)
    at_once(
        lambda: wall.chip.present(cards.E_KTP, 0.4),
        lambda: wall.codes.show("198501012010011001", 0.4),
    )
    assert wall.answered(4)
    first, second, *others = wall.punches()
    assert [first["person"], second["person"]] == ["P1", "P2"]
    assert {one["person"] for one in others} == {"P3", "P4"}
    assert not any("repeat_of" in one for one in wall.punches())


def test_the_same_person_again_is_told_when_it_was_recorded(wall: Wall) -> None:
    """One card at two readers that write it differently: a punch, and its repeat as evidence.

    The RDM6300 gives all five bytes, the desk reader the ten digits that are printed on the card.
    """
    wall.front.present("3C00CE6E5F", 0.3)
    assert wall.answered(1)
    wall.desk.present(f"{0x00CE6E5F:010}")
    assert wall.answered(2)
    first, again = wall.punches()
    assert again["repeat_of"] == first["seq"]
    assert first["person"] == again["person"] == "P1"
    shown = [one for one in wall.office.panel.notices if one["seq"] == again["seq"]]
    (earlier,) = [one for one in wall.office.panel.notices if one["seq"] == first["seq"]]
    clock = earlier["lines"][1].split()[0]
    assert [one["lines"] for one in shown] == [["Sudah presensi", f"pukul {clock}"]]
