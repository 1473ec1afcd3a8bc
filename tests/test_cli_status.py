"""`edge-agent status` before, while and after a real agent runs."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from builders import agent_toml, sentence
from click.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.journal import Journal
from edge_agent.sim.pty import PseudoPort

PATIENCE_S = 20
CARD = b"\x023C00CE754CCB\x03"
WHERE = "0523.40000,S,12239.00000,E"
EPOCHS = b"".join(
    sentence(f"GNRMC,23300{second}.00,A,{WHERE},0.1,,211126,,,A")
    + sentence(f"GNGGA,23300{second}.00,{WHERE},1,09,0.91,12.0,M,0.0,M,,")
    for second in range(2)  # one alone proves nothing
)


@pytest.fixture
def nobody() -> int:
    """A port of this machine at which no broker listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[PseudoPort]:
    with PseudoPort(tmp_path / "reader") as one:
        yield one


@pytest.fixture
def sky(tmp_path: Path) -> Iterator[PseudoPort]:
    with PseudoPort(tmp_path / "sky") as one:
        yield one


@pytest.fixture
def path(tmp_path: Path, nobody: int, reader: PseudoPort, sky: PseudoPort) -> Path:
    """The configuration of a terminal with a reader, a receiver and no broker."""
    tables = {
        "broker": f'host = "127.0.0.1"\nport = {nobody}',
        "[scanner]": f'name = "front"\nport = "{reader.path}"\nprofile = "id12la"',
        "gnss": f'port = "{sky.path}"',
        "rules": "broker_grace_s = 0\nretry_first_s = 0.05\nretry_max_s = 0.1",
    }
    return agent_toml(tmp_path, **tables)


