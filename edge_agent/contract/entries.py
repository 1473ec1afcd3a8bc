"""What each kind of entry says, as the fields of its canonical text.

Every entry has ``kind``, ``seq`` and ``at`` (the stamp); the rest depends on the kind and a field
that does not apply is absent. Readers ignore fields and kinds that they do not know: a terminal
may be newer than the central.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge_agent.contract import canonical, rules
from edge_agent.errors import MessageError
from edge_agent.records import Enrolment, Punch, Reception, Stamp

KIND_PATTERN = r"[a-z]{1,16}"
START, PUNCH, ENROLMENT, INCIDENT = "start", "punch", "enrolment", "incident"
CLOCK, SURVEY = "clock", "survey"
OPENED, CLOSED = "opened", "closed"
#: What a ``clock`` entry can say about every other stamp of its boot; the last such one counts.
DOUBTED, SETTLED = "doubted", "settled"

_LAT_E7 = range(-900_000_000, 900_000_001)
_LON_E7 = range(-1_800_000_000, 1_800_000_001)

_AT = rules.Table(
    {"boot": rules.HEX32, "mono_ms": rules.NATURAL, "utc_ms": rules.NATURAL, "source": rules.WORD},
    {"error_ms": rules.NATURAL},
)
_PLACE = rules.Table(
    {"grade": rules.WORD},
    {
        "lat_e7": _LAT_E7,
        "lon_e7": _LON_E7,
        "age_ms": rules.NATURAL,
        "distance_m": rules.NATURAL,
        "satellites": rules.NATURAL,
        "hdop_e2": rules.NATURAL,
        "cn0": rules.NATURAL,
        "reasons": rules.TEXT,
    },
)
_EVERY: dict[str, rules.Rule] = {"kind": KIND_PATTERN, "seq": rules.SEQ, "at": _AT}
_START: dict[str, rules.Rule] = {
    "version": rules.TEXT,
    "config": rules.HEX64,
    "last_end": rules.WORD,
    "key": rules.HEX64,
    "credential_key": rules.HEX16,
    "site": rules.TEXT,
    "site_name": rules.TEXT,
    "zone": rules.TEXT,
    "lat_e7": _LAT_E7,
    "lon_e7": _LON_E7,
    "radius_m": rules.NATURAL,
}
_PUNCH: dict[str, rules.Rule] = {
    "credential": rules.HEX64,
    "technology": rules.TEXT,
    "scanner": rules.TEXT,
    "place": _PLACE,
}
_PUNCH_MAY: dict[str, rules.Rule] = {
    "person": rules.TEXT,
    "repeat_of": rules.SEQ,
    "card": rules.WORD,
    "slot": rules.NATURAL,
    "score": rules.NATURAL,
}
_ENROLMENT: dict[str, rules.Rule] = {
    "credential": rules.HEX64,
    "technology": rules.TEXT,
    "scanner": rules.TEXT,
    "person": rules.TEXT,
}
_INCIDENT: dict[str, rules.Rule] = {
    "what": rules.WORD,
    "which": rules.TEXT,
    "state": f"{OPENED}|{CLOSED}",
    "cause": rules.TEXT,
}
_CLOCK: dict[str, rules.Rule] = {"why": rules.WORD}
_SURVEY: dict[str, rules.Rule] = dict.fromkeys(
    ("length_ms", "online_ms", "attempts", "connections", "bytes_up", "bytes_down", "backlog"),
    rules.NATURAL,
)
_RECEPTION = rules.Table(
    {"bearer": rules.WORD, "registration": rules.WORD},
    {
        "technology": rules.WORD,
        "operator": rules.TEXT,
        **dict.fromkeys(("rssi_dbm", "rsrp_dbm", "rsrq_e1", "snr_e1"), rules.INTEGER),
    },
)
_SURVEY_MAY: dict[str, rules.Rule] = {
    "latency_ms": rules.NATURAL,
    "oldest_ms": rules.NATURAL,
    "reception": _RECEPTION,
}
_ANY = rules.Table(_EVERY, {})
_KINDS = {
    START: rules.Table(_EVERY | _START, {"previous": rules.HEX32, "floor_ms": rules.NATURAL}),
    PUNCH: rules.Table(_EVERY | _PUNCH, _PUNCH_MAY),
    ENROLMENT: rules.Table(_EVERY | _ENROLMENT, {"slot": rules.NATURAL}),
    INCIDENT: rules.Table(_EVERY | _INCIDENT, {"opened": rules.SEQ, "length_ms": rules.NATURAL}),
    CLOCK: rules.Table(_EVERY | _CLOCK, {"system_ms": rules.INTEGER}),
    SURVEY: rules.Table(_EVERY | _SURVEY, _SURVEY_MAY),
}


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
        floor_ms: UTC before which this run cannot have begun: the latest instant that the terminal
            knew for certain, or the date of the program.
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
    floor_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A fault that began or ended.

    Attributes:
        what: scanner, module, gnss, modem, broker, central, storage, tamper, clock, moved,
            suspect.
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


@dataclass(frozen=True, slots=True)
class Clock:
    """An anchor: the entry's own stamp ties this boot's monotonic time to UTC, vouched for.

    Every other stamp of the boot can be resolved from it, as the contract's section on time says.

    Attributes:
        why: ``known`` (time became known), ``better`` (its error shrank by much), ``daily`` (still
            known), ``doubted`` (witnesses exclude each other, and the error reaches over all that
            they say), ``settled`` (a contradiction is over: this is right, whatever was said).
        system_ms: the system clock minus that UTC, None if it does not fit.
    """

    why: str
    system_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the network was worth in the time before the entry's own stamp, about an hour.

    Attributes:
        length_ms: how long that time was.
        online_ms: how much of it the broker had accepted our connection.
        attempts, connections: connections that were tried, and that the broker accepted.
        bytes_up, bytes_down: through the sockets to the broker.
        backlog: entries that were not received at its end.
        latency_ms: median from a publish to its PUBACK; None if there was none.
        oldest_ms: age of the oldest of the backlog; None if there is none or nobody can tell.
        reception: None if neither modem nor Wi-Fi was asked or none answered.
    """

    length_ms: int
    online_ms: int
    attempts: int
    connections: int
    bytes_up: int
    bytes_down: int
    backlog: int
    latency_ms: int | None = None
    oldest_ms: int | None = None
    reception: Reception | None = None


