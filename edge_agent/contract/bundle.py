"""A bundle: batches carried by hand, encrypted to the organisation, in one stream of bytes.

    header    one line of canonical JSON, at most 512 bytes with its line feed
    record    length, first, last, check: 4, 8, 8 and 4 bytes, big-endian
              then `length` bytes: a batch as MQTT would have carried it, encrypted
    end       a record of an empty batch, `first` and `last` 0

    shared    X25519 of the header's `ephemeral` key and the organisation's
    key       HKDF-SHA256(shared, salt = ephemeral public, organisation public; info = INFO)
    record n  ChaCha20-Poly1305, nonce n = 0, 1, 2 ... in 12 bytes, big-endian; associated data are
              the header with its line feed and the record's first 20 bytes

So a record that was changed, moved or taken out does not open, and a bundle without its end was
cut. `check` is the CRC-32 of the encrypted bytes: who has no key, such as the terminal that wrote
the bundle, can still tell which records lie there whole. RFC 7748, RFC 5869, RFC 8439.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge_agent import shape
from edge_agent.contract import canonical
from edge_agent.contract.messages import MAX_WIRE_BYTES
from edge_agent.contract.rules import HEX32, HEX64
from edge_agent.contract.topics import TERMINAL_PATTERN
from edge_agent.errors import MessageError

INFO = b"edge-agent/bundle/1"
MAX_HEADER_BYTES = 512
#: What stands before the encrypted bytes of a record.
PREFIX_BYTES = 24
TAG_BYTES = 16
_PREFIX = struct.Struct(">IQQ")
_CHECK = struct.Struct(">I")

Read = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Header:
    """Whose entries they are, and who can read them.

    Attributes:
        organisation: the public key to which they are encrypted, hex.
        ephemeral: the public key that was made for this bundle alone, hex.
        bundle: version of this format, 1.
    """

    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    journal: str = shape.field(pattern=HEX32)
    organisation: str = shape.field(pattern=HEX64)
    ephemeral: str = shape.field(pattern=HEX64)
    bundle: int = shape.field(1, choices=(1,))

    def line(self) -> bytes:
        """The header as it stands in the bundle."""
        return canonical.write(asdict(self)).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it lies in the bundle, not yet opened.

    Attributes:
        number: its place, from 0.
        first, last: the entries that it says it holds, 0 and 0 at the end of the bundle.
        prefix: its first 20 bytes, which its encryption vouches for.
        body: the encrypted batch.
        whole: whether the bytes are those that were written, by their checksum.
    """

    number: int
    first: int
    last: int
    prefix: bytes
    body: bytes
    whole: bool

    @property
    def is_end(self) -> bool:
        """True for what says that nothing is missing behind it."""
        return self.last == 0

    @property
    def size(self) -> int:
        """Bytes in the bundle."""
        return PREFIX_BYTES + len(self.body)


def new_key() -> str:
    """A private key for an organisation, 64 hex digits."""
    raw = serialization.Encoding.Raw, serialization.PrivateFormat.Raw
    return X25519PrivateKey.generate().private_bytes(*raw, serialization.NoEncryption()).hex()


def public_key(private: str) -> str:
    """What belongs to a private key and may be known to all, hex. Raises ValueError."""
    return _public(_private(private)).hex()


def key_of(text: str) -> str:
    """The key in a file: 64 lower-case hex digits. Raises ValueError for anything else."""
    found = text.strip()
    if len(found) != 64 or not set(found) <= set("0123456789abcdef"):
        raise ValueError("a key is 64 lower-case hex digits")
    return found


def check_public(text: str) -> str:
    """A public key in a file, if anything can be encrypted to it. Raises ValueError."""
    found = key_of(text)
    other = X25519PublicKey.from_public_bytes(bytes.fromhex(found))
    try:
        X25519PrivateKey.generate().exchange(other)
    except ValueError:
        raise ValueError("nothing can be encrypted to this key") from None
    return found


