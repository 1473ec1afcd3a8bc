"""The next batch: cut out of the journal, held against the chain, sealed.

What is not sound goes alone and says so, so that the central can name it; what is gone or cannot be
read is a gap, and an incident. Neither holds up the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.contract import canonical, chain, entries, messages, topics
from edge_agent.errors import JournalError, MessageError
from edge_agent.journal import Journal
from edge_agent.journal.journal import first_broken
from edge_agent.records import Entry
from edge_agent.uplink.pace import FULL, Pace
from edge_agent.uplink.window import Window

#: Texts of a batch; in tables they deflate to a twentieth.
BATCH_BYTES = 1_000_000
#: Stands for the head before an entry whose predecessor is gone from the journal.
_NO_HEAD = bytes(chain.HEAD_BYTES)


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

    Attributes:
        max_bytes: most bytes of texts in a batch.
        metered: each byte on the link costs.
    """

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        window: Window,
        pace: Pace,
        fault: Callable[[str, str, str], None],
    ) -> None:
        self.max_bytes = BATCH_BYTES
        self.metered = False
        self._journal = journal
        self._identity = identity
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
        return self._whole(*chosen) or self._sound(*chosen)

    def _whole(self, first: int, last: int) -> Packed | None:
        """The range as it stands, if its texts lead where they should: the usual case."""
        prev = self._journal.head_at(first - 1)
        stretch = self._journal.stretch(first, last, self.max_bytes)
        if prev is None or stretch is None or chain.follow(prev, stretch.texts) != stretch.head:
            return None
        return self._sealed(prev, stretch.texts, first, stretch.head)

    def _sound(self, first: int, last: int) -> Packed | None:
        """What is sound at the beginning of the range, or one entry that is not."""
        prev, batch = self._cut(first, last)
        if not batch:
            return None
        return self._sealed(prev, [one.text for one in batch], batch[0].seq, batch[-1].head)

    def _sealed(self, prev: bytes, texts: list[str], first: int, head: bytes) -> Packed:
        who, journal, last = self._identity, self._journal.journal, first + len(texts) - 1
        # An entry that is not sound comes alone; only then can the texts lead to another head.
        lead = chain.link(prev, texts[0]) if len(texts) == 1 else head
        seal = who.sealer.seal(who.terminal, journal, last, head, None if lead == head else lead)
        quick = len(texts) == FULL and not self.metered  # then the link carries more than we can
        payload = messages.encode_batch(
            who.terminal, journal, prev, texts, first, seal, quick=quick
        )
        return Packed(first, last, payload)

    def _cut(self, first: int, last: int) -> tuple[bytes, list[Entry]]:
        """Entries from `first` on whose chain is whole, with the head before them."""
        found = self._read(first, last)
        if not found:
            return b"", []
        known = self._journal.head_at(first - 1)
        prev = known or _NO_HEAD
        whole = [one for index, one in enumerate(found) if one.seq == first + index]
        broken = first_broken(whole, prev)
        if broken == 0:
            if known:  # else it only stands behind a hole, which has been said
                self._fault("tamper", str(first), "the text is not what was written")
            return prev, self._evidence(whole[0])
        return prev, whole[:broken]

    def _read(self, first: int, last: int) -> list[Entry]:
        """Entries from `first` on; none if a hole was found there, which is then forgotten."""
        try:
            found = self._journal.read(first, last, self.max_bytes)
        except JournalError as error:
            if first < last:
                self._pace.shrink()  # closer to the page that cannot be read, until it stands alone
                return []
            self._window.forget(first, first)
            self._fault("storage", str(first), f"entry {first} cannot be read: {error.cause}")
            return []
        there = found[0].seq if found else last + 1
        if there > first:
            self._window.forget(first, there - 1)
            self._fault("tamper", f"{first}-{there - 1}", "gone from the journal")
            return []
        return found

    def _evidence(self, entry: Entry) -> list[Entry]:
        """An entry that its head does not bear out, if it still is an entry at all."""
        try:
            entries.check(canonical.decode(entry.text.encode()), entry.seq)
        except MessageError:  # the central would refuse it for ever; the row stays in the journal
            self._window.forget(entry.seq, entry.seq)
            return []
        return [entry]
