"""What the commands that survey a site share: options, the listening, and what is said of it."""

import sys
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from edge_agent.config import Config, Gnss
from edge_agent.errors import EdgeAgentError
from edge_agent.ports import files
from edge_agent.technician import coordinates, kelurahan, receiver
from edge_agent.technician.kelurahan import Kelurahan
from edge_agent.technician.survey import LEAST_RADIUS_M, LEAST_S, Point, Survey
from edge_agent.technician.watch import Watch
from edge_agent.terminal.assembly import lock_file

_SURVEY = "survey the site"

radius_option = click.option(
    "--radius-m",
    type=click.IntRange(LEAST_RADIUS_M, 100_000),
    help="Radius of the geofence, instead of one that is never narrower than before.",
)


def survey_options(command: Any) -> Any:
    """Add how long to survey, and to take what is doubtful."""
    minutes = click.FloatRange(0.01, 120)
    text = "To listen to the receiver; Ctrl-C ends it early."
    command = click.option("--minutes", default=5.0, show_default=True, type=minutes, help=text)(
        command
    )
    return click.option("--anyway", is_flag=True, help="Write also what is doubtful.")(command)


def kelurahan_options(command: Any) -> Any:
    """Add the kelurahan in which the site must lie, and the table of all."""
    table = click.Path(path_type=Path)
    command = click.option(
        "--table", type=table, default=kelurahan.TABLE, show_default=True, help="All kelurahan."
    )(command)
    text = "Code of the kelurahan, e.g. 74.72.04.1003: warn if the site lies far outside."
    return click.option("--kelurahan", "code", help=text)(command)


@dataclass(frozen=True, slots=True)
class Region:
    """The kelurahan in which a site must lie; no table for any place."""

    table: Sequence[Kelurahan] = ()
    code: str = ""

    @classmethod
    def of(cls, code: str | None, table: Path) -> "Region":
        """Raises ConfigError if there is no such code, before minutes are spent on a survey."""
        if code is None:
            return cls()
        found = kelurahan.read(table)
        return cls(found, kelurahan.find(found, code).code)

    def warnings(self, at: Point, zone: str) -> list[str]:
        """What is strange about a site that lies `at` this point."""
        lat, lon = at.lat_e7 / 1e7, at.lon_e7 / 1e7
        found = [
            "" if coordinates.in_indonesia(lat, lon) else "the site does not lie in Indonesia",
            coordinates.zone_doubt(zone, lon),
            kelurahan.misplaced(self.table, self.code, at) if self.code else "",
        ]
        return [one for one in found if one]


def conduct(wanted: Config, minutes: float) -> Survey:
    """Listen to the receiver where it can be heard, and show how it goes on standard error.

    Raises EdgeAgentError if it cannot be heard at all.
    """
    gnss = wanted.gnss
    if gnss is None:
        hint = "add [gnss] (provision: --gnss-port), or type the position: edge-agent site set"
        raise EdgeAgentError(_SURVEY, wanted.site.id, "there is no receiver", hint)
    source = _source(wanted, gnss)
    watch = Watch()
    # Ctrl-C ends it early: what there is may be enough.
    with suppress(KeyboardInterrupt), closing(source):
        for left_s in watch.listen(source, minutes * 60):
            if sys.stderr.isatty():
                click.echo(f"\r\x1b[K{watch.words(left_s)}", nl=False, err=True)
    if sys.stderr.isatty():
        click.echo(err=True)
    found = watch.survey()
    if watch.trouble and not found.used:
        hint = "see that it is plugged in and no other program has it; `edge-agent probe` shows"
        raise EdgeAgentError("listen to", gnss.port, watch.trouble, hint)
    return found


def _source(wanted: Config, gnss: Gnss) -> Generator[receiver.Said, None, None]:
    """The running agent, which holds the port, or else the port itself."""
    status = Path(wanted.files.status)
    try:
        if not files.is_locked(lock_file(wanted)):
            return receiver.at_port(gnss)
        status.read_bytes()
    except OSError as error:
        cause = f"{status}: {error.strerror or error}"
        hint = "use sudo; and if the agent has just started, wait a second"
        raise EdgeAgentError(_SURVEY, "beside the agent", cause, hint) from None
    return receiver.beside_agent(status, gnss.name)


def refusal(found: Survey, subject: str) -> EdgeAgentError:
    """Why this survey is not written."""
    first = found.refusals[0]
    hint = f"{first.hint}; or --anyway" if found.centre else first.hint
    return EdgeAgentError(_SURVEY, subject, first.cause, hint)


def survey_data(found: Survey) -> dict[str, Any]:
    """A survey for a script; degrees times 10^7, metres."""
    return {**asdict(found), "rejected": dict(found.rejected)}


def survey_lines(found: Survey) -> list[str]:
    """A survey for a person."""
    rejected = ", ".join(f"{count} {why}" for why, count in found.rejected) or "none"
    return [
        f"used       {found.used} fixes of {found.lasted_s} s; not used: {rejected}",
        f"spread     half within {found.median_m:.1f} m, 95 % within {found.spread_m:.1f} m",
        f"moved      {found.moved_m:.1f} m from the first third to the last",
        f"error      {found.error_m} m that a fix may be off",
    ]


def survey_warnings(found: Survey, radius: int) -> list[str]:
    """What to know of a survey that is no reason to refuse it."""
    warnings = []
    if found.used and found.lasted_s < LEAST_S:
        warnings.append(f"shorter than {LEAST_S} s: errors wander, the spread is larger than shown")
    if found.spread_m == 0 and found.lasted_s >= LEAST_S:
        warnings.append("all fixes are the same to the last digit: a recording, or held on purpose")
    if found.used and radius < found.radius_m:
        warnings.append(
            f"a radius of {radius} m is too narrow: this survey asks {found.radius_m} m"
        )
    return warnings


def typed_warnings(latitude: str, longitude: str, radius: int) -> list[str]:
    """What to know of a position as it was typed."""
    coarse_m = max(map(coordinates.coarseness_m, (latitude, longitude)))
    if coarse_m <= radius / 4:
        return []
    return [f"too few decimals: it may be {coarse_m:.0f} m off; give five"]
