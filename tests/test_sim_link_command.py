"""`edge-agent sim link` as it is typed."""

import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner
from test_sim_trouble import Client

from edge_agent.cli import cli
from edge_agent.sim import packets
from edge_agent.sim.broker import free_port
from edge_agent.sim.scripted_broker import ScriptedBroker


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
