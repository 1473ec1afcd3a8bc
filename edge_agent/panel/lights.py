"""Lamps and a buzzer on GPIO pins, through RPi.GPIO or the shim that has its name on a Pi 5.

Only `setmode`, `setup`, `output` and `cleanup` are used: edge detection is what broke in RPi.GPIO
on kernels from 6.6 on. Off a Pi the import raises RuntimeError, not ImportError.
"""

import importlib
import logging
import queue
import threading
from dataclasses import dataclass
from typing import Any, Protocol

from edge_agent import config
from edge_agent.errors import PanelError
from edge_agent.panel.messages import Notice
from edge_agent.records import Signal

log = logging.getLogger("edge_agent.panel")


class Gpio(Protocol):
    """The part of RPi.GPIO that is used."""

    BCM: Any
    OUT: Any

    def setmode(self, mode: Any) -> None: ...
    def setup(self, channel: Any, direction: Any, initial: Any = ...) -> None: ...
    def output(self, channel: Any, value: Any) -> None: ...
    def cleanup(self, channel: Any = ...) -> None: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """A lamp for `lamp_ms` (None: until the next notice), and `beeps` of `beep_ms` each."""

    lamp: str
    lamp_ms: int | None
    beeps: int
    beep_ms: int


PATTERNS = {
    Signal.STORED: Pattern("green", 3000, 1, 120),
    Signal.REPEAT: Pattern("amber", 3000, 2, 80),
    Signal.UNKNOWN: Pattern("red", 3000, 2, 400),
    Signal.FAULT: Pattern("red", None, 3, 400),
    Signal.MISREAD: Pattern("red", 600, 2, 80),
    Signal.ENROL: Pattern("amber", None, 1, 80),
    Signal.ENROLLED: Pattern("green", 3000, 1, 120),
    Signal.TAKEN: Pattern("red", 3000, 2, 400),
    Signal.UNSTABLE: Pattern("red", 3000, 2, 400),
    # Said again every few seconds while a stick is written: silent, and no longer than that.
    Signal.CARRYING: Pattern("amber", 8000, 0, 0),
    Signal.CARRIED: Pattern("green", 60_000, 3, 80),
    Signal.UNCARRIED: Pattern("red", 60_000, 3, 400),
}
_BETWEEN_BEEPS_S = 0.1


def load_gpio() -> Gpio:
    """The module RPi.GPIO. Raises PanelError where it cannot drive pins."""
    try:
        module: Gpio = importlib.import_module("RPi.GPIO")
    except (ImportError, RuntimeError, OSError) as error:
        raise PanelError(
            "drive the panel",
            "on GPIO pins",
            _one_line(error),
            'on a Pi install the extra [gpio]; elsewhere set panel.kind = "console"',
        ) from None
    return module


class LightPanel:
    """Plays patterns in a thread of its own, so that the spine never waits for a beep."""

    def __init__(self, gpio: Gpio, wanted: config.Panel) -> None:
        self._gpio = gpio
        pins = {
            "green": wanted.green,
            "amber": wanted.amber,
            "red": wanted.red,
            "buzzer": wanted.buzzer,
        }
        self._pins = {name: pin for name, pin in pins.items() if pin is not None}
        try:
            gpio.setmode(gpio.BCM)
            for pin in self._pins.values():
                gpio.setup(pin, gpio.OUT, initial=0)
        except (RuntimeError, OSError, ValueError) as error:
            hint = "check the pins, and that the agent's user is in the group gpio"
            raise PanelError("drive the panel", "on GPIO pins", _one_line(error), hint) from None
        self._notices: queue.SimpleQueue[Notice | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()

    def signal(self, notice: Notice) -> None:
        self._notices.put(notice)

    def close(self) -> None:
        self._notices.put(None)
        self._thread.join(timeout=2)
        self._gpio.cleanup(list(self._pins.values()))

    def _run(self) -> None:
        notice = self._notices.get()
        while notice is not None:
            try:
                notice = self._play(PATTERNS[notice.signal])
            except (RuntimeError, OSError, ValueError) as error:  # the next person may have luck
                log.warning("a lamp does not obey: %s", _one_line(error))
                notice = self._notices.get()

    def _play(self, pattern: Pattern) -> Notice | None:
        """Show a pattern until it is over and the next notice comes; gives that."""
        self._lamps(pattern.lamp)
        left_s = None if pattern.lamp_ms is None else pattern.lamp_ms / 1000
        try:
            for _ in range(pattern.beeps):
                self._set("buzzer", on=True)
                self._wait(pattern.beep_ms / 1000)
                self._set("buzzer", on=False)
                self._wait(_BETWEEN_BEEPS_S)
                if left_s is not None:
                    left_s = max(0.0, left_s - pattern.beep_ms / 1000 - _BETWEEN_BEEPS_S)
            self._wait(left_s)
            self._lamps("")
            return self._notices.get()
        except _Interrupted as another:
            return another.notice
        finally:
            self._set("buzzer", on=False)
            self._lamps("")

    def _wait(self, seconds: float | None) -> None:
        try:
            notice = self._notices.get(timeout=seconds)
        except queue.Empty:
            return
        raise _Interrupted(notice)

    def _lamps(self, lit: str) -> None:
        for name in ("green", "amber", "red"):
            self._set(name, on=name == lit)

    def _set(self, name: str, *, on: bool) -> None:
        if name in self._pins:
            self._gpio.output(self._pins[name], int(on))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _Interrupted(Exception):  # noqa: N818  not an error: the next person is at the wall
    def __init__(self, notice: Notice | None) -> None:
        super().__init__()
        self.notice = notice
