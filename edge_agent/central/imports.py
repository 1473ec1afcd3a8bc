"""Bundles that were carried here, into the database: as if their batches had come over the broker.

Beside a running `edge-agent central serve`, in any order, twice, in part. A record is a transaction
of its own, so nothing is lost by an interruption: what comes again is known and costs no row.
"""

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.central.store import Store
from edge_agent.contract import bundle, messages
from edge_agent.errors import CentralError, MessageError

SUFFIXES = (".bundle", ".part")
RECEIPT = ".receipt"
_OPERATION = "import"
#: How long a commit of the serving central, or of a report, is waited for.
PATIENCE_MS = 60_000
_HINTS = {
    "bundle": "name what `edge-agent export` wrote, or the directory where that lies",
    "organisation": "import it with the private key of that organisation: organisation_key",
}


@dataclass(slots=True)
class Outcome:
    """What became of one bundle.

    Attributes:
        new, known: entries that were stored now, and before.
        refused: records by reason.
        cut: where it ends too early, "" if it is whole.
    """

    file: Path
    terminal: str
    journal: str
    new: int = 0
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    cut: str = ""


def files(path: Path) -> list[Path]:
    """The bundles that `path` names: itself, or what lies in it. Raises CentralError."""
    if not path.exists():
        raise CentralError(_OPERATION, str(path), "no such file", _HINTS["bundle"])
    if not path.is_dir():
        return [path]
    try:
        return sorted(one for one in path.iterdir() if one.suffix in SUFFIXES and one.is_file())
    except OSError as error:
        cause = error.strerror or str(error)
        raise CentralError(_OPERATION, str(path), cause, "look at the stick") from None


def take(
    store: Store,
    file: Path,
    private: str,
    now_ms: Callable[[], int],
    told: Callable[[int], None] = lambda _bytes: None,
) -> Outcome:
    """Store what is in the bundle `file`.

    Args:
        private: the organisation's private key, hex.
        told: called as it goes on with the bytes that are done.

    Raises CentralError: it is no bundle, or for another organisation; it cannot be read; the
    database cannot be written.
    """
    store.db.conn.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    try:
        with file.open("rb") as stream:
            header = bundle.read_header(stream.read)
            reading = bundle.Reading(header, private)
            outcome = Outcome(file, header.terminal, header.journal)
            done = len(header.line())
            try:
                for record in bundle.read_records(stream.read):
                    _take_record(store, reading, record, outcome, now_ms())
                    done += record.size
                    told(done)
            except MessageError as error:
                outcome.cut = error.detail
            return outcome
    except MessageError as error:
        hint = _HINTS[error.reason]
        raise CentralError(_OPERATION, str(file), error.detail, hint) from None
    except OSError as error:
        if isinstance(error, CentralError):
            raise
        cause = error.strerror or str(error)
        raise CentralError(_OPERATION, str(file), cause, "put the stick in again") from None


def _take_record(
    store: Store, reading: bundle.Reading, record: bundle.Record, outcome: Outcome, now_ms: int
) -> None:
    """Store one record's batch, or count why not."""
    try:
        payload = reading.open(record)
        if record.is_end:
            return
        batch = messages.decode_batch(payload)
        if (batch.terminal, batch.journal) != (outcome.terminal, outcome.journal):
            raise MessageError("journal", f"the batch is of {batch.terminal}, {batch.journal}")
        new = store.take(batch, now_ms)
    except MessageError as error:
        outcome.refused[error.reason] += 1
        detail = f"{outcome.file.name}: {error.detail}"
        store.refuse(outcome.terminal, MessageError(error.reason, detail), now_ms)
        return
    outcome.new += new
    outcome.known += len(batch.texts) - new


def write_receipt(store: Store, outcome: Outcome) -> Path:
    """Lay the receipt for a journal beside its bundle, where the terminal will find it.

    Raises CentralError: the stick cannot be written.
    """
    receipt = messages.encode_receipt(store.receipt(outcome.terminal, outcome.journal))
    name = f"{outcome.terminal}-{outcome.journal[:8]}{RECEIPT}"
    path = outcome.file.with_name(name)
    fresh = path.with_name(name + ".new")
    try:
        with fresh.open("wb") as file:
            file.write(receipt)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        cause = error.strerror or str(error)
        with suppress(OSError):  # the stick may be gone: the cause is said below
            fresh.unlink(missing_ok=True)
        hint = "everything is stored; for the receipt free room there, unlock it, or copy the"
        hint += " bundle to another stick, and import it again"
        raise CentralError("write the receipt", str(path), cause, hint) from None
    return path
