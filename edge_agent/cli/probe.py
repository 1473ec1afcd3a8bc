"""`edge-agent probe`: what hangs on which serial port."""

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edge_agent import config, profile
from edge_agent.cli.options import terminal_config
from edge_agent.errors import ConfigError
from edge_agent.ports import listing
from edge_agent.profile import BoardProfile, GnssProfile
from edge_agent.technician import model as models_
from edge_agent.technician.ear import speeds
from edge_agent.technician.model import Candidate, Model, Report
from edge_agent.technician.probe import probe as look_at
from edge_agent.technician.proposal import Names, board_of, uart_of


@click.command()
@click.argument("ports", metavar="[PORT]...", nargs=-1)
@click.option(
    "--seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.1, 60),
    help="To listen at each speed; a receiver speaks once a second.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@terminal_config
def probe(ports: tuple[str, ...], seconds: float, as_json: bool, path: Path) -> None:
    """Look at every serial port, or at each PORT, and say which profile fits what is there.

    Listens first, and asks only where nothing talks; changes nothing in any device. PORT may be a
    file of captured bytes, too. Exit 0 if something was found.
    """
    places = list({one.device: one for one in map(listing.find, ports)}.values())
    places = places if ports else listing.serial_ports()
    models = models_.models(lambda error: click.echo(f"left out: {error}", err=True))
    board = board_of(listing.board_model(), map(profile.board, profile.known("boards")))
    names = Names(_configuration(path))
    _say_what_to_do(places, models, seconds)
    found = []
    with closing(look_at(places, models, seconds)) as reports:
        for report in reports:
            found.append(_data(report, names, models, board))
            if not as_json:
                click.echo("\n".join(_paragraph(found[-1])) + "\n")
    if as_json:
        said = {"ports": found, "board": asdict(board) if board else None}
        click.echo(json.dumps(said, indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_end(found, board, everything=not ports)), nl=False)
    if not any(one["sure"] for one in found):
        raise click.exceptions.Exit(1)


def _configuration(path: Path) -> config.Config | None:
    """What is configured so far; a file that is still being written is no reason to stop."""
    try:
        path.stat()
    except OSError:
        return None
    try:
        return config.load(path)
    except ConfigError as error:
        click.echo(f"names are proposed without looking into it: {error}", err=True)
        return None


def _say_what_to_do(places: list[listing.Listed], models: list[Model], seconds: float) -> None:
    if all(place.captured for place in places):
        return
    tried = ", ".join(map(str, speeds(models)))
    click.echo(
        f"listening at {tried} baud, {seconds:g} s each, to all ports at once:"
        " hold a card to each reader now, take it away, hold it again, and so on\n",
        err=True,
    )


def _data(
    report: Report, names: Names, models: list[Model], board: BoardProfile | None
) -> dict[str, Any]:
    """A report as plain values."""
    finding, place = report.finding, report.place
    configured = names.configured(place.device)
    proposal = names.propose(report)
    uart = uart_of(place.device, board)
    return {
        **asdict(place),
        "usual_for": [one.name for one in models if place.usb and one.has_usb(place.usb)],
        "uart": asdict(uart) if uart else None,
        "configured": configured.name if configured else None,
        "state": report.state,
        "trouble": report.trouble,
        "hint": report.hint,
        "asked": report.asked,
        "sure": finding.sure if finding else None,
        "why": finding.why if finding else "",
        "candidates": [_candidate(one) for one in finding.candidates] if finding else [],
        "add": proposal.lines if proposal else [],
        "note": proposal.note if proposal else "",
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {
        "profile": one.model.name,
        "kind": "gnss" if isinstance(one.model.profile, GnssProfile) else "scanner",
        "title": one.model.profile.title,
        "baud": one.baud or one.model.profile.baud,
        "reads": one.reads,
    }


def _paragraph(found: dict[str, Any]) -> list[str]:
    """One port for a person to read."""
    out = [_head(found)]
    if found["trouble"]:
        word = "nothing found" if found["state"] == "open" else found["state"]
        whose = f" (agent.toml: {found['configured']})" if found["configured"] else ""
        out += [f"  {word}: {found['trouble']}{whose}", f"  to do: {found['hint']}"]
    if not found["sure"]:
        return out
    best = found["candidates"][0]
    out.append(f"  {found['sure']}: {best['profile']} ({best['title']})")
    out += [f"  because: {found['why']}", *_readings(found["candidates"]), "  for agent.toml:"]
    out += [f"    {line}" for line in found["add"]]
    return [*out, f"  note: {found['note']}"] if found["note"] else out


def _readings(candidates: list[dict[str, Any]]) -> list[str]:
    """What each profile makes of it, those that agree on one line: to be compared with the card."""
    agreeing: dict[str, list[str]] = {}
    for one in candidates:
        agreeing.setdefault(" ".join(one["reads"]), []).append(one["profile"])
    if set(agreeing) == {""}:
        others = [one["profile"] for one in candidates[1:]]
        return [f"  fits as well: {' '.join(others)}"] if others else []
    return ["  reads:", *(f"    {read or '-'}  by {' '.join(by)}" for read, by in agreeing.items())]


def _head(found: dict[str, Any]) -> str:
    said = [found["device"]] if found["device"] != found["port"] else []
    if found["usb"]:
        usual = f", usual for {' '.join(found['usual_for'])}" if found["usual_for"] else ""
        said.append(f"USB {found['usb']} {found['product']}".rstrip() + usual)
    if found["uart"]:
        said.append(_pins(found["uart"]))
    if found["captured"]:
        said.append("captured")
    return f"{found['port']}  {'; '.join(said)}".rstrip()


def _pins(uart: dict[str, Any]) -> str:
    pins = f"RX pin {uart['rx']}, TX pin {uart['tx']}, up to {uart['fastest']} baud"
    return f"{pins}, config.txt: {uart['config']}" if uart["config"] else pins


def _end(found: list[dict[str, Any]], board: BoardProfile | None, *, everything: bool) -> list[str]:
    """What concerns no single port; ends with an empty line if there is any."""
    out = []
    if not found:
        out += ["no serial port on this machine: plug one in, or switch its UARTs on"]
    if board and everything:
        out.append(f"{board.title} has on its pins:")
        out += [
            f"  {uart.device}{'' if Path(uart.device).exists() else ' (not there now)'}: "
            + _pins(asdict(uart))
            for uart in board.uart
        ]
    return [*out, ""] if out else []
