"""A disk that refuses: the terminal is red, says why once, and takes taps as soon as it can."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from edge_agent.sim.configuration import Rules, write_agent


def test_an_agent_that_starts_on_a_full_disk_is_red_until_there_is_room(tmp_path: Path) -> None:
    """It does not end: a dark terminal would leave people guessing."""
    config = write_agent(tmp_path, 1, "5", Rules("id12la", 5, 3, 1.0))
    command = [sys.executable, "-m", "edge_agent", "run", "--config", str(config)]
    panel = tmp_path / "panel.jsonl"
    _start_once(command)
    panel.unlink()
    os.mkfifo(panel)  # a full disk has no room for a file, but a pipe is none
    held_open = os.open(panel, os.O_RDWR)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    no_room = ["sh", "-c", 'ulimit -S -f 0; exec "$@"', "sh", *command]
    agent = subprocess.Popen(no_room, stderr=subprocess.PIPE)
    try:
        assert json.loads(os.read(held_open, 4096).splitlines()[0])["signal"] == "fault"
        resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (hard, hard))
        assert agent.stderr is not None
        said = []
        for line in agent.stderr:
            said.append(line.decode())
            if "ready" in said[-1]:
                break
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.communicate(timeout=20)
        os.close(held_open)
    assert agent.returncode == 0
    assert sum("trying again for ever" in line for line in said) == 1
    assert not any("Traceback" in line for line in said)


def _start_once(command: list[str]) -> None:
    """One run with room, which makes the key and the journal."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as first:
        assert first.stderr is not None
        assert any(b"ready" in line for line in first.stderr)
        first.send_signal(signal.SIGTERM)
