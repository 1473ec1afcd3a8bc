"""`edge-agent provision`: the whole configuration of a new terminal."""

import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from edge_agent import config, profile, shape, toml_file
from edge_agent.cli import asking
from edge_agent.cli.options import terminal_config
from edge_agent.cli.survey import (
    Region,
    conduct,
    kelurahan_options,
    radius_option,
    refusal,
    survey_lines,
    survey_options,
    survey_warnings,
    typed_warnings,
)
from edge_agent.config import Config, Gnss, Scanner, Site
from edge_agent.errors import ConfigError, EdgeAgentError
from edge_agent.ports import listing
from edge_agent.technician import coordinates, form, rewrite
from edge_agent.technician import model as models_
from edge_agent.technician.model import Sure
from edge_agent.technician.probe import probe as look_at
from edge_agent.technician.proposal import Names
from edge_agent.technician.survey import DEFAULT_RADIUS_M, Point

_LISTEN_S = 2.0


@click.command()
@click.option("--terminal", help="Name of the terminal, one topic level.")
@click.option("--site", help="Id of the site, e.g. kec-bungi.")
@click.option("--site-name", help="Its name.")
@click.option("--zone", help=f"{form.ZONES}.")
@click.option("--broker", help="The MQTT broker, as host or host:port.")
@click.option("--topic-root", help="Root of its topics, e.g. attendance/baubau.")
@click.option("--scanner", "scanners", multiple=True, help="NAME=PORT:PROFILE; once for each.")
@click.option("--gnss-port", help="Port of the receiver.")
@click.option("--gnss-profile", default="nmea", show_default=True, help="Its profile.")
@click.option("--probe", is_flag=True, help="Take the scanners and receiver that are found now.")
@click.option("--panel", type=click.Choice(["gpio", "console"]), help="The example has gpio.")
@click.option("--latitude", help="Degrees, south negative, e.g. -5.36944.")
@click.option("--longitude", help="Degrees, e.g. 122.69396.")
@click.option("--survey", is_flag=True, help="Survey the position instead of typing it.")
@survey_options
@radius_option
@kelurahan_options
@click.option("--force", is_flag=True, help="Replace a configuration; it is kept as *.before.")
@terminal_config
def provision(path: Path, **said: Any) -> None:
    """Write the configuration of a new terminal; what is missing is asked for.

    It is the example file, filled in. Nothing is written before all of it is known to be right.
    """
    if path.exists() and not said["force"]:
        hint = "edit it, use `edge-agent site`, or replace it with --force"
        raise ConfigError(asking.PROVISION, str(path), "it exists already", hint)
    rewrite.writable(path)
    region = Region.of(said["code"], said["table"])
    try:
        wanted = _wiring(said, asking.answers(path, said))
        centre, radius, warnings = _position(said, wanted)
        wanted = replace(wanted, site=_site(wanted.site, centre, radius))
        text = form.fill(profile.example("agent.toml"), wanted)
    except shape.ShapeError as error:
        raise toml_file.wrong_shape(path, error, asking.PROVISION) from None
    hint = "please report this: it is a fault of the program"
    kept = rewrite.whole(path, text, lambda loaded: loaded == wanted, hint)
    for warning in [*warnings, *region.warnings(centre, wanted.site.zone)]:
        click.echo(f"WARNING    {warning}")
    click.echo(f"written to {path}{f'; the old file is {kept}' if kept else ''}")
    for line in _to_do(config.load(path), path):
        click.echo(f"to do: {line}")


# --- ports ----------------------------------------------------------------------------------------


def _wiring(said: dict[str, Any], answers: dict[str, str]) -> Config:
    """The configuration but for its position, which is the example's still."""
    example = _example()
    scanners, gnss = tuple(map(form.scanner, said["scanners"])), None
    if said["gnss_port"]:
        gnss = shape.load(
            Gnss, {"port": said["gnss_port"], "profile": said["gnss_profile"]}, "gnss"
        )
    if said["probe"]:
        found, receivers = probed(listing.serial_ports(), _LISTEN_S)
        scanners, gnss = (*scanners, *found), gnss or next(iter(receivers), None)
    elif sys.stdin.isatty():
        scanners = scanners or tuple(asking.scanners())
        gnss = gnss or asking.gnss(said["gnss_profile"], scanners)
    if gnss:
        profile.gnss(gnss.profile)
    return replace(
        example,
        terminal=answers["terminal"],
        site=replace(
            example.site, id=answers["site"], name=answers["site-name"], zone=answers["zone"]
        ),
        broker=form.broker(example.broker, answers["broker"], answers["topic-root"]),
        scanner=scanners,
        gnss=gnss,
        panel=replace(example.panel, kind=said["panel"] or example.panel.kind),
    )


