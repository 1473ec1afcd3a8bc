"""Every way in which a table can miss its dataclass, made from the dataclass itself."""

import dataclasses
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from edge_agent.shape import Limits

Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True)
class Wrong:
    """One mistake: the key that the error must name, and the table that has it."""

    what: str
    key: str
    table: dict[str, Any]
    nearest: str = ""


def every_wrong(kind: Any, good: Mapping[str, Any]) -> Iterator[Wrong]:
    """Each key of `kind` and of what is in it, wrong in turn; all else is as in `good`."""
    for path, hint, limits, required in keys(kind, good):
        if isinstance(path[-1], str):
            yield changed(good, (*path[:-1], f"{path[-1]}x"), 1, "unknown", nearest=path[-1])
        for value in wrong_types(hint):
            yield changed(good, path, value, f"type {json.dumps(value)[:20]}")
        for value in wrong_values(hint, limits, of(good, path)):
            yield changed(good, path, value, f"value {json.dumps(value)[:20]}")
        if required:
            yield changed(good, path, None, "missing")


def keys(kind: Any, good: Any, at: Path = ()) -> Iterator[tuple[Path, Any, Limits, bool]]:
    """Path, type, limits and whether it must be there, of each key at every depth."""
    hints = typing.get_type_hints(kind)
    for one in dataclasses.fields(kind):
        hint, path = without_none(hints[one.name]), (*at, one.name)
        required = one.default is dataclasses.MISSING
        yield path, hint, one.metadata.get("limits", Limits()), required
        if dataclasses.is_dataclass(hint):
            yield from keys(hint, good[one.name], path)
        elif typing.get_origin(hint) is tuple and dataclasses.is_dataclass(item_of(hint)):
            yield from keys(item_of(hint), good[one.name][0], (*path, 0))
        elif typing.get_origin(hint) is tuple:
            limits = dataclasses.replace(one.metadata["limits"], max_items=None)
            yield (*path, 0), item_of(hint), limits, False


def wrong_types(hint: Any) -> list[Any]:
    """Values of every other type that TOML has."""
    values: dict[Any, Any] = {str: "7", int: 7, float: 7.5, bool: True, list: [7], dict: {"a": 7}}
    fitting = {float: {float, int}}.get(hint, {hint})
    if dataclasses.is_dataclass(hint):
        fitting = {dict}
    if typing.get_origin(hint) is tuple:
        fitting = {list}
    return [value for kind, value in values.items() if kind not in fitting]


def wrong_values(hint: Any, limits: Limits, good: Any) -> list[Any]:
    """Values of the right type that the limits forbid."""
    if typing.get_origin(hint) is tuple:
        return [] if limits.max_items is None else [good * (limits.max_items + 1)]
    found: list[Any] = []
    if limits.low is not None:
        found.append(hint(limits.low) - 1)
    if limits.high is not None:
        found += [hint(limits.high) + 1, 10**400]
    if hint is float:
        found += [float("nan"), float("inf"), float("-inf")]
    if limits.choices:
        found += [text for text in ("", "neither") if text not in limits.choices]
    if limits.pattern:
        attempts = ["", "\n", "x" * 400, " A+#/", "\x9b2J\u2028"]
        found += [text for text in attempts if not re.fullmatch(limits.pattern, text)]
    return found


def changed(good: Mapping[str, Any], path: Path, value: Any, what: str, nearest: str = "") -> Wrong:
    """`good` with `value` at `path`; None takes the key away."""
    table = deepcopy(dict(good))
    inner = of(table, path[:-1])
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return Wrong(what, dotted(path), table, nearest)


def of(table: Any, path: Path) -> Any:
    for step in path:
        table = table[step]
    return table


def dotted(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return next(part for part in typing.get_args(hint) if part is not type(None))
    return hint


def item_of(hint: Any) -> Any:
    return typing.get_args(hint)[0]


def to_toml(table: Mapping[str, Any]) -> str:
    """TOML of plain values, tables inline; enough for what the tests write."""
    return "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value)
    return str(value).lower()
