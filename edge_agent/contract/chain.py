"""The chain that ties a journal's entries together, and the seal that signs its head.

    head(0) = SHA-256("edge-agent/journal/1\\n" terminal "\\n" journal)
    head(n) = SHA-256(head(n-1) text(n))                 32 bytes and the entry's UTF-8 text
    seal    = Ed25519("edge-agent/seal/1\\n" terminal "\\n" journal "\\n" seq "\\n" head(seq))

`seq` is decimal, the head of a seal in hex. Whoever holds the terminal's public key can therefore
show that entry n, and every entry before it, is what the terminal wrote, in that order and for that
terminal. RFC 8032, FIPS 180-4.

A terminal whose stored text was edited sends what it has, and says so under its seal: `sent` is the
head that the texts in the message lead to, and is signed behind the head, after one more "\\n".
Without it nobody could tell the edit on the terminal from a forgery on the way.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

HEAD_BYTES = 32


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature over the head of a journal at one seq; all values but `seq` in hex.

    Attributes:
        head: what the terminal committed to when it wrote the entry.
        sent: where the texts of the message lead, if that is elsewhere; None for sound entries.
    """

    seq: int
    head: str
    key: str
    signature: str
    sent: str | None = None

    @property
    def lead(self) -> str:
        """The head to which the texts of the message must lead from its `prev`."""
        return self.sent or self.head

    def verify(self, terminal: str, journal: str) -> bool:
        """True if the holder of `key` signed this head at this seq for this journal."""
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key))
            signed = _signed(terminal, journal, self.seq, self.head, self.sent)
            public.verify(bytes.fromhex(self.signature), signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class Sealer:
    """Signs heads with the terminal's private key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.key = private.public_key().public_bytes(*raw).hex()

    @classmethod
    def new(cls) -> "Sealer":
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_hex(cls, text: str) -> "Sealer":
        """From the 64 hex digits that `to_hex` gave. Raises ValueError for anything else."""
        return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip())))

    def to_hex(self) -> str:
        """The private key, 64 hex digits; belongs in a file that only the agent can read."""
        return self._private.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        ).hex()

    def seal(
        self, terminal: str, journal: str, seq: int, head: bytes, sent: bytes | None = None
    ) -> Seal:
        """Sign `head`; `sent` only for entries that are not what was written."""
        stated = sent.hex() if sent else None
        signature = self._private.sign(_signed(terminal, journal, seq, head.hex(), stated))
        return Seal(seq, head.hex(), self.key, signature.hex(), stated)


def genesis(terminal: str, journal: str) -> bytes:
    """The head of a journal that has no entry yet, 32 bytes."""
    return hashlib.sha256(f"edge-agent/journal/1\n{terminal}\n{journal}".encode()).digest()


def link(head: bytes, text: str) -> bytes:
    """The head after the entry `text`, 32 bytes."""
    return hashlib.sha256(head + text.encode()).digest()


def follow(head: bytes, texts: Iterable[str]) -> bytes:
    """The head after all of `texts`, 32 bytes."""
    for text in texts:  # `link`, written out: a backlog of a million is followed at both ends
        head = hashlib.sha256(head + text.encode()).digest()
    return head


def _signed(terminal: str, journal: str, seq: int, head: str, sent: str | None) -> bytes:
    tail = f"\n{sent}" if sent else ""
    return f"edge-agent/seal/1\n{terminal}\n{journal}\n{seq}\n{head}{tail}".encode()
