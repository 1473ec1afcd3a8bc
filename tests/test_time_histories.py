"""From the witnesses of a terminal to the central's tables: no bound is ever understated."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from clock_histories import TERMINAL, Life, Made, life
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.central.reports import punches
from edge_agent.central.store import Store
from edge_agent.contract import chain, messages
from edge_agent.evidence.timekeeper import RTC
from edge_agent.journal import Journal

SEALER = chain.Sealer.from_hex("42" * 32)
#: Instants are whole milliseconds, and so are the differences they are made of.
ROUNDED_MS = 2


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**40))
def test_the_truth_lies_within_what_is_claimed_and_what_is_resolved(seed: int) -> None:
    """Several boots, restarts, journals, leap seconds, one liar; batches in any order."""
    with TemporaryDirectory() as folder, Store(Path(":memory:")) as store:
        lived = life(Path(folder), seed)
        deliver(lived, store)
        found = {(one.journal, one.seq): one for one in punches(store.db)}
        assert len(found) == len(lived.made)
        for made in lived.made:
            told = (seed, made, lived.liar, lived.lie_ms, lived.heard)
            error_ms = made.at.error_ms
            if made.claim_holds and error_ms is not None:
                assert abs(made.at.utc_ms - made.utc) <= error_ms + ROUNDED_MS, told
            if can_be_known(lived, made):
                line = found[made.journal, made.seq]
                low, high = line.not_before_ms, line.not_after_ms
                assert low is None or low - ROUNDED_MS <= made.utc, (told, line)
                assert high is None or made.utc <= high + ROUNDED_MS, (told, line)
        for journal in lived.journals:
            journal.close()


def can_be_known(lived: Life, made: Made) -> bool:
    """Not so where the liar was the only one ever heard, nor between such boots.

    A battery clock that was not taught by him knows better, unless his lie fits into its bounds.
    """
    here = lived.heard[made.boot]
    if made.at.source == RTC and (here.lie or here.echo):
        hides = abs(lived.lie_ms) <= 2 * (made.at.error_ms or 0) + 10_000
        return not hides and (here.truth or not here.echo)
    if here.truth or made.at.source == RTC:
        return True
    return not any(one.led_astray or one.echo for one in lived.heard.values())


def deliver(lived: Life, store: Store) -> None:
    """Everything, in batches cut anywhere and in any order, some of them twice."""
    received_ms = int(lived.machine.utc) + 1
    random, sent = lived.random, []
    for journal in lived.journals:
        cuts = sorted({0, journal.last_seq, *random.choices(range(journal.last_seq + 1), k=4)})
        sent += [wire(journal, low + 1, high) for low, high in pairwise(cuts)]
    random.shuffle(sent)
    for payload in sent + sent[:2]:
        store.take(messages.decode_batch(payload), received_ms)


def wire(journal: Journal, first: int, last: int) -> bytes:
    rows = journal.read(first, last, 10**9)
    prev = journal.head_at(first - 1)
    assert prev is not None
    seal = SEALER.seal(TERMINAL, journal.journal, last, rows[-1].head)
    return messages.encode_batch(
        TERMINAL, journal.journal, prev, [row.text for row in rows], first, seal
    )
