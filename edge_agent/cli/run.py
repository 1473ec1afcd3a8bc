"""`edge-agent run`: the agent on the wall."""

from pathlib import Path

import click

from edge_agent.cli import logs
from edge_agent.cli.options import terminal_config
from edge_agent.terminal import assembly


@click.command()
@terminal_config
def run(path: Path) -> None:
    """Run the agent until it is told to stop (SIGTERM or Ctrl-C)."""
    logs.to_stderr()
    assembly.run(path)