class Writing:
    """Encrypts the batches of one bundle.

    Args:
        terminal, journal: whose they are.
        organisation: the public key that they are for, hex. Raises ValueError for what is none.
        ephemeral: a private key that was never used, hex; another one for each bundle.
    """

    def __init__(self, terminal: str, journal: str, organisation: str, ephemeral: str) -> None:
        own = _private(ephemeral)
        self.header = Header(terminal, journal, organisation, _public(own).hex())
        self._cipher = _cipher(own, bytes.fromhex(organisation), self.header)
        self._records = 0

    def record(self, first: int, last: int, payload: bytes) -> bytes:
        """The next record: a batch of the entries `first` to `last`."""
        head = _PREFIX.pack(len(payload) + TAG_BYTES, first, last)
        nonce = self._records.to_bytes(12, "big")
        body = self._cipher.encrypt(nonce, payload, self.header.line() + head)
        self._records += 1
        return head + _CHECK.pack(zlib.crc32(body)) + body

    def end(self) -> bytes:
        """What the last record is followed by."""
        return self.record(0, 0, b"")


class Reading:
    """Opens the records of one bundle.

    Raises MessageError: reason ``organisation``, it is for another key than `private`.
    """

    def __init__(self, header: Header, private: str) -> None:
        own = _private(private)
        if header.organisation != _public(own).hex():
            raise MessageError("organisation", f"it is for the key {header.organisation[:16]}...")
        try:
            self._cipher = _cipher(own, bytes.fromhex(header.ephemeral), header)
        except ValueError:
            raise MessageError("organisation", "its ephemeral key is none") from None
        self._line = header.line()

    def open(self, record: Record) -> bytes:
        """The batch in `record`.

        Raises MessageError: reason ``record``, it was changed, or belongs elsewhere.
        """
        nonce, where = record.number.to_bytes(12, "big"), f"record {record.number + 1}"
        if not record.whole:
            raise MessageError("record", f"{where} is damaged")
        try:
            return self._cipher.decrypt(nonce, record.body, self._line + record.prefix)
        except InvalidTag:
            raise MessageError("record", f"{where} is not what was written there") from None


def read_header(read: Read) -> Header:
    """The header at the beginning of a stream, which is then at the first record.

    Raises MessageError: reason ``bundle``, it is no bundle.
    """
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_HEADER_BYTES and (byte := read(1)):
        line += byte
    try:
        header = shape.load(Header, canonical.decode(line))
    except (MessageError, shape.ShapeError, AttributeError, TypeError):
        raise MessageError("bundle", "it does not begin like one") from None
    if header.line() != line:
        raise MessageError("bundle", "its header is not canonical")
    return header


def read_records(read: Read) -> Iterator[Record]:
    """Every record behind the header, whole or not, with the end as the last.

    Memory is that of one record. Raises MessageError: reason ``cut``, there is no end, or no record
    where one should be; what came before may still be opened.
    """
    for number in range(2**32):
        prefix = _exactly(read, PREFIX_BYTES, number)
        head = prefix[: _PREFIX.size]
        length, first, last = _PREFIX.unpack(head)
        if not TAG_BYTES <= length <= MAX_WIRE_BYTES + TAG_BYTES or first > last:
            raise MessageError("cut", f"there is no record {number + 1}")
        body = _exactly(read, length, number)
        whole = _CHECK.pack(zlib.crc32(body)) == prefix[_PREFIX.size :]
        yield Record(number, first, last, head, body, whole)
        if last == 0 and read(1):
            raise MessageError("cut", "something stands behind the end")
        if last == 0:
            return


def _exactly(read: Read, size: int, number: int) -> bytes:
    data = read(size)
    if len(data) < size:
        after = f"after record {number}" if number else "before the first record"
        raise MessageError("cut", after)
    return data


def _private(text: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def _public(private: X25519PrivateKey) -> bytes:
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return private.public_key().public_bytes(*raw)


def _cipher(own: X25519PrivateKey, other: bytes, header: Header) -> ChaCha20Poly1305:
    shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    salt = bytes.fromhex(header.ephemeral + header.organisation)
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=INFO).derive(shared)
    return ChaCha20Poly1305(key)
