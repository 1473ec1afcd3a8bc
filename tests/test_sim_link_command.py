"""`edge-agent sim link` as it is typed."""

import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner
from test_sim_trouble import Client

from edge_agent.cli import cli
from edge_agent.sim import packets
from edge_agent.sim.broker import free_port
from edge_agent.sim.scripted_broker import ScriptedBroker


@contextmanager
def running(target_port: int, *words: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The command as a process that stands, and its port; ended by Ctrl-C at the latest."""
    port = free_port()
    where = ["--listen", str(port), "--to", f"localhost:{target_port}", *words]
    command = [sys.executable, "-m", "edge_agent", "sim", "link", *where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"from 127.0.0.1:{port} to localhost:")
        try:
            yield process, port
        finally:
            process.send_signal(signal.SIGINT)  # if it stands still
            try:
                process.wait(10)
            finally:
                process.kill()


def echoes(near: socket.socket, target: socket.socket) -> socket.socket | None:
    """The far end of `near`, once a word has passed; None if it was turned away."""
    near.settimeout(5)
    try:
        near.sendall(b"word")
        target.settimeout(2)
        far, _ = target.accept()
        assert far.recv(4) == b"word"
    except (TimeoutError, ConnectionError):
        return None
    return far


@pytest.mark.parametrize("files", [30, 31])
def test_more_connections_than_files_are_refused(files: int) -> None:
    """With none or one left for the next; those that were there go on, and later ones pass."""
    with (
        socket.create_server(("127.0.0.1", 0)) as target,
        running(target.getsockname()[1]) as (process, port),
    ):
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (files, files))
        nears, fars = [], []
        while len(nears) < 40:
            nears.append(socket.create_connection(("127.0.0.1", port), timeout=5))
            far = echoes(nears[-1], target)
            if far is None:
                break
            fars.append(far)
        assert 3 < len(fars) < 20
        fars[0].sendall(b"back")
        assert nears[0].recv(4) == b"back"
        for end in (*nears, *fars):
            end.close()
        with socket.create_connection(("127.0.0.1", port), timeout=5) as near:
            last = echoes(near, target)
        assert last is not None
        last.close()


def test_a_network_that_nobody_listens_to_ends() -> None:
    """As behind `| head`: it does not stand there and pass nothing."""
    with ScriptedBroker() as broker, running(broker.port, "--twice", "0") as (process, port):
        assert process.stdout is not None
        process.stdout.close()
        client = Client(port)
        client.publish(1)
        assert process.wait(10) != 0
        client.close()


def test_a_network_stands_until_ctrl_c_and_says_what_passed() -> None:
    """A CONNECT and two PUBLISH of a stranger's client, of which the second is forgotten."""
    with ScriptedBroker() as broker:
        port = free_port()
        words = ["--listen", str(port), "--to", f"localhost:{broker.port}", "--forget", "2"]
        command = [sys.executable, "-m", "edge_agent", "sim", "link", *words]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(f"from 127.0.0.1:{port} to localhost:")
            client = Client(port)
            for mid in (1, 2):
                client.publish(mid)
                assert client.hear() == packets.puback(mid)
            said = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=10)
        client.close()
    assert said == "PUBLISH up acknowledged and forgotten, connection 1\n"
    assert [one.mid for one in broker.heard if one.kind == "PUBLISH"] == [1]
    assert "1 connections" in rest
    assert "up    PUBLISH" in rest
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--listen", "x", "--to", "h:1"], "has no port"),
        (["--listen", "0", "--to", "h"], "has no port"),
        (["--listen", "0", "--to", "h:99999"], "has no port"),
        (["--listen", "203.0.113.1:0", "--to", "127.0.0.1:1"], "Cannot assign"),
        (["--listen", "0", "--to", "127.0.0.1:1", "--cut", "PUBLISH:0:1"], "PUBLISH:3:17"),
        (["--listen", "0", "--to", "127.0.0.1:1", "--cut", "PUBLISH"], "PUBLISH:3:17"),
        (["--listen", "0", "--to", "127.0.0.1:1", "--cut", "NONE:1:1"], "PUBLISH:3:17"),
        (["--listen", "0", "--to", "127.0.0.1:1", "--cut", "PUBLISH:1:1:out"], "PUBLISH:3:17"),
        (["--listen", "0", "--to", "127.0.0.1:1", "--rate", "0"], "0 is not in the range"),
    ],
)
def test_bad_input_is_one_line(words: list[str], said: str) -> None:
    """Which names what is wrong."""
    result = CliRunner().invoke(cli, ["sim", "link", *words])
    assert result.exit_code != 0
    assert said in f"{result.output}{result.exception}"
