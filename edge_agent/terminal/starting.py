"""The `start` entry: what this run is, and how the one before it ended."""

from pathlib import Path

from edge_agent import __version__, config
from edge_agent.config import Config
from edge_agent.contract import credentials
from edge_agent.contract.entries import Start
from edge_agent.journal import Journal, Run


def start(
    path: Path,
    wanted: Config,
    journal: Journal,
    before: Run | None,
    boot: str,
    seal_key: str,
    credential_key: bytes,
    floor_ms: int,
) -> Start:
    """The entry of a run in `boot` with the configuration `wanted`, which is the file `path`.

    `before` is the run before this one; the rest is as in `Start`.
    """
    site = wanted.site
    return Start(
        __version__,
        config.digest(path),
        _last_end(before, boot),
        seal_key,
        credentials.key_id(credential_key),
        site.id,
        site.name,
        site.zone,
        site.lat_e7,
        site.lon_e7,
        site.radius_m,
        journal.previous if journal.last_seq == 0 else None,
        floor_ms,
    )


def _last_end(before: Run | None, boot: str) -> str:
    if before is None:
        return "first"
    if before.stopped:
        return "stopped"
    return "killed" if before.boot == boot else "power"
