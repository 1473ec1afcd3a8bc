"""A technician is told when chronyd does not get the receiver's time."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from test_timekeeping import Clocks, Terminal

from edge_agent.ports.chrony import RefClock
from edge_agent.terminal.timekeeping import Timekeeping


def test_a_chronyd_that_is_not_there_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which socket and what to look at, not at every offer; and when it takes them."""
    caplog.set_level("INFO", "edge_agent")
    path = tmp_path / "sock"
    one = Terminal(tmp_path, Clocks())
    with closing(one.journal), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chronyd:
        one.time = Timekeeping(
            one.journal, one.clocks, one.incidents, one.appended.append, 1000, RefClock(path)
        )
        one.receive(10)
        chronyd.bind(str(path))
        one.receive(2)
    refused, taken = (text for text in caplog.messages if "chrony" in text)
    assert refused.startswith(f"offer time to chrony at {path}: not taken; see that chronyd runs")
    assert taken == f"chrony takes the receiver's time at {path}"
