"""A set of whole numbers kept as sorted, disjoint, inclusive ranges.

A journal of a million entries with three gaps is four pairs here, whatever its size.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """Sorted disjoint ranges ``(first, last)``, both ends included.

    Adjacent ranges are joined, so two equal sets always have equal pairs.
    """

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in pairs:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ranges):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    __hash__ = None  # type: ignore[assignment]  # a mutable set has no hash

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"

    @property
    def count(self) -> int:
        """How many numbers are in the set."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def last(self) -> int:
        """The highest number, or 0 for an empty set."""
        return self._lasts[-1] if self._lasts else 0

    def covers(self, first: int, last: int) -> bool:
        """True if every number from `first` to `last` is in the set."""
        at = bisect_right(self._firsts, first) - 1
        return at >= 0 and self._lasts[at] >= last

    def from_(self, start: int) -> tuple[int, int] | None:
        """The lowest range at or above `start`, cut so that it begins there."""
        at = bisect_left(self._lasts, start)
        if at == len(self._lasts):
            return None
        return max(start, self._firsts[at]), self._lasts[at]

    def add(self, first: int, last: int) -> None:
        """Put every number from `first` to `last` into the set."""
        if first > last:
            return
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def remove(self, first: int, last: int) -> None:
        """Take every number from `first` to `last` out of the set."""
        low = bisect_left(self._lasts, first)
        high = bisect_right(self._firsts, last)
        if first > last or low >= high:
            return
        kept = []
        if self._firsts[low] < first:
            kept.append((self._firsts[low], first - 1))
        if self._lasts[high - 1] > last:
            kept.append((last + 1, self._lasts[high - 1]))
        self._firsts[low:high] = [pair[0] for pair in kept]
        self._lasts[low:high] = [pair[1] for pair in kept]

    def minus(self, other: "Ranges") -> "Ranges":
        """The numbers of this set that are not in `other`."""
        rest = Ranges(self)
        for first, last in other:
            rest.remove(first, last)
        return rest
