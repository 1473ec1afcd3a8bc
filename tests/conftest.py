"""What every test file may use."""

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import recovering
from hypothesis import settings
from scenario import HEAD, ROWS, MakeScene, Scene

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


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> MakeScene:
    """Makes the scenes of a test; what becomes of their taps is printed when all tests are over."""
    rows = request.config.stash.setdefault(ROWS, [])
    made = count()

    def make(name: str, utc: datetime, **wanted: Any) -> Scene:
        work = tmp_path / str(next(made))
        work.mkdir()
        return Scene(name, work, utc, rows, **wanted)

    return make


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The scenarios: every tap, its time against the truth; and what a hostile link came to."""
    told = config.stash.get(ROWS, [])
    _print(terminalreporter, "time and place of every tap", HEAD, told, 2)
    suffered = config.stash.get(recovering.ROWS, [])
    _print(terminalreporter, "a link that does its worst", recovering.HEAD, suffered, 5)


def _print(
    reporter: pytest.TerminalReporter,
    title: str,
    head: tuple[str, ...],
    rows: list[tuple[str, ...]],
    right: int,
) -> None:
    """A table, if it has rows; its last `right` columns are flush right."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    reporter.section(title)
    for row in (head, *rows):
        cells = list(zip(row, widths, strict=True))
        told = [cell.ljust(width) for cell, width in cells[:-right]]
        told += [cell.rjust(width) for cell, width in cells[-right:]]
        reporter.write_line("  ".join(told).rstrip())
