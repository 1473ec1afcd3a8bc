"""The central's store: exactly once, the chain, and receipts that are true."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from central_wall import NOW, Wall, forged, full_wall, rows, take
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.central.gaps import refusals
from edge_agent.central.proofs import proofs
from edge_agent.central.schema import open_database
from edge_agent.central.store import Store
from edge_agent.contract import chain, messages
from edge_agent.errors import CentralError, MessageError


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "central.db") as one:
        yield one


def take_together(store: Store, *batches: messages.Batch) -> None:
    """Store several batches in one transaction."""
    with store.writing():
        for batch in batches:
            store.take(batch, NOW)


def refused(store: Store, batch: messages.Batch) -> str:
    with pytest.raises(MessageError) as error:
        store.take(batch, NOW)
    return error.value.reason


def test_entries_are_stored_once_whatever_comes_twice(store):
    """The same batch again stores nothing and gives the same receipt."""
    wall = full_wall(5)
    assert take(store, wall.batch()) == 5
    first = store.receipt(wall.terminal, wall.journal)
    assert take(store, wall.batch()) == 0
    assert store.receipt(wall.terminal, wall.journal) == first
    assert [row[4] for row in rows(store, "entry")] == wall.texts


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 24).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(st.tuples(st.integers(1, size), st.integers(1, size)), max_size=12),
            st.randoms(use_true_random=False),
        )
    )
)
def test_any_order_and_overlap_of_batches_gives_the_same_database(cuts):
    """However a journal is cut, repeated and shuffled, the end is the same and complete."""
    size, pairs, random = cuts
    wall = full_wall(size)
    parts = [(min(pair), max(pair)) for pair in pairs]
    with Store(Path(":memory:")) as store:
        for first, last in parts:
            take(store, wall.batch(first, last))
            check_spans(store)
        stored = {seq for first, last in parts for seq in range(first, last + 1)}
        assert {row[1] for row in rows(store, "entry")} == stored
        left = [seq for seq in range(1, size + 1) if seq not in stored]
        random.shuffle(left)
        for seq in left:
            take(store, wall.batch(seq, seq))
        take(store, wall.batch(size, size))
        assert [row[1:] for row in rows(store, "entry")] == expected_entries(wall)
        seal = wall.batch().seal
        assert [row[1:] for row in rows(store, "span")] == [
            (1, size, wall.heads[0], wall.heads[size], seal.key, seal.signature, None)
        ]
        receipt = store.receipt(wall.terminal, wall.journal)
        assert (receipt.upto, receipt.last, receipt.missing) == (size, size, ())
        assert receipt.head == wall.heads[size].hex()
        assert proofs(store.db)[0].holds


def expected_entries(wall: Wall) -> list[tuple[object, ...]]:
    parsed = wall.batch().entries
    return [
        (entry["seq"], entry["kind"], entry["at"]["utc_ms"], text, NOW, 0)
        for entry, text in zip(parsed, wall.texts, strict=True)
    ]


def check_spans(store: Store) -> None:
    """The spans say exactly which entries are stored."""
    covered = [seq for _, first, last, *_ in rows(store, "span") for seq in range(first, last + 1)]
    assert covered == [row[1] for row in rows(store, "entry")]


def test_a_receipt_of_nothing_says_so(store):
    """A journal that was never heard of has the head of an empty journal."""
    head = chain.genesis("bungi-1", "ab" * 16).hex()
    assert store.receipt("bungi-1", "ab" * 16) == messages.Receipt(
        "bungi-1", "ab" * 16, 0, head, 0, ()
    )


def test_a_receipt_names_the_gaps(store):
    """What is missing between the stored ranges is listed, also from the very beginning."""
    wall = full_wall(10)
    take(store, wall.batch(3, 4))
    take(store, wall.batch(8, 9))
    receipt = store.receipt(wall.terminal, wall.journal)
    assert (receipt.upto, receipt.last, receipt.missing) == (0, 9, ((1, 2), (5, 7)))
    take(store, wall.batch(1, 2))
    receipt = store.receipt(wall.terminal, wall.journal)
    assert (receipt.upto, receipt.last, receipt.missing) == (4, 9, ((5, 7),))
    assert receipt.head == wall.heads[4].hex()


@pytest.mark.parametrize("first", [1, 2])
def test_a_receipt_that_cannot_list_every_gap_ends_before_the_first_unlisted(store, first):
    """With more gaps than the message has room for, `last` keeps the statement exact."""
    wall = full_wall(2 * messages.MAX_MISSING + 10)
    stored = range(first, wall.last + 1, 2)
    for seq in stored:
        take(store, wall.batch(seq, seq))
    receipt = store.receipt(wall.terminal, wall.journal)
    assert len(receipt.missing) == messages.MAX_MISSING
    missing = {seq for low, high in receipt.missing for seq in range(low, high + 1)}
    assert missing == set(range(1, receipt.last + 1)) - set(stored)
    assert receipt.last in stored
    assert receipt.last + 1 not in stored


def test_the_cost_of_a_receipt_does_not_grow_with_the_entries(store):
    """SQLite takes as many steps for a journal of 900 entries as for one of 30."""
    steps = []
    for size in (30, 900):
        wall = full_wall(size, f"t-{size}")
        take(store, wall.batch())
        count = [0]
        store.db.conn.set_progress_handler(lambda c=count: c.__setitem__(0, c[0] + 1), 1)
        store.receipt(wall.terminal, wall.journal)
        store.db.conn.set_progress_handler(None, 1)
        steps.append(count[0])
    assert steps[0] == steps[1] > 0


def test_a_seal_that_is_not_its_keys_signature_is_refused_and_nothing_stored(store):
    """Without a signature nothing shows that a terminal sent this."""
    batch = full_wall(3).batch()
    bad = forged(batch, seal=replace(batch.seal, signature="00" * 64))
    assert refused(store, bad) == "seal"
    assert refused(store, forged(batch, terminal="bungi-2")) == "seal"
    assert not rows(store, "entry")
    assert not rows(store, "terminal")


def test_the_first_key_is_trusted_and_another_refused_until_an_operator_accepts_it(store):
    """A second key for a terminal may be a replaced terminal or a thief; a person decides."""
    wall = full_wall(3)
    take(store, wall.batch())
    other = Wall(journal="aa" * 16, sealer=chain.Sealer.new())
    other.start(NOW)
    assert refused(store, other.batch()) == "key"
    assert len(rows(store, "stream")) == 1
    store.trust("bungi-1", other.sealer.key)
    assert take(store, other.batch()) == 1
    assert refused(store, wall.batch()) == "key"


def test_a_key_can_be_trusted_before_the_terminal_is_first_heard(store):
    """Who provisions terminals need not rely on who comes first."""
    store.trust("bungi-1", chain.Sealer.new().key)
    assert refused(store, full_wall(1).batch()) == "key"


def test_a_status_with_another_key_changes_nothing(store):
    """Nobody can say online for a terminal whose key is known."""
    wall = full_wall(1)
    take(store, wall.batch())
    store.note(wall.status("offline"), NOW)
    with pytest.raises(MessageError, match="key"):
        store.note(replace(wall.status(), key="00" * 32), NOW)
    assert store.db.conn.execute("SELECT state FROM terminal").fetchone() == ("offline",)


def test_a_seq_that_comes_again_with_another_text_is_refused_and_the_first_stays(store):
    """A restored terminal that writes a second history overwrites nothing of the first."""
    wall, twin = full_wall(4), full_wall(3)
    take(store, wall.batch())
    twin.punch("em4100:FFFFFFFFFF", NOW)
    twin.punch("em4100:FFFFFFFFFF", NOW)
    assert refused(store, twin.batch(3, 5)) == "conflict"
    assert [row[4] for row in rows(store, "entry")] == wall.texts
    assert store.receipt("bungi-1", wall.journal).last == 4


def test_a_refusal_in_a_group_commit_leaves_the_others_stored(store):
    """One terminal's bad message does not cost another terminal's good one."""
    good, bad = full_wall(2), full_wall(2, "bungi-2").batch()
    with store.writing():
        store.take(good.batch(), NOW)
        error = None
        try:
            store.take(forged(bad, terminal="bungi-3"), NOW)
        except MessageError as refusal:
            error = refusal
        store.refuse("bungi-3", error, NOW)
    assert len(rows(store, "entry")) == 2
    (refusal,) = refusals(store.db)
    assert (refusal.source, refusal.reason, refusal.count) == ("bungi-3", "seal", 1)


def test_a_full_disk_stores_nothing_of_the_transaction_and_says_what_to_do(store):
    """SQLite's own limit stands for the disk's; afterwards the same batch goes in."""
    wall = full_wall(400)
    take(store, wall.batch(1, 1))
    pages = store.db.conn.execute("PRAGMA page_count").fetchone()[0]
    store.db.conn.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(CentralError) as failure:
        take_together(store, wall.batch(2, 3), wall.batch(4, 400))
    assert "full" in failure.value.cause
    assert "free space" in failure.value.hint
    assert store.receipt("bungi-1", wall.journal).last == 1
    store.db.conn.execute("PRAGMA max_page_count = 1000000")
    assert take(store, wall.batch(2, 400)) == 399


def test_a_commit_is_on_the_disk_before_it_returns(store):
    """Write-ahead log, and synced at every commit, whatever the library's default."""
    assert store.db.conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store.db.conn.execute("PRAGMA synchronous").fetchone() == (2,)


