"""`edge-agent central`: the reference central and what it can say."""

import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import click

from edge_agent.central import announce, proofs, settings
from edge_agent.central import gaps as missing
from edge_agent.central import roster as rosters
from edge_agent.central.schema import opened
from edge_agent.central.serve import Central, wall_ms
from edge_agent.central.store import Store
from edge_agent.cli import keys, logs
from edge_agent.cli.carried import import_bundles
from edge_agent.cli.enrolments import enrolments
from edge_agent.cli.options import central_config
from edge_agent.cli.punches import punches
from edge_agent.cli.rollcall import rollcall
from edge_agent.cli.signal import signal as signal_report
from edge_agent.cli.table import output_options, show
from edge_agent.contract import topics
from edge_agent.errors import EdgeAgentError
from edge_agent.ports.systemd import Notifier
from edge_agent.terminal.keys import credential_key

#: Exit code of a proof that only what is lost speaks against; 2 is a command that cannot be read.
_LOST = 3


@click.group()
def central() -> None:
    """The reference central: receive, prove, and say who is present."""


central.add_command(keys.new_key)
central.add_command(keys.new_organisation_key)
central.add_command(import_bundles)
central.add_command(central_config(rollcall))
central.add_command(central_config(enrolments))
central.add_command(central_config(punches))
central.add_command(central_config(signal_report))


@central.command()
@central_config
def serve(path: Path) -> None:
    """Receive from the broker until told to stop (SIGTERM or Ctrl-C)."""
    logs.to_stderr()
    wanted = settings.load(path)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    notifier = Notifier()
    with Store(Path(wanted.database)) as store:
        serving = Central(settings.options(wanted), store)
        notifier.ready()
        serving.run(stop, lambda: notifier.alive(time.monotonic_ns() // 1_000_000))
    notifier.stopping()


@central.command()
@central_config
@output_options
def gaps(path: Path, form: str | None) -> None:
    """What is missing or does not add up in each journal, and what was refused."""
    with opened(Path(settings.load(path).database)) as db:
        journals, refused = missing.gaps(db), missing.refusals(db)
    show(journals, missing.JournalGaps, form)
    if form is None and refused:
        click.echo("\nrefused:")
        show(refused, missing.Refusal, None)


@central.command()
@central_config
@click.option("--terminal", help="Only the journals of this terminal.")
@output_options
def prove(path: Path, terminal: str | None, form: str | None) -> None:
    """Follow every chain and check every seal again, from the stored texts.

    Exit 1 if anything is broken or missing; exit 3 if nothing is, but entries are lost: a database
    had them that is no more, and their terminal says that it does not hold them any longer.
    """
    with opened(Path(settings.load(path).database)) as db:
        found = proofs.proofs(db, terminal)
    if not found:
        hint = "see `edge-agent central gaps` for the journals that are stored"
        raise EdgeAgentError("prove", terminal or "the database", "it holds no journal", hint)
    show(found, proofs.Proof, form)
    if any(one.broken for one in found):
        raise click.exceptions.Exit(1)
    if not all(one.holds for one in found):
        raise click.exceptions.Exit(_LOST)


def _terminal(_context: object, _parameter: object, found: Any) -> Any:
    """Names of terminals as they can be; a callback of click's."""
    for name in (found,) if isinstance(found, str) else found:
        if not re.fullmatch(topics.TERMINAL_PATTERN, name):
            said = "a terminal's name is lower-case letters, digits and hyphens"
            raise click.BadParameter(f'"{name}": {said}')
    return found


@central.command()
@central_config
@click.argument("terminal", callback=_terminal)
@click.argument("key")
def trust(path: Path, terminal: str, key: str) -> None:
    """Accept KEY (64 hex digits) as the TERMINAL's from now on, after a repair."""
    if len(key) != 64 or not set(key) <= set("0123456789abcdef"):
        hint = "copy it from the refusal that `edge-agent central gaps` shows"
        raise EdgeAgentError("trust", terminal, "a key is 64 lower-case hex digits", hint)
    with Store(Path(settings.load(path).database)) as store:
        store.trust(terminal, key)
    click.echo(f"{terminal} is trusted with {key}")


@central.command()
@central_config
@click.argument("terminal")
def retire(path: Path, terminal: str) -> None:
    """Wait no longer for TERMINAL in roll-calls, until it is heard again."""
    with Store(Path(settings.load(path).database)) as store:
        known = store.retire(terminal, wall_ms())
    if not known:
        hint = "see `edge-agent central gaps` for those that are known"
        raise EdgeAgentError("retire", terminal, "no such terminal", hint)
    click.echo(f"{terminal} is not waited for any more")


@central.group()
def roster() -> None:
    """Who holds which card, and where they belong."""


@roster.command("import")
@central_config
@click.argument("file", type=click.Path(path_type=Path))
def import_(path: Path, file: Path) -> None:
    """Replace the roster by FILE, a CSV with the columns card, person, name, site."""
    wanted = settings.load(path)
    register = rosters.read(file, credential_key(Path(wanted.credential_key)))
    if not register.people:
        hint = "a roster replaces the one before as a whole: put the people into it"
        raise rosters.RosterError("import the roster", str(file), "it names nobody", hint)
    with Store(Path(wanted.database)) as store:
        version = store.enlist(register, wall_ms())
    click.echo(
        f"roster version {version}: {len(register.people)} people, {register.cards} cards,"
        f" {len(register.holders)} numbers under which readers know them"
    )
    if register.ambiguous:
        click.echo(
            f"short numbers that cards of two persons share: {len(register.ambiguous)};"
            " a reader that gives only that part of a card's number, such as Wiegand-26, cannot"
            " tell whose it is, and a punch there has no name"
        )


@roster.command()
@central_config
@click.argument("terminals", nargs=-1, callback=_terminal)
def publish(path: Path, terminals: tuple[str, ...]) -> None:
    """Send the roster to TERMINALS, or to every terminal that is known."""
    wanted = settings.load(path)
    with opened(Path(wanted.database)) as db:
        told = announce.publish_roster(settings.options(wanted), db, terminals)
    click.echo(f"published to {', '.join(told)}")


@roster.command()
@central_config
@click.argument("terminal", callback=_terminal)
@click.argument("file", type=click.Path(path_type=Path))
def export(path: Path, terminal: str, file: Path) -> None:
    """Write the roster for TERMINAL to FILE, to be carried there: `edge-agent roster FILE`."""
    with opened(Path(settings.load(path).database)) as db:
        data = announce.roster_message(db, terminal)
    try:
        file.write_bytes(data)
    except OSError as error:
        cause = error.strerror or str(error)
        raise EdgeAgentError("write", str(file), cause, "choose another place") from None
    click.echo(f"{file}: {len(data)} bytes for {terminal}")
