"""Options that several commands have."""

from pathlib import Path

import click

terminal_config = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("/etc/edge-agent/agent.toml"),
    show_default=True,
    help="The terminal's configuration.",
)

central_config = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("/etc/edge-agent/central.toml"),
    show_default=True,
    help="The central's configuration.",
)
