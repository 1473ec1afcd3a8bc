"""What the fields of an entry may hold, for the decoder: the same as ``schema/entry.schema.json``.

What a terminal has signed should be stored, so the rules are no tighter than a reader needs: words
such as a grade are open, and a field that is not known here only has to be canonical.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge_agent.contract.canonical import MAX_INTEGER, check
from edge_agent.errors import MessageError

#: Any string.
TEXT = ""
WORD = r"[a-z][a-z0-9_]{0,31}"
HEX16, HEX32, HEX64, HEX128 = (rf"[0-9a-f]{{{digits}}}" for digits in (16, 32, 64, 128))

NATURAL = range(MAX_INTEGER + 1)
INTEGER = range(-MAX_INTEGER, MAX_INTEGER + 1)
SEQ = range(1, MAX_INTEGER + 1)


class Table:
    """An object that has every field of `must`, perhaps those of `may`, and perhaps others.

    A rule is a pattern for a string, a range for a whole number, or a table for an object.
    """

    def __init__(self, must: Mapping[str, "Rule"], may: Mapping[str, "Rule"]) -> None:
        rules = {**must, **may}
        self._must = frozenset(must)
        self._known = frozenset(rules)
        # Apart by type and with the bounds drawn out: this runs for every field of every entry.
        self._texts = {
            key: re.compile(rule).fullmatch if rule else None
            for key, rule in rules.items()
            if isinstance(rule, str)
        }
        self._numbers = {
            key: (rule[0], rule[-1]) for key, rule in rules.items() if isinstance(rule, range)
        }
        self._tables = {key: rule for key, rule in rules.items() if isinstance(rule, Table)}

    def check(self, found: Any, at: str, depth: int = 1) -> None:
        """Raise MessageError, reason ``schema``, unless `found` is such an object.

        Args:
            found: what stands there, as JSON gave it.
            at: where that is, for the error.
            depth: how deep it stands; an entry itself is at 1.
        """
        if type(found) is not dict:
            raise MessageError("schema", f"{at} is not an object")
        if not self._must <= found.keys():
            raise MessageError("schema", f"{at} has no {min(self._must - found.keys())}")
        for key, value in found.items():
            kind = type(value)
            if kind is str and key in self._texts:
                match = self._texts[key]
                fits = match is None or match(value) is not None
            elif kind is int and key in self._numbers:
                low, high = self._numbers[key]
                fits = low <= value <= high
            elif key in self._tables:
                self._tables[key].check(value, f"{at}.{key}", depth + 1)
                continue
            elif fits := key not in self._known:
                check({key: value}, depth)
            if not fits:
                shown = str(value)[:40] if kind in (str, int) else kind.__name__
                raise MessageError("schema", f"{at}.{key} may not be {shown!r}")

    def admits(self, tree: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> bool:
        """Whether `check` takes whatever is made of `columns`, whose names stand in `tree`."""
        if not self._must <= tree.keys():
            return False
        for key, below in tree.items():
            if type(below) is dict:
                table = self._tables.get(key)
                fits = table.admits(below, columns) if table else key not in self._known
            elif key in self._known:
                fits = self._fits(key, {*columns[below]})
            else:
                fits = True
            if not fits:
                return False
        return True

    def _fits(self, key: str, values: set[Any]) -> bool:
        """Whether each of `values` may stand under the known `key`."""
        kinds = {*map(type, values)}
        if kinds == {str} and key in self._texts:
            match = self._texts[key]
            return match is None or all(match(one) is not None for one in values)
        if kinds == {int} and key in self._numbers:
            low, high = self._numbers[key]
            return bool(low <= min(values) and max(values) <= high)
        return False


Rule = str | range | Table