@contextmanager
def agent(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A real agent; its standard output is the panel."""
    command = [sys.executable, "-m", "edge_agent", "run", "--config", str(path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            while "ready" not in (line := process.stderr.readline()):
                assert line, "the agent ended before it was ready"
            yield process
            if process.poll() is None:
                process.terminate()
                assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()  # a test that fails must not wait for ever for what nobody ends


def run(*words: str) -> str:
    """Output of the command line; it always succeeds here."""
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def status(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("status", "--config", str(path), "--json"))
    return found


def eventually(found: Callable[[], dict[str, Any]], wanted: Callable[[Any], bool]) -> Any:
    """What is found once it is as wanted; the agent writes its status once a second."""
    until = time.monotonic() + PATIENCE_S
    while not wanted(one := found()):
        assert time.monotonic() < until, one
        threading.Event().wait(0.05)
    return one


def tap(reader: PseudoPort, process: subprocess.Popen[str]) -> str:
    """Present a card; what the panel shows, which is there only once the punch is stored."""
    assert reader.wait_open(PATIENCE_S)
    reader.write(CARD)
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_terminal_that_never_ran_says_so(path: Path) -> None:
    """No journal, nothing heard, no mistake."""
    assert status(path) == {"running": False, "stored": None, "last": None}
    screen = run("status", "--config", str(path))
    assert screen.splitlines() == [
        "bungi-1  Kantor Kecamatan Bungi (Asia/Makassar)",
        "agent     NOT RUNNING, nothing heard of this version since the machine started",
        f"journal   none yet at {path.parent}/journal.db",
    ]


def test_a_running_terminal_shows_everything(
    path: Path, reader: PseudoPort, sky: PseudoPort
) -> None:
    """Ports, fix, clock, broker, backlog, receipt, taps, rejected, incidents; screen and JSON."""
    with agent(path) as process:
        assert sky.wait_open(PATIENCE_S)
        sky.write(b"\xff" * 9 + EPOCHS)
        shown = tap(reader, process)
        assert shown == "[unknown] Kartu tidak      | dikenal. Dicatat\n"
        last = eventually(
            lambda: status(path)["last"] or {},
            lambda one: one and one["taps"]["punches"] == 1 and one["fix"] and one["incidents"],
        )
        assert last["pid"] == process.pid
        ports = {one["name"]: one for one in last["ports"]}
        assert (ports["front"]["state"], ports["gnss"]["state"]) == ("open", "open")
        assert ports["gnss"]["noise"] == 9
        assert (last["fix"]["lat_e7"], last["fix"]["satellites"]) == (-53_900_000, 9)
        assert (last["broker"]["online"], last["journal"]["received"]) == (False, 0)
        assert last["journal"]["backlog"] == last["journal"]["last_seq"] >= 2
        assert last["journal"]["last_receipt_age_ms"] is None
        assert (last["journal"]["first_seq"], last["journal"]["gone"]) == (1, 0)
        found = status(path)
        assert found["running"]
        assert [one["what"] for one in found["stored"]["incidents"]] == ["broker"]
        screen = run("status", "--config", str(path))
    for words in (
        "agent     running, version ",
        "clock     ",
        "fix       -5.39000, 122.65000, ",
        " 9 satellites, HDOP ",
        "place     verified, ",
        " m from the site, ",
        "broker    127.0.0.1:",
        "not connected: ",
        " to deliver, 0 in flight, last receipt never since the agent started",
        "kept      from entry 1 on",
        "taps      1 stored (0 repeats, 1 unknown), 0 not read, 0 failures since the agent started",
        "rejected  no message",
        "INCIDENT  broker: ",
        "front",
        "noise bytes",
    ):
        assert words in screen


def test_a_stopped_terminal_shows_what_it_last_said(path: Path, reader: PseudoPort) -> None:
    """SIGTERM ends it with exit code 0; what is stored is read from the journal itself."""
    with agent(path) as process:
        tap(reader, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    found = status(path)
    assert not found["running"]
    assert found["last"]["broker"] == {**found["last"]["broker"], "cause": "the agent stopped"}
    assert found["last"]["taps"]["punches"] == 1
    assert found["stored"]["first_seq"] == 1
    assert found["stored"]["last_seq"] == found["last"]["journal"]["last_seq"] >= 2
    assert "agent     NOT RUNNING, version " in run("status", "--config", str(path))


def test_a_killed_terminal_is_not_running_and_says_next_time(
    path: Path, reader: PseudoPort
) -> None:
    """A dead process holds no lock; the next start entry tells how the last run ended."""
    ends = []
    for end in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        with agent(path) as process:
            assert status(path)["running"]
            tap(reader, process)
            process.send_signal(end)
            process.wait(PATIENCE_S)
        assert not status(path)["running"]
    with closing(Journal(path.parent / "journal.db", "bungi-1")) as journal:
        for one in journal.read(1, 1000, 10**9):
            ends += [json.loads(one.text)["last_end"]] if one.kind == "start" else []
    assert ends == ["first", "killed", "stopped"]


def test_a_second_agent_does_not_start_beside_the_first(path: Path) -> None:
    """One line, exit code 1; the first goes on."""
    with agent(path) as process:
        command = [sys.executable, "-m", "edge_agent", "run", "--config", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert "another agent is running with it" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert process.poll() is None


@pytest.mark.parametrize(
    "damage",
    [
        "text = 'x'",
        "text = CAST(x'ff' AS TEXT)",
        "text = x'ff'",
        "text = '{}'",
        "text = '[1]'",
        "text = '{\"at\":7}'",
    ],
)
def test_a_damaged_entry_does_not_hide_the_status(path: Path, damage: str) -> None:
    """The newest entry cannot be read; everything else can."""
    journal = path.parent / "journal.db"
    with agent(path):
        pass
    with closing(sqlite3.connect(journal)) as db, db:
        db.execute(f"UPDATE entry SET {damage}")
    stored = status(path)["stored"]
    assert stored["last_seq"] >= 1
    assert "NOT RUNNING" in run("status", "--config", str(path))


def test_a_journal_that_cannot_be_read_is_not_called_missing(path: Path) -> None:
    """It is there, and somebody must look at it."""
    journal = path.parent / "journal.db"
    journal.write_bytes(b"no database" * 1000)
    screen = run("status", "--config", str(path))
    assert "none yet" not in screen
    assert f"cannot be read at {journal}: file is not a database" in screen
    assert status(path)["stored"] == {"error": "file is not a database"}


def test_a_journal_may_lie_under_any_name(tmp_path: Path, path: Path) -> None:
    """Signs that mean something in a URI mean nothing in a path."""
    odd = tmp_path / "50% of #1?mode=rw"
    odd.mkdir()
    with closing(Journal(odd / "journal.db", "bungi-1")):
        pass
    text = path.read_text().replace(f"{tmp_path}/journal.db", f"{odd}/journal.db")
    path.write_text(text)
    assert status(path)["stored"]["last_seq"] == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"at": 7}', b"\xff"])
def test_a_status_file_of_something_else_is_as_none(path: Path, content: bytes) -> None:
    """Half a file, or one of another version."""
    (path.parent / "status.json").write_bytes(content)
    assert "NOT RUNNING" in run("status", "--config", str(path))
