"""The organisation's roster: who holds which card, read from a CSV file and concealed at once.

    card,person,name,site
    em4100:3C00CE754C,198501012010011001,Siti Rahma,kec-bungi
    14443a:04C63A63110189,198501012010011001,Siti Rahma,kec-bungi
    ,tkk-0042,La Ode Harun,kec-bungi

UTF-8, one line a card. A person may hold several cards, or none yet (an empty `card`): the
roll-call counts the person either way. The card numbers are not kept; the database and the
terminals get only their HMAC-SHA-256 under the organisation's key.

A card is written in full, as ``em4100:`` and ten hex digits; if only a part is known, as the eight
of the number printed on it or the six of Wiegand-26. It is registered under that and every shorter
name (`contract.credentials.names`), so that it is the same person's at every kind of reader that
gives as much or less. A shorter name that cards of two persons share is nobody's. Fingers are
enrolled at the terminals.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from edge_agent.contract import credentials
from edge_agent.errors import EdgeAgentError

HEADER = ("card", "person", "name", "site")

#: How a credential of each technology is written; others are a name, a colon and printable text.
_FORMS = {
    "em4100": r"([0-9A-F]{2}){3,5}",
    "14443a": r"([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})",
}
_ANY_FORM = r"[^\x00-\x1f\x7f-\x9f]{1,512}"
_TECHNOLOGY = re.compile(r"[a-z0-9]{1,16}")
#: The same limits as the roster message has.
_LENGTHS = {"person": 64, "name": 80, "site": 64}


@dataclass(frozen=True, slots=True)
class Enlisted:
    """One person of the roster and the site where the person works."""

    person: str
    name: str
    site: str


@dataclass(frozen=True, slots=True)
class Register:
    """A whole roster.

    Attributes:
        people: everybody, each once.
        holders: person ids by concealed credential, a card under each of its names.
        credential_key: id of the key that concealed them.
        cards: how many cards there are.
        shorter: those of `holders` that are names of cards which the roster gives in full.
        ambiguous: concealed shorter names that cards of two persons share; nobody's.
    """

    people: tuple[Enlisted, ...]
    holders: Mapping[str, str]
    credential_key: str
    cards: int
    shorter: frozenset[str]
    ambiguous: frozenset[str]


class RosterError(EdgeAgentError, ValueError):
    """A roster file cannot be used as it is."""

    exit_code = 2


def read(path: Path, key: bytes) -> Register:
    """The roster in the CSV file at `path`, its cards concealed with `key`.

    Raises:
        RosterError: it cannot be read, or a line of it is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets put a byte order mark in front
    except OSError as error:
        cause = error.strerror or str(error)
        raise RosterError("read roster", str(path), cause, "name a CSV file") from None
    except UnicodeDecodeError:
        raise RosterError(
            "read roster", str(path), "it is not UTF-8 text", 'save it as "CSV UTF-8"'
        ) from None
    return parse(text, key, str(path))


def parse(text: str, key: bytes, subject: str) -> Register:
    """The roster in CSV `text`; `subject` names it in errors. Raises RosterError."""
    people: dict[str, tuple[int, Enlisted]] = {}
    cards: dict[str, tuple[int, str]] = {}
    try:
        for number, row in _rows(text):
            one = Enlisted(row["person"], row["name"], row["site"])
            before, known = people.setdefault(one.person, (number, one))
            if known != one:
                raise _FlawError(
                    f"line {number} gives person {one.person} another name or site than"
                    f" line {before}",
                    "write the same name and site on every line of a person",
                )
            if row["card"]:
                _add_card(cards, _card(number, row["card"]), number, one.person)
        holders, ambiguous = _names(cards)
    except _FlawError as flaw:
        raise RosterError("read roster", subject, flaw.cause, flaw.hint) from None
    return Register(
        tuple(one for _, one in people.values()),
        {credentials.conceal(name, key): person for name, person in holders.items()},
        credentials.key_id(key),
        len(cards),
        frozenset(credentials.conceal(name, key) for name in holders.keys() - cards.keys()),
        frozenset(credentials.conceal(name, key) for name in ambiguous),
    )


class _FlawError(Exception):
    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint


def _rows(text: str) -> list[tuple[int, dict[str, str]]]:
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    numbered: list[tuple[int, dict[str, str]]] = []
    header: list[str] | None = None
    try:
        for row in rows:
            if header is None:
                header = _header([cell.strip() for cell in row])
            elif any(cell.strip() for cell in row):
                numbered.append((rows.line_num, _row(rows.line_num, header, row)))
    except csv.Error as error:
        raise _FlawError(f"line {rows.line_num}: {error}", "save it again as CSV") from None
    if header is None:
        raise _FlawError("it is empty", f"begin it with the line {','.join(HEADER)}")
    return numbered


def _header(found: list[str]) -> list[str]:
    if sorted(found) == sorted(HEADER):
        return found
    if any(";" in cell for cell in found):
        raise _FlawError("line 1: the columns are parted by semicolons", "save it with commas")
    wrong = [f'no column "{name}"' for name in HEADER if name not in found]
    wrong += [f'an unknown column "{name[:40]}"' for name in found if name not in HEADER]
    raise _FlawError(
        f"line 1: {', '.join(wrong) or 'a column twice'}",
        f"the first line must be {','.join(HEADER)}",
    )


def _row(number: int, header: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(header):
        raise _FlawError(
            f"line {number} has {len(cells)} columns instead of {len(header)}",
            "put a value with a comma in it between double quotes",
        )
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    for name, most in _LENGTHS.items():
        if not re.fullmatch(rf"[^\x00-\x1f\x7f-\x9f]{{1,{most}}}", row[name]):
            raise _FlawError(
                f"line {number}: {name} has {len(row[name])} characters, or a line break in it",
                f"write 1 to {most} characters on one line",
            )
    return row


def _card(number: int, card: str) -> str:
    technology, _, value = card.partition(":")
    if technology == credentials.FINGER:
        raise _FlawError(
            f"line {number}: a finger is not known by a number",
            "enrol it where it is to be used: edge-agent enrol finger",
        )
    form = _FORMS.get(technology, _ANY_FORM)
    if not _TECHNOLOGY.fullmatch(technology) or not re.fullmatch(form, value):
        raise _FlawError(
            f"line {number}: the card is not written as a terminal reads it",
            "write technology, colon and value in capitals, e.g. em4100:3C00CE754C",
        )
    return card


def _add_card(cards: dict[str, tuple[int, str]], card: str, number: int, person: str) -> None:
    before, holder = cards.setdefault(card, (number, person))
    if holder != person:
        raise _FlawError(
            f"lines {before} and {number} give the same card to two persons, {holder} and {person}",
            "find out who holds the card and remove the other line",
        )


def _names(cards: Mapping[str, tuple[int, str]]) -> tuple[dict[str, str], set[str]]:
    """Who holds each name of each card, and the shorter names that nobody can hold."""
    shorter: dict[str, str] = {}
    ambiguous = set()
    for card, (number, person) in cards.items():
        for name in credentials.names(card)[1:]:
            other, holder = cards.get(name, (number, person))
            if holder != person:
                first, second = sorted((number, other))
                raise _FlawError(
                    f"lines {first} and {second} give {person} and {holder} cards that a reader"
                    " cannot tell apart: the one number is a part of the other",
                    "write both in full, ten hex digits",
                )
            if shorter.setdefault(name, person) != person:
                ambiguous.add(name)
    holders = {name: person for name, person in shorter.items() if name not in ambiguous}
    return holders | {card: person for card, (_, person) in cards.items()}, ambiguous
