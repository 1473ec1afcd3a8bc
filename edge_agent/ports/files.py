"""Small files: written whole or not at all; keys for their owner only; one agent a journal."""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from edge_agent.errors import ConfigError, JournalError

T = TypeVar("T")

#: What a disk does that may be over later, as opposed to a path that never was right.
_DISK_FAULTS = frozenset({errno.EROFS, errno.ENOSPC, errno.EIO, errno.EDQUOT})


def write_whole(path: Path, data: bytes, mode: int = 0o644, *, durable: bool = False) -> None:
    """Replace `path` so that a reader, or a power cut, sees the old or the new, never half.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)  # left by a crash, or by somebody else, with another mode
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        sync_directory(path.parent)


def write_status(path: Path, status: Mapping[str, Any]) -> bool:
    """Publish the status for `edge-agent status`; False if that was not possible.

    Never an error: a terminal that cannot say how it is must still record.
    """
    try:
        write_whole(path, json.dumps(status, indent=1).encode())
    except OSError:
        return False
    return True


def read_status(path: Path) -> dict[str, Any]:
    """The last status that was published; {} if there is none, or none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def read_key(path: Path, purpose: str, parse: Callable[[str], T], hint: str) -> T:
    """What `parse` makes of the text of a key file. Raises ConfigError, also for its ValueError."""
    try:
        return parse(path.read_text(encoding="ascii").strip())
    except OSError as error:
        cause = error.strerror or str(error)
    except UnicodeDecodeError:
        cause = "not text"
    except ValueError as error:
        cause = str(error)
    raise ConfigError(f"read the {purpose}", str(path), cause, hint)


def lock(path: Path) -> int:
    """Take the lock that makes us the only agent of a journal; held until the process ends.

    Returns the descriptor that holds it. Raises JournalError if another process has it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held = isinstance(error, BlockingIOError)
        cause = "another agent is running with it" if held else str(error)
        hint = "stop that one first (systemctl stop edge-agent)" if held else "check the directory"
        raise JournalError("lock the journal", str(path), cause, hint) from (
            error if error.errno in _DISK_FAULTS else None
        )
    return descriptor


def is_locked(path: Path) -> bool:
    """True while an agent holds the lock `path`. Raises PermissionError if we may not look."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sync_directory(path: Path) -> None:
    """What was made or renamed there outlives a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
