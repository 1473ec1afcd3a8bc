"""Where a batch fits into what is already stored of its journal, and whether the chain agrees.

Batches may come twice, late, cut differently and overlapping. What is new in one are its *runs*:
the parts that lie in no span. The texts of a run must lead

    from  the head before it that is known here: of the span that ends there, or of no entry at all
    to    the head behind it: the one that the batch's seal signs, or `prev` of the span there

If they do, the seal vouches for them, whatever else the batch says. If not, they may lead there
from the batch's own `prev`: then what the terminal sends now and what is stored are two histories,
each sound in itself. The journal has forked at this *joint*; the spans stay apart, and no receipt
reaches across, because the head beyond commits to entries that are not those stored before it.
If neither holds, the texts are not what the terminal once committed to. The run is stored all the
same, marked broken, and the chain goes on from the head behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edge_agent.contract import chain
from edge_agent.contract.messages import Batch
from edge_agent.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Span:
    """Entries `first` .. `last` are stored.

    Attributes:
        prev, head: heads of the chain before the first and after the last of them, 32 bytes.
        key, signature, sent: of the seal over `head` at `last`, hex.
    """

    first: int
    last: int
    prev: bytes
    head: bytes
    key: str
    signature: str
    sent: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """Entries `first` .. `last` of a batch that were not stored before."""

    first: int
    last: int
    broken: bool


@dataclass(frozen=True, slots=True)
class Weave:
    """What a batch changes.

    Attributes:
        runs: the entries to store, ascending.
        joints: seqs of entries, new or old, whose head does not follow from the entry before.
        spans: what stands in place of the spans that were given.
    """

    runs: tuple[Run, ...]
    joints: tuple[int, ...]
    spans: tuple[Span, ...]


def weave(batch: Batch, spans: Sequence[Span]) -> Weave:
    """Fit `batch` between `spans`: those of its journal that overlap or touch it, ascending."""
    heads = {span.last: span.head for span in spans}
    heads[0] = chain.genesis(batch.terminal, batch.journal)
    prevs = {span.first - 1: span.prev for span in spans}
    last, signed = batch.seal.seq, bytes.fromhex(batch.seal.head)
    runs, joints, pieces = [], [], []
    for low, high in Ranges([(batch.first, last)]).minus(Ranges((s.first, s.last) for s in spans)):
        end = signed if high == last else prevs[high]
        start, sound = _start(batch, low, high, heads.get(low - 1), end)
        runs.append(Run(low, high, not sound))
        seal = batch.seal
        pieces.append(Span(low, high, start, end, seal.key, seal.signature, seal.sent))
        if start != heads.get(low - 1, start):
            joints.append(low)
        if end != prevs.get(high, end):
            joints.append(high + 1)
    return Weave(tuple(runs), tuple(joints), _join([*spans, *pieces]))


def _start(
    batch: Batch, low: int, high: int, known: bytes | None, end: bytes
) -> tuple[bytes, bool]:
    """The head from which the texts `low` .. `high` are taken to start, and whether they lead on.

    Args:
        known: the head before them by what is stored, if anything is.
        end: the head behind them.
    """
    texts = batch.texts[low - batch.first : high - batch.first + 1]
    stated = bytes.fromhex(batch.prev) if low == batch.first else None
    for start in (known, stated):
        if start is not None and chain.follow(start, texts) == end:
            return start, True
    return known or stated or end, False


def _join(spans: list[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for span in sorted(spans, key=lambda one: one.first):
        before = joined[-1] if joined else None
        if before and before.last + 1 == span.first and before.head == span.prev:
            joined[-1] = replace(span, first=before.first, prev=before.prev)
        else:
            joined.append(span)
    return tuple(joined)
