"""What lies in a reader's field, from look to look: which card is newly there?

Some numbers are not a card's own: a random UID (ISO 14443-3 6.5.4) and a PUPI (7.9.2) may be drawn
anew at each look. Such a number that changes is the same card still, as long as the field was not
seen empty; but one that is then seen twice is a card that keeps its number, so it is another.
"""

from collections.abc import Collection

from edge_agent.records import Scan

#: A card that was there so recently is, after an interruption, still the same presentation.
_SAME_MS = 3000


class Field:
    """A card is gone when `misses` looks in a row, for its kind of card, have not seen it."""

    def __init__(self, misses: int) -> None:
        self._misses = misses
        self._missed: dict[str, int] = {}
        self._volatile: dict[str, str] = {}
        self._other = ""
        self._seen_ms = 0

    def look(self, scan: Scan | None, asked: Collection[str], now_ms: int) -> bool:
        """Note what a look for the technologies `asked` has seen; is it newly there?"""
        if scan is not None:
            if now_ms - self._seen_ms >= _SAME_MS:
                self._missed.clear()
                self._volatile.clear()
            self._seen_ms = now_ms
        known = self._known(scan) if scan else ""
        self._forget(known, asked)
        if scan is None or known:
            return False
        self._missed[scan.credential] = 0
        if _is_volatile(scan):
            self._volatile[scan.technology] = scan.credential
        return True

    def _known(self, scan: Scan) -> str:
        """The card that this is, by the number under which it came; "" for a new one."""
        number = scan.credential
        before = self._volatile.get(scan.technology, "") if _is_volatile(scan) else ""
        if number in self._missed or before not in self._missed:
            self._other = ""
            return number if number in self._missed else ""
        seen_twice, self._other = self._other == number, number
        return "" if seen_twice else before

    def _forget(self, known: str, asked: Collection[str]) -> None:
        for number, missed in list(self._missed.items()):
            if number == known:
                self._missed[number] = 0
            elif number.partition(":")[0] in asked:
                self._missed[number] = missed + 1
                if missed + 1 >= self._misses:
                    del self._missed[number]


def _is_volatile(scan: Scan) -> bool:
    return scan.card == "random" or scan.technology == "14443b"
