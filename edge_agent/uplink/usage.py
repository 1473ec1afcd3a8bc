"""What the way to the broker was worth, and what it cost, since the agent started.

Pure: time is an argument. Bytes are those of the sockets, with all that MQTT and TLS put around a
message; what TCP and IP add is not seen from here.
"""

import statistics

#: More measurements than an hour of a busy office has; older ones give way.
_MOST_LATENCIES = 1_000


class Usage:
    """Counts that only ever grow.

    Attributes:
        attempts, connections: connections that were tried, and that the broker accepted.
        bytes_up, bytes_down: through the sockets.
    """

    def __init__(self) -> None:
        self.attempts = 0
        self.connections = 0
        self.bytes_up = 0
        self.bytes_down = 0
        self._online_ms = 0
        self._since_ms: int | None = None
        self._latencies_ms: list[int] = []

    def attempted(self) -> None:
        """A connection is being tried."""
        self.attempts += 1

    def connected(self, now_ms: int) -> None:
        """The broker accepted it."""
        self.connections += 1
        self._since_ms = now_ms

    def ended(self, now_ms: int) -> None:
        """A connection is over, or never came about."""
        self._online_ms = self.online_ms(now_ms)
        self._since_ms = None

    def online_ms(self, now_ms: int) -> int:
        """For how long the broker has had us, all connections together."""
        running_ms = 0 if self._since_ms is None else now_ms - self._since_ms
        return self._online_ms + running_ms

    def acked(self, latency_ms: int) -> None:
        """A message had its PUBACK so long after it was published."""
        self._latencies_ms = [*self._latencies_ms[1 - _MOST_LATENCIES :], latency_ms]

    def take_latency_ms(self) -> int | None:
        """The median since this was last asked; None if there was no PUBACK."""
        taken, self._latencies_ms = self._latencies_ms, []
        return round(statistics.median(taken)) if taken else None
