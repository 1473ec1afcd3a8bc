"""Which fields an entry has, and how the texts of entries that have the same are cut into cells."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Literal

from edge_agent.contract import canonical
from edge_agent.errors import MessageError

_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,3}")

Cells = tuple[str, ...]


class Shape:
    """How texts of one shape are cut.

    Args:
        fields: path, whether it holds a string, and the string if it is the same in all of them.

    Attributes:
        paths: names of the columns that are cut out, in the order of the text.
        strings: those that hold strings.
        same: the other columns, as JSON.
        pattern: finds the cells of each line that has this shape.
    """

    def __init__(self, fields: tuple[tuple[str, bool, str | Literal[False]], ...]) -> None:
        self.paths = tuple(path for path, _, same in fields if same is False)
        self.strings = frozenset(path for path, is_string, _ in fields if is_string)
        self.same = {p: encode_basestring(same) for p, _, same in fields if same is not False}
        parts = skeleton(tree_of(path for path, _, _ in fields)).split("%s")
        cells = [
            re.escape(self.same[path])
            if path in self.same
            else '"([^"]*)"'
            if path in self.strings
            else "([-0-9]+)"
            for path, _, _ in fields
        ]
        whole = "".join(re.escape(a) + b for a, b in zip(parts, [*cells, ""], strict=True))
        self.pattern = re.compile(f"^{whole}$", re.MULTILINE)


_shape = lru_cache(maxsize=64)(Shape)


def cut(texts: list[str]) -> tuple[Shape, list[Cells]]:
    """The shape of the first text, and the cells of every text that has it.

    What is the same in three of them is likely so in all, and need not be cut out: a quarter of the
    time. Where it is not, the wider pattern finds them.
    """
    joined = "\n".join(texts)
    samples = [_fields(texts[at]) for at in (0, len(texts) // 2, -1)]
    fields = tuple(
        (path, type(value) is str, all(one.get(path) == value for one in samples) and value)
        for path, value in samples[0].items()
    )
    narrow = _shape(tuple((path, is_s, same if is_s else False) for path, is_s, same in fields))
    rows = narrow.pattern.findall(joined)
    if len(rows) == len(texts):
        return narrow, rows
    wide = _shape(tuple((path, is_s, False) for path, is_s, _ in fields))
    return wide, wide.pattern.findall(joined)


def _fields(text: str) -> dict[str, str | int]:
    """Path and value of each field, in the order of the text."""
    return dict(_flat(canonical.decode(text.encode()), ""))


def _flat(value: Mapping[str, Any], at: str) -> Iterable[tuple[str, str | int]]:
    for key in sorted(value):
        item = value[key]
        if type(item) is dict:
            yield from _flat(item, f"{at}{key}.")
        else:
            yield f"{at}{key}", item


def tree_of(paths: Iterable[str]) -> dict[str, Any]:
    """The paths as nested tables in canonical order, a leaf being its own path."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        if not _PATH.fullmatch(path):
            raise MessageError("schema", f"{path[:40]!r} cannot be a column")
        *above, key = path.split(".")
        place = tree
        for step in above:
            place = place.setdefault(step, {})
            if type(place) is not dict:
                raise MessageError("schema", f"column {path[:40]} is below another one")
        place[key] = path
    return _ordered(tree)


def _ordered(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Keys sorted at every depth: `.` sorts before what a key may hold, but not before its end."""
    return {k: _ordered(v) if type(v) is dict else v for k, v in sorted(tree.items())}


def leaves(tree: Mapping[str, Any]) -> Iterable[str]:
    for below in tree.values():
        yield from leaves(below) if type(below) is dict else [below]


def skeleton(tree: Mapping[str, Any]) -> str:
    """The canonical text with a %s for each value."""
    members = (
        f'"{key}":{skeleton(below) if type(below) is dict else "%s"}' for key, below in tree.items()
    )
    return "{" + ",".join(members) + "}"
