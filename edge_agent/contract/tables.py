"""Entries of the same shape as a table: one column for each field, so that they deflate well.

A *shape* is which fields an entry has. A table holds the entries of one shape, in any number:

    {"rows": 3, "columns": {"at.boot": "0f0e...", "at.utc_ms": {"steps": [1795389668250, 31002, 7]},
                            "person": {"values": ["p-17", "p-4"], "index": [0, 1, 0]},
                            "place.age_ms": [400, 40, 812], ...}}

A column is named by the path of its field, and is one value (the same in each row), a list (one for
each row), `steps` (a number that changes by so much from row to row; the first from 0), or `index`
into `values`. The entry's text is the canonical one of what the row says, so nothing is lost.

Packing takes the texts as they are stored and cuts them along their shape: nothing is parsed, which
is what makes it cheaper than deflating them as they stand.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from json.encoder import encode_basestring
from operator import sub
from typing import Any, Literal

from edge_agent.contract import canonical
from edge_agent.errors import MessageError

#: Entries of rarer shapes go as they are.
MAX_TABLES = 16
MAX_COLUMNS = 64
#: Numbers of fewer digits deflate better as they are than as differences.
_LONG = 5
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){0,3}")

Cells = tuple[str, ...]


def pack(first: int, texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Tables as JSON, and the texts that fit into none.

    Args:
        first: seq of the first text; the others follow without a hole.
        texts: canonical texts of entries.
    """
    tables: list[str] = []
    alone: list[str] = []
    # The patterns take a string to end at the next quote, so there must be no escaped one.
    left = {seq: text for seq, text in enumerate(texts, first) if "\\" not in text}
    if len(left) < len(texts):
        alone = [text for text in texts if "\\" in text]
    while left and len(tables) < MAX_TABLES:
        waiting = list(left.values())
        shape, rows = _cut(waiting)
        if len(rows) < 2:
            alone.append(left.pop(next(iter(left))))
            continue
        columns = dict(zip(shape.paths, zip(*rows, strict=True), strict=True))
        tables.append(_table(shape, columns, len(rows)))
        if len(rows) == len(left):
            return tables, alone
        for cell in columns["seq"]:
            del left[int(cell)]
    return tables, [*alone, *left.values()]


def _cut(texts: list[str]) -> tuple["_Shape", list[Cells]]:
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


def unpack(tables: Any, most_rows: int, most_bytes: int) -> list[tuple[dict[str, Any], str]]:
    """The entries of a message's tables with their canonical texts, in no order.

    Raises:
        MessageError: reason ``schema``, or ``size`` if they would exceed `most_bytes` of text.
    """
    if type(tables) is not list or not 1 <= len(tables) <= MAX_TABLES:
        raise MessageError("schema", f"tables: expected a list of 1 to {MAX_TABLES}")
    found: list[tuple[dict[str, Any], str]] = []
    for table in tables:
        if type(table) is not dict or table.keys() != {"rows", "columns"}:
            raise MessageError("schema", "a table has rows and columns and nothing else")
        rows, columns = table["rows"], table["columns"]
        if type(rows) is not int or not 1 <= rows <= most_rows - len(found):
            raise MessageError("schema", f"rows may not be {str(rows)[:40]}")
        if type(columns) is not dict or not 1 <= len(columns) <= MAX_COLUMNS:
            raise MessageError("schema", f"columns: expected 1 to {MAX_COLUMNS}")
        tree = _tree(columns)
        lists = {}
        for path, column in columns.items():
            lists[path] = values = _values(path, column, rows)
            most_bytes -= rows * (len(path) + 4) + _length(values)
            if most_bytes < 0:
                raise MessageError("size", "the tables hold more than a message may")
        literals = [_literals(lists[path]) for path in _leaves(tree)]
        texts = map(_skeleton(tree).__mod__, zip(*literals, strict=True))
        found += zip(_objects(tree, lists), texts, strict=True)
    return found


class _Shape:
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
        parts = _skeleton(_tree(path for path, _, _ in fields)).split("%s")
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


_shape = lru_cache(maxsize=64)(_Shape)


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


