"""`edge-agent sim`: a terminal without hardware."""

import signal
import threading
from contextlib import suppress
from pathlib import Path

import click

from edge_agent.cli.sim_link import link
from edge_agent.errors import EdgeAgentError
from edge_agent.sim.crowd import describe
from edge_agent.sim.crowd import play as crowd_play
from edge_agent.sim.day import SITE
from edge_agent.sim.demo import play
from edge_agent.sim.faults import FAULTS
from edge_agent.sim.gnss import standing
from edge_agent.sim.modem import MODELS, RECEPTIONS
from edge_agent.sim.modem import standing as modem_standing
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.replay import replay_file
from edge_agent.sim.shelf import KINDS, present

_LATITUDE = click.FloatRange(-90, 90)
_LONGITUDE = click.FloatRange(-180, 180)


@click.group()
def sim() -> None:
    """Devices that are not here, on pseudo-terminals; and a demonstration of the whole."""


sim.add_command(link)


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
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("port")
@click.argument("what", nargs=-1)
@click.option("--every", default=3.0, show_default=True, type=click.FloatRange(0.1, 3600))
@click.option("--held", default=1.0, show_default=True, type=click.FloatRange(0.05, 600))
@click.option("--times", default=1, show_default=True, type=click.IntRange(1, 10_000))
def scanner(
    kind: str, port: str, what: tuple[str, ...], every: float, held: float, times: int
) -> None:
    """Be a scanner at PORT, a pseudo-terminal made there, and have WHAT presented one by one.

    WHAT is ten hex digits for rdm6300 and id12la, any text for text and qr, for pn532 a UID of 8,
    14 or 20 hex digits or e-ktp, sim, mifare-1k, ntag, desfire or phone, for fingerprint a finger's
    name, with =SLOT if it is enrolled. It is held --held seconds, the next one comes --every
    seconds later, and all of it --times over, once somebody has opened PORT.
    """
    _end_like_ctrl_c()
    done = present(kind, port, what, every_s=every, held_s=held, times=times)
    click.echo(f"{len(done)} presented at {port} ({kind}): {', '.join(dict.fromkeys(done))}")


@sim.command()
@click.argument("port")
@click.option("--latitude", default=SITE.latitude, show_default=True, type=_LATITUDE)
@click.option("--longitude", default=SITE.longitude, show_default=True, type=_LONGITUDE)
@click.option("--fault", "faults", multiple=True, type=click.Choice(tuple(FAULTS)))
@click.option("--rate", default=1.0, show_default=True, type=click.FloatRange(0.1, 10), help="Hz.")
@click.option("--every-sentence", is_flag=True, help="Four systems and every type of sentence.")
@click.option("--seconds", default=600.0, show_default=True, type=click.FloatRange(1, 86_400))
def gnss(
    port: str,
    latitude: float,
    longitude: float,
    faults: tuple[str, ...],
    rate: float,
    every_sentence: bool,
    seconds: float,
) -> None:
    """Be a GNSS receiver at PORT, a pseudo-terminal made there, for so many seconds.

    It talks from the start and says this machine's time, whether or not somebody has opened PORT.
    """
    _end_like_ctrl_c()
    receiver = GnssReceiver(latitude, longitude, every_sentence=every_sentence)
    for fault in faults:
        FAULTS[fault](receiver)
    with standing(port, receiver, 1 / rate):
        click.echo(f"receiver at {port}: {', '.join(faults) or 'healthy'}")
        threading.Event().wait(seconds)


@sim.command()
@click.argument("port")
@click.option("--model", default="sim7600", show_default=True, type=click.Choice(MODELS))
@click.option("--reception", default="good", show_default=True, type=click.Choice([*RECEPTIONS]))
@click.option("--seconds", default=600.0, show_default=True, type=click.FloatRange(1, 86_400))
def modem(port: str, model: str, reception: str, seconds: float) -> None:
    """Be a mobile modem at PORT, a pseudo-terminal made there, for so many seconds.

    It takes the AT commands that ask how well it hears, and speaks up when nobody asked.
    """
    _end_like_ctrl_c()
    with modem_standing(port, model, reception) as one:
        click.echo(f"modem at {port}: {model}, {reception}")
        threading.Event().wait(seconds)
        click.echo(f"asked {one.told.total()} commands")


@sim.command()
@click.option("--seconds", default=45, show_default=True, type=click.IntRange(30, 600))
@click.option("--keep", type=click.Path(path_type=Path), help="Keep journal and database here.")
def demo(seconds: int, keep: Path | None) -> None:
    """An office day with an outage in the middle; exit 0 only if nothing is lost or doubled."""
    _end_like_ctrl_c()
    if keep is not None and (keep / "journal.db").exists():
        hint = "name an empty directory, or remove it"
        raise EdgeAgentError("play in", str(keep), "an earlier play lies there", hint)
    if not play(seconds, keep, click.echo):
        raise click.exceptions.Exit(1)


@sim.command()
@click.option("--minutes", default=15.0, show_default=True, type=click.FloatRange(0.2, 240))
def crowd(minutes: float) -> None:
    """Thirty people a minute at six kinds of scanner of one terminal; exit 0 if each is a punch."""
    _end_like_ctrl_c()
    outcome = crowd_play(minutes, click.echo)
    for line in describe(outcome):
        click.echo(line)
    if not outcome.holds:
        raise click.exceptions.Exit(1)


def _end_like_ctrl_c() -> None:
    """Whatever ends us, what was started and made here goes with us."""
    with suppress(ValueError):  # in a thread: whoever started that ends it
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
