"""The four messages between a terminal and the central, to bytes and back.

A message is one JSON object, plain or deflated (RFC 1950, zlib) whichever is shorter. The first
byte tells: ``{`` (7B) is plain, 78 is zlib. A deflated batch has a preset dictionary, without which
a punch that goes alone would cost half as much again. `decode_*` accept what the JSON Schema in
``schema/`` accepts, less what no schema can say, and raise `MessageError` with one of the reasons
``size``, ``encoding``, ``json``, ``schema``.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from edge_agent import shape
from edge_agent.contract import canonical, documents, entries, tables
from edge_agent.contract.chain import Seal
from edge_agent.contract.rules import HEX32, HEX64, HEX128
from edge_agent.contract.topics import TERMINAL_PATTERN
from edge_agent.errors import MessageError
from edge_agent.records import Person

#: Largest message on the wire, and largest once inflated: 1,000 entries need about 400 kB.
MAX_WIRE_BYTES = 1_000_000
MAX_PLAIN_BYTES = 4_000_000
MAX_BATCH = 1_000
#: Longest receipt or status, deflated or not: 64 ranges of the longest numbers and more.
MAX_SHORT_BYTES = 8_000
#: A receipt lists at most so many gaps; those above come with later receipts.
MAX_MISSING = 64
#: So many usual lines are 3.0 MB, deflated 0.94 MB: about what MAX_WIRE_BYTES lets through.
MAX_PEOPLE = 20_000
#: A batch of fewer entries is shorter without tables.
_FEWEST_ROWS = 5
#: RFC 1950 offers 1 (fast) to 9. On tables 6 takes five times as long as 2 and saves 7 %.
_LEVEL, _QUICK_LEVEL = 6, 2
#: Preset dictionary of a deflated batch (RFC 1950, FDICT); part of the contract, never changed.
_DICTIONARY = documents.dictionary()

#: Text that a person reads on one line: no control character, which could steer their screen.
_LINE40, _LINE64, _LINE80 = (rf"[^\x00-\x1f\x7f-\x9f]{{1,{most}}}" for most in (40, 64, 80))

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SealShape:
    seq: int = shape.field(low=1, high=canonical.MAX_INTEGER)
    head: str = shape.field(pattern=HEX64)
    key: str = shape.field(pattern=HEX64)
    signature: str = shape.field(pattern=HEX128)
    sent: str | None = shape.field(None, pattern=HEX64)


@dataclass(frozen=True, slots=True)
class _Envelope:
    seal: SealShape
    batch: int = shape.field(choices=(1, 2))
    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    journal: str = shape.field(pattern=HEX32)
    first: int = shape.field(low=1, high=canonical.MAX_INTEGER)
    prev: str = shape.field(pattern=HEX64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries `first` .. `seal.seq` of one journal.

    Attributes:
        prev: head before the first entry, hex.
        entries: parsed entries, ascending and without a hole.
        texts: their canonical texts.
        seal: over the head after the last entry.
    """

    terminal: str
    journal: str
    first: int
    prev: str
    entries: tuple[dict[str, Any], ...]
    texts: tuple[str, ...]
    seal: Seal


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the central's database has of one journal, after its commit.

    Attributes:
        receipt: version of this message, 1.
        upto: every entry from 1 to here is stored.
        head: head of the chain at `upto`, hex: the proof that both ends mean the same entries.
        last: the statement covers the entries up to here.
        missing: inclusive ranges between `upto` and `last` that are not stored.
    """

    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    journal: str = shape.field(pattern=HEX32)
    upto: int = shape.field(low=0, high=canonical.MAX_INTEGER)
    head: str = shape.field(pattern=HEX64)
    last: int = shape.field(low=0, high=canonical.MAX_INTEGER)
    missing: tuple[tuple[int, int], ...] = shape.field(max_items=MAX_MISSING, low=1)
    receipt: int = shape.field(1, choices=(1,))


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a terminal is connected, and what it is. Retained; the last will says offline."""

    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    journal: str = shape.field(pattern=HEX32)
    state: str = shape.field(choices=("online", "offline"))
    at_ms: int = shape.field(low=0, high=canonical.MAX_INTEGER)
    last_seq: int = shape.field(low=0, high=canonical.MAX_INTEGER)
    version: str = shape.field(pattern=_LINE40)
    boot: str = shape.field(pattern=HEX32)
    key: str = shape.field(pattern=HEX64)
    site: str = shape.field(pattern=_LINE64)
    first_seq: int | None = shape.field(None, low=1, high=canonical.MAX_INTEGER)
    status: int = shape.field(1, choices=(1,))


@dataclass(frozen=True, slots=True)
class _RosterLine:
    credential: str = shape.field(pattern=HEX64)
    person: str = shape.field(pattern=_LINE64)
    name: str = shape.field(pattern=_LINE80)


@dataclass(frozen=True, slots=True)
class _RosterShape:
    roster: int = shape.field(choices=(1,))
    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    version: int = shape.field(low=1, high=canonical.MAX_INTEGER)
    people: tuple[_RosterLine, ...] = shape.field(max_items=MAX_PEOPLE)


@dataclass(frozen=True, slots=True)
class Roster:
    """Who holds which concealed credential, whole; a higher `version` replaces a lower one."""

    terminal: str
    version: int
    people: Mapping[str, Person]


