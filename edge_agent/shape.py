"""Fill frozen dataclasses from tables of plain values, strictly.

One loader serves the site's TOML, the profiles and the messages of the contract: an unknown key, a
wrong type or an impossible value is one `ShapeError` that names the key, what was found, what is
allowed and the nearest known key. Nothing is converted and nothing is guessed.
"""

import dataclasses
import json
import re
import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar, cast

T = TypeVar("T")

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


class ShapeError(ValueError):
    """A table does not fit its dataclass.

    Attributes:
        key: dotted path of the key, e.g. ``scanner[1].port``.
        found: what stands there, as text.
        allowed: what may stand there.
        nearest: a known key that was probably meant, or "".
    """

    def __init__(self, key: str, found: str, allowed: str, nearest: str = "") -> None:
        meant = f'; did you mean "{nearest}"?' if nearest else ""
        super().__init__(f"{key}: found {found}; allowed: {allowed}{meant}")
        self.key = key
        self.found = found
        self.allowed = allowed
        self.nearest = nearest


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What a value of the right type must also satisfy. Bounds are inclusive."""

    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    pattern: str = ""
    max_items: int | None = None

    def describe(self) -> str:
        if self.choices:
            return "one of " + ", ".join(show(choice) for choice in self.choices)
        if self.pattern:
            return f"text matching {self.pattern}"
        if self.max_items is not None:
            return f"at most {self.max_items} items"
        low = "" if self.low is None else f"{self.low:g} <= "
        high = "" if self.high is None else f" <= {self.high:g}"
        return f"{low}value{high}"

    def admit(self, value: Any) -> bool:
        if isinstance(value, tuple):  # its items have been held to the other limits one by one
            return self.max_items is None or len(value) <= self.max_items
        if self.choices and value not in self.choices:
            return False
        if self.pattern and not re.fullmatch(self.pattern, value):
            return False
        if self.low is not None and not value >= self.low:
            return False
        return self.high is None or value <= self.high


def field(default: Any = dataclasses.MISSING, **limits: Any) -> Any:
    """A dataclass field with `Limits`: ``port: int = field(1883, low=1, high=65535)``."""
    return dataclasses.field(default=default, metadata={"limits": Limits(**limits)})


def load(kind: type[T], table: Mapping[str, Any], at: str = "") -> T:
    """Make a `kind` from `table`.

    Args:
        kind: a dataclass whose fields are str, int, float, bool, dataclasses, tuples of these, or
            any of them with ``| None``.
        table: plain values, as TOML or JSON give them.
        at: dotted path of the table in its file, for the errors.

    Raises:
        ShapeError: for the first key that does not fit.
    """
    known = _fields(cast(Any, kind))
    for key in table:
        if key not in known:
            name = str(key)[:60]  # on the wire a key can be as long as the message
            nearest = get_close_matches(name, known, n=1)
            raise ShapeError(
                _join(at, name if name.isprintable() else show(name)),
                "an unknown key",
                ", ".join(known),
                nearest[0] if nearest else "",
            )
    values = {}
    for name, (hint, limits, required) in known.items():
        if name in table:
            values[name] = _value(hint, limits, table[name], _join(at, name))
        elif required:
            raise ShapeError(_join(at, name), "nothing", _allowed(hint, limits))
    return kind(**values)


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, Limits, bool]]:
    hints = typing.get_type_hints(kind)
    return {
        one.name: (
            hints[one.name],
            one.metadata.get("limits", Limits()),
            one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING,
        )
        for one in dataclasses.fields(kind)
    }


def _value(hint: Any, limits: Limits, found: Any, at: str) -> Any:
    optional = _without_none(hint)
    if dataclasses.is_dataclass(optional) and isinstance(found, Mapping):
        return load(optional, found, at)  # type: ignore[arg-type]  # a class here, never an instance
    most = limits.max_items
    if most is not None and isinstance(found, list) and len(found) > most:
        # Said before a single one of a hostile million is looked at.
        raise ShapeError(at, f"a list of {len(found)}", _allowed(hint, limits))
    if typing.get_origin(optional) is tuple and isinstance(found, list):
        value: Any = _items(typing.get_args(optional), limits, found, at)
    elif optional is float and type(found) is int and found.bit_length() < 1024:
        value = float(found)  # any longer one is no float
    elif type(found) is optional:
        value = found
    else:
        raise ShapeError(at, show(found), _allowed(hint, limits))
    if not limits.admit(value):
        raise ShapeError(at, show(found), _allowed(hint, limits))
    return value


def _items(kinds: tuple[Any, ...], limits: Limits, found: list[Any], at: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(found)
    if len(kinds) != len(found):
        raise ShapeError(at, f"{len(found)} items", f"{len(kinds)} items")
    inner = dataclasses.replace(limits, max_items=None)
    return tuple(
        _value(kind, inner, item, f"{at}[{index}]")
        for index, (kind, item) in enumerate(zip(kinds, found, strict=True))
    )


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def _allowed(hint: Any, limits: Limits) -> str:
    hint = _without_none(hint)
    if dataclasses.is_dataclass(hint):
        return "a table of " + ", ".join(_fields(cast(Any, hint)))
    if typing.get_origin(hint) is tuple:
        return "a list" if limits.max_items is None else f"a list of {limits.describe()}"
    word = _WORDS[hint]
    return word if limits == Limits() else f"{word}, {limits.describe()}"


def show(value: Any) -> str:
    """A found value as text for an error: short, on one line, unable to steer a screen."""
    if isinstance(value, str):
        text = value if len(value) <= 60 else value[:57] + "..."
        return json.dumps(text, ensure_ascii=not text.isprintable())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 200:  # Python refuses to print huge ones
        return f"a whole number of {value.bit_length()} bits"
    return str(value)


def _join(at: str, key: str) -> str:
    return f"{at}.{key}" if at else key
