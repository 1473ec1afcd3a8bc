"""`edge-agent site`: where this terminal stands, surveyed or typed."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edge_agent import config
from edge_agent.cli.options import terminal_config
from edge_agent.cli.survey import (
    Region,
    conduct,
    kelurahan_options,
    radius_option,
    refusal,
    survey_data,
    survey_lines,
    survey_options,
    survey_warnings,
    typed_warnings,
)
from edge_agent.config import Config
from edge_agent.errors import ConfigError
from edge_agent.technician import coordinates, rewrite
from edge_agent.technician.survey import DEFAULT_RADIUS_M, Point

RESTART = "sudo systemctl restart edge-agent"
_dry_run = click.option("--dry-run", is_flag=True, help="Show it and write nothing.")


@click.group()
def site() -> None:
    """Where this terminal stands: the middle and the radius of its geofence."""


@site.command()
@survey_options
@radius_option
@kelurahan_options
@_dry_run
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@terminal_config
def survey(
    minutes: float,
    anyway: bool,
    radius_m: int | None,
    code: str | None,
    table: Path,
    dry_run: bool,
    as_json: bool,
    path: Path,
) -> None:
    """Average the receiver's fixes for some minutes and write the site's position.

    The antenna must be where it will stay. The agent may run meanwhile. Wild and weak fixes are
    left out; a survey that cannot be believed is not written unless --anyway.
    """
    wanted = config.load(path)
    region = Region.of(code, table)
    if not dry_run:
        rewrite.writable(path)
    found = conduct(wanted, minutes)
    radius = radius_m or max(found.radius_m, wanted.site.radius_m, DEFAULT_RADIUS_M)
    warnings = survey_warnings(found, radius)
    said = {**survey_data(found), "site_radius_m": radius}
    refused = bool(found.refusals) and not (anyway and found.centre)
    if found.centre is not None:
        warnings += _moved(wanted, found.centre) + region.warnings(found.centre, wanted.site.zone)
        said["before"] = _before(wanted, found.centre)
    kept, failure = None, refusal(found, wanted.site.id) if refused else None
    if found.centre is not None and not refused and not dry_run:
        try:
            kept = rewrite.site(path, found.centre, radius)
        except ConfigError as error:
            failure = error  # after the result is shown: it took minutes
    said |= {"warnings": warnings, "written": not (failure or dry_run)}
    if as_json:
        click.echo(json.dumps(said, indent=1))
    else:
        _show(survey_lines(found), wanted, found.centre, radius, warnings)
    if failure:
        raise failure
    if not as_json:
        _end(path, kept, dry_run=dry_run)


@site.command("set")
@click.option("--latitude", required=True, help="Degrees, south negative, e.g. -5.36944.")
@click.option("--longitude", required=True, help="Degrees, e.g. 122.69396.")
@radius_option
@click.option("--anyway", is_flag=True, help="Take a site that is not in Indonesia.")
@kelurahan_options
@_dry_run
@terminal_config
def set_(
    latitude: str,
    longitude: str,
    radius_m: int | None,
    anyway: bool,
    code: str | None,
    table: Path,
    dry_run: bool,
    path: Path,
) -> None:
    """Write the site's position as typed, e.g. from a map."""
    wanted = config.load(path)
    region = Region.of(code, table)
    centre = coordinates.typed(latitude, longitude, anyway=anyway)
    radius = radius_m or wanted.site.radius_m
    warnings = [*typed_warnings(latitude, longitude, radius), *_moved(wanted, centre)]
    warnings += region.warnings(centre, wanted.site.zone)
    kept = None if dry_run else rewrite.site(path, centre, radius_m)
    _show([], wanted, centre, radius, warnings)
    _end(path, kept, dry_run=dry_run)


def _moved(wanted: Config, centre: Point) -> list[str]:
    away_m = _old(wanted).away_m(centre)
    if away_m <= wanted.site.radius_m:
        return []
    before = f"the position before, whose radius was {wanted.site.radius_m} m"
    return [f"{away_m:.0f} m from {before}: is this the right terminal's file?"]


def _before(wanted: Config, centre: Point) -> dict[str, Any]:
    old = _old(wanted)
    return {**asdict(old), "radius_m": wanted.site.radius_m, "distance_m": old.away_m(centre)}


def _old(wanted: Config) -> Point:
    return Point(wanted.site.lat_e7, wanted.site.lon_e7)


def _show(
    lines: list[str], wanted: Config, centre: Point | None, radius: int, warnings: list[str]
) -> None:
    for line in lines:
        click.echo(line)
    if centre is not None:
        old = _old(wanted)
        click.echo(f"position   {centre}, radius {radius} m")
        away = f"{old.away_m(centre):.1f} m away"
        click.echo(f"before     {old}, radius {wanted.site.radius_m} m: {away}")
    for warning in warnings:
        click.echo(f"WARNING    {warning}")


def _end(path: Path, kept: Path | None, *, dry_run: bool) -> None:
    if dry_run:
        click.echo(f"not written to {path}")
    elif kept is None:
        click.echo(f"{path} says so already")
    else:
        click.echo(f"written to {path}; the old file is {kept}")
        click.echo(f"to do: restart the agent ({RESTART})")