def encode_batch(
    terminal: str,
    journal: str,
    prev: bytes,
    texts: Sequence[str],
    first: int,
    seal: Seal,
    *,
    quick: bool = False,
) -> bytes:
    """A batch of stored `texts`: a few as they are, many cut into tables; none is parsed again.

    `quick` spares the processor instead of the link.
    """
    version, packed = 1, ""
    found, alone = tables.pack(first, texts) if len(texts) >= _FEWEST_ROWS else ([], [])
    if found:
        version, packed, texts = 2, f',"tables":[{",".join(found)}]', alone
    signed = canonical.write({key: one for key, one in asdict(seal).items() if one is not None})
    plain = (
        f'{{"batch":{version},"entries":[{",".join(texts)}],"first":{first},"journal":"{journal}",'
        f'"prev":"{prev.hex()}","seal":{signed}{packed},"terminal":"{terminal}"}}'.encode()
    )
    deflating = zlib.compressobj(_QUICK_LEVEL if quick else _LEVEL, zdict=_DICTIONARY)
    small = deflating.compress(plain) + deflating.flush()
    return small if len(small) < len(plain) else plain


def decode_batch(payload: bytes) -> Batch:
    table = _table(payload, "batch")
    items, packed = table.pop("entries", None), table.pop("tables", None)
    envelope = _shaped(_Envelope, table)
    found = _items(items, fewest=2 - envelope.batch)
    if envelope.batch == 2:
        found += tables.unpack(packed, MAX_BATCH - len(found), MAX_PLAIN_BYTES)
        found.sort(key=lambda item: entries.seq_of(item[0]))
    elif packed is not None:
        raise MessageError("schema", "tables belong to version 2 of a batch")
    for seq, (entry, text) in enumerate(found, envelope.first):
        if not text or entry["seq"] != seq:  # one of a table is checked but for its place
            entries.check(entry, seq)
    if envelope.seal.seq != envelope.first + len(found) - 1:
        raise MessageError("schema", "seal.seq is not the seq of the last entry")
    return Batch(
        envelope.terminal,
        envelope.journal,
        envelope.first,
        envelope.prev,
        tuple(entry for entry, _ in found),
        # What the seal signs needs no second check.
        tuple(text or canonical.write(entry) for entry, text in found),
        Seal(**asdict(envelope.seal)),
    )


def _items(items: Any, fewest: int) -> list[tuple[Any, str]]:
    """Entries that stand in a message as they are; their texts are still to be written."""
    if type(items) is not list or not fewest <= len(items) <= MAX_BATCH:
        raise MessageError("schema", f"entries: expected a list of {fewest} to {MAX_BATCH}")
    return [(item, "") for item in items]


def encode_receipt(receipt: Receipt) -> bytes:
    return _plain(asdict(receipt))


def decode_receipt(payload: bytes) -> Receipt:
    receipt = _shaped(Receipt, _table(payload, "receipt", MAX_SHORT_BYTES))
    below = receipt.upto
    for first, last in receipt.missing:
        if not below < first <= last < receipt.last:
            raise MessageError("schema", "missing: ranges must ascend between upto and last")
        below = last
    if receipt.last < receipt.upto or (receipt.last > receipt.upto and not receipt.missing):
        raise MessageError("schema", "last and upto contradict the missing ranges")
    return receipt


def encode_status(status: Status) -> bytes:
    return _plain({key: one for key, one in asdict(status).items() if one is not None})


def decode_status(payload: bytes) -> Status:
    return _shaped(Status, _table(payload, "status", MAX_SHORT_BYTES))


def encode_roster(roster: Roster) -> bytes:
    people = [
        {"credential": credential, "name": person.name, "person": person.id}
        for credential, person in sorted(roster.people.items())
    ]
    table = {"people": people, "roster": 1, "terminal": roster.terminal, "version": roster.version}
    return deflate(_plain(table))


def decode_roster(payload: bytes) -> Roster:
    table = _shaped(_RosterShape, _table(payload, "roster"))
    people = {line.credential: Person(line.person, line.name) for line in table.people}
    if len(people) != len(table.people):
        raise MessageError("schema", "people: a credential stands there twice")
    return Roster(table.terminal, table.version, people)


def deflate(plain: bytes) -> bytes:
    """`plain` or its zlib form, whichever is shorter."""
    small = zlib.compress(plain, _LEVEL)
    return small if len(small) < len(plain) else plain


def inflate(payload: bytes, most: int = MAX_PLAIN_BYTES) -> bytes:
    """The JSON text of a message, whichever way it was sent."""
    if len(payload) > MAX_WIRE_BYTES:
        raise MessageError("size", f"{len(payload)} bytes on the wire")
    if payload[:1] == b"{" and len(payload) <= most:
        return payload
    if payload[:1] == b"{":
        raise MessageError("size", f"{len(payload)} bytes")
    if payload[:1] != b"\x78":
        raise MessageError("encoding", f"first byte {payload[:1].hex() or 'missing'}")
    unpack = zlib.decompressobj(zdict=_DICTIONARY)  # used only where the stream asks for it
    try:
        plain = unpack.decompress(payload, most + 1)
    except zlib.error as error:
        raise MessageError("encoding", str(error)) from None
    if len(plain) > most:
        raise MessageError("size", f"more than {most} bytes inflated")
    if not unpack.eof or unpack.unused_data:
        raise MessageError("encoding", "the deflated message does not end where it should")
    return plain


def _plain(table: Mapping[str, Any]) -> bytes:
    return canonical.write(table).encode()


def _table(payload: bytes, kind: str, most: int = MAX_PLAIN_BYTES) -> dict[str, Any]:
    """The message as a table; `kind` is the key of its version, which no message lacks."""
    table = canonical.decode(inflate(payload, most))
    if type(table) is not dict or kind not in table:
        raise MessageError("schema", f"the message is no {kind}")
    return table


def _shaped(kind: type[T], table: dict[str, Any]) -> T:
    try:
        return shape.load(kind, table)
    except shape.ShapeError as error:
        raise MessageError("schema", str(error)) from None
