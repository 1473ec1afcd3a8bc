"""How large a batch is and how much may be under way, by what the link carries. Pure.

Large batches deflate better, small ones lose less when the connection dies and make a live punch
wait less behind them. So a batch is what the link carries in four seconds, the next one follows
shortly before that is through, and on a slow link no more than two are ever under way. The first
connection begins small, each later one with a quarter of what the last one dared, and both grow
while acknowledgements come. A loss halves what is dared, and only receipts raise that again,
slowly: a broker that takes small messages only says so by hanging up, and finding out costs a
connection each time.
"""

from dataclasses import dataclass

from edge_agent.contract.messages import MAX_BATCH

#: The first batch of all has so many, and each at most four times what was acknowledged.
_FIRST, _GROWTH = 50, 4
_BATCH_MS, _UNDER_WAY_MS = 4_000, 9_000
#: The next one follows when so much is thought to be left: the way to the broker takes its time.
_AHEAD_MS = 1_500
#: A shorter message says more about the way's length than about its width.
_TELLING_BYTES = 1_500
#: Answers that a stall held back come all at once: nobody is so fast; they are measured as one.
_TOGETHER_MS = 100
#: And of fewer entries nobody can tell what one costs in a large batch.
_FEWEST_ROWS = 10


@dataclass(frozen=True, slots=True)
class _Sent:
    size: int
    entries: int
    at_ms: int


class Pace:
    """The pace of one terminal, over all its connections."""

    def __init__(self) -> None:
        self._ceiling = MAX_BATCH
        self._dared = _FIRST
        self._per_ms: float | None = None
        self._bytes_per_entry = 60.0
        self._under_way: dict[int, _Sent] = {}
        self._heard_ms = 0
        self._proven = 0
        self._measured = 0, 0  # bytes and time of the answers that came one right after the other

    @property
    def entries(self) -> int:
        """How many entries the next batch may have."""
        fits = self._dared
        if self._per_ms is not None:
            fits = min(fits, round(self._per_ms * _BATCH_MS / self._bytes_per_entry))
        return max(1, min(fits, self._ceiling))

    def busy(self, now_ms: int) -> bool:
        """True while the link has enough to carry; a live punch goes all the same."""
        if not self._under_way or self._per_ms is None:
            return bool(self._under_way)
        waiting = sum(one.size for one in self._under_way.values())
        since_ms = max(self._heard_ms, min(one.at_ms for one in self._under_way.values()))
        left = waiting - self._per_ms * (now_ms - since_ms)
        most = self._per_ms * _UNDER_WAY_MS
        return left > self._per_ms * _AHEAD_MS or waiting + self._next_bytes > most

    @property
    def _next_bytes(self) -> float:
        return self.entries * self._bytes_per_entry

    def connected(self) -> None:
        """A connection began; it may be another network, but most often it is the same."""
        self._under_way.clear()
        self._proven = 0
        self._dared, self._per_ms = max(_FIRST, self._dared // _GROWTH), None

    def published(self, mid: int, entries: int, size: int, now_ms: int) -> None:
        """A batch of `size` bytes went out as message `mid`."""
        self._under_way[mid] = _Sent(size, entries, now_ms)
        if entries >= _FEWEST_ROWS:
            self._bytes_per_entry = size / entries

    def acked(self, mid: int, now_ms: int) -> int | None:
        """Message `mid` was answered; gives after how long, None if it was none of ours."""
        sent = self._under_way.pop(mid, None)
        if sent is None:
            return None
        self._proven = max(self._proven, sent.entries)
        alone_ms = now_ms - max(sent.at_ms, self._heard_ms)
        together = sent.at_ms < self._heard_ms and alone_ms < _TOGETHER_MS
        before = self._measured if together else (0, 0)
        self._measured = before[0] + sent.size, before[1] + alone_ms
        per_ms = self._measured[0] / max(1, self._measured[1])
        self._heard_ms = now_ms
        if self._per_ms is None or per_ms > self._per_ms:
            self._per_ms = per_ms
        elif sent.size >= _TELLING_BYTES:
            self._per_ms = (self._per_ms + per_ms) / 2
        self._dared = min(MAX_BATCH, max(self._dared, sent.entries * _GROWTH))
        return now_ms - sent.at_ms

    def refused(self, mid: int) -> None:
        """The broker does not want message `mid`."""
        if self._under_way.pop(mid, None) is not None:
            self.shrink()

    def shrink(self) -> None:
        """A batch did not get through: whatever it was in it or about its size, try half of it."""
        self._ceiling = max(1, min(self._ceiling, self.entries) // 2)

    def lost(self) -> None:
        """The connection ended with batches under way: was it their size?

        Not if one as large had got through before: then it was the weather.
        """
        largest = max((one.entries for one in self._under_way.values()), default=0)
        self._under_way.clear()
        if largest > self._proven:
            self._ceiling = max(1, min(self._ceiling, largest) // 2)

    def grow(self) -> None:
        """A receipt came: dare a little more again."""
        self._ceiling = min(MAX_BATCH, self._ceiling + self._ceiling // 8 + 1)