Record = Start | Punch | Enrolment | Incident | Clock | Survey
_KIND_OF: dict[type, str] = {
    Start: START,
    Punch: PUNCH,
    Enrolment: ENROLMENT,
    Incident: INCIDENT,
    Clock: CLOCK,
    Survey: SURVEY,
}


def kind_of(record: Record) -> str:
    """The kind of entry that states this record."""
    return _KIND_OF[type(record)]


def text(record: Record, at: Stamp, seq: int) -> str:
    """The canonical text of the entry `seq` that states `record`.

    Raises MessageError, reason ``schema``, for what it cannot hold, such as half a surrogate pair.
    """
    parts = canonical.members(record)
    parts += [
        '"at":{' + ",".join(canonical.members(at)) + "}",
        f'"kind":"{kind_of(record)}"',
        f'"seq":{seq}',
    ]
    parts.sort()  # `"` sorts before every character of a key, so members sort as their keys do
    return canonical.whole("{" + ",".join(parts) + "}")


def check(entry: Any, seq: int) -> None:
    """Raise MessageError, reason ``schema``, unless `entry` is an entry with this `seq`."""
    kind = entry.get("kind") if type(entry) is dict else None
    table = _KINDS.get(kind, _ANY) if type(kind) is str else _ANY
    table.check(entry, f"entry {seq}")
    if entry["seq"] != seq:
        raise MessageError("schema", f"entry {seq} has seq {entry['seq']}")


def seq_of(entry: Any) -> int:
    """The seq that `entry` says it has; 0 if it says none."""
    seq = entry.get("seq") if type(entry) is dict else None
    return seq if type(seq) is int else 0


def admits(tree: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> bool:
    """Whether `check` takes every entry of a table, asked once for each column, not for each row.

    False says nothing: not of entries of several kinds, nor of values that no row has.

    Args:
        tree: what the entries hold, a name of `columns` for each value.
        columns: the values that stand there, in any number and order; strings and whole numbers.
    """
    kinds = {*columns.get("kind", ())}
    return len(kinds) == 1 and _KINDS.get(kinds.pop(), _ANY).admits(tree, columns)
