"""`edge-agent enrol` where no agent answers, and an agent that nobody can ask."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import agent_toml

from edge_agent.journal import Journal
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.scanner import Id12la

PATIENCE_S = 20
CARD = "3C00CE754C"


def enrol(path: Path) -> "subprocess.Popen[str]":
    words = ["enrol", "card", "--person", "p-1", "--config", str(path)]
    return _start(*words)


def _start(*words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "edge_agent", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def only_line(process: "subprocess.Popen[str]") -> str:
    """The one line with which it ends, exit code 1."""
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert len(err.splitlines()) == 1, err
    return err


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[PseudoPort]:
    with PseudoPort(tmp_path / "reader") as one:
        yield one


def configured(folder: Path, reader: PseudoPort, control: str = "") -> Path:
    scanner = f'name = "front"\nport = "{reader.path}"\nprofile = "id12la"'
    path = agent_toml(folder, **{"[scanner]": scanner, "panel": 'kind = "console"'})
    if control:
        path.write_text(path.read_text().replace(f"{folder}/control", control))
    return path


def ready(agent: "subprocess.Popen[str]") -> str:
    """What it logged until it was ready."""
    assert agent.stderr is not None
    said = ""
    while "ready" not in said:
        line = agent.stderr.readline()
        assert line, said
        said += line
    return said


def stop(agent: "subprocess.Popen[str]") -> str:
    """End it in order; gives what it still logged."""
    agent.send_signal(signal.SIGTERM)
    _, err = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 0
    return err


def test_without_an_agent_it_says_how_to_start_one(tmp_path: Path) -> None:
    """Nothing runs, and nothing is begun; a socket that a killed agent left is no agent."""
    line = only_line(enrol(agent_toml(tmp_path)))
    assert line.startswith("edge-agent: ask the agent at ")
    assert "no agent is running; start it: sudo systemctl restart edge-agent" in line
    assert not (tmp_path / "journal.db").exists()


@pytest.mark.parametrize("control", ["x" * 120, "credential.key/control", "credential.key"])
def test_an_agent_whose_socket_cannot_be_made_takes_taps(
    tmp_path: Path, reader: PseudoPort, control: str
) -> None:
    """It says once that enrolment is not possible; the file that is in the way stays."""
    path = configured(tmp_path, reader, f"{tmp_path}/{control}")
    with _start("run", "--config", str(path)) as agent:
        said = ready(agent)
        assert reader.wait_open(PATIENCE_S)
        Id12la(reader).present(CARD)
        assert agent.stdout is not None
        assert agent.stdout.readline().startswith("[unknown]")
        with enrol(path) as process:
            assert str(tmp_path) in only_line(process)
        said += stop(agent)
    assert said.count("enrolment is not possible") == 1
    assert "Traceback" not in said
    assert (tmp_path / "credential.key").read_text() == "5a" * 32 + "\n"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_an_agent_that_ends_meanwhile_is_one_line(
    tmp_path: Path, reader: PseudoPort, end: signal.Signals
) -> None:
    """Whoever enrols is not left waiting; the next agent listens at the same place."""
    path = configured(tmp_path, reader)
    for _ in range(2):
        with _start("run", "--config", str(path)) as agent:
            ready(agent)
            with enrol(path) as process:
                assert process.stdout is not None
                assert process.stdout.readline().startswith("p-1 (no name is known): the card")
                agent.send_signal(end)
                line = only_line(process)
                assert "it hung up" in line or line == "the agent stops\n"
            agent.communicate(timeout=PATIENCE_S)
    journal = Journal(tmp_path / "journal.db", "bungi-1")
    assert [one.kind for one in journal.read(1, 99, 10**9)].count("start") == 2
    journal.close()
