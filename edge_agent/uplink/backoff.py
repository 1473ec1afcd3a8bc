"""How long to wait before the next attempt, so that 200 terminals do not return in one second."""

import random


class Backoff:
    """Doubling waits with full jitter: each is a random part of the bound, which doubles.

    Spread over the whole bound, returning terminals arrive at an even rate ("full jitter" in
    Brooker, "Exponential Backoff and Jitter", 2015). The first wait is already spread over
    `first_ms`, because they all lose the broker in the same instant.

    Args:
        first_ms, longest_ms: bounds of the first and of the longest wait.
        chance: gives numbers from 0 to 1.
    """

    def __init__(self, first_ms: int, longest_ms: int, chance: random.Random) -> None:
        self._first_ms = first_ms
        self._longest_ms = longest_ms
        self._bound_ms = first_ms
        self._chance = chance

    def next_ms(self) -> int:
        """The wait before the next attempt."""
        wait_ms = round(self._chance.uniform(0.1, 1.0) * self._bound_ms)
        self._bound_ms = min(self._bound_ms * 2, self._longest_ms)
        return wait_ms

    def reset(self) -> None:
        """The last attempt went well."""
        self._bound_ms = self._first_ms
