"""What each kind of entry says, as the fields of its canonical text.

Every entry has ``kind``, ``seq`` and ``at`` (the stamp); the rest depends on the kind and a field
that does not apply is absent. Readers ignore fields and kinds that they do not know: a terminal
may be newer than the central.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge_agent.contract.canonical import MAX_INTEGER, Value
from edge_agent.errors import MessageError
from edge_agent.records import Punch, Stamp

KIND_PATTERN = r"[a-z]{1,16}"
START, PUNCH, INCIDENT = "start", "punch", "incident"
OPENED, CLOSED = "opened", "closed"

_CREDENTIAL = re.compile(r"[0-9a-f]{64}")
_KIND = re.compile(KIND_PATTERN)


@dataclass(frozen=True, slots=True)
class Start:
    """The agent began to run.

    Attributes:
        version: of the agent.
        config: SHA-256 of the configuration file, hex.
        last_end: how the run before ended: ``first`` (there was none), ``stopped``, ``killed``
            (same boot, no farewell), ``power`` (another boot, no farewell).
        key: public key of the terminal's seals, hex.
        credential_key: id of the organisation's key that conceals credentials.
        site, site_name, zone: where the terminal belongs, and the site's IANA zone.
        lat_e7, lon_e7, radius_m: the site's geofence.
        previous: journal that this one replaces, on its first start only.
    """

    version: str
    config: str
    last_end: str
    key: str
    credential_key: str
    site: str
    site_name: str
    zone: str
    lat_e7: int
    lon_e7: int
    radius_m: int
    previous: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault that began or ended.

    Attributes:
        what: scanner, gnss, broker, central, storage, tamper.
        which: which one of them, e.g. the scanner's name; "" where there is only one.
        state: ``opened`` or ``closed``.
        cause: what was seen when it began.
        opened: seq of the entry that opened it; only when closed.
        length_ms: how long it lasted, by the monotonic clock; only when closed in the same boot.
    """

    what: str
    which: str
    state: str
    cause: str
    opened: int | None = None
    length_ms: int | None = None


def fields(record: Start | Punch | Incident, at: Stamp) -> dict[str, Value]:
    """The fields of an entry, all but ``seq``."""
    kind = {Start: START, Punch: PUNCH, Incident: INCIDENT}[type(record)]
    return {"kind": kind, "at": _present(asdict(at)), **_present(asdict(record))}


def check(entry: Any, seq: int) -> None:
    """Raise MessageError, reason ``schema``, unless `entry` is an entry with this `seq`.

    Only what a reader depends on is required; JSON Schema in ``schema/`` states the whole.
    """
    if type(entry) is not dict:
        raise MessageError("schema", f"entry {seq} is not an object")
    if entry.get("seq") != seq:
        raise MessageError("schema", f"entry {seq} has seq {str(entry.get('seq'))[:20]}")
    kind = entry.get("kind")
    if type(kind) is not str or not _KIND.fullmatch(kind):
        raise MessageError("schema", f"entry {seq} has no kind")
    at = entry.get("at")
    if type(at) is not dict or not (_text(at, "boot") and _text(at, "source")):
        raise MessageError("schema", f"entry {seq} has no stamp")
    if not (_integer(at, "mono_ms") and _integer(at, "utc_ms")):
        raise MessageError("schema", f"entry {seq} has no stamp")
    if kind == PUNCH and not _is_punch(entry):
        raise MessageError("schema", f"entry {seq} is not a whole punch")


def _is_punch(entry: dict[str, Any]) -> bool:
    place = entry.get("place")
    if type(place) is not dict or not _text(place, "grade"):
        return False
    if not (_text(entry, "technology") and _text(entry, "scanner")):
        return False
    credential = entry.get("credential")
    return type(credential) is str and _CREDENTIAL.fullmatch(credential) is not None


def _text(table: dict[str, Any], key: str) -> bool:
    return type(table.get(key)) is str


def _integer(table: dict[str, Any], key: str) -> bool:
    value = table.get(key)
    return type(value) is int and abs(value) <= MAX_INTEGER


def _present(table: Mapping[str, Any]) -> dict[str, Value]:
    return {
        key: _present(value) if isinstance(value, dict) else value
        for key, value in table.items()
        if value is not None
    }
