"""MQTT control packets as they stand on the wire (MQTT 5 and 3.1.1, section 2.1). Pure.

A packet is one byte of kind and flags, its remaining length in one to four bytes of seven bits
each, lowest first, and so many bytes. A PUBACK with message id 7 and reason 0x97: 40 03 00 07 97.
"""

from collections.abc import Iterator
from dataclasses import dataclass

KINDS = (
    "RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
    "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
)  # fmt: skip
#: Bytes that are no whole packet that we keep: not MQTT, or longer than `MOST_BYTES`.
OTHER = "other"
#: A packet that is longer passes unseen, so that nobody can make us keep 256 MB.
MOST_BYTES = 1_048_576

_DUP = 0x08
#: Flags that are allowed; of all other kinds 0 (a TLS client begins with 16).
_FLAGS = {"PUBLISH": range(16), "PUBREL": (2,), "SUBSCRIBE": (2,), "UNSUBSCRIBE": (2,)}
#: Properties of a CONNACK (MQTT 5, 2.2.2.2): how many bytes each takes, or how they are told.
_SIZES = {0x11: 4, 0x21: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x22: 2, 0x28: 1, 0x29: 1, 0x2A: 1, 0x13: 2}
_STRINGS = {0x12: 1, 0x1F: 1, 0x26: 2, 0x1A: 1, 0x1C: 1, 0x15: 1, 0x16: 1}
_RECEIVE_MAXIMUM = 0x21


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, or bytes that are `OTHER`.

    Attributes:
        kind: one of `KINDS`.
        flags: the lower half of its first byte.
        body: what follows the fixed header.
        raw: all of it, as it came.
    """

    kind: str
    flags: int
    body: bytes
    raw: bytes

    @property
    def qos(self) -> int:
        """Of a PUBLISH."""
        return self.flags >> 1 & 3

    @property
    def mid(self) -> int | None:
        """The message id of a PUBLISH or an acknowledgement; None if there is none."""
        at = 0
        if self.kind == "PUBLISH":
            if not self.qos:
                return None
            at = 2 + int.from_bytes(self.body[:2], "big")
        found = self.body[at : at + 2]
        return int.from_bytes(found, "big") if len(found) == 2 else None

    def message(self, *, v5: bool) -> tuple[str, bytes]:
        """Topic and payload of a PUBLISH; the payload begins behind the properties of MQTT 5."""
        at = 2 + int.from_bytes(self.body[:2], "big")
        topic = self.body[2:at].decode("utf-8", "replace")
        at += 2 if self.qos else 0
        if v5:
            taken, size = length(self.body, at) or (0, 0)
            at += taken + size
        return topic, self.body[at:]


class Splitter:
    """Cuts a stream into packets, however it is chunked.

    A stream that does not begin with one of `first`, or breaks the rules later, is not MQTT: from
    there on its bytes are given as they come.
    """

    def __init__(self, *first: str) -> None:
        self._first = first
        self._buffer = bytearray()
        self._passing = 0  # bytes of a packet that is too long
        self._lost = False

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that `data` completes."""
        self._buffer += data
        while self._buffer:
            found = self._other() if self._lost or self._passing else self._packet()
            if found is None:
                return
            yield found

    def rest(self) -> bytes:
        """The beginning of a packet that never became whole, given up."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _packet(self) -> Packet | None:
        kind, flags = KINDS[self._buffer[0] >> 4], self._buffer[0] & 15
        head = length(self._buffer, 1)
        legal = kind in (self._first or KINDS[1:]) and flags in _FLAGS.get(kind, (0,))
        if not legal or head == (0, 0):
            self._lost = True
            return self._other()
        if head is None:
            return None
        start, size = 1 + head[0], 1 + head[0] + head[1]
        if size > MOST_BYTES:
            self._passing = size
            self._first = ()
            return self._other()
        if len(self._buffer) < size:
            return None
        self._first = ()
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Packet(kind, flags, raw[start:], raw)

    def _other(self) -> Packet:
        size = len(self._buffer) if self._lost else min(self._passing, len(self._buffer))
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._passing = max(0, self._passing - size)
        return Packet(OTHER, 0, b"", raw)


def length(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """A variable length at `at`: bytes it takes, and its value; None if there is more to come.

    (0, 0) if it has more than the four bytes that are allowed.
    """
    value = 0
    for taken, byte in enumerate(data[at : at + 4]):
        value |= (byte & 0x7F) << 7 * taken
        if byte < 0x80:
            return taken + 1, value
    return (0, 0) if len(data) >= at + 4 else None


def packet(kind: str, body: bytes, flags: int = 0) -> bytes:
    """A packet on the wire."""
    return bytes([KINDS.index(kind) << 4 | flags]) + _length(len(body)) + body


def puback(mid: int, reason: int = 0, *, v5: bool = True) -> bytes:
    """A PUBACK; before MQTT 5 there was no way to refuse, so `reason` is left out."""
    return packet("PUBACK", mid.to_bytes(2, "big") + (bytes([reason]) if v5 and reason else b""))


def connect(client_id: str, *, v5: bool = True, keepalive_s: int = 60) -> bytes:
    """A CONNECT with a clean session."""
    head = b"\x00\x04MQTT" + bytes([5 if v5 else 4, 2]) + keepalive_s.to_bytes(2, "big")
    name = client_id.encode()
    return packet("CONNECT", head + b"\0" * v5 + len(name).to_bytes(2, "big") + name)


def again(one: Packet) -> bytes:
    """The same PUBLISH, marked as sent before."""
    return bytes([one.raw[0] | _DUP]) + one.raw[1:]


def who(one: Packet) -> tuple[str, bool]:
    """The client id of a CONNECT, "" if it cannot be read, and whether it speaks MQTT 5."""
    body = one.body
    at = 2 + int.from_bytes(body[:2], "big")  # behind the protocol's name
    v5 = body[at : at + 1] == b"\x05"
    at += 4  # level, flags, keep-alive
    if v5:
        taken, size = length(body, at) or (0, 0)
        at += taken + size
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : end].decode("utf-8", "replace"), v5


def subscriptions(one: Packet, v5: bool) -> int:
    """How many topics a SUBSCRIBE asks for."""
    at, count = 2, 0
    if v5:
        taken, size = length(one.body, at) or (0, 0)
        at += taken + size
    while at < len(one.body):
        at += 2 + int.from_bytes(one.body[at : at + 2], "big") + 1
        count += 1
    return count


def allow(one: Packet, room: int) -> bytes:
    """A CONNACK of MQTT 5 with `room` as its Receive Maximum; as it came if it cannot be read."""
    head = length(one.body, 2)
    if head is None or head == (0, 0):
        return one.raw
    start = 2 + head[0]
    kept = _without_room(one.body[start : start + head[1]])
    if kept is None:
        return one.raw
    told = kept + bytes([_RECEIVE_MAXIMUM]) + room.to_bytes(2, "big")
    rest = one.body[start + head[1] :]
    return packet("CONNACK", one.body[:2] + _length(len(told)) + told + rest)


def _without_room(properties: bytes) -> bytes | None:
    """All of them but Receive Maximum; None if they break the rules."""
    kept, at = b"", 0
    while at < len(properties):
        name, end = properties[at], at + 1
        if name in _SIZES:
            end += _SIZES[name]
        elif name in _STRINGS:
            for _ in range(_STRINGS[name]):
                end += 2 + int.from_bytes(properties[end : end + 2], "big")
        else:
            return None
        if name != _RECEIVE_MAXIMUM:
            kept += properties[at:end]
        at = end
    return kept if at == len(properties) else None


def _length(value: int) -> bytes:
    told = b""
    while True:
        value, low = divmod(value, 128)
        told += bytes([low | 0x80 * (value > 0)])
        if not value:
            return told
