"""What a metered link may cost a day, and what it has. Pure: time is an argument."""

DAY_MS = 86_400_000


class Budget:
    """Bytes of the present day, UTC.

    Args:
        most: bytes a day, both ways; None where nobody counts.
        day: number of the day since 1970 that `spent` was noted for.
        spent: bytes of that day, as noted before the last restart.
    """

    def __init__(self, most: int | None, day: int = 0, spent: int = 0) -> None:
        self.most = most
        self.day = day
        self.spent = spent
        self._since_ms: int | None = None

    @property
    def is_spent(self) -> bool:
        """True when only new punches may still go."""
        return self.most is not None and self.spent >= self.most

    def add(self, count: int, utc_ms: int, mono_ms: int, *, vouched: bool = True) -> None:
        """So many bytes went through the sockets.

        A clock that nobody vouches for begins no earlier day: a machine that wakes up in 1970 must
        not have another day's bytes. Nor must one that stands still stop a terminal for ever: after
        24 hours of its own time another day begins, whatever the date is.
        """
        day = utc_ms // DAY_MS
        if self._since_ms is None:
            self._since_ms = mono_ms
        other = day != self.day if vouched else day > self.day
        if other or mono_ms - self._since_ms >= DAY_MS:
            self.day, self.spent, self._since_ms = day, 0, mono_ms
        self.spent += count
