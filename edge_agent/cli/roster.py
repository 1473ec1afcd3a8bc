"""`edge-agent roster`: who holds which card, for a terminal that no network reaches."""

from pathlib import Path

import click

from edge_agent import config
from edge_agent.cli.options import terminal_config
from edge_agent.contract import messages
from edge_agent.errors import ConfigError, MessageError
from edge_agent.journal import Journal


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@terminal_config
def roster(file: Path, path: Path) -> None:
    """Put the roster in FILE in force on this terminal, also while the agent runs.

    FILE is made by `edge-agent central roster export`; it holds no card numbers.
    """
    wanted = config.load(path)
    operation, subject = "put the roster in force", str(file)
    hint = "make it with `edge-agent central roster export`"
    try:
        found = messages.decode_roster(file.read_bytes())
    except OSError as error:
        cause = error.strerror or str(error)
        raise ConfigError(operation, subject, cause, hint) from None
    except MessageError as error:
        raise ConfigError(operation, subject, str(error), hint) from None
    if found.terminal != wanted.terminal:
        raise ConfigError(operation, subject, f"it is for the terminal {found.terminal}", hint)
    journal = Journal(Path(wanted.files.journal), wanted.terminal)
    try:
        if not journal.roster.replace(found.version, found.people):
            cause = f"version {found.version} is not newer than {journal.roster.version}"
            raise ConfigError(operation, subject, cause, "export a newer one at the central")
    finally:
        journal.close()
    click.echo(f"roster version {found.version}: {len(found.people)} credentials in force")
