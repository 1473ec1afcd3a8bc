"""`edge-agent enrol`: bind a card or a finger to a person, beside the running agent."""

from collections.abc import Mapping
from pathlib import Path

import click

from edge_agent import config
from edge_agent.cli.options import terminal_config
from edge_agent.ports import control

#: Longer than the agent itself waits for a card or a finger.
_PATIENCE_S = 90

_scanner = click.option("--scanner", default="", help="Needed only if several would do.")
_person = click.option("--person", required=True, help="Person id, as the roster has it.")
_name = click.option("--name", default="", help="Display name, if no roster has it.")
_instead_of = click.option(
    "--instead-of", default="", help="Person id to whom it was bound here by mistake."
)


@click.group()
def enrol() -> None:
    """Bind a card or a finger to a person.

    The agent goes on: other scanners take punches as ever, and what is known already is a punch at
    this one, too. What was presented and not bound is kept as a punch of an unknown.
    """


@enrol.command()
@_person
@_name
@_instead_of
@_scanner
@terminal_config
def card(person: str, name: str, instead_of: str, scanner: str, path: Path) -> None:
    """Bind a card, presented twice, to a person."""
    who = {"person": person, "name": name, "instead_of": instead_of}
    _ask(path, {"do": "card", "scanner": scanner, **who})


@enrol.command()
@_person
@_name
@_instead_of
@_scanner
@terminal_config
def finger(person: str, name: str, instead_of: str, scanner: str, path: Path) -> None:
    """Bind a finger, placed twice, to a person. Its template stays in the module."""
    who = {"person": person, "name": name, "instead_of": instead_of}
    _ask(path, {"do": "finger", "scanner": scanner, **who})


@enrol.command()
@click.argument("scanner")
@terminal_config
def forget(scanner: str, path: Path) -> None:
    """Another fingerprint module hangs at SCANNER for good: nobody's finger is known there."""
    _ask(path, {"do": "forget", "scanner": scanner})


def _ask(path: Path, words: Mapping[str, str]) -> None:
    """Print what the agent says; exit code 1 if it refuses."""
    wanted = config.load(path)
    for text, end in control.ask(Path(wanted.files.control), words, _PATIENCE_S):
        click.echo(text, err=end == control.REFUSED)
        if end == control.REFUSED:
            raise click.exceptions.Exit(1)
