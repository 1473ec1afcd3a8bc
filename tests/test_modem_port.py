"""A modem at a pseudo-terminal: asked by the port's thread, and pulled in the midst of its talk.

By default each 37th byte is tried, from where the seed says on; EDGE_AGENT_EVERY_BYTE=1 tries all.
"""

import os
import queue
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_agent.devices.modem import ModemDecoder
from edge_agent.events import Listen, PortLost, PortOpened
from edge_agent.ports.serial_port import SerialPort
from edge_agent.records import Condition, Reception
from edge_agent.sim.device import FAST, Faults
from edge_agent.sim.modem import MODELS, Modem
from edge_agent.sim.pty import PseudoPort

PATIENCE_S = 15.0
EVERY = 1 if os.environ.get("EDGE_AGENT_EVERY_BYTE") else 37
SEED = random.SystemRandom().randrange(10**6)
#: Bytes of one talk, both ways, from the first command on.
TRAFFIC = 400


class Listener:
    """The port's thread, and all that it says."""

    def __init__(self, path: Path) -> None:
        self.said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        say = self.said.put
        self.port = SerialPort("modem", str(path), 115_200, ModemDecoder(), say, say)

    def next(self) -> Any:
        return self.said.get(timeout=PATIENCE_S)

    def until(self, kind: type) -> Any:
        """The next that is of this kind."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if isinstance(one := self.next(), kind):
                return one
        raise TimeoutError(kind.__name__)


@contextmanager
def listening(path: Path) -> Iterator[Listener]:
    one = Listener(path)
    one.port.start()
    try:
        yield one
    finally:
        one.port.stop()


@pytest.mark.parametrize("model", MODELS)
def test_it_tells_what_it_hears_when_it_is_plugged_in_and_when_it_is_asked(
    tmp_path: Path, model: str
) -> None:
    """At its own pace, in pieces, with URCs between; and nothing unasked."""
    faults = Faults(piece=7)
    with (
        PseudoPort(tmp_path / "modem") as port,
        Modem(port, model, urcs=0.2, faults=faults) as one,
        listening(port.path) as listener,
    ):
        assert listener.next() == PortOpened("modem")
        assert listener.next() == Condition("")
        first = listener.next()
        assert (first.registration, first.rsrp_dbm) == ("home", -88)
        one.told.clear()
        with pytest.raises(queue.Empty):
            listener.said.get(timeout=0.3)
        assert not one.told
        listener.port.order(Listen())
        assert listener.next() == first


@pytest.mark.timeout(1200)
def test_a_modem_pulled_at_any_byte_is_heard_again_when_it_is_back(tmp_path: Path) -> None:
    """With no reception made of what was cut off, and none of before the cut."""
    for at in range(1 + random.Random(SEED).randrange(EVERY), TRAFFIC, EVERY):
        faults = Faults(cut_after=at)
        with (
            PseudoPort(tmp_path / f"modem-{at}") as port,
            Modem(port, "sim7600", urcs=0.1, faults=faults, speed=FAST, seed=at) as one,
            listening(port.path) as listener,
        ):
            listener.until(PortOpened)
            while port.is_plugged:  # its talk may be over before the cut
                listener.port.order(Listen())
                port.drain(0.01)
            listener.until(PortLost)
            port.plug()
            listener.until(PortOpened)
            heard = listener.until(Reception)
            assert heard.rsrp_dbm == -88, f"seed {SEED}, byte {at}"
            assert heard.registration == "home", f"seed {SEED}, byte {at}"
            assert one.device.powered == 2


def test_the_simulated_modem_stands_at_a_port_as_it_is_typed(tmp_path: Path) -> None:
    """`edge-agent sim modem`, and a port's thread that asks it."""
    path = tmp_path / "modem"
    words = ["--model", "a7670", "--reception", "weak", "--seconds", "60"]
    command = [sys.executable, "-m", "edge_agent", "sim", "modem", str(path), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"modem at %s: a7670, weak\n" % bytes(path)
            with listening(path) as listener:
                assert listener.until(Reception).rsrp_dbm == -121
        finally:
            process.terminate()
    assert not path.is_symlink()
