"""One card, many spellings: from what a reader prints to the bytes as read on the air.

The same EM4100 card 3C 00 CE 75 4C (version V, number A B C D) at different readers:

    printed           format      value         missing
    3C00CE754C        hex         3C00CE754C
    4C75CE003C        hex_rev     3C00CE754C
    0257711568204     dec13       3C00CE754C
    0013530444        dec10       00CE754C      V
    1282788864        dec10_le    00CE754C      V
    00206,30028       w34         00CE754C      V       Wiegand-34; also 13530444
    19573,52736       w34_rev     00CE754C      V
    206,30028         w26         CE754C        V, A    Wiegand-26; also 13530444

What is missing cannot be guessed, so such a value is shorter, and two cards may share it. The
shorter names of a registered card are known to the central (`contract.credentials.names`), which
leaves out those that belong to two persons.

A 13.56 MHz card comes in both byte orders: 7186A61E at a Wiegand-34 reader is 1EA68671 at an
MFRC522. Ten digits hold four bytes of a UID; which four of seven is the maker's secret, as are the
three of Wiegand-26. So ``w26`` of ``14443a`` is nothing: such a reader needs a technology of its
own.

The format of the profile decides. 12345678 is a hex UID and a decimal number; nothing in it says
which. Eight digits of ``w26`` are a number, not facility and card without the comma.

Sources: Stack Overflow 11848921 (the card and its printed number) and 70022011 (byte order);
Seeabreeze's note on card formats (3 + 5 digits cannot be turned back).
"""

import re
from collections.abc import Callable

from edge_agent.profile import Text

_HEX = re.compile(r"[0-9A-Fa-f]{2}(?:([ :-]?)[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2})*)?")
_PAIR = re.compile(r"([0-9]{1,5})[,:/ -]([0-9]{1,5})")


def canonical(form: str, technology: str, text: str) -> str | None:
    """The value of a credential that a reader prints as `text`.

    Args:
        form: how it is printed, one of the formats in `profile.Text`.
        technology: what kind of card it is, e.g. ``em4100``: says how many bytes it can have.
        text: what was printed, without anything around it.

    Returns:
        Upper-case hex of the bytes, the one received first in front; for ``raw`` the text itself.
        None if the text does not have that form, or says 0, which is no card.
    """
    if form == "raw":
        return text or None
    reverse = form in ("hex_rev", "dec10_le", "w34_rev")
    value = _READ[form.removesuffix("_rev").removesuffix("_le")](text)
    if value is None or not any(value) or not _possible(form, technology, len(value)):
        return None
    return (value[::-1] if reverse else value).hex().upper()


def _possible(form: str, technology: str, size: int) -> bool:
    if technology == "14443a":
        return size in (4, 7, 10)
    if technology == "em4100" and form in ("hex", "hex_rev"):
        return size in (4, 5)
    return 3 <= size <= 10


def _hex(text: str) -> bytes | None:
    found = _HEX.fullmatch(text)
    return bytes.fromhex(text.replace(found[1] or " ", "")) if found else None


def _decimal(text: str, fewest: int, most: int, size: int) -> bytes | None:
    if not re.fullmatch(rf"[0-9]{{{fewest},{most}}}", text) or int(text) >= 1 << 8 * size:
        return None
    return int(text).to_bytes(size, "big")


def _wiegand(text: str, facility: int, card: int, digits: int) -> bytes | None:
    """``facility,card`` of so many bytes each, or both as one number of at most `digits`."""
    pair = _PAIR.fullmatch(text)
    if pair is None:
        return _decimal(text, 1, digits, facility + card)
    first, second = _decimal(pair[1], 1, 5, facility), _decimal(pair[2], 1, 5, card)
    return None if first is None or second is None else first + second


_READ: dict[str, Callable[[str], bytes | None]] = {
    "hex": _hex,
    "dec10": lambda text: _decimal(text, 10, 10, 4),
    "dec13": lambda text: _decimal(text, 13, 13, 5),
    "w26": lambda text: _wiegand(text, 1, 2, 8),
    "w34": lambda text: _wiegand(text, 2, 2, 10),
}


class Spelling:
    """How one reader writes a credential in its lines, as its profile says.

    Args:
        technology: of the cards.
        settings: the profile's; its `pattern` is known to compile.
        usual: the pattern of a line where the profile gives neither a pattern nor a format.
    """

    def __init__(self, technology: str, settings: Text, usual: str) -> None:
        plain = usual if settings.format == "raw" else r"(?s).*"
        # ASCII: of a line in an unknown encoding no other byte is a letter or a digit.
        self._pattern = re.compile(settings.pattern or plain, re.ASCII)
        self._technology = technology
        self._format = settings.format
        self._longest = settings.longest

    def value(self, line: str) -> str | None:
        """The value of the credential in this line; None if there is none."""
        found = self._pattern.fullmatch(line) if len(line) <= self._longest else None
        if found is None:
            return None
        text = found[1] if self._pattern.groups else found[0]
        return canonical(self._format, self._technology, (text or "").strip())
