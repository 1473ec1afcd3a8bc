"""Keeps the time of every stored entry resolved, whatever order the entries come in.

    note(stretch)    inside the transaction that stored those entries
    settle()         once, before it is committed

The result depends on the stored entries alone. What can change is looked for where it can:

    a stamp vouched for within `timeline.CLOSE_MS`    by a verdict on its boot
    one vouched for less closely                      by the ``clock`` entries nearest to it
    one that nobody vouches for, in a known boot      by these and by the vouched stamp next to it
    one of an unknown boot                            by what the boots around it are certain of

so a batch of well-dated punches costs a few look-ups and no search.
"""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from edge_agent.central import timeline
from edge_agent.central.boots import Boot, Boots, Stretch, stretches
from edge_agent.central.stamps import CLOCKS, Stamps, Stored
from edge_agent.central.timeline import Claim, Edge, Resolved
from edge_agent.contract.canonical import MAX_INTEGER


@dataclass(slots=True)
class _Mark:
    """What has to be looked at again in one boot.

    Attributes:
        parts: what was stored of it.
        whole: everything that is stored of it.
        new: it may not know its neighbours, nor they it.
    """

    parts: list[Stretch] = field(default_factory=list)
    whole: bool = False
    new: bool = False


class Resolution:
    """The resolved times of one database."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._boots = Boots(conn)
        self._stamps = Stamps(conn)
        self._marks: dict[tuple[int, str], _Mark] = {}

    def note(self, part: Stretch) -> None:
        """Entries were stored."""
        before = self._boots.get(part.boot.stream, part.boot.boot)
        now = before.joined(part.boot) if before else part.boot
        self._boots.put(now)
        if part.loose:
            self._stamps.keep(now.stream, part.loose)
        mark = self._mark(now)
        mark.parts.append(part)
        if now.verdict is not None:
            judged_before = before is not None and before.verdict is not None
            parts = part.boot if judged_before else now
            self._stamps.keep_close(now, parts.first, parts.last)
            mark.whole |= before is None or before.verdict != now.verdict
        mark.new |= before is None
        if before and not now.known:
            mark.whole |= (before.lower, before.upper) != (now.lower, now.upper)

    def doubt(self, stream: int, seq: int) -> None:
        """A stored entry is not borne out by the chain any more."""
        self._boots.doubt(stream, seq)

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._marks.clear()

    def settle(self) -> None:
        """Resolve what was noted, and what follows from it."""
        for boot in self._boots.stale():
            self._retell(boot)
        for key, mark in self._marks.items():
            boot = self._boots.at(key)
            if boot.known:
                self._stamps.write(boot.stream, self._anchored(boot, mark))
        for key, mark in list(self._marks.items()):
            self._hand_on(key, new=mark.new)
        for key, mark in self._marks.items():
            boot = self._boots.at(key)
            if not boot.known:
                self._stamps.write(boot.stream, self._enclosed(boot, mark))
        self._marks.clear()

    def _mark(self, boot: Boot) -> _Mark:
        return self._marks.setdefault((boot.stream, boot.boot), _Mark())

    def _retell(self, boot: Boot) -> None:
        """Put together again, from its entries, what is known of a boot."""
        told = Boot(boot.stream, boot.boot, boot.first, boot.last, 0)
        told = replace(told, after_ms=boot.after_ms, before_ms=boot.before_ms)
        for new, broken in self._stamps.entries(boot):
            for part in stretches(boot.stream, new, broken):
                if part.boot.boot == boot.boot:
                    told = told.joined(part.boot)
        self._boots.told(told)
        mark = self._mark(told)
        mark.whole = mark.new = True

    def _hand_on(self, key: tuple[int, str], *, new: bool) -> None:
        """Tell the boots around one what it is certain of, as far as that is news to them."""
        boot = self._boots.at(key)
        earlier, later = self._boots.previous(boot), self._boots.next(boot)
        if new and earlier:
            self._forward(earlier)
        if new and later:
            self._backward(later)
        if later:
            self._forward(self._boots.at(key))
        if earlier:
            self._backward(self._boots.at(key))

    def _forward(self, one: Boot) -> None:
        later = self._boots.next(one)
        while later and later.after_ms != (end_ms := self._end_ms(one)):
            one = replace(later, after_ms=end_ms)
            later = self._told(one) and self._boots.next(one)

    def _backward(self, one: Boot) -> None:
        earlier = self._boots.previous(one)
        while earlier and earlier.before_ms != (start_ms := self._start_ms(one)):
            one = replace(earlier, before_ms=start_ms)
            earlier = self._told(one) and self._boots.previous(one)

    def _told(self, one: Boot) -> Boot | None:
        """Keep what a boot was told; None if it makes no difference to it, nor to those beyond."""
        self._boots.put(one)
        if one.known:
            return None
        self._mark(one).whole = True
        return one

    def _end_ms(self, boot: Boot) -> int | None:
        """UTC at the last seen moment of a boot was this or later."""
        edges = boot.lower
        if boot.known_last is not None:
            low_ms, _, mono_ms = self._stamps.bounds(boot.stream, boot.known_last)
            edges = () if low_ms is None else (Edge(low_ms, mono_ms),)
        return _date(max((edge.lower(boot.mono_ms) for edge in edges), default=None))

    def _start_ms(self, boot: Boot) -> int | None:
        """UTC when a boot began was this or earlier."""
        edges = boot.upper
        if boot.known_first is not None:
            _, high_ms, mono_ms = self._stamps.bounds(boot.stream, boot.known_first)
            edges = () if high_ms is None else (Edge(high_ms, mono_ms),)
        return _date(min((edge.upper(0) for edge in edges), default=None))

    def _enclosed(self, boot: Boot, mark: _Mark) -> Iterator[tuple[Stored, Resolved]]:
        """The times of entries of an unknown boot."""
        parts = [(one.boot.first, one.boot.last) for one in mark.parts]
        for part in [(boot.first, boot.last)] if mark.whole else parts:
            for row in self._stamps.loose(boot, *part):
                # A vouched one here is broken: it is no evidence, but it keeps its own word.
                own = timeline.own(row.claim) if row.claim.vouched else None
                yield (
                    row,
                    own or timeline.between(row.claim, boot.lower, boot.upper, row.received_ms),
                )

    def _anchored(self, boot: Boot, mark: _Mark) -> Iterator[tuple[Stored, Resolved]]:
        """The times of entries of a known boot."""
        parts = [(boot.first, boot.last)]
        if not mark.whole:
            parts = [self._reach(boot, one) for one in mark.parts]
        for part in parts:
            loose = self._stamps.loose(boot, *part)
            clocks = self._stamps.clocks(boot, *part) if loose else []
            for run in _runs(loose):
                yield from self._judged(boot, self._anchored_run(boot, run, clocks))

    def _judged(
        self, boot: Boot, found: Iterator[tuple[Stored, Resolved]]
    ) -> Iterator[tuple[Stored, Resolved]]:
        """The same after the last word on a contradiction in this boot, if there was one."""
        if boot.verdict is None:
            yield from found
            return
        by, settled = self._stamps.verdict(boot.stream, boot.verdict)
        for row, one in found:
            yield row, timeline.judged(one, row.claim, by, settled=settled)

    def _reach(self, boot: Boot, new: Stretch) -> tuple[int, int]:
        """How far stamps that were just stored may improve others."""
        first, last = new.boot.first, new.boot.last
        if new.boot.known_first is not None and new.boot.known_last is not None:
            before = self._stamps.before(boot, new.boot.known_first)
            after = self._stamps.after(boot, new.boot.known_last)
            first = min(first, before.seq + 1 if before else boot.first)
            last = max(last, after.seq - 1 if after else boot.last)
        if new.clocks:
            earlier = self._stamps.clocks_before(boot, new.clocks[0])
            later = self._stamps.clocks_after(boot, new.clocks[1])
            first = min(first, earlier[-1].seq if len(earlier) == CLOCKS else boot.first)
            last = max(last, later[-1].seq if len(later) == CLOCKS else boot.last)
        return first, last

    def _anchored_run(
        self, boot: Boot, run: list[Stored], clocks: list[Stored]
    ) -> Iterator[tuple[Stored, Resolved]]:
        """The times of entries that follow each other without a close one between them."""
        seqs = [one.seq for one in clocks]
        before = _nearest(run, self._stamps.before(boot, run[0].seq))
        after = _nearest(run[::-1], self._stamps.after(boot, run[-1].seq))[::-1]
        for row, near_before, near_after in zip(run, before, after, strict=True):
            here, beyond = bisect_left(seqs, row.seq), bisect_right(seqs, row.seq)
            earlier = [one.claim for one in reversed(clocks[max(0, here - CLOCKS) : here])]
            later = [one.claim for one in clocks[beyond : beyond + CLOCKS]]
            if not row.claim.vouched:
                earlier, later = near_before + earlier, near_after + later
            yield row, timeline.anchored(row.claim, earlier, later)


def _nearest(run: list[Stored], before: Stored | None) -> list[list[Claim]]:
    """For each of a run the vouched stamp nearest before it, if any, given the run's."""
    found, nearest = [], [before.claim] if before else []
    for row in run:
        found.append(nearest)
        if row.claim.vouched and not row.broken:
            nearest = [row.claim]
    return found


def _runs(rows: Iterable[Stored]) -> Iterator[list[Stored]]:
    """Rows cut where a seq is not among them."""
    run: list[Stored] = []
    for row in rows:
        if run and row.seq != run[-1].seq + 1:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


def _date(ms: int | None) -> int | None:
    """None also for what no clock could say; so that sums over many boots stay numbers."""
    return ms if ms is not None and abs(ms) <= MAX_INTEGER else None
