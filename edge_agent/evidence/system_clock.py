"""Whether the system clock steps, by watching its distance to the monotonic one."""

#: A clock that is slewed, by chrony at its fastest, gains or loses a tenth of the time that passes.
_SLEW_DIVISOR = 10
#: Less is not worth a word.
_LEAST_STEP_MS = 500


class SystemClock:
    """Remembers where the system clock stood when it was last looked at."""

    def __init__(self) -> None:
        self._offset_ms: int | None = None
        self._mono_ms = 0

    def step(self, system_ms: int, mono_ms: int) -> int:
        """By how much it was stepped since it was last looked at, milliseconds; 0 if it was not.

        Args:
            system_ms, mono_ms: both clocks at one moment.
        """
        before, self._offset_ms = self._offset_ms, system_ms - mono_ms
        elapsed_ms, self._mono_ms = mono_ms - self._mono_ms, mono_ms
        if before is None:
            return 0
        by_ms = self._offset_ms - before
        return by_ms if abs(by_ms) > _LEAST_STEP_MS + elapsed_ms // _SLEW_DIVISOR else 0
