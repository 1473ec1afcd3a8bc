"""What the central has not said it has, onto a stick: the newest first, as one bundle.

Newest first, because a stick may be pulled at any moment and what happened today cannot wait for
another visit; each batch is sealed for itself, so the central takes them in any order.

    NAME.bundle.part      being written: header, records, from time to time synced
    NAME.bundle           with its end, synced, renamed

A part that was left behind, by a power cut or a hand that was too quick, is cut to its whole
records and becomes a bundle without an end; what lies on the stick whole is not written again.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from edge_agent.contract import bundle, chain
from edge_agent.contract.messages import MAX_BATCH
from edge_agent.errors import EdgeAgentError, MessageError
from edge_agent.journal.batches import Batches, Cut
from edge_agent.journal.beside import Beside
from edge_agent.ports import files
from edge_agent.ranges import Ranges

SUFFIX, PART = ".bundle", ".part"
#: What a stick that is pulled in the middle loses is what was written since.
SYNC_EVERY_S = 1.0
_OPERATION = "export"
_CAUSES = {
    errno.ENOSPC: ("the stick is full", "free room on it or take another; it goes on from there"),
    errno.EDQUOT: ("no room is left for you", "free room, or write to another place"),
    errno.EFBIG: ("no file may be so large there", "take a stick with another file system"),
    errno.EROFS: ("it is read-only", "slide its lock, or take another stick"),
    errno.EACCES: ("permission denied", "run it with sudo, or write to another place"),
    errno.EPERM: ("permission denied", "run it with sudo, or write to another place"),
    errno.EIO: ("the stick does not answer", "put it in again, and run it again"),
    errno.ENODEV: ("the stick is gone", "put it in again, and run it again"),
    errno.ENXIO: ("the stick is gone", "put it in again, and run it again"),
    errno.ENOENT: ("there is no such directory", "name the directory where the stick is mounted"),
}

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What an export did.

    Attributes:
        file: the bundle; None if there was nothing to write.
        entries: how many it holds.
        there: how many lay on the stick already and were left as they are.
        gone: how many the journal no longer has, or cannot read.
    """

    file: Path | None
    entries: int
    there: int
    gone: int


def export(
    journal: Beside,
    sealer: chain.Sealer,
    organisation: str,
    target: Path,
    *,
    everything: bool = False,
    told: Told = lambda _done, _all: None,
) -> Written:
    """Write the entries that the central has not, or `everything`, to a directory or a file.

    Args:
        organisation: the public key that they are for.
        told: called as it goes on, with entries done and in all.

    Raises EdgeAgentError. Whatever interrupts it, what was written whole stays readable.
    """
    folder, name = (target, None) if target.is_dir() else (target.parent, target)
    with _saying(target):
        if name is not None and name.suffix != SUFFIX:  # a stick that is not there, most likely
            hint = f"name the directory where the stick is mounted, or a new file NAME{SUFFIX}"
            raise EdgeAgentError(_OPERATION, f"to {name}", "there is no such directory", hint)
        if name is not None and name.exists():
            hint = "name a directory, or a file that is not there yet"
            raise EdgeAgentError(_OPERATION, f"to {name}", "it is there already", hint)
        there = _tidy(folder, journal, organisation)
        since = journal.first_seq - 1 if everything else journal.received()
        wanted = Ranges([(since + 1, journal.last_seq)])
        rest = wanted.minus(there)
        kept = wanted.count - rest.count
        if not rest:
            return Written(None, 0, kept, 0)
        file = name or _free(folder, journal, rest)
        header = journal.terminal, journal.journal, organisation
        out = bundle.Writing(*header, bundle.new_key())
        with _part(file) as part:
            entries, gone = _write(part, out, Batches(journal, sealer), rest, told)
        _part_of(file).rename(file)
        files.sync_directory(folder)
    return Written(file, entries, kept, gone)


def newest_first(batches: Batches, wanted: Ranges) -> Iterator[Cut]:
    """Everything in `wanted`: the newest batch first, entries rising within each."""
    for first, last in reversed(list(wanted)):
        for high in range(last, first - 1, -MAX_BATCH):
            at, end = max(first, high - MAX_BATCH + 1), high
            while at <= end:
                cut = batches.cut(at, end)
                yield cut
                at = cut.last + 1


