"""The organisation's key, which conceals credentials: made once, copied to every terminal."""

import os
from pathlib import Path

import click

from edge_agent.contract import credentials
from edge_agent.errors import EdgeAgentError


@click.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
def new_key(file: Path) -> None:
    """Make the organisation's credential key in FILE; it never replaces one."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "with another key every card would be a stranger; choose a new file"
        cause = error.strerror or str(error)
        raise EdgeAgentError("make the credential key", str(file), cause, hint) from None
    with os.fdopen(descriptor, "w") as out:
        out.write(os.urandom(credentials.KEY_BYTES).hex() + "\n")
    click.echo(f"{file}: copy it to every terminal of the organisation, and keep it secret")
