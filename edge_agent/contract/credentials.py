"""Card numbers do not leave the terminal: HMAC-SHA-256 under a key of the organisation (RFC 2104).

A broker, a consumer or a thief of the stream holds no number that could be written onto a blank
card. The central, which has the same key, conceals each card number of its register in the same way
and compares; without the key the 2^40 numbers of the EM4100 family could simply all be tried.
"""

import hashlib
import hmac
import re

KEY_BYTES = 32


def parse_key(text: str) -> bytes:
    """The key in a key file: 64 hex digits. Raises ValueError if it is anything else."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text.strip()):
        raise ValueError("expected 64 hex digits")
    return bytes.fromhex(text.strip())


def conceal(credential: str, key: bytes) -> str:
    """The concealed form of a credential such as ``em4100:3C00CE754C``: 64 hex digits."""
    return hmac.digest(key, credential.encode(), hashlib.sha256).hex()


def key_id(key: bytes) -> str:
    """16 hex digits that name a key without betraying it; says which key concealed a journal."""
    return hmac.digest(key, b"edge-agent/key-id", hashlib.sha256).hex()[:16]
