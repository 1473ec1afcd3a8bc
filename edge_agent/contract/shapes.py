"""Which fields an entry has, and how the texts of entries that have the same are cut into cells."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from edge_agent.contract import canonical
from edge_agent.errors import MessageError

_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,3}")

Cells = tuple[str, ...]


class Shape:
    """How texts of one shape are cut.

    Args:
        fields: path and whether it holds a string, in the order of the text.
        same: path and string of those that hold the same in all of these texts.

    Attributes:
        paths: names of the columns that are cut out.
        strings: those columns that hold strings.
        same: the other columns, as JSON.
        pattern: finds the cells of each line that has this shape.
    """

    def __init__(
        self, fields: tuple[tuple[str, bool], ...], same: tuple[tuple[str, str], ...]
    ) -> None:
        self.same = {path: encode_basestring(text) for path, text in same}
        self.paths = tuple(path for path, _ in fields if path not in self.same)
        self.strings = frozenset(path for path, is_string in fields if is_string)
        parts = skeleton(tree_of(path for path, _ in fields)).split("%s")
        cells = [self._cell(path) for path, _ in fields]
        whole = "".join(re.escape(a) + b for a, b in zip(parts, [*cells, ""], strict=True))
        self.pattern = re.compile(f"^{whole}$", re.MULTILINE)

    def _cell(self, path: str) -> str:
        if path in self.same:
            return re.escape(self.same[path])
        return '"([^"]*)"' if path in self.strings else "([-0-9]+)"


_shape = lru_cache(maxsize=64)(Shape)


def cut(texts: list[str]) -> tuple[Shape, list[Cells]]:
    """The shape of the first text, and the cells of every text that has it.

    A string that is the same in three of them is likely so in all, and need not be cut out: a
    quarter of the time. Where it is not, the wider pattern finds them.
    """
    joined = "\n".join(texts)
    first, *others = (_fields(texts[at]) for at in (0, len(texts) // 2, -1))
    fields = tuple((path, type(value) is str) for path, value in first.items())
    same = tuple(
        (path, value)
        for path, value in first.items()
        if type(value) is str and all(one.get(path) == value for one in others)
    )
    narrow = _shape(fields, same)
    rows = narrow.pattern.findall(joined)
    if len(rows) == len(texts):
        return narrow, rows
    wide = _shape(fields, ())
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
