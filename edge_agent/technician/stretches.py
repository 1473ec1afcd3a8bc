"""The journal cut into sealed batches without the window that a link needs, newest first.

As on the way over the broker: what is not sound goes alone and says so, what is gone or cannot be
read is left out and counted, and neither holds up the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edge_agent.contract import canonical, chain, entries, messages
from edge_agent.errors import JournalError, MessageError
from edge_agent.journal.beside import Beside
from edge_agent.journal.journal import first_broken
from edge_agent.ranges import Ranges
from edge_agent.records import Entry

#: Entries of a batch, and bytes of their texts: as over the broker.
BATCH = 500
BATCH_BYTES = 400_000
#: Stands for the head before an entry whose predecessor is gone from the journal.
_NO_HEAD = bytes(chain.HEAD_BYTES)


@dataclass(frozen=True, slots=True)
class Packed:
    """Entries `first` to `last`: a batch, or None where nothing is left that could be sent."""

    first: int
    last: int
    payload: bytes | None


class Stretches:
    """Batches of one journal, sealed by its terminal."""

    def __init__(self, journal: Beside, sealer: chain.Sealer) -> None:
        self._journal = journal
        self._sealer = sealer

    def newest_first(self, wanted: Ranges) -> Iterator[Packed]:
        """Everything in `wanted`: the newest batch first, entries rising within each."""
        for first, last in reversed(list(wanted)):
            for high in range(last, first - 1, -BATCH):
                at, end = max(first, high - BATCH + 1), high
                while at <= end:
                    packed = self._next(at, end)
                    yield packed
                    at = packed.last + 1

    def _next(self, first: int, last: int) -> Packed:
        """What begins at `first`: a batch as far as it goes, or a hole."""
        try:
            found = self._journal.read(first, last, BATCH_BYTES)
        except JournalError:
            if first == last:
                return Packed(first, last, None)
            return self._next(first, (first + last) // 2)  # closer to the page that is worn
        if not found or found[0].seq > first:
            return Packed(first, found[0].seq - 1 if found else last, None)
        whole = [one for index, one in enumerate(found) if one.seq == first + index]
        prev = self._journal.head_at(first - 1) or _NO_HEAD
        broken = first_broken(whole, prev)
        if broken == 0:
            return self._alone(prev, whole[0])
        return self._sealed(prev, whole[:broken])

    def _alone(self, prev: bytes, entry: Entry) -> Packed:
        """An entry that its head does not bear out, if it still is an entry at all."""
        try:
            entries.check(canonical.decode(entry.text.encode()), entry.seq)
        except MessageError:
            return Packed(entry.seq, entry.seq, None)
        return self._sealed(prev, [entry])

    def _sealed(self, prev: bytes, batch: list[Entry]) -> Packed:
        terminal, journal = self._journal.terminal, self._journal.journal
        texts, first, last = [one.text for one in batch], batch[0].seq, batch[-1]
        lead = chain.link(prev, texts[0]) if len(texts) == 1 else last.head
        sent = None if lead == last.head else lead
        seal = self._sealer.seal(terminal, journal, last.seq, last.head, sent)
        payload = messages.encode_batch(terminal, journal, prev, texts, first, seal)
        return Packed(first, last.seq, payload)
