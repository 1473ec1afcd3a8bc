"""`edge-agent sim`: a terminal without hardware."""

import signal
from pathlib import Path

import click

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.demo import play
from edge_agent.sim.replay import replay_file


@click.group()
def sim() -> None:
    """Devices that are not here, on pseudo-terminals; and a demonstration of the whole."""


@sim.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("port")
@click.option("--rate", default=9600, show_default=True, type=click.IntRange(300), help="In baud.")
def replay(file: Path, port: str, rate: int) -> None:
    """Send the captured log FILE down PORT as if live.

    PORT is a serial port, or a path that does not exist yet: then a pseudo-terminal is made there
    and the log is sent once somebody has opened it.
    """
    click.echo(f"{replay_file(file, port, rate)} bytes sent down {port}")


@sim.command()
@click.option("--seconds", default=45, show_default=True, type=click.IntRange(30, 600))
@click.option("--keep", type=click.Path(path_type=Path), help="Keep journal and database here.")
def demo(seconds: int, keep: Path | None) -> None:
    """An office day with an outage in the middle; exit 0 only if nothing is lost or doubled."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # end like Ctrl-C, with everything started here
        signal.signal(number, signal.default_int_handler)
    if keep is not None and (keep / "journal.db").exists():
        hint = "name an empty directory, or remove it"
        raise EdgeAgentError("play in", str(keep), "an earlier play lies there", hint)
    if not play(seconds, keep, click.echo):
        raise click.exceptions.Exit(1)
