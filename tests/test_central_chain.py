"""Chain and seals at the central: what does not fit is kept and marked, and receipts stay true."""

from pathlib import Path

import pytest
from central_wall import NOW, Wall, forged, full_wall, rows, take

from edge_agent.central.gaps import gaps
from edge_agent.central.proofs import proofs
from edge_agent.central.store import Store
from edge_agent.contract.messages import decode_batch
from edge_agent.errors import MessageError


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        yield one


def broken(store: Store) -> list[int]:
    found = store.db.conn.execute("SELECT seq FROM entry WHERE broken = 1 ORDER BY seq")
    return [seq for (seq,) in found]


def test_a_tampered_entry_is_stored_broken_and_the_chain_goes_on(store):
    """The evidence of tampering is kept, and the entries after it are still received."""
    wall = full_wall(9)
    wall.tamper(5)
    for first, last in ((1, 4), (5, 5), (6, 9)):
        take(store, wall.batch(first, last))
    assert broken(store) == [5]
    assert store.receipt("bungi-1", wall.journal).upto == 9
    proof = proofs(store.db)[0]
    assert (proof.whole, proof.chained, proof.sealed, proof.holds) == (True, False, True, False)
    assert gaps(store.db)[0].broken == 1


def test_other_texts_under_a_good_seal_are_a_forgery(store):
    """Who has heard a seal on the wire cannot put his own entries under it."""
    wall = full_wall(9)
    honest = wall.batch(1, 9)
    wall.tamper(5)
    lie = forged(honest, entries=wall.batch(1, 9).entries, texts=tuple(wall.texts))
    with pytest.raises(MessageError, match="other texts"):
        take(store, lie)
    assert rows(store, "entry") == []
    take(store, honest)
    assert broken(store) == []


def test_a_tampered_entry_inside_a_batch_breaks_what_the_seal_cannot_tell_apart(store):
    """Between two signed heads nobody can say which text was changed; beyond them all is well."""
    wall = full_wall(9)
    wall.tamper(5)
    take(store, wall.batch(1, 3))
    take(store, wall.batch(7, 9))
    take(store, wall.batch(2, 8))
    assert broken(store) == [4, 5, 6]
    assert len(rows(store, "span")) == 1


def test_an_entry_after_a_tampered_one_is_sound_again_in_an_overlapping_batch(store):
    """What was stored broken before does not spoil what a later seal vouches for."""
    wall = full_wall(9)
    wall.tamper(5)
    take(store, wall.batch(1, 6))
    take(store, wall.batch(3, 9))
    assert broken(store) == [1, 2, 3, 4, 5, 6]


def test_a_forked_journal_is_stored_but_no_receipt_reaches_across_the_joint(store):
    """A restored terminal must not forget entries that the central has never seen."""
    wall, fork = full_wall(4), full_wall(2)
    for number in range(6):
        fork.punch("em4100:FFFFFFFFFF", NOW + number)
    take(store, wall.batch())
    take(store, fork.batch(7, 8))
    take(store, fork.batch(5, 6))
    assert broken(store) == [5]
    receipt = store.receipt("bungi-1", wall.journal)
    assert (receipt.upto, receipt.last, receipt.missing) == (4, 4, ())
    assert receipt.head == wall.heads[4].hex()
    assert gaps(store.db)[0].forks == (5,)
    assert gaps(store.db)[0].missing == ()
    assert not proofs(store.db)[0].whole


def test_a_fork_that_closes_a_gap_is_found_at_its_right_end(store):
    """The entry behind the joint is marked, also when it was stored long before."""
    wall, fork = full_wall(9), full_wall(3)
    for number in range(3):
        fork.punch("em4100:FFFFFFFFFF", NOW + number)
    take(store, wall.batch(1, 3))
    take(store, wall.batch(7, 9))
    take(store, fork.batch(4, 6))
    assert broken(store) == [7]
    assert store.receipt("bungi-1", wall.journal).last == 6


def test_a_batch_whose_predecessor_is_gone_from_the_terminal_still_joins(store):
    """`prev` is not signed: what is stored here says better where a batch begins."""
    wall = full_wall(6)
    take(store, wall.batch(1, 3))
    take(store, decode_batch(wall.wire(4, 6, prev=bytes(32))))
    assert broken(store) == []
    assert len(rows(store, "span")) == 1


def test_a_journal_that_does_not_begin_at_its_own_first_head_is_marked_at_its_first_entry(store):
    """A chain continued from elsewhere is not the whole of this journal."""
    wall = Wall()
    wall.heads[0] = bytes(32)
    wall.start(NOW)
    wall.start(NOW)
    take(store, wall.batch())
    assert broken(store) == [1]
    assert store.receipt("bungi-1", wall.journal).upto == 2
    assert not proofs(store.db)[0].whole


def test_edited_text_in_the_central_is_found_by_the_proof(store):
    """The central cannot quietly change what a terminal has sealed."""
    wall = full_wall(5)
    take(store, wall.batch())
    assert proofs(store.db)[0].holds
    store.db.conn.execute("UPDATE entry SET text = replace(text, 'front', 'rear') WHERE seq = 3")
    assert not proofs(store.db)[0].chained
