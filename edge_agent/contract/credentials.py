"""Card numbers do not leave the terminal: HMAC-SHA-256 under a key of the organisation (RFC 2104).

A broker, a consumer or a thief of the stream holds no number that could be written onto a blank
card. The central, which has the same key, conceals each card number of its register in the same way
and compares; without the key the 2^40 numbers of the EM4100 family could simply all be tried.

A concealed number cannot be cut short afterwards, so a card that some readers read in part is
concealed under each of its `names`.
"""

import hashlib
import hmac
import re

KEY_BYTES = 32
#: Credentials of fingers mean something to one module only: the templates never leave it.
FINGER = "finger"
#: All of an EM4100 number, what is printed on the card and in Wiegand-34, what is in Wiegand-26.
_EM4100 = re.compile(r"em4100:(?:[0-9A-F]{2}){3,5}")
_PRINTED, _PRINTED_DIGITS = "em4100printed:", 8


def parse_key(text: str) -> bytes:
    """The key in a key file: 64 hex digits. Raises ValueError if it is anything else."""
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text.strip()):
        raise ValueError("expected 64 hex digits")
    return bytes.fromhex(text.strip())


def conceal(credential: str, key: bytes) -> str:
    """The concealed form of a credential such as ``em4100:3C00CE754C``: 64 hex digits."""
    return hmac.digest(key, credential.encode(), hashlib.sha256).hex()


def names(credential: str) -> tuple[str, ...]:
    """Every name under which readers know a card: its own, then the shorter ones.

    ``em4100:3C00CE754C`` is ``em4100:00CE754C`` at a reader that prints ten decimal digits and
    ``em4100:CE754C`` behind Wiegand-26. One of which only the printed digits are known also has the
    name that `registered` makes of a card that was read in full. A name of zeros alone is no card,
    and left out. Cards of 13.56 MHz have one name: which bytes of a UID a reader drops, and in what
    order it gives the rest, differs from maker to maker, so any shorter name would be a guess.
    """
    found = [credential]
    if _EM4100.fullmatch(credential):
        number = credential.removeprefix("em4100:")
        parts = [number[-digits:] for digits in (8, 6) if digits < len(number)]
        found += [f"em4100:{part}" for part in parts if part.strip("0")]
        if len(number) == _PRINTED_DIGITS:
            found.append(f"{_PRINTED}{number}")
    return tuple(found)


def registered(credential: str) -> tuple[str, ...]:
    """Under which names a register may hold a card that was read so.

    Many registers have only the ten decimal digits printed on an EM4100 card, which leave out the
    first of its five bytes: such a line has a name of its own, so that a card is not taken for
    another one that is registered in full and happens to end alike.
    """
    if _EM4100.fullmatch(credential) and len(credential) == len("em4100:3C00CE754C"):
        return (credential, f"{_PRINTED}{credential[-_PRINTED_DIGITS:]}")
    return (credential,)


def key_id(key: bytes) -> str:
    """16 hex digits that name a key without betraying it; says which key concealed a journal."""
    return hmac.digest(key, b"edge-agent/key-id", hashlib.sha256).hex()[:16]
