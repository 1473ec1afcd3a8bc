"""Ports that cannot or must not be looked at, and those of which only the adapter is known."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from looking import ASKED, LISTEN_S, MODELS, Ears, by_name, look, names

from edge_agent.ports.listing import Listed, find
from edge_agent.profile import Identify
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.scanner import rdm6300_frame
from edge_agent.technician.model import Model, Sure
from edge_agent.technician.probe import probe

CARD = "3C00CE754C"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A pseudo-terminal, plugged in."""
    with PseudoPort(tmp_path / "port") as one:
        yield one


def test_a_port_that_another_program_has_locked_is_left_to_it(port: PseudoPort) -> None:
    """Busy, and the cure is named."""
    with serial.Serial(str(port.path), exclusive=True):
        report = look(port)
    assert report.state == "busy"
    assert "systemctl stop edge-agent" in report.hint


@pytest.mark.parametrize(
    ("name", "said"), [("edge-agent", "the running agent"), ("monitor", "has it open")]
)
def test_a_port_that_another_program_merely_has_open_is_left_to_it(
    port: PseudoPort, tmp_path: Path, name: str, said: str
) -> None:
    """What we read, it would miss: not one byte is taken from it."""
    script = tmp_path / name
    script.write_text(
        "import os, sys, tty\n"
        "port = os.open(sys.argv[2], os.O_RDWR | os.O_NOCTTY)\n"
        "tty.setraw(port)\n"
        "print(flush=True)\n"
        "sys.stdin.readline()\n"
        "print(os.read(port, 99).hex(), flush=True)\n"
    )
    words = [sys.executable, str(script), "run", str(port.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        port.write(b"for the other")
        report = look(port)
        took, _ = other.communicate(b"\n")
    assert report.state == "busy"
    assert said in report.trouble
    assert bytes.fromhex(took.decode()) == b"for the other"


def test_a_port_that_goes_away_is_reported_and_the_others_go_on(
    port: PseudoPort, tmp_path: Path
) -> None:
    """Pulled while it was listened to."""
    with PseudoPort(tmp_path / "other") as other, ExitStack() as stack:
        device = stack.enter_context(Ears(other, lambda: rdm6300_frame(CARD)))
        pull = threading.Thread(target=lambda: port.wait_open(10) and port.unplug())
        pull.start()
        places = [find(str(port.path)), find(str(other.path))]
        first, second = probe(places, MODELS, LISTEN_S)
        pull.join()
    assert first.state in ("broken", "missing")
    assert names(second)[0] == "rdm6300"
    assert device.heard == b""


def test_a_pulled_plug_is_noticed_at_once(port: PseudoPort) -> None:
    """Not after a minute of listening to nothing."""
    pull = threading.Thread(target=lambda: port.wait_open(10) and port.unplug())
    pull.start()
    (report,) = probe([find(str(port.path))], [by_name("rdm6300")], 60)
    pull.join()
    assert report.state == "broken"


def test_a_port_that_is_gone_when_its_turn_comes_is_missing(tmp_path: Path) -> None:
    """Pulled between the listing and the look."""
    (report,) = probe([Listed(str(tmp_path / "x"), str(tmp_path / "x"))], MODELS, LISTEN_S)
    assert report.state == "missing"


@pytest.mark.parametrize("talks", [True, False])
def test_of_an_adapter_alone_a_model_is_possible_only(port: PseudoPort, talks: bool) -> None:
    """Its USB id fits; silence and noise say no more."""
    mine = replace(by_name("pn532").profile, identify=Identify(usb=("1a86:7523",)))
    place = Listed(str(port.path), str(port.path.resolve()), "1a86:7523", "USB Serial")
    with Ears(port, lambda: bytes(8 * talks)):
        (report,) = probe([place], [Model("mine", mine), by_name("rdm6300")], LISTEN_S)
    assert report.finding is not None
    assert report.finding.sure is Sure.POSSIBLE
    assert names(report) == ["mine"]
    assert ("something talks" in report.trouble) is talks
    assert report.hint


def test_what_is_no_terminal_is_broken_and_says_so() -> None:
    """A character device that has no speed."""
    report = next(probe([find("/dev/full")], ASKED, LISTEN_S))
    assert report.state == "broken"
    assert "Inappropriate ioctl" in report.trouble


def test_a_port_that_we_may_not_open_names_the_group(port: PseudoPort) -> None:
    """Tried as a user who is in no group of the port."""
    program = (
        "import os, sys\n"
        "from edge_agent.ports.listing import Listed, is_console\n"
        "from edge_agent.technician.probe import probe\n"
        "is_console('')  # Python loads what it needs while it may still read its own files\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for one in probe([Listed(sys.argv[1], sys.argv[1])], [], 0.1): print(one.state, one.hint)"
    )
    device = port.path.resolve()
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    device.chmod(0o600)
    words = [sys.executable, "-c", program, str(device)]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert said.startswith("denied")
    assert "dialout" in said
