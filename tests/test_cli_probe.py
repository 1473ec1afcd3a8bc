"""`edge-agent probe` as it is typed: what it prints, and how it ends."""

import json
import shlex
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import agent_toml
from click.testing import CliRunner, Result
from conftest import shared

from edge_agent import config, shape
from edge_agent.cli import cli
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.scanner import Rdm6300, rdm6300_frame, text_line

CARD = "3C00CE754C"
FRAME = rdm6300_frame(CARD)
PN532_ANSWER = bytes.fromhex("0000FF00FF00" + "0000FF06FAD50332010607E800")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A pseudo-terminal, plugged in."""
    with PseudoPort(tmp_path / "port") as one:
        yield one


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A configuration that there is not."""
    return tmp_path / "nowhere.toml"


@contextmanager
def held(port: PseudoPort) -> Iterator[None]:
    """A card at a reader."""
    reader = Rdm6300(port)
    holding = threading.Thread(target=reader.present, args=(CARD, 30.0))
    holding.start()
    try:
        yield
    finally:
        reader.lift()
        holding.join()


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["probe", "--seconds", "0.3", *map(str, words)])


def data(*words: object) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(run("--json", *words).stdout)
    return said


def capture(folder: Path, content: bytes, name: str = "capture.bin") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def lines_to_add(text: str) -> dict[str, Any]:
    """What it says is to be added to agent.toml."""
    block = text.partition("for agent.toml:\n")[2].partition("\n\n")[0]
    return tomllib.loads("\n".join(line for line in block.splitlines() if line.startswith("    ")))


def test_a_reader_is_shown_with_the_lines_for_the_configuration(
    port: PseudoPort, nowhere: Path
) -> None:
    """Name, port and profile, as a terminal takes them; exit code 0."""
    with held(port):
        result = run(port.path, "--config", nowhere)
    assert result.exit_code == 0
    assert "certain: rdm6300" in result.stdout
    assert f"em4100:{CARD}  by rdm6300" in result.stdout
    (added,) = lines_to_add(result.stdout)["scanner"]
    loaded = shape.load(config.Scanner, added)
    assert loaded == config.Scanner("front", str(port.path), "rdm6300")
    assert "hold a card" in result.stderr


def test_several_ports_are_named_apart(tmp_path: Path, nowhere: Path) -> None:
    """Two readers, a receiver: front, card2, and a table of its own."""
    with (
        PseudoPort(tmp_path / "a") as a,
        PseudoPort(tmp_path / "b") as b,
        PseudoPort(tmp_path / "c") as c,
        Pn532(b),
        GnssModule(c, GnssReceiver(-5.37, 122.69), period_s=0.2),
        held(a),
    ):
        said = data(a.path, b.path, c.path, "--config", nowhere)
    lines = "\n".join("\n".join(one["add"]) for one in said["ports"])
    added = tomllib.loads(lines)
    assert [one["name"] for one in added["scanner"]] == ["front", "card2"]
    assert [one["profile"] for one in added["scanner"]] == ["rdm6300", "pn532"]
    assert shape.load(config.Gnss, added["gnss"]) == config.Gnss(str(c.path))
    assert [one["sure"] for one in said["ports"]] == ["certain"] * 3


def test_the_json_says_what_the_text_says(tmp_path: Path, nowhere: Path) -> None:
    """Every candidate with what it reads, for a script."""
    path = capture(tmp_path, text_line("0013530444"))
    (found,) = data(path, "--config", nowhere)["ports"]
    assert found["captured"]
    assert found["sure"] == "probable"
    readings = {one["profile"]: one["reads"] for one in found["candidates"]}
    assert readings["usb-dec10"] == ["em4100:00CE754C"]
    text = run(path, "--config", nowhere).stdout
    assert "em4100:00CE754C  by usb-dec10" in text


def test_what_is_configured_keeps_its_name_and_takes_it_from_the_others(
    tmp_path: Path, port: PseudoPort
) -> None:
    """`front` is the reader on this port already; the next one found is card2."""
    table = f'name = "front"\nport = "{port.path}"\nprofile = "rdm6300"'
    path = agent_toml(tmp_path, **{"[scanner]": table})
    with held(port):
        (mine,) = data(port.path, "--config", path)["ports"]
    assert mine["configured"] == "front"
    assert 'name = "front"' in mine["add"]
    assert "has it already, as front" in mine["note"]
    with PseudoPort(tmp_path / "other") as other, Pn532(other):
        (found,) = data(other.path, "--config", path)["ports"]
    assert 'name = "card2"' in found["add"]


def test_a_configuration_that_is_still_being_written_is_said_and_does_not_stop_it(
    tmp_path: Path,
) -> None:
    """Probing is what one does to finish it."""
    unfinished = capture(tmp_path, b'terminal = "bungi-1"\n', "agent.toml")
    result = run(capture(tmp_path, FRAME * 3), "--config", unfinished)
    assert result.exit_code == 0
    assert "agent.toml" in result.stderr


def test_nothing_found_is_exit_code_1_and_says_what_to_do(tmp_path: Path, nowhere: Path) -> None:
    """A capture of noise."""
    result = run(capture(tmp_path, bytes(range(128, 256))), "--config", nowhere)
    assert result.exit_code == 1
    assert "nothing found" in result.stdout
    assert "80 81 82" in result.stdout
    assert "to do:" in result.stdout


def test_a_port_named_twice_is_looked_at_once(tmp_path: Path, nowhere: Path) -> None:
    """By its own name and by a link."""
    path = capture(tmp_path, FRAME * 3)
    (tmp_path / "link").symlink_to(path)
    assert len(data(path, tmp_path / "link", "--config", nowhere)["ports"]) == 1


def test_a_port_that_does_not_exist_is_an_error_in_one_line(tmp_path: Path) -> None:
    """Before anything is opened."""
    result = subprocess.run(
        [sys.executable, "-m", "edge_agent", "probe", str(tmp_path / "ttyUSB7")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"edge-agent: look at {tmp_path / 'ttyUSB7'}: No such file")
    assert result.stderr.count("\n") == 1


def test_ctrl_c_ends_it_and_gives_the_port_back(port: PseudoPort, nowhere: Path) -> None:
    """In the middle of a minute of listening."""
    words = shlex.split(f"-m edge_agent probe --seconds 60 {port.path} --config {nowhere}")
    with subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE) as program:
        assert port.wait_open(20)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=10)
    assert program.returncode == 130
    assert b"Traceback" not in said
    assert not port.is_open


def test_captures_are_tried_against_all_profiles(tmp_path: Path, nowhere: Path) -> None:
    """A reader, a receiver's log with lines of provenance, a PN532's answer; none is changed."""
    paths = [
        capture(tmp_path, FRAME * 3, "a"),
        shared("devices/nmea/mt3339.log"),
        capture(tmp_path, PN532_ANSWER, "b"),
        capture(tmp_path, b"# CH340\n# 2026-11-23\n# printed: the same\n0013530444\r\n", "c"),
    ]
    found = data(*paths, "--config", nowhere)["ports"]
    assert [one["candidates"][0]["profile"] for one in found][::2] == ["rdm6300", "pn532"]
    assert found[3]["candidates"][0]["profile"] == "usb-dec10"
    assert "nmea" in [one["profile"] for one in found[1]["candidates"]]
    assert [one["sure"] for one in found] == ["certain", "certain", "probable", "probable"]
    assert paths[0].read_bytes() == FRAME * 3
    assert not any(line.startswith("port") for one in found for line in one["add"])
