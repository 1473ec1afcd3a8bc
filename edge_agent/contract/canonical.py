"""Canonical JSON: RFC 8785 restricted to objects, strings and whole numbers.

The restriction removes what makes RFC 8785 hard: there are no fractions, no exponents, no
booleans, no nulls and no lists in an entry, and keys are lower-case ASCII, for which sorting by
code point and by UTF-16 unit is the same. Any JSON library with sorted keys and no white space
gives these bytes.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache, lru_cache
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, NoReturn, cast

from edge_agent.errors import MessageError

Value = str | int | Mapping[str, "Value"]

#: RFC 7493 (I-JSON) section 2.2: integers that every JSON reader keeps exact.
MAX_INTEGER = 2**53 - 1
#: Nesting deeper than any entry has; keeps a hostile message from exhausting the stack.
MAX_DEPTH = 4

_MOST_KEPT = 32
#: A tuple: `str | int` would be built anew at every test.
_SCALARS = (str, int, float)
_KEY = re.compile(r"[a-z][a-z0-9_]*")
#: The canonical writer without the check, for messages that this program itself composed.
write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def encode(value: Mapping[str, Value]) -> str:
    """The one canonical text of `value`.

    Raises:
        MessageError: reason ``schema``, if `value` holds anything but strings, whole numbers and
            objects of these, or half a surrogate pair, which has no UTF-8.
    """
    return whole(_text(value, 1))


def whole(text: str) -> str:
    """`text`, unless it holds half a surrogate pair, which has no UTF-8: then MessageError."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise MessageError("schema", f"half a surrogate pair at {error.start}") from None
    return text


def decode(data: bytes) -> Any:
    """Parse JSON in UTF-8, refusing what no message of the contract contains.

    Raises:
        MessageError: reason ``json``, for broken JSON, fractions, NaN, half a surrogate pair, and
            bytes that are not UTF-8.
    """
    try:
        text = data.decode()
        value = json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
        if "\\u" in text:  # only an escape can smuggle half a surrogate pair into a string
            write(value).encode()
    except (ValueError, RecursionError) as error:
        raise MessageError("json", str(error).splitlines()[0][:200]) from None
    return value


def check(value: Mapping[str, Value], depth: int = 1) -> None:
    """Raise MessageError, reason ``schema``, unless the object `value`, so deep, is canonical."""
    _text(value, depth)


def _text(value: Mapping[str, Value], depth: int) -> str:
    """Check and write in one pass: an append to the journal is timed with it."""
    if depth > MAX_DEPTH:
        raise MessageError("schema", f"objects nested deeper than {MAX_DEPTH}")
    parts = []
    for key, written in _order(tuple(value)):
        item = value[key]
        if isinstance(item, dict):
            parts.append(written + _text(item, depth + 1))
        else:
            parts.append(written + _scalar(key, item))
    return "{" + ",".join(parts) + "}"


def members(record: Any) -> list[str]:
    """The members of a dataclass's object as they are written, sorted; None is left out.

    For the entries of the journal, whose keys are known: half the time of `encode` on a dictionary,
    and every tap waits for it. Raises MessageError as `encode` does.
    """
    keys, values = _reader(cast(Any, type(record)))
    return [
        f'"{key}":' + (_scalar(key, value) if isinstance(value, _SCALARS) else _object(value))
        for key, value in zip(keys, values(record), strict=True)
        if value is not None
    ]


def _object(record: Any) -> str:
    return "{" + ",".join(members(record)) + "}"


def _scalar(key: str, item: object) -> str:
    if isinstance(item, str):
        return encode_basestring(item)
    if type(item) is int:
        if abs(item) > MAX_INTEGER:
            raise MessageError("schema", f"{key} does not fit 53 bits")
        return str(item)
    raise MessageError("schema", f"{key} is neither text, a whole number nor an object")


@cache
def _reader(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    names = tuple(sorted(field.name for field in fields(kind)))
    return names, attrgetter(*names)


def _order(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Keys in canonical order, each with how it is written."""
    if len(keys) > _MOST_KEPT:  # no entry of ours: a hostile message must not fill the memory
        return _sorted.__wrapped__(keys)
    return _sorted(keys)


@lru_cache(maxsize=64)  # entries have few shapes
def _sorted(keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for key in keys:
        if not _KEY.fullmatch(key):
            raise MessageError("schema", f"the key {key[:30]!r} is not lower-case ASCII")
    return tuple((key, f'"{key}":') for key in sorted(keys))


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"the number {text[:20]} is not a whole number")
