"""`edge-agent enrol` beside a running agent: real processes, simulated readers at real ports."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from edge_agent.contract import credentials
from edge_agent.sim.cards import NTAG, PHONE
from edge_agent.sim.day import Staff
from edge_agent.sim.device import FAST
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import GEN_IMG, R503
from edge_agent.sim.office import Office
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.scanner import Id12la

PATIENCE_S = 20
AMIN = Staff("P1", "La Ode Amin", "3C00000001")
SITI = Staff("P2", "Wa Ode Siti", "3C00000002")
#: A card is gone after half a second.
GONE_S = 0.6


class Wall:
    """A running office with two card readers, a PN532 and a fingerprint module."""

    def __init__(self, office: Office, module: FingerprintModule, chip: Pn532) -> None:
        self.office = office
        self.module = module
        self.chip = chip
        self._seen = 0
        self.front = Id12la(office.ports["front"])
        self.rear = Id12la(office.ports["rear"])

    def shown(self, count: int) -> list[str]:
        """The signals since `mark`, once there are `count`."""
        assert self.office.panel.wait(self._seen + count, PATIENCE_S)
        return [one["signal"] for one in self.office.panel.notices[self._seen :]]

    def mark(self) -> None:
        self._seen = self.office.panel.count

    def last(self, kind: str) -> dict[str, Any]:
        return self.office.entries(kind)[-1]

    @contextmanager
    def enrol(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The command, running; what it says is read by the test."""
        self.mark()
        command = [sys.executable, "-m", "edge_agent", "enrol", *words]
        command += ["--config", str(self.office.agent_config)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    """One office for all tests here; each brings its own cards and fingers."""
    work = tmp_path_factory.mktemp("office")
    scanners = (("rear", "id12la"), ("nfc", "pn532"), ("door", "r503"))
    with (
        Office(work, profile="id12la", scanners=scanners, people=[AMIN, SITI]) as office,
        FingerprintModule(office.ports["door"], R503, speed=FAST) as module,
        Pn532(office.ports["nfc"], speed=FAST) as chip,
    ):
        office.start()
        office.wait_until(lambda: all(_open(office, name) for name in office.ports))
        yield Wall(office, module, chip)


def _open(office: Office, name: str) -> bool:
    ports = {one["name"]: one["state"] for one in office.status().get("ports", [])}
    return ports.get(name) == "open"


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, and what else was said."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def refused(process: subprocess.Popen[str]) -> str:
    """Why: one line on standard error, exit code 1."""
    code, out, err = ended(process)
    assert (code, out, len(err.splitlines())) == (1, "", 1), (code, out, err)
    assert "Traceback" not in err
    return err


def away() -> None:
    """Until the card counts as gone; a reader that speaks once gives no sign of that."""
    threading.Event().wait(GONE_S)


def test_a_card_is_bound_and_others_punch_meanwhile(wall: Wall) -> None:
    """Step by step on the screen, exit code 0; at the next reader people see green all the time."""
    with wall.enrol("card", "--person", "P2", "--scanner", "front") as process:
        assert line(process) == "Wa Ode Siti (P2): the card at front, please, twice"
        wall.rear.present(AMIN.card)
        assert wall.shown(2) == ["enrol", "stored"]
        wall.front.present("3C000000A0")
        assert line(process) == "the same card again, please"
        wall.rear.present(SITI.card)
        assert wall.shown(4)[-1] == "stored"
        away()
        wall.front.present("3C000000A0")
        assert ended(process) == (0, "the card now belongs to Wa Ode Siti (P2)\n", "")
    assert [one["person"] for one in wall.office.entries("punch")[-2:]] == ["P1", "P2"]
    key = credentials.parse_key((wall.office.work / "credential.key").read_text())
    enrolment = wall.last("enrolment")
    assert enrolment["credential"] == credentials.conceal("em4100:3C000000A0", key)
    wall.rear.present("3C000000A0")
    wall.office.wait_until(lambda: wall.last("punch")["credential"] == enrolment["credential"])
    assert wall.last("punch")["person"] == "P2"
    assert wall.office.wait_delivered(PATIENCE_S)


def test_a_card_of_somebody_else_is_exit_code_one_and_a_punch(wall: Wall) -> None:
    """One line on standard error says whose it is."""
    with wall.enrol("card", "--person", "P9", "--name", "Baru", "--scanner", "front") as process:
        assert line(process) == "Baru (P9): the card at front, please, twice"
        before = len(wall.office.entries("punch"))
        wall.front.present(AMIN.card)
        assert "belongs to P1" in refused(process)
    assert len(wall.office.entries("punch")) == before + 1
    assert wall.last("punch")["person"] == "P1"


def test_two_cards_are_refused_and_both_are_punches(wall: Wall) -> None:
    """As they would have been without an enrolment."""
    with wall.enrol("card", "--person", "P1", "--scanner", "front") as process:
        line(process)
        wall.front.present("3C000000B1")
        line(process)
        wall.front.present("3C000000B2")
        assert "the second number is not the first" in refused(process)
    assert wall.shown(3) == ["enrol", "enrol", "unstable"]
    assert not any("person" in one for one in wall.office.entries("punch")[-2:])
    assert wall.office.entries("punch")[-1]["at"]["mono_ms"] > 0


def test_what_cannot_be_is_said_at_once(wall: Wall) -> None:
    """Several readers would do, no such reader, one of the other kind."""
    for words, said in (
        (("card", "--person", "P1"), "--scanner: front, rear, nfc"),
        (("card", "--person", "P1", "--scanner", "side"), "no scanner side"),
        (("card", "--person", "P1", "--scanner", "door"), "no scanner door for a card"),
        (("finger", "--person", "P1", "--scanner", "front"), "--scanner: door"),
        (("forget", "front"), "no scanner front for a finger"),
        (("card", "--person", "P1", "--name", "\x1b[2J", "--scanner", "front"), "a name has"),
    ):
        with wall.enrol(*words) as process:
            assert said in refused(process)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_whoever_goes_away_leaves_no_enrolment_behind(wall: Wall, end: signal.Signals) -> None:
    """What was presented becomes a punch; the next enrolment begins at once."""
    card = f"3C000000C{int(end)}"[:10]
    with wall.enrol("card", "--person", "P1", "--scanner", "front") as process:
        line(process)
        wall.front.present(card)
        line(process)
        before = len(wall.office.entries("punch"))
        os.kill(process.pid, end)
        process.wait(PATIENCE_S)
    wall.office.wait_until(lambda: len(wall.office.entries("punch")) == before + 1)
    assert "person" not in wall.last("punch")
    with wall.enrol("card", "--person", "P1", "--scanner", "front") as process:
        assert line(process).startswith("La Ode Amin (P1): the card")


def test_a_telephone_that_plays_a_card_is_refused(wall: Wall) -> None:
    """It has another number each time; a real card at the same chip is bound."""
    with wall.enrol("card", "--person", "P1", "--scanner", "nfc") as process:
        line(process)
        wall.chip.place(PHONE)
        assert "another number each time" in refused(process)
    wall.chip.lift()
    assert wall.last("punch")["card"] == "random"
    with wall.enrol("card", "--person", "P1", "--scanner", "nfc") as process:
        line(process)
        wall.chip.place(NTAG)
        assert line(process) == "the same card again, please"
        wall.chip.lift()
        away()
        wall.chip.place(NTAG)
        assert ended(process)[0] == 0
    wall.chip.lift()
    assert wall.last("enrolment")["technology"] == "14443a"


def lifted(wall: Wall) -> None:
    """Until the agent has looked often enough to know that no finger is there."""
    looks = wall.module.device.asked[GEN_IMG]
    wall.office.wait_until(lambda: wall.module.device.asked[GEN_IMG] >= looks + 4)


def enrol_finger(wall: Wall, process: subprocess.Popen[str], finger: str) -> tuple[int, str, str]:
    assert line(process) == "the finger on the sensor, please"
    wall.module.place(finger)
    if (said := line(process)) != "lift it":
        wall.module.lift()
        return process.wait(PATIENCE_S), said, ""
    wall.module.lift()
    assert line(process) == "the same finger again, please"
    wall.module.place(finger)
    found = ended(process)
    wall.module.lift()
    return found


def test_a_finger_is_bound_and_names_punches(wall: Wall) -> None:
    """Its template stays in the module; the punch has person, slot and score."""
    with wall.enrol("finger", "--person", "P1") as process:
        code, out, err = enrol_finger(wall, process, "amin's thumb")
    ((slot, finger),) = wall.module.slots.items()
    assert (code, err, finger) == (0, "", "amin's thumb")
    assert out == f"the finger now belongs to La Ode Amin (P1), in slot {slot}\n"
    assert wall.module.exported == 0
    lifted(wall)
    wall.mark()
    wall.module.press(finger, 0.5)
    assert wall.shown(1)[0] in ("stored", "repeat")
    punch = wall.last("punch")
    assert (punch["person"], punch["slot"], punch["technology"]) == ("P1", slot, "finger")
    assert punch["score"] > 0
    assert punch["credential"] == wall.last("enrolment")["credential"]


def test_a_finger_of_somebody_else_is_exit_code_one_and_a_punch(wall: Wall) -> None:
    """The module knows it, and our books know whose it is."""
    with wall.enrol("finger", "--person", "P2") as process:
        assert line(process) == "the finger on the sensor, please"
        wall.module.place("amin's thumb")
        assert "belongs to P1" in refused(process)
    wall.module.lift()
    assert wall.last("punch")["person"] == "P1"
    assert len(wall.module.slots) == 1


def test_a_finger_that_is_given_up_makes_room_for_the_next_at_once(wall: Wall) -> None:
    """The module is told; what it would have taken is neither bound nor mistaken."""
    with wall.enrol("finger", "--person", "P1") as process:
        line(process)
        process.kill()
    with wall.enrol("finger", "--person", "P2") as process:
        code, out, _ = enrol_finger(wall, process, "siti's thumb")
    assert code == 0
    slot = wall.last("enrolment")["slot"]
    assert (wall.module.slots[slot], wall.last("enrolment")["person"]) == ("siti's thumb", "P2")
    assert f"in slot {slot}" in out


def test_a_swapped_module_names_nobody_until_it_is_forgotten(wall: Wall) -> None:
    """An incident that the status shows; then it is enrolled at anew."""
    office, module = wall.office, wall.module
    held = dict(module.slots)
    lifted(wall)
    office.ports["door"].unplug()
    module.swap(dict.fromkeys(held, "a stranger's"))
    more = next(slot for slot in range(200) if slot not in held)
    module.slots[more] = "another stranger's"
    office.ports["door"].plug()
    office.wait_until(lambda: _tampered(office))
    before = len(office.entries("punch"))
    module.press("a stranger's", 0.5)
    office.wait_until(lambda: len(office.entries("punch")) == before + 1)
    assert "person" not in wall.last("punch")
    with wall.enrol("finger", "--person", "P1") as process:
        assert "edge-agent enrol forget door" in refused(process)
    with wall.enrol("forget", "door") as process:
        assert ended(process)[:2] == (0, f"{len(held) + 1} fingers forgotten at door\n")
    office.wait_until(lambda: not _tampered(office))
    states = [one["state"] for one in office.entries("incident") if one["what"] == "module"]
    assert states == ["opened", "closed"]


def _tampered(office: Office) -> bool:
    return any(one["what"] == "module" for one in office.status().get("incidents", []))
