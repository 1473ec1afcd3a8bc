"""Lamps and a buzzer on pins, played on a module that records what is done to it."""

import os
import queue
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import agent_toml

from edge_agent import config
from edge_agent.errors import PanelError
from edge_agent.panel.lights import PATTERNS, LightPanel
from edge_agent.panel.messages import Notice
from edge_agent.records import Signal

GREEN, AMBER, RED, BUZZER = 17, 27, 22, 23
ALL = config.Panel("gpio", GREEN, AMBER, RED, BUZZER)
PATIENCE_S = 10


class Pins:
    """The part of RPi.GPIO that the panel uses; every call goes into a queue."""

    BCM = "BCM"
    OUT = "OUT"

    def __init__(self, faults: int = 0, refuses: bool = False) -> None:
        self.calls: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
        self.levels: dict[int, int] = {}
        self.faults = faults
        self.refuses = refuses

    def setmode(self, mode: Any) -> None:
        if self.refuses:
            raise RuntimeError("No access to /dev/mem.\nTry running as root!")
        self.calls.put(("setmode", mode))

    def setup(self, channel: int, direction: Any, initial: int = 0) -> None:
        self.levels[channel] = initial
        self.calls.put(("setup", channel, direction, initial))

    def output(self, channel: int, value: int) -> None:
        if self.faults:
            self.faults -= 1
            raise RuntimeError("The GPIO channel has not been set up")
        changed = self.levels[channel] != value
        self.levels[channel] = value
        if changed:
            self.calls.put((channel, value))

    def cleanup(self, channel: list[int]) -> None:
        self.calls.put(("cleanup", sorted(channel)))

    def until(self, *call: Any) -> list[tuple[Any, ...]]:
        """Every call up to `call`."""
        seen = []
        while True:
            seen.append(self.calls.get(timeout=PATIENCE_S))
            if seen[-1] == call:
                return seen

    @property
    def lit(self) -> set[int]:
        return {pin for pin, level in self.levels.items() if level}


@pytest.fixture
def pins() -> Pins:
    return Pins()


@pytest.fixture
def panel(pins: Pins) -> Iterator[LightPanel]:
    one = LightPanel(pins, ALL)
    while not pins.calls.empty():
        pins.calls.get()
    yield one
    one.close()


def show(panel: LightPanel, signal: Signal) -> None:
    panel.signal(Notice(signal, ("", "")))


def test_pins_are_outputs_and_dark_at_first(pins: Pins) -> None:
    """BCM numbers; a pin left out is not touched."""
    one = LightPanel(pins, config.Panel("gpio", green=GREEN, buzzer=BUZZER))
    show(one, Signal.STORED)
    calls = pins.until(BUZZER, 0)
    assert calls[:3] == [
        ("setmode", "BCM"), ("setup", GREEN, "OUT", 0), ("setup", BUZZER, "OUT", 0),
    ]  # fmt: skip
    show(one, Signal.FAULT)
    assert pins.until(BUZZER, 1)[-2:] == [(GREEN, 0), (BUZZER, 1)]
    one.close()
    assert pins.until("cleanup", [GREEN, BUZZER])
    assert set(pins.levels) == {GREEN, BUZZER}


def test_stored_is_green_and_one_beep_and_goes_out(pins: Pins, panel: LightPanel) -> None:
    """Three seconds after it began, by itself."""
    show(panel, Signal.STORED)
    assert pins.until(GREEN, 0) == [(GREEN, 1), (BUZZER, 1), (BUZZER, 0), (GREEN, 0)]
    assert pins.lit == set()


@pytest.mark.parametrize(
    ("signal", "lamp", "beeps"),
    [
        (Signal.REPEAT, AMBER, 2),
        (Signal.UNKNOWN, RED, 2),
        (Signal.FAULT, RED, 3),
        (Signal.MISREAD, RED, 2),
        (Signal.ENROL, AMBER, 1),
        (Signal.ENROLLED, GREEN, 1),
        (Signal.TAKEN, RED, 2),
        (Signal.UNSTABLE, RED, 2),
        (Signal.CARRYING, AMBER, 0),
        (Signal.CARRIED, GREEN, 3),
        (Signal.UNCARRIED, RED, 3),
    ],
)
def test_each_other_signal_has_its_lamp_and_its_beeps(
    pins: Pins, panel: LightPanel, signal: Signal, lamp: int, beeps: int
) -> None:
    """Of those that are no stored punch only a bound card is green."""
    show(panel, signal)
    calls = pins.until(lamp, 1)
    for _ in range(beeps):
        calls += pins.until(BUZZER, 0)
    assert calls == [(lamp, 1), *[(BUZZER, 1), (BUZZER, 0)] * beeps]
    assert pins.lit == {lamp}


