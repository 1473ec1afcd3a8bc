"""The organisation's key is made once, and long work says how long it will take."""

import stat
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.cli.progress import line
from edge_agent.contract import bundle
from edge_agent.errors import EdgeAgentError


def test_an_organisations_key_is_made_once(tmp_path: Path) -> None:
    """For its owner only; what is printed is the public one."""
    file = tmp_path / "organisation.key"
    words = ["central", "new-organisation-key", str(file)]
    said = CliRunner().invoke(cli, words)
    private = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert said.output.splitlines()[-1] == bundle.public_key(private)
    assert private not in said.output
    again = CliRunner().invoke(cli, words).exception
    assert isinstance(again, EdgeAgentError)
    assert file.read_text().strip() == private


def test_progress_says_how_long_it_will_take() -> None:
    """In seconds, then minutes; nothing is divided by nothing."""
    assert line("exporting", 450, 1000, "entries", 9.0) == (
        "exporting: 45 %, 450 of 1,000 entries, 11 s left"
    )
    assert line("importing", 1, 1000, "bytes", 1.0).endswith("17 min left")
    assert line("importing", 0, 0, "bytes", 0.0).endswith("0 s left")


def test_what_the_system_refuses_to_look_at_is_named(tmp_path: Path) -> None:
    """A path that no room has opened yet is not the output."""
    long = tmp_path / ("a" * 300)
    command = [sys.executable, "-m", "edge_agent", "sim", "demo", "--keep", str(long)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"edge-agent: use {long}/journal.db: File name too long; look at what was named\n"
    assert (done.returncode, done.stderr) == (1, said)
