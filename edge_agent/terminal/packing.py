"""The next batch for the broker: what the window wants sent, as far as the link carries it."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.contract import chain, topics
from edge_agent.journal import Journal
from edge_agent.journal.batches import BATCH_BYTES, Batches
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window


@dataclass(frozen=True, slots=True)
class Identity:
    """Who delivers: the terminal under its organisation's topic root, and the key of its seals."""

    terminal: str
    topic_root: str
    sealer: chain.Sealer

    def topic(self, channel: str) -> str:
        return topics.topic(self.topic_root, self.terminal, channel)


@dataclass(frozen=True, slots=True)
class Packed:
    """Entries `first` to `last`, ready for the wire."""

    first: int
    last: int
    payload: bytes


class Packing:
    """Makes batches of what the window wants sent.

    Args:
        journal: where the entries are.
        identity: who seals them.
        window: says what is due, and is told of entries that can never be sent.
        pace: says how much the link carries.
        fault: told of incidents: what, which, cause.
        metered: each byte on the link costs.

    Attributes:
        max_bytes: most bytes of texts in a batch.
    """

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        window: Window,
        pace: Pace,
        fault: Callable[[str, str, str], None],
        *,
        metered: bool = False,
    ) -> None:
        self.max_bytes = BATCH_BYTES
        self._batches = Batches(journal, identity.sealer, quick=not metered)
        self._window = window
        self._pace = pace
        self._fault = fault

    def next(self, now_ms: int, *, spent: bool = False) -> Packed | None:
        """The next batch; None if there is no room, no need, or only a hole was found.

        `spent`: nothing of the backlog, for the link has cost enough today.
        """
        chosen = self._window.next(self._pace.entries, busy=self._pace.busy(now_ms), spent=spent)
        if chosen is None:
            return None
        cut = self._batches.cut(*chosen, self.max_bytes)
        if cut.fault is not None:
            which = f"{cut.first}" if cut.first == cut.last else f"{cut.first}-{cut.last}"
            self._fault(cut.fault[0], which, cut.fault[1])
        if cut.payload is None:
            self._window.forget(cut.first, cut.last)
            return None
        return Packed(cut.first, cut.last, cut.payload)