def test_another_connection_sees_entries_as_soon_as_take_returns(store):
    """`take` on its own is a whole transaction."""
    take(store, full_wall(3).batch())
    with sqlite3.connect(store.path) as other:
        assert other.execute("SELECT count(*) FROM entry").fetchone() == (3,)
    other.close()


def test_a_store_opened_again_goes_on_where_it_was(tmp_path):
    """Migrations run once; streams, spans and keys are all in the file."""
    wall = full_wall(6)
    with Store(tmp_path / "c.db") as store:
        take(store, wall.batch(1, 3))
    with Store(tmp_path / "c.db") as store:
        take(store, wall.batch(2, 6))
        assert store.receipt("bungi-1", wall.journal).upto == 6


@pytest.mark.parametrize("content", [b"this is no database" * 100, None])
def test_a_file_that_cannot_be_used_is_one_clear_error(tmp_path, content):
    """No database, or a folder where the file should be."""
    path = tmp_path / "central.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(CentralError) as failure:
        Store(path)
    assert str(path) in str(failure.value)
    assert failure.value.hint


def test_reading_a_database_that_is_not_there_does_not_make_it(tmp_path):
    """A report with a wrong path is an error, not an empty report."""
    with pytest.raises(CentralError, match="no such file"):
        open_database(tmp_path / "other.db")
    assert not list(tmp_path.iterdir())


def test_a_new_connection_makes_every_state_unknown(store):
    """A broker that lost its memory must not leave a dead terminal online for ever."""
    store.note(full_wall(1).status(), NOW)
    store.connected(NOW + 1)
    assert store.db.conn.execute("SELECT state FROM terminal").fetchone() == ("unknown",)


def test_a_retained_status_does_not_count_as_being_heard(store):
    """What the broker remembers is not a sign of life."""
    wall = full_wall(1)
    store.note(wall.status(), NOW, retained=True)
    heard = "SELECT heard_ms, state FROM terminal"
    assert store.db.conn.execute(heard).fetchone() == (None, "online")
    store.note(wall.status(), NOW + 5)
    assert store.db.conn.execute(heard).fetchone() == (NOW + 5, "online")
