"""`edge-agent export`: what the central has not, onto a stick; its receipts, from the stick."""

import os
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import click

from edge_agent import config
from edge_agent.cli.options import terminal_config
from edge_agent.cli.progress import Progress
from edge_agent.contract import bundle, chain, messages
from edge_agent.errors import ConfigError, EdgeAgentError, MessageError
from edge_agent.journal.beside import Beside
from edge_agent.ports import control, files
from edge_agent.records import Signal
from edge_agent.technician.export import export as write
from edge_agent.terminal import keys
from edge_agent.terminal.assembly import lock_file

_PATIENCE_S = 10
#: The light is said again while it is written: a tap in between has its own.
_LIGHT_EVERY_S = 4.0
_LIGHTS = {
    "carry": Signal.CARRYING,
    "pull": Signal.CARRIED,
    "failed": Signal.UNCARRIED,
}


@click.command()
@click.option(
    "--bundle",
    "target",
    is_flag=False,
    flag_value=".",
    type=click.Path(path_type=Path),
    help="Where to write: a directory, such as a mounted stick, or a NAME.bundle; else here.",
)
@click.option("--all", "everything", is_flag=True, help="Also what the central has already.")
@click.option(
    "--light",
    type=click.Choice(list(_LIGHTS)),
    help="Have the panel show it: carry while it is written, red if it fails. Alone, only show.",
)
@terminal_config
def export(target: Path | None, light: str | None, path: Path, *, everything: bool) -> None:
    """Write what the central has not received as a bundle, and take its receipts from the stick.

    Beside a running agent, or without one. What lies there whole is not written again, so whatever
    interrupts it, run it again.
    """
    wanted = config.load(path)
    if target is None:
        if light is None:
            raise click.UsageError("nothing to do: say --bundle DIR")
        _ask(wanted, {"do": "light", "show": _LIGHTS[light].value})
        return
    lamp = _Lamp(wanted) if light else None
    try:
        _export(wanted, target, lamp, everything=everything)
    except BaseException:
        if lamp:
            lamp.show(Signal.UNCARRIED)
        raise


class _Lamp:
    """The panel of the running agent, if there is one."""

    def __init__(self, wanted: config.Config) -> None:
        self._wanted = wanted
        self._next = 0.0

    def show(self, signal: Signal) -> None:
        with suppress(EdgeAgentError):  # no agent, no lamp; the export goes on
            _ask(self._wanted, {"do": "light", "show": signal.value})

    def keep(self) -> None:
        """It is being written still."""
        if time.monotonic() >= self._next:
            self.show(Signal.CARRYING)
            self._next = time.monotonic() + _LIGHT_EVERY_S


def _export(wanted: config.Config, target: Path, lamp: _Lamp | None, *, everything: bool) -> None:
    keep: Callable[[], None] = lamp.keep if lamp else lambda: None
    keep()
    organisation = _organisation_key(Path(wanted.files.organisation_key))
    sealer = _sealer(Path(wanted.files.seal_key))
    with closing(Beside(Path(wanted.files.journal))) as journal:
        if journal.terminal != wanted.terminal:
            cause = f"the journal is of {journal.terminal}"
            hint = f"name the configuration of {journal.terminal}"
            raise ConfigError("export", wanted.terminal, cause, hint)
        folder = target if target.is_dir() else target.parent
        _hand_in(wanted, journal, folder)
        with Progress("exporting", "entries") as progress:

            def told(done: int, whole: int) -> None:
                progress(done, whole)
                keep()

            done = write(journal, sealer, organisation, target, everything=everything, told=told)
    if done.there:
        click.echo(f"{done.there:,} entries lie in {folder} already")
    if done.gone:
        click.echo(f"{done.gone:,} entries are not in the journal any more, or cannot be read")
    if done.file:
        click.echo(f"{done.file}: {done.entries:,} entries; carry it to the central")
    elif not done.there:
        click.echo("the central has everything; nothing to carry")


def _hand_in(wanted: config.Config, journal: Beside, folder: Path) -> None:
    """Give the receipts that lie in `folder` to the running agent."""
    for path in sorted(one for one in folder.glob("*.receipt") if one.is_file()):
        try:
            with path.open("rb") as file:
                receipt = messages.decode_receipt(file.read(messages.MAX_SHORT_BYTES + 1))
        except (OSError, MessageError) as error:
            click.echo(f"{path}: passed over, {error}", err=True)
            continue
        if (receipt.terminal, receipt.journal) != (journal.terminal, journal.journal):
            continue
        if not files.is_locked(lock_file(wanted)):
            click.echo(f"{path}: will be taken when the agent runs; export again then", err=True)
            continue
        text = messages.encode_receipt(receipt).decode()
        try:
            click.echo(f"{path}: {_ask(wanted, {'do': 'receipt', 'receipt': text})}")
        except EdgeAgentError as error:
            click.echo(f"{path}: {error}", err=True)


def _ask(wanted: config.Config, words: dict[str, str]) -> str:
    """What the agent answers. Raises EdgeAgentError if it refuses, or is not there."""
    subject = words.get("show", words["do"])
    for text, end in control.ask(Path(wanted.files.control), words, _PATIENCE_S):
        if end == control.REFUSED:
            hint = "look at edge-agent status"
            raise EdgeAgentError("ask the agent for", subject, text, hint)
        if end:
            return text
    return ""


def _organisation_key(path: Path) -> str:
    hint = "copy the organisation's public key there: `edge-agent central new-organisation-key`"
    return files.read_key(path, "organisation's key", bundle.check_public, hint)


def _sealer(path: Path) -> chain.Sealer:
    if not path.exists():  # a fresh one would seal nothing that anybody trusts
        hint = "start the agent once, or run it with sudo"
        raise ConfigError("read the seal key", str(path), "no such file", hint)
    if not os.access(path, os.R_OK):
        raise ConfigError("read the seal key", str(path), "permission denied", "run it with sudo")
    return keys.sealer(path)
