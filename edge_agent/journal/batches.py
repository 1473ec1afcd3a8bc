"""The journal cut into sealed batches: for the broker, and for who carries them by hand.

What is not sound goes alone and says so, so that the central can name it; what is gone or cannot be
read is a hole with its cause. Neither holds up the rest.
"""

from dataclasses import dataclass

from edge_agent.contract import canonical, chain, entries, messages
from edge_agent.errors import JournalError, MessageError
from edge_agent.journal.beside import Beside
from edge_agent.journal.journal import Journal, first_broken
from edge_agent.records import Entry

#: Bytes of a batch's texts; in tables they deflate to a twentieth.
BATCH_BYTES = 1_000_000
#: Stands for the head before an entry whose predecessor is gone from the journal.
_NO_HEAD = bytes(chain.HEAD_BYTES)


@dataclass(frozen=True, slots=True)
class Cut:
    """Entries `first` to `last`.

    Attributes:
        payload: the batch, None where nothing is left that could be sent.
        fault: incident and cause, where they are not as they were written.
    """

    first: int
    last: int
    payload: bytes | None
    fault: tuple[str, str] | None = None


class Batches:
    """Batches of one journal, sealed by its terminal.

    `quick` spares the processor where a batch is full: then its way carries more than we can make.
    """

    def __init__(
        self, journal: Journal | Beside, sealer: chain.Sealer, *, quick: bool = False
    ) -> None:
        self._journal = journal
        self._sealer = sealer
        self._quick = quick

    def cut(self, first: int, last: int, max_bytes: int = BATCH_BYTES) -> Cut:
        """What begins at `first`: a batch of `max_bytes` of text as far as it is sound, or a hole.

        `last` is at most `messages.MAX_BATCH` entries on.
        """
        return self._whole(first, last, max_bytes) or self._sound(first, last, max_bytes)

    def _whole(self, first: int, last: int, max_bytes: int) -> Cut | None:
        """The range as it stands, if its texts lead where they should: the usual case."""
        prev = self._journal.head_at(first - 1)
        stretch = self._journal.stretch(first, last, max_bytes)
        if prev is None or stretch is None or chain.follow(prev, stretch.texts) != stretch.head:
            return None
        return self._sealed(prev, stretch.texts, first, stretch.head)

    def _sound(self, first: int, last: int, max_bytes: int) -> Cut:
        try:
            found = self._journal.read(first, last, max_bytes)
        except JournalError as error:
            if first == last:
                cause = f"entry {first} cannot be read: {error.cause}"
                return Cut(first, last, None, ("storage", cause))
            return self.cut(first, (first + last) // 2, max_bytes)  # closer to the worn page
        there = found[0].seq if found else last + 1
        if there > first:
            return Cut(first, there - 1, None, ("tamper", "gone from the journal"))
        known = self._journal.head_at(first - 1)
        prev = known or _NO_HEAD
        whole = [one for index, one in enumerate(found) if one.seq == first + index]
        broken = first_broken(whole, prev)
        if broken == 0:  # behind a hole it may be sound, but nobody can tell; the hole is said
            fault = ("tamper", "the text is not what was written") if known else None
            return self._alone(prev, whole[0], fault)
        batch = whole[:broken]
        return self._sealed(prev, [one.text for one in batch], first, batch[-1].head)

    def _alone(self, prev: bytes, entry: Entry, fault: tuple[str, str] | None) -> Cut:
        """An entry that its head does not bear out, if it still is an entry at all."""
        try:
            entries.check(canonical.decode(entry.text.encode()), entry.seq)
        except MessageError:  # the central would refuse it for ever; the row stays in the journal
            return Cut(entry.seq, entry.seq, None, fault)
        return self._sealed(prev, [entry.text], entry.seq, entry.head, fault)

    def _sealed(
        self,
        prev: bytes,
        texts: list[str],
        first: int,
        head: bytes,
        fault: tuple[str, str] | None = None,
    ) -> Cut:
        terminal, journal, last = (
            self._journal.terminal,
            self._journal.journal,
            first + len(texts) - 1,
        )
        # An entry that is not sound comes alone; only then can the texts lead to another head.
        lead = chain.link(prev, texts[0]) if len(texts) == 1 else head
        seal = self._sealer.seal(terminal, journal, last, head, None if lead == head else lead)
        quick = self._quick and len(texts) == messages.MAX_BATCH
        payload = messages.encode_batch(terminal, journal, prev, texts, first, seal, quick=quick)
        return Cut(first, last, payload, fault)