def test_every_signal_has_a_pattern() -> None:
    """A notice without one would end the panel's thread."""
    assert set(PATTERNS) == set(Signal)


@pytest.mark.parametrize(("signal", "lamp"), [(Signal.FAULT, RED), (Signal.ENROL, AMBER)])
def test_what_waits_for_somebody_stays_lit_until_the_next_notice(
    pins: Pins, panel: LightPanel, signal: Signal, lamp: int
) -> None:
    """A beep and a half later a fault still stands, and so does the wish for a card."""
    show(panel, signal)
    for _ in range(PATTERNS[signal].beeps):
        pins.until(BUZZER, 0)
    with pytest.raises(queue.Empty):
        pins.calls.get(timeout=0.6)
    assert pins.lit == {lamp}
    show(panel, Signal.STORED)
    assert pins.until(BUZZER, 1) == [(lamp, 0), (GREEN, 1), (BUZZER, 1)]


def test_a_misread_goes_out_quickly(pins: Pins, panel: LightPanel) -> None:
    """It says try again, so it must not look like a refusal for three seconds."""
    show(panel, Signal.MISREAD)
    pins.until(RED, 1)
    began = time.monotonic()
    pins.until(RED, 0)
    assert time.monotonic() - began < 1.5


def test_the_next_notice_interrupts(pins: Pins, panel: LightPanel) -> None:
    """In the middle of a beep: silent, dark, then the next one's lamp; nobody waits for a beep."""
    show(panel, Signal.UNKNOWN)
    pins.until(BUZZER, 1)
    show(panel, Signal.STORED)
    calls = pins.until(GREEN, 1)
    assert calls == [(BUZZER, 0), (RED, 0), (GREEN, 1)]


def test_a_queue_of_people_ends_with_the_last(pins: Pins, panel: LightPanel) -> None:
    """Twenty notices at once do not take twenty patterns' time."""
    for _ in range(20):
        show(panel, Signal.UNKNOWN)
    show(panel, Signal.REPEAT)
    pins.until(AMBER, 1)
    assert pins.lit <= {AMBER, BUZZER}


def test_closing_in_the_middle_of_a_pattern_leaves_it_dark(pins: Pins) -> None:
    """At once, and the pins are given back."""
    one = LightPanel(pins, ALL)
    show(one, Signal.FAULT)
    pins.until(BUZZER, 1)
    one.close()
    assert pins.lit == set()
    assert pins.until("cleanup", sorted([GREEN, AMBER, RED, BUZZER]))


def test_a_pin_that_fails_once_does_not_end_the_panel() -> None:
    """The pattern is lost, the next one is shown."""
    pins = Pins(faults=2)
    one = LightPanel(pins, ALL)
    show(one, Signal.FAULT)
    show(one, Signal.FAULT)
    show(one, Signal.STORED)
    pins.until(GREEN, 1)
    one.close()


def test_pins_that_may_not_be_used_are_one_line() -> None:
    """RPi.GPIO's own advice has two lines and is wrong for a service."""
    with pytest.raises(PanelError, match="No access to /dev/mem") as caught:
        LightPanel(Pins(refuses=True), ALL)
    assert "group gpio" in caught.value.hint
    assert str(caught.value).isprintable()


STUBS = {
    "not on a Pi": 'raise RuntimeError("This module can only be run on a Raspberry Pi!")',
    "broken": 'raise ImportError("libgpio.so:\\ncannot open shared object file")',
    "nameless": "raise RuntimeError",
}


@pytest.mark.parametrize("stub", STUBS.values(), ids=STUBS)
def test_a_module_that_cannot_be_imported_is_one_line(tmp_path: Path, stub: str) -> None:
    """RPi.GPIO raises RuntimeError off a Pi, not ImportError: both name the cure."""
    folder = tmp_path / "stubs" / "RPi"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "GPIO.py").write_text(stub)
    toml = agent_toml(tmp_path, panel=f'kind = "gpio"\ngreen = {GREEN}')
    path = os.pathsep.join(filter(None, (str(folder.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "edge_agent", "run", "--config", str(toml)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("edge-agent: drive the panel on GPIO pins: ")
    assert 'panel.kind = "console"' in line
    assert not (tmp_path / "journal.db").exists()
