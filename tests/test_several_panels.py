"""One terminal, several panels: the lamp on the wall and the ring around the sensor."""

import io
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from builders import agent_toml

from edge_agent import config, profile
from edge_agent.events import Event, Noted, Order, Show
from edge_agent.panel import Panels, RingPanel
from edge_agent.panel.console import ConsolePanel, SimulatedPanel
from edge_agent.panel.messages import Notice
from edge_agent.ports.clock import Clock
from edge_agent.records import Library, Signal
from edge_agent.sim.device import FAST
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import R307, R503, Model
from edge_agent.sim.pty import PseudoPort
from edge_agent.terminal.cables import Cables

PATIENCE_S = 10
STORED = Notice(Signal.STORED, ("La Ode Amin", "07:28 TERCATAT"))


def test_every_panel_shows_everything(tmp_path: Path) -> None:
    """In the order in which it happened."""
    out, file, orders = io.StringIO(), tmp_path / "panel", list[Order]()
    panels = Panels([ConsolePanel(out), SimulatedPanel(str(file)), RingPanel(orders.append)])
    for signal in Signal:
        panels.signal(Notice(signal, ("", "")))
    panels.close()
    assert [line.split("]")[0][1:].strip() for line in out.getvalue().splitlines()] == list(Signal)
    assert file.read_text().count("\n") == len(Signal)
    assert orders == [Show(signal) for signal in Signal]


def test_no_panel_is_a_panel() -> None:
    """A terminal without lamps, buzzer or screen."""
    none = Panels([])
    none.signal(STORED)
    none.close()


class Door:
    """A fingerprint module at a real port of a configured terminal."""

    def __init__(self, folder: Path, model: Model, name: str) -> None:
        self.port = PseudoPort(folder / "door")
        self.module = FingerprintModule(self.port, model, speed=FAST)
        scanner = f'name = "door"\nport = "{self.port.path}"\nprofile = "{name}"'
        wanted = config.load(agent_toml(folder, **{"[scanner]": scanner}))
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.cables = Cables(wanted, {"door": profile.scanner(name)}, Clock(), self.inbox)
        self.panels = Panels([RingPanel(ring) for ring in self.cables.rings])

    def introduced(self) -> None:
        """Wait until the module has said what it holds."""
        while True:
            event = self.inbox.get(timeout=PATIENCE_S)
            if isinstance(event, Noted) and isinstance(event.what, Library):
                return


@contextmanager
def door(folder: Path, model: Model, name: str) -> Iterator[Door]:
    one = Door(folder, model, name)
    one.cables.start()
    with one.port, one.module:
        one.introduced()
        yield one
        one.cables.stop()


def until(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < end:
        threading.Event().wait(0.01)
    return done()


def look_three_times(one: Door) -> None:
    """Let the module be asked for a finger; the light is set before that."""
    looks = one.module.device.asked[0x01]
    assert until(lambda: one.module.device.asked[0x01] >= looks + 3)


#: Control and colour by the manual of the R503: 2 flashes, 3 is on; 1 red, 2 blue, 3 purple and
#: 4 green. The rings of the first series have 1 to 3.
SEEN = {
    "r503": {Signal.STORED: (2, 4), Signal.UNKNOWN: (2, 1), Signal.ENROL: (3, 2)},
    "r503-old": {Signal.STORED: (2, 2), Signal.UNKNOWN: (2, 1), Signal.ENROL: (3, 3)},
}


@pytest.mark.parametrize("name", SEEN)
def test_the_ring_shows_what_the_lamps_show(tmp_path: Path, name: str) -> None:
    """In the colours that it has; the module sets it between two looks for a finger."""
    with door(tmp_path, R503, name) as one:
        for signal, expected in SEEN[name].items():
            one.panels.signal(Notice(signal, ("", "")))
            assert until(lambda wanted=expected: seen(one) == wanted), (signal, seen(one))


def seen(one: Door) -> tuple[int, int] | None:
    ring = one.module.ring
    return None if ring is None else (ring.control, ring.colour)


def test_a_burst_of_notices_ends_with_the_last(tmp_path: Path) -> None:
    """The module is not kept from its work by what nobody could see."""
    with door(tmp_path, R503, "r503") as one:
        for _ in range(50):
            one.panels.signal(Notice(Signal.UNKNOWN, ("", "")))
        one.panels.signal(STORED)
        assert until(lambda: seen(one) == (2, 4))
        assert one.module.device.asked[0x35] < 20


def test_a_module_without_a_ring_is_told_nothing(tmp_path: Path) -> None:
    """On an R307 command 35 is another one; so is it on every model that names no ring."""
    with door(tmp_path, R307, "r307") as one:
        assert one.cables.rings == []
        one.panels.signal(STORED)
        look_three_times(one)
        assert one.module.device.asked[0x35] == 0


def test_a_ring_whose_module_is_gone_costs_nothing(tmp_path: Path) -> None:
    """What was shown meanwhile is not shown when it is back."""
    with door(tmp_path, R503, "r503") as one:
        one.port.unplug()
        while "PortLost" not in type(one.inbox.get(timeout=PATIENCE_S)).__name__:
            pass
        for _ in range(1000):
            one.panels.signal(STORED)
        one.port.plug()
        one.introduced()
        look_three_times(one)
        assert seen(one) is None
