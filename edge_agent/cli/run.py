"""`edge-agent run`: the agent on the wall."""

from pathlib import Path

import click

from edge_agent.cli import logs
from edge_agent.terminal import assembly


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("/etc/edge-agent/agent.toml"),
    show_default=True,
    help="The terminal's configuration.",
)
def run(path: Path) -> None:
    """Run the agent until it is told to stop (SIGTERM or Ctrl-C)."""
    logs.to_stderr()
    assembly.run(path)