def _write(
    part: BinaryIO, out: bundle.Writing, batches: Batches, rest: Ranges, told: Told
) -> tuple[int, int]:
    """Header, records, end; gives how many entries were written, and how many were gone."""
    written = gone = 0
    synced = float("-inf")
    part.write(out.header.line())
    for packed in newest_first(batches, rest):
        count = packed.last - packed.first + 1
        if packed.payload is None:
            gone += count
            continue
        part.write(out.record(packed.first, packed.last, packed.payload))
        written += count
        if time.monotonic() - synced >= SYNC_EVERY_S:
            _sync(part)
            synced = time.monotonic()
        told(written + gone, rest.count)
    part.write(out.end())
    _sync(part)
    return written, gone


@contextmanager
def _part(file: Path) -> Iterator[BinaryIO]:
    """The part of `file`, being written; if it is interrupted, what is whole in it stays."""
    path = _part_of(file)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o644), "w+b") as part:
        _lock(part)
        try:
            yield part
        except BaseException:
            with suppress(OSError):  # the stick may be gone
                part.flush()
            with suppress(OSError):  # likewise: what interrupted us is raised on
                if _whole(path)[0]:
                    os.fsync(part.fileno())
                else:
                    path.unlink()
            raise


def _tidy(folder: Path, journal: Beside, organisation: str) -> Ranges:
    """What lies there whole of this journal, for this key; a part becomes a bundle without end."""
    found = Ranges()
    for path in sorted(folder.iterdir()):
        if path.suffix not in (SUFFIX, PART) or not path.is_file():
            continue
        with path.open("rb") as file:
            try:
                header = bundle.read_header(file.read)
            except MessageError:
                continue  # somebody else's
        mine = header.terminal, header.journal, header.organisation
        if mine != (journal.terminal, journal.journal, organisation):
            continue
        whole, size = _whole(path)
        for first, last in whole:
            found.add(first, last)
        if path.suffix == PART:
            _keep(path, journal, whole, size)
    return found


def _keep(part: Path, journal: Beside, whole: Ranges, size: int) -> None:
    """Make a bundle of a part that was left behind, or nothing if there is nothing in it."""
    with part.open("r+b") as file:
        _lock(file)
        if not whole:
            part.unlink()
            return
        file.truncate(size)
        os.fsync(file.fileno())
        part.rename(_free(part.parent, journal, whole))


def _whole(path: Path) -> tuple[Ranges, int]:
    """The entries in whole records of a bundle, and its length up to the first that is not."""
    found = Ranges()
    with path.open("rb") as file:
        try:
            size = len(bundle.read_header(file.read).line())
            for record in bundle.read_records(file.read):
                if not record.whole:
                    break
                size += record.size
                if not record.is_end:
                    found.add(record.first, record.last)
        except MessageError:
            pass  # cut there
    return found, size if found else 0


def _free(folder: Path, journal: Beside, held: Ranges) -> Path:
    """A name that says what is in it and that nothing has yet."""
    first = next(iter(held))[0]
    stem = f"{journal.terminal}-{journal.journal[:8]}-{first}-{held.last}"
    for number in count(1):
        file = folder / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}"
        if not file.exists() and not _part_of(file).exists():
            return file
    raise AssertionError  # not reached: numbers do not end


def _part_of(file: Path) -> Path:
    return file.with_name(file.name + PART)


def _lock(file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        cause = "another export is writing there"
        raise EdgeAgentError(
            _OPERATION, f"to {file.name}", cause, "wait until it is done"
        ) from None


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _saying(target: Path) -> Iterator[None]:
    """Turn what the stick refuses into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if isinstance(error, EdgeAgentError):  # of the journal, which says so itself
            raise
        other = error.strerror or str(error), "look at the stick, and run it again"
        cause, hint = _CAUSES.get(error.errno or 0, other)
        raise EdgeAgentError(_OPERATION, f"to {target}", cause, hint) from None
