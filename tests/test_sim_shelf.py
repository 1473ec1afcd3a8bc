"""Scanners by name, from the command line: somebody holds one thing after the other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import serial
from click.testing import CliRunner
from wired_pn532 import FIRMWARE, FIRMWARE_IS, WAKE

from edge_agent.cli import cli
from edge_agent.errors import EdgeAgentError
from edge_agent.sim.shelf import KINDS, USUAL, present


@contextmanager
def presenting(tmp_path: Path, *words: str) -> Iterator[tuple[serial.Serial, list[str]]]:
    """The command at work on a port that did not exist, a host that has it open, its output."""
    where, said = tmp_path / "port", list[str]()
    kind, *what = words
    command = ["sim", "scanner", kind, str(where), *what]
    pace = ["--every", "0.2", "--held", "0.1"]

    def work() -> None:
        said.append(CliRunner().invoke(cli, command + pace, catch_exceptions=False).output)

    thread = threading.Thread(target=work)
    thread.start()
    while not where.exists() and thread.is_alive():
        thread.join(0.005)
    with serial.Serial(str(where), timeout=5.0) as host:
        yield host, said
        with suppress(serial.SerialException):  # that is the end
            while thread.is_alive():
                host.read(1)
    thread.join(10.0)
    assert not thread.is_alive()
    assert not where.exists()


def test_cards_of_an_id12la_come_one_after_the_other(tmp_path: Path) -> None:
    """One frame each, twice over, and a line that says so."""
    frames = bytes.fromhex("023343303043453735344343420D0A03023632453330383643454430380D0A03")
    words = ("id12la", "3C00CE754C", "62E3086CED", "--times", "2")
    with presenting(tmp_path, *words) as (host, said):
        assert host.read(64) == frames * 2
    assert said == [f"4 presented at {tmp_path / 'port'} (id12la): 3C00CE754C, 62E3086CED\n"]


@pytest.mark.parametrize(
    ("kind", "begins"),
    [("rdm6300", "0233433030434537353443434203"), ("text", "303031333533303434340D0A")],
)
def test_what_only_talks_is_heard(tmp_path: Path, kind: str, begins: str) -> None:
    """Held at the usual thing, since none was named."""
    with presenting(tmp_path, kind) as (host, said):
        assert host.read(len(begins) // 2).hex().upper() == begins
    assert USUAL[kind] in said[0]


def test_a_qr_code_is_heard(tmp_path: Path) -> None:
    """With its tail."""
    with presenting(tmp_path, "qr", "halo, Ani") as (host, _):
        assert host.read_until(b"\r") == b"halo, Ani\r"


def test_a_pn532_answers(tmp_path: Path) -> None:
    """Woken and asked for its firmware."""
    with presenting(tmp_path, "pn532", "sim", "04C63A63110189") as (host, _):
        host.write(bytes.fromhex(WAKE + FIRMWARE))
        assert host.read(19).hex().upper() == FIRMWARE_IS


def test_a_fingerprint_module_answers(tmp_path: Path) -> None:
    """Once it has started; one of the two fingers is enrolled."""
    with presenting(tmp_path, "fingerprint", "ani=3", "budi") as (host, _):
        host.timeout = 0.1
        answer = bytes.fromhex("EF01FFFFFFFF070005000001000D")
        while not host.read_until(answer).endswith(answer):
            host.write(bytes.fromhex("EF01FFFFFFFF0100031D0021"))


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("rdm6300", "3C00"),
        ("id12la", "not hex dig"),
        ("text", "\u00e9"),
        ("pn532", "04C63A"),
        ("pn532", "paspor"),
        ("fingerprint", "ani=200"),
        ("fingerprint", "ani=x"),
        ("turnstile", "1"),
    ],
)
def test_what_cannot_be_held_is_refused_before_a_port_is_made(
    tmp_path: Path, kind: str, thing: str
) -> None:
    """With the thing, the reason and an example."""
    with pytest.raises(EdgeAgentError) as error:
        present(kind, tmp_path / "port", [thing])
    assert thing in str(error.value) or kind in str(error.value)
    assert any(word in error.value.hint for word in (*USUAL.values(), *KINDS))
    assert not (tmp_path / "port").exists()


def test_nobody_at_the_port_is_an_error(tmp_path: Path) -> None:
    """The port is gone afterwards."""
    with pytest.raises(EdgeAgentError, match="no reader within"):
        present("qr", tmp_path / "port", wait_s=0.1)
    assert not (tmp_path / "port").is_symlink()
