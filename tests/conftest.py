"""What every test file may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.broker import Broker

ROOT = Path(__file__).resolve().parent.parent

#: A busy machine is no reason to fail, and what was found once is written down as an example.
settings.register_profile("edge-agent", deadline=None, database=None)
settings.load_profile("edge-agent")


def shared(path: str) -> Path:
    """A file of the shared folder of facts and captures; skips the test where there is none.

    The folder is named by the environment variable EDGE_AGENT_SHARED, or lies beside the checkout.
    """
    folder = Path(os.environ.get("EDGE_AGENT_SHARED", ROOT.parent / "shared"))
    found = folder / path
    if not found.exists():
        pytest.skip(f"{found} is not there; set EDGE_AGENT_SHARED to the shared folder")
    return found


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A mosquitto that keeps all it has acknowledged; skips the test where there is none."""
    try:
        one = Broker(persistence=True, max_queued=0, name="mosquitto")
    except EdgeAgentError as error:
        pytest.skip(str(error))
    with one:
        yield one
