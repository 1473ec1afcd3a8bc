"""The organisation's keys, each made once: one conceals credentials, one opens what is carried."""

import os
from pathlib import Path

import click

from edge_agent.contract import bundle, credentials
from edge_agent.errors import EdgeAgentError


@click.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
def new_key(file: Path) -> None:
    """Make the organisation's credential key in FILE; it never replaces one."""
    hint = "with another key every card would be a stranger; choose a new file"
    _keep("make the credential key", file, os.urandom(credentials.KEY_BYTES).hex(), hint)
    click.echo(f"{file}: copy it to every terminal of the organisation, and keep it secret")


@click.command("new-organisation-key")
@click.argument("file", type=click.Path(path_type=Path))
def new_organisation_key(file: Path) -> None:
    """Make the organisation's private key in FILE, which opens bundles; it never replaces one.

    Prints the public key, which belongs on every terminal.
    """
    hint = "with another key no bundle that is on its way could be opened; choose a new file"
    private = bundle.new_key()
    _keep("make the organisation's key", file, private, hint)
    click.echo(f"{file}: keep it secret, it opens every bundle; on every terminal:", err=True)
    click.echo("/etc/edge-agent/organisation.pub shall hold this line:", err=True)
    click.echo(bundle.public_key(private))


def _keep(operation: str, file: Path, key: str, hint: str) -> None:
    """Write a new key for its owner only. Raises EdgeAgentError where there is something."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        cause = error.strerror or str(error)
        if not isinstance(error, FileExistsError):
            hint = "name a file in a directory that is there and takes it"
        raise EdgeAgentError(operation, str(file), cause, hint) from None
    with os.fdopen(descriptor, "w") as out:
        out.write(key + "\n")
        out.flush()
        os.fsync(out.fileno())
