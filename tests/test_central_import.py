"""What was carried, into the database: the same rows, whatever went which way."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from builders import TERMINAL
from carried import (
    NOW_MS,
    PRIVATE,
    carry,
    made_of,
    make_journal,
    over_the_broker,
    publish,
    records,
    reference,
    rows,
    take,
)
from central_peer import Peer, serving
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge_agent.central import imports
from edge_agent.central.gaps import refusals
from edge_agent.central.proofs import proofs
from edge_agent.central.store import Store
from edge_agent.cli.central import central
from edge_agent.contract import messages
from edge_agent.errors import CentralError
from edge_agent.sim.broker import Broker

COUNT = 60


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return make_journal(tmp_path, COUNT)


def written(folder: Path, data: bytes, name: str = "x.bundle") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_either_way_gives_the_same_rows(journal: Path, tmp_path: Path) -> None:
    """Bundle alone, bundle first, broker first, each twice: byte for byte, chain and seal."""
    file = carry(journal, tmp_path).file
    assert file is not None
    expected = reference(tmp_path, journal)
    assert len(expected) == COUNT
    for number, way in enumerate(("b", "bm", "mb", "bb", "mbmb")):
        with Store(tmp_path / f"{number}.db") as store:
            for one in way:
                if one == "m":
                    publish(store, over_the_broker(journal))
                else:
                    take(store, file)
            assert rows(store) == expected
            (proof,) = proofs(store.db)
            assert proof.holds
            assert store.receipt(TERMINAL, proof.journal).upto == COUNT


@hypothesis_settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("bm"), st.integers(1, COUNT), st.integers(1, COUNT)), max_size=8
    ),
    st.sampled_from("bm"),
)
def test_any_history_of_both_ways_ends_in_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]], last: str
) -> None:
    """Any ranges, by either way, in any order and overlap, and then everything once."""
    folder = tmp_path_factory.mktemp("history")
    journal = make_journal(folder, COUNT)
    with Store(folder / "central.db") as store:
        for way, one, other in [*steps, (last, 1, COUNT)]:
            low, high = sorted((one, other))
            if way == "m":
                publish(store, over_the_broker(journal, low, high))
            else:
                outcome = take(store, written(folder, made_of(journal, (low, high))))
                assert outcome.new + outcome.known == high - low + 1
                assert (outcome.refused, outcome.cut) == ({}, "")
        assert rows(store) == reference(folder, journal)


def test_cut_anywhere_what_is_whole_is_taken_and_the_rest_comes_later(
    journal: Path, tmp_path: Path
) -> None:
    """At every 41st byte; the whole bundle afterwards adds what is missing, and no more."""
    data = made_of(journal, (1, 20), (41, 60))
    ends = [record.size for record in records(data)]
    start = len(data) - sum(ends)
    for at in range(start, len(data), 41):
        whole = sum(start + sum(ends[: n + 1]) <= at for n in range(2))
        path = tmp_path / f"{at}.db"
        with Store(path) as store:
            outcome = take(store, written(tmp_path, data[:at]))
            assert (outcome.new, outcome.known) == (20 * whole, 0)
            assert outcome.cut
            again = take(store, written(tmp_path, data))
            assert (again.new, again.known, again.cut) == (40 - 20 * whole, 20 * whole, "")
        path.unlink()


def test_what_was_touched_is_refused_and_not_stored(journal: Path, tmp_path: Path) -> None:
    """A bit at every 37th byte: an error or a count by reason, and no row of it."""
    data = made_of(journal, (1, 5))
    for at in range(0, len(data), 37):
        touched = bytearray(data)
        touched[at] ^= 0x10
        with Store(tmp_path / f"{at}.db") as store:
            try:
                outcome = take(store, written(tmp_path, bytes(touched)))
                assert outcome.refused or outcome.cut, at
                assert outcome.new == (5 if at >= len(data) - 40 else 0)
            except CentralError as error:
                assert "\n" not in str(error)  # noqa: PT017  either is right
                assert rows(store) == []


def test_a_refusal_is_counted_by_terminal_and_reason(journal: Path, tmp_path: Path) -> None:
    """Where `central gaps` shows it; the records around it are taken."""
    data = bytearray(made_of(journal, (1, 20), (31, 50)))
    data[-100] ^= 1
    with Store(tmp_path / "central.db") as store:
        outcome = take(store, written(tmp_path, bytes(data)))
        assert (outcome.new, outcome.refused) == (20, {"record": 1})
        (refusal,) = refusals(store.db)
        assert (refusal.source, refusal.reason) == (TERMINAL, "record")
        assert "x.bundle" in refusal.detail


def test_a_forged_entry_is_refused_by_its_seal(journal: Path, tmp_path: Path) -> None:
    """Everybody knows the public key and can encrypt; nobody else can seal."""
    with Store(tmp_path / "central.db") as store:
        publish(store, over_the_broker(journal, 1, 10))
        store.trust(TERMINAL, "ab" * 32)
        outcome = take(store, written(tmp_path, made_of(journal, (1, 20))))
        assert (outcome.new, outcome.refused) == (0, {"key": 1})


def test_the_wrong_key_and_a_foreign_file_are_said(journal: Path, tmp_path: Path) -> None:
    """In one line each that names the cure; nothing is stored or counted."""
    with Store(tmp_path / "central.db") as store:
        with pytest.raises(CentralError, match="organisation_key"):
            take(store, written(tmp_path, made_of(journal, (1, 5))), "77" * 32)
        with pytest.raises(CentralError, match="edge-agent export"):
            take(store, written(tmp_path, b"a holiday"))
        assert rows(store) == []
        assert refusals(store.db) == ()


def test_the_receipt_lies_beside_the_bundle(journal: Path, tmp_path: Path) -> None:
    """One for the journal, the one that would go over the broker."""
    with Store(tmp_path / "central.db") as store:
        outcome = take(store, written(tmp_path, made_of(journal, (1, 7), (9, 9))))
        path = imports.write_receipt(store, outcome)
        assert path.parent == tmp_path
        receipt = messages.decode_receipt(path.read_bytes())
        assert receipt == store.receipt(TERMINAL, outcome.journal)
        assert (receipt.upto, receipt.last, receipt.missing) == (7, 9, ((8, 8),))


def test_it_works_beside_a_central_that_serves(
    journal: Path, tmp_path: Path, broker: Broker
) -> None:
    """Both write to one database; neither loses or doubles anything."""
    data = made_of(journal, *((n, n) for n in range(2, COUNT + 1, 2)))
    path = tmp_path / "central.db"
    with serving(path, broker.port), Peer(broker.port) as peer, Store(path) as store:
        sent = iter([next(over_the_broker(journal, n, n)) for n in range(1, COUNT + 1, 2)])

        def told(_bytes: int) -> None:
            payload = next(sent, None)
            if payload:
                peer.send(TERMINAL, "entries", payload)

        imports.take(store, written(tmp_path, data), PRIVATE, lambda: NOW_MS, told)
        for payload in sent:
            peer.send(TERMINAL, "entries", payload)
        assert peer.receipt(COUNT).upto == COUNT
        assert rows(store) == reference(tmp_path, journal)


def test_an_interrupted_import_is_resumed(journal: Path, tmp_path: Path) -> None:
    """What was told done is in the database; what comes again is known."""
    file = written(tmp_path, made_of(journal, (1, 20), (31, 50)))

    def stop(_bytes: int) -> None:
        raise KeyboardInterrupt

    with Store(tmp_path / "central.db") as store:
        with pytest.raises(KeyboardInterrupt):
            imports.take(store, file, PRIVATE, lambda: NOW_MS, stop)
        again = take(store, file)
        assert (again.new, again.known) == (20, 20)


def test_a_stick_that_is_pulled_out_is_said_and_the_rest_is_taken(
    journal: Path, tmp_path: Path
) -> None:
    """The second bundle goes while the first is read; the third, on another stick, is stored."""
    (tmp_path / "organisation.key").write_text(PRIVATE)
    config = tmp_path / "central.toml"
    config.write_text(
        f'database = "{tmp_path}/c.db"\norganisation_key = "{tmp_path}/organisation.key"\n'
    )
    first, second = tmp_path / "a.bundle", written(tmp_path, b"", "b.bundle")
    third = written(tmp_path, made_of(journal, (1, COUNT)), "c.bundle")
    os.mkfifo(first)

    def pull() -> None:
        with first.open("wb") as end:
            second.unlink()
            first.unlink()
            end.write(b"a holiday")

    hand = threading.Thread(target=pull)
    hand.start()
    words = ["import", "--config", str(config), str(first), str(second), str(third)]
    done = CliRunner().invoke(central, words)
    hand.join()
    assert done.exit_code == 1, done.exception
    assert "put the stick in again" in done.output
    assert f"{COUNT} new" in done.output


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from carried import carry, take
from edge_agent.central.store import Store
folder = Path(sys.argv[2])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Store(folder / "warm.db") as store:
    take(store, carry(folder / "small" / "journal.db", folder / "small").file)
before = peak()
done = carry(folder / "large" / "journal.db", folder / "large")
exported = peak()
with Store(folder / "central.db") as store:
    outcome = take(store, done.file)
print(outcome.new, exported - before, peak() - before)
"""


def test_memory_does_not_grow_with_the_bundle(tmp_path: Path) -> None:
    """50,000 entries cost export and import hardly more than 1,000 do."""
    for name, count in (("small", 1000), ("large", 50_000)):
        (tmp_path / name).mkdir()
        make_journal(tmp_path / name, count, bulk=True)
    command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(tmp_path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    new, export_kb, import_kb = map(int, said.stdout.split())
    assert new == 50_000
    assert export_kb < 4_000
    assert import_kb < 16_000
