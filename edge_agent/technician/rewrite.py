"""A new ``agent.toml`` in the place of the old one, only if it says what was meant.

It is written beside the old file, loaded as the agent would load it, and moved into its place at
once, so that whatever happens there is one whole configuration. Owner, group and mode stay, because
the agent reads the file as another user than the technician. The old one stays as ``*.before``.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edge_agent import config
from edge_agent.config import Config
from edge_agent.errors import ConfigError
from edge_agent.technician import toml_lines
from edge_agent.technician.survey import Point

_WRITE = "write the configuration"
_MODE = 0o644  # nothing in it is secret


def site(path: Path, centre: Point, radius_m: int | None) -> Path | None:
    """Put the site's position, and its radius unless that is None, into the configuration `path`.

    Returns where the old file is; None if it said the same already. Raises ConfigError; the old
    file is then as it was.
    """
    before = config.load(path)
    values = {"latitude": _degrees(centre.lat_e7), "longitude": _degrees(centre.lon_e7)}
    if radius_m is not None:
        values["radius_m"] = str(radius_m)
    lines = ", ".join(f"{key} = {value}" for key, value in values.items())
    hint = f"write into its [site]: {lines}"
    old = path.read_bytes()
    try:
        text = toml_lines.put(old.decode(), "site", values)
    except LookupError:
        cause = "its site is not a table of its own"
        raise ConfigError(_WRITE, str(path), cause, hint) from None
    wanted = replace(
        before.site,
        latitude=float(values["latitude"]),
        longitude=float(values["longitude"]),
        radius_m=before.site.radius_m if radius_m is None else radius_m,
    )
    if text.encode() == old:
        return None
    return whole(path, text, lambda loaded: loaded == replace(before, site=wanted), hint)


def whole(path: Path, text: str, meant: Callable[[Config], bool], hint: str) -> Path | None:
    """Replace `path`, or make it, with `text` if that loads and is `meant`.

    Returns where the old file is, None if there was none. Raises ConfigError, with `hint` if it
    is not what was meant.
    """
    target = path.resolve()  # what a link leads to is replaced, not the link
    fresh = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(fresh, text.encode(), target.stat() if target.exists() else None)
        if not meant(config.load(fresh)):
            cause = "written by lines, it would say something else"
            raise ConfigError(_WRITE, str(path), cause, hint)
        return _move(fresh, target)
    except OSError as error:
        cause = error.strerror or str(error)
        raise ConfigError(_WRITE, str(path), cause, "use sudo, and see that it has room") from None
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def writable(path: Path) -> None:
    """See that `path` could be replaced. Raises ConfigError, better now than in five minutes."""
    parents = path.resolve().parents
    if not os.access(next(one for one in parents if one.exists()), os.W_OK):
        raise ConfigError(_WRITE, str(path), "permission denied", "use sudo, or --dry-run")


def _write(fresh: Path, data: bytes, old: os.stat_result | None) -> None:
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if old is not None and (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, _MODE if old is None else old.st_mode & 0o7777)
        os.fsync(descriptor)


def _move(fresh: Path, target: Path) -> Path | None:
    before = None
    if target.exists():
        before = target.with_name(target.name + ".before")
        before.unlink(missing_ok=True)
        os.link(target, before)
    fresh.replace(target)
    directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return before


def _degrees(e7: int) -> str:
    return f"{e7 / 10**7:.7f}"