def _example() -> Config:
    return shape.load(Config, tomllib.loads(profile.example("agent.toml")))


def probed(places: Sequence[listing.Listed], listen_s: float) -> tuple[list[Scanner], list[Gnss]]:
    """What hangs on the ports `places`, as `edge-agent probe` proposes it."""
    models = models_.models(lambda error: click.echo(f"left out: {error}", err=True))
    click.echo("hold a card to each reader now, take it away, hold it again, and so on", err=True)
    names = Names(None)
    scanners: list[Scanner] = []
    receivers: list[Gnss] = []
    with closing(look_at(places, models, listen_s)) as reports:
        for report in reports:
            proposal = names.propose(report)
            if report.finding is None or proposal is None or report.finding.sure is Sure.POSSIBLE:
                click.echo(f"left out: {report.place.port}: {report.trouble}", err=True)
                continue
            click.echo(f"{report.place.port}: {report.finding.why}", err=True)
            table = tomllib.loads("\n".join(proposal.lines))
            scanners += [shape.load(Scanner, one, "scanner") for one in table.get("scanner", ())]
            receivers += [shape.load(Gnss, table["gnss"], "gnss")] if "gnss" in table else []
    return scanners, receivers


# --- where it stands ------------------------------------------------------------------------------


def _position(said: dict[str, Any], wanted: Config) -> tuple[Point, int, list[str]]:
    """The position, typed or surveyed, the radius, and what to know of them.

    At a keyboard what fails is asked again: the answers before it must not be typed twice.
    """
    latitude, longitude, survey = said["latitude"], said["longitude"], said["survey"]
    while True:
        try:
            if survey:
                return _surveyed(said, wanted)
            if latitude and longitude:
                return _typed(said, latitude, longitude)
        except EdgeAgentError as error:
            if not sys.stdin.isatty():
                raise
            click.echo(f"Error: {error}", err=True)
        end = ", empty to survey it now" if wanted.gnss else ""
        default = "" if wanted.gnss else None
        latitude = asking.ask(
            f"Latitude, south negative, e.g. -5.36944{end}", asking.anything, default
        )
        survey = not latitude
        longitude = "" if survey else asking.ask("Longitude, e.g. 122.69396", asking.anything)


def _typed(said: dict[str, Any], latitude: str, longitude: str) -> tuple[Point, int, list[str]]:
    centre = coordinates.typed(latitude, longitude, anyway=said["anyway"])
    radius = said["radius_m"] or DEFAULT_RADIUS_M
    return centre, radius, typed_warnings(latitude, longitude, radius)


def _surveyed(said: dict[str, Any], wanted: Config) -> tuple[Point, int, list[str]]:
    found = conduct(wanted, said["minutes"])
    for line in survey_lines(found):
        click.echo(line)
    if found.centre is None or (found.refusals and not said["anyway"]):
        raise refusal(found, wanted.site.id)
    radius = said["radius_m"] or max(found.radius_m, DEFAULT_RADIUS_M)
    click.echo(f"position   {found.centre}, radius {radius} m")
    return found.centre, radius, survey_warnings(found, radius)


def _site(site: Site, centre: Point, radius: int) -> Site:
    return replace(
        site, latitude=centre.lat_e7 / 1e7, longitude=centre.lon_e7 / 1e7, radius_m=radius
    )


# --- what remains ---------------------------------------------------------------------------------


def _to_do(wanted: Config, path: Path) -> Iterator[str]:
    """What no file can do, in the order in which it is done."""
    if not wanted.scanner:
        yield f"add a [[scanner]] to {path}: `edge-agent probe` writes its lines"
    if wanted.gnss is None:
        yield f"add [gnss] to {path}, or no punch can prove its place"
    ports: list[Scanner | Gnss] = [*wanted.scanner, *([wanted.gnss] if wanted.gnss else [])]
    for one in ports:
        if not Path(one.port).exists():
            yield f"plug {one.name} in: there is no {one.port}"
    key = Path(wanted.files.credential_key)
    if not key.exists():
        yield f"copy the organisation's key to {key} (made by `edge-agent central new-key`)"
    if wanted.panel.kind == "gpio":
        yield f"see that the pins under [panel] in {path} are those of your lamps"
    yield "sudo systemctl enable --now edge-agent"
