"""The place where people hold things at a device: cards in a field, a finger, a code."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Surface(Generic[T]):
    """What lies at a device, each thing under the number of its placement.

    Held again, the same thing gets another number, so that a device can tell that it was away.
    """

    def __init__(self, alone: bool = False) -> None:
        """Nothing lies there; with `alone`, a thing that is placed takes the other's place."""
        self._alone = alone
        self._changed = threading.Condition()
        self._here: dict[int, T] = {}
        self._placed = 0

    @property
    def here(self) -> dict[int, T]:
        """What lies there now, the earliest first."""
        with self._changed:
            return dict(self._here)

    @property
    def last(self) -> T | None:
        """What was placed last and still lies there; None for nothing."""
        with self._changed:
            return next(reversed(self._here.values()), None)

    def place(self, thing: T) -> int:
        """Put `thing` there until it is lifted; gives the number of the placement."""
        with self._changed:
            if self._alone:
                self._here.clear()
            self._placed += 1
            self._here[self._placed] = thing
            self._changed.notify_all()
            return self._placed

    def lift(self, number: int | None = None) -> None:
        """Take one placement away, or everything."""
        with self._changed:
            if number is None:
                self._here.clear()
            else:
                self._here.pop(number, None)
            self._changed.notify_all()

    def hold(self, thing: T, held_s: float) -> None:
        """Hold `thing` there for `held_s` of real time, or until it is lifted; returns after it."""
        number = self.place(thing)
        with self._changed:
            self._changed.wait_for(lambda: number not in self._here, held_s)
        self.lift(number)
