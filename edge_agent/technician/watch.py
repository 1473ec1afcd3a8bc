"""What a survey has heard so far."""

import time
from collections.abc import Generator, Iterator

from edge_agent.events import PortLost
from edge_agent.records import Doubt, Fix
from edge_agent.technician.receiver import Said
from edge_agent.technician.survey import Sample, Survey, average

_SHOW_EVERY_S = 1.0


class Watch:
    """Listens for some time and keeps every fix with the doubts of its moment.

    Attributes:
        trouble: why nothing is heard, "" as long as something is.
    """

    def __init__(self) -> None:
        self.trouble = ""
        self._samples: list[Sample] = []
        self._standing: set[str] = set()

    def listen(self, source: Generator[Said, None, None], seconds: float) -> Iterator[float]:
        """Take what comes for so long; gives the seconds that are left, once a second."""
        now = time.monotonic()
        until, show = now + seconds, now
        while now < until:
            self.take(next(source), round(now * 1000))
            now = time.monotonic()
            if now >= show:
                yield max(0.0, until - now)
                show = now + _SHOW_EVERY_S

    def take(self, said: Said, now_ms: int) -> None:
        """One thing that was heard at monotonic time `now_ms`; None for nothing."""
        match said:
            case Fix():
                self.trouble = ""
                self._samples.append(Sample(said, now_ms, frozenset(self._standing)))
            case Doubt(of, stands):
                (self._standing.add if stands else self._standing.discard)(of)
            case PortLost(_, cause):
                self.trouble = cause

    def survey(self) -> Survey:
        """What comes of it so far."""
        return average(self._samples, self._standing)

    def words(self, left_s: float) -> str:
        """How it goes, for a person to look at."""
        left = f"{int(left_s) // 60}:{int(left_s) % 60:02d} left"
        if self.trouble:
            return f"{left}, {self.trouble}"
        so_far = self.survey()
        if not so_far.used:
            weak = f" ({len(self._samples)} weak ones)" if self._samples else ""
            return f"{left}, no good fix yet{weak}: the antenna must see the sky"
        unused = len(self._samples) - so_far.used
        doubt = f", IN DOUBT: {' '.join(sorted(self._standing))}" if self._standing else ""
        return (
            f"{left}, {so_far.used} fixes used, {unused} not,"
            f" 95 % within {so_far.spread_m:.1f} m{doubt}"
        )