def _table(shape: _Shape, columns: Mapping[str, Cells], rows: int) -> str:
    written = dict(shape.same)
    for path, cells in columns.items():
        written[path] = _strings(cells) if path in shape.strings else _numbers(path, cells)
    members = ",".join(f'"{path}":{written[path]}' for path in sorted(written))
    return f'{{"columns":{{{members}}},"rows":{rows}}}'


def _numbers(path: str, cells: Cells) -> str:
    if path == "seq" and int(cells[-1]) - int(cells[0]) == len(cells) - 1:
        return f'{{"steps":[{cells[0]}{",1" * (len(cells) - 1)}]}}'  # they only ever rise
    if cells.count(cells[0]) == len(cells):
        return cells[0]
    if len(cells[0]) < _LONG:
        return f"[{','.join(cells)}]"
    values = list(map(int, cells))
    steps = str([values[0], *map(sub, values[1:], values)]).replace(" ", "")
    return f'{{"steps":{steps}}}'


def _strings(cells: Cells) -> str:
    distinct = dict.fromkeys(cells)
    if len(distinct) == 1:
        return f'"{cells[0]}"'
    if 2 * len(distinct) > len(cells):
        return '["' + '","'.join(cells) + '"]'
    place = {cell: str(number) for number, cell in enumerate(distinct)}
    index = ",".join(map(place.__getitem__, cells))
    return '{"index":[' + index + '],"values":["' + '","'.join(distinct) + '"]}'


def _tree(paths: Iterable[str]) -> dict[str, Any]:
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
                raise MessageError("schema", f"column {path} is below another one")
        place[key] = path
    return _ordered(tree)


def _ordered(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Keys sorted at every depth: `.` sorts before what a key may hold, but not before its end."""
    return {k: _ordered(v) if type(v) is dict else v for k, v in sorted(tree.items())}


def _leaves(tree: Mapping[str, Any]) -> Iterable[str]:
    for below in tree.values():
        yield from _leaves(below) if type(below) is dict else [below]


def _skeleton(tree: Mapping[str, Any]) -> str:
    """The canonical text with a %s for each value."""
    members = (
        f'"{key}":{_skeleton(below) if type(below) is dict else "%s"}'
        for key, below in tree.items()
    )
    return "{" + ",".join(members) + "}"


def _objects(tree: Mapping[str, Any], lists: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    columns = [
        _objects(below, lists) if type(below) is dict else lists[below] for below in tree.values()
    ]
    keys = tuple(tree)
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _literals(values: list[Any]) -> list[str]:
    kinds = {*map(type, values)}
    if kinds == {int}:
        return list(map(str, values))
    return [encode_basestring(one) if type(one) is str else str(one) for one in values]


def _values(path: str, column: Any, rows: int) -> list[Any]:
    """The column's values, one for each row."""
    if type(column) in (str, int):
        values = _scalars([column]) * rows
    elif type(column) is list:
        values = _scalars(column)
    elif type(column) is dict and column.keys() == {"steps"}:
        values = _scalars(list(accumulate(_numbers_of(column["steps"], canonical.MAX_INTEGER * 2))))
    elif type(column) is dict and column.keys() == {"index", "values"}:
        choice = _scalars(column["values"])
        values = [choice[at] for at in _numbers_of(column["index"], len(choice) - 1, 0)]
    else:
        raise MessageError("schema", f"column {path} is none of the four forms")
    if len(values) != rows:
        raise MessageError("schema", f"column {path} has {len(values)} rows, not {rows}")
    return values


def _length(values: list[Any]) -> int:
    """How many characters the strings among them have."""
    return sum(map(len, [one for one in values if type(one) is str]))


def _scalars(values: Any) -> list[Any]:
    if type(values) is not list or not {*map(type, values)} <= {str, int}:
        raise MessageError("schema", "a column holds strings and whole numbers only")
    numbers = [one for one in values if type(one) is int]
    if numbers and max(*numbers, -min(numbers)) > canonical.MAX_INTEGER:
        raise MessageError("schema", "a number in a column does not fit 53 bits")
    return values


def _numbers_of(values: Any, high: int, low: int | None = None) -> list[int]:
    least = -high if low is None else low
    if type(values) is not list or not {*map(type, values)} <= {int}:
        raise MessageError("schema", "steps and index are lists of whole numbers")
    if values and not least <= min(values) <= max(values) <= high:
        raise MessageError("schema", "a number in steps or index is out of range")
    return values
