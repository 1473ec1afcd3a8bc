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

from collections.abc import Mapping, Sequence
from itertools import accumulate
from json.encoder import encode_basestring
from operator import sub
from typing import Any, cast

from edge_agent.contract import canonical, entries
from edge_agent.contract.shapes import Cells, Shape, cut, leaves, skeleton, tree_of
from edge_agent.errors import MessageError

#: Entries of rarer shapes go as they are.
MAX_TABLES = 16
MAX_COLUMNS = 64
#: Numbers of fewer digits deflate better as they are than as differences.
_LONG = 5


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
        shape, rows = cut(waiting)
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
        tree = tree_of(columns)
        cells = {path: _cells(path, column, rows) for path, column in columns.items()}
        literals = {path: one.literals for path, one in cells.items()}
        most_bytes -= sum(rows * (len(path) + 4) for path in cells)
        most_bytes -= sum(sum(map(len, column)) for column in literals.values())
        if most_bytes < 0:
            raise MessageError("size", "the tables hold more than a message may")
        objects = _objects(tree, {path: one.values for path, one in cells.items()})
        if not entries.admits(tree, {path: one.choice for path, one in cells.items()}):
            for entry in objects:
                entries.check(entry, entries.seq_of(entry))
        columns_of_text = [literals[path] for path in leaves(tree)]
        texts = map(skeleton(tree).__mod__, zip(*columns_of_text, strict=True))
        found += zip(objects, texts, strict=True)
    return found


class _Cells:
    """A column as it came: the values that it can have, and which of them each row has.

    What must be done with a value is done once, however many rows have it.
    """

    def __init__(self, choice: list[Any], index: list[int] | None, rows: int) -> None:
        self.choice = choice
        self._index = index
        self._rows = rows

    @property
    def values(self) -> list[Any]:
        """The value of each row."""
        return self._of_each_row(self.choice)

    @property
    def literals(self) -> list[str]:
        """How the value of each row is written."""
        if {*map(type, self.choice)} == {int}:
            return self._of_each_row(list(map(str, self.choice)))
        written = [encode_basestring(one) if type(one) is str else str(one) for one in self.choice]
        return self._of_each_row(written)

    def _of_each_row(self, each: list[Any]) -> list[Any]:
        if len(each) == 1:
            return each * self._rows
        return each if self._index is None else list(map(each.__getitem__, self._index))


def _table(shape: Shape, columns: Mapping[str, Cells], rows: int) -> str:
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


def _objects(tree: Mapping[str, Any], lists: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    columns = [
        _objects(below, lists) if type(below) is dict else lists[below] for below in tree.values()
    ]
    keys = tuple(tree)
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(path: str, column: Any, rows: int) -> _Cells:
    """The column, if it is one and has a value for each row."""
    index = None
    if type(column) in (str, int):
        return _Cells(_scalars([column]), None, rows)
    if type(column) is list:
        choice = _scalars(column)
    elif type(column) is dict and column.keys() == {"steps"}:
        steps = _numbers_of(column["steps"], canonical.MAX_INTEGER * 2)
        choice = _scalars(list(accumulate(steps)))
    elif type(column) is dict and column.keys() == {"index", "values"}:
        choice = _scalars(column["values"])
        index = _numbers_of(column["index"], len(choice) - 1, 0)
    else:
        raise MessageError("schema", f"column {path[:40]} is none of the four forms")
    found = len(choice if index is None else index)
    if found != rows:
        raise MessageError("schema", f"column {path[:40]} has {found} rows, not {rows}")
    return _Cells(choice, index, rows)


def _scalars(values: Any) -> list[Any]:
    kinds = {*map(type, values)} if type(values) is list else {list}
    if not kinds <= {str, int}:
        raise MessageError("schema", "a column holds strings and whole numbers only")
    numbers = [one for one in values if type(one) is int] if str in kinds else values
    most = canonical.MAX_INTEGER
    if numbers and not -most <= min(numbers) <= max(numbers) <= most:
        raise MessageError("schema", "a number in a column does not fit 53 bits")
    return cast(list[Any], values)


def _numbers_of(values: Any, high: int, low: int | None = None) -> list[int]:
    least = -high if low is None else low
    if type(values) is not list or not {*map(type, values)} <= {int}:
        raise MessageError("schema", "steps and index are lists of whole numbers")
    if values and not least <= min(values) <= max(values) <= high:
        raise MessageError("schema", "a number in steps or index is out of range")
    return values
