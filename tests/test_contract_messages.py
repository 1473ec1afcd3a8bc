"""Messages to bytes and back, and the bytes that are no message."""

import hashlib
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from contract_check import validate
from contract_samples import (
    DECODERS,
    JOURNAL,
    MESSAGES,
    ROSTER,
    STATUS,
    TERMINAL,
    batch,
    journal,
    receipt,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.contract import canonical, messages
from edge_agent.errors import MessageError
from edge_agent.ranges import Ranges
from edge_agent.records import Person

TEXTS = journal()
#: Packs with a window of 4 kB, for which a zlib stream begins with 48.
SMALL = zlib.compressobj(wbits=12)


def reason(payload: bytes, kind: str = "batch") -> str:
    """The word with which a message is refused; "" if it is not."""
    try:
        DECODERS[kind](payload)
    except MessageError as error:
        return error.reason
    return ""


@pytest.mark.parametrize("first", range(1, len(TEXTS) + 1))
def test_a_batch_comes_back_as_it_was_sent(first: int) -> None:
    """Terminal, journal, heads, texts and seal survive the wire, wherever the batch begins."""
    found = messages.decode_batch(batch(TEXTS, first))
    assert (found.terminal, found.journal, found.first) == (TERMINAL, JOURNAL, first)
    assert found.texts == tuple(TEXTS[first - 1 :])
    assert [entry["seq"] for entry in found.entries] == list(range(first, len(TEXTS) + 1))
    assert found.seal.seq == len(TEXTS)
    assert found.seal.verify(TERMINAL, JOURNAL)
    validate("entries", batch(TEXTS, first))


def test_plain_and_deflated_say_the_same() -> None:
    """The first byte tells which it is; both are read to the same batch, at every level."""
    sent = batch(TEXTS)
    plain = messages.inflate(sent)
    assert (sent[:1], plain[:1]) == (b"\x78", b"{")
    for payload in (sent, plain, *(zlib.compress(plain, level) for level in range(10))):
        assert messages.decode_batch(payload) == messages.decode_batch(sent)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_what_is_sent_is_the_shorter_form(data: bytes) -> None:
    """Deflated only when that is shorter, and then it inflates to the same."""
    plain = b"{" + data
    sent = messages.deflate(plain)
    assert len(sent) <= len(plain)
    assert messages.inflate(sent) == plain


@settings(deadline=None)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{3,8}_later", fullmatch=True), st.text() | st.integers(-99, 99)
    )
)
def test_fields_of_a_newer_terminal_are_kept(extra: dict[str, Any]) -> None:
    """What this version does not know stays in the entry and in its text."""
    texts = [canonical.encode({**json.loads(TEXTS[0]), **extra})]
    found = messages.decode_batch(batch(texts))
    assert found.texts == tuple(texts)
    assert found.entries[0] == json.loads(TEXTS[0]) | extra


def test_a_kind_of_a_newer_terminal_is_kept() -> None:
    """An entry of an unknown kind needs no more than kind, seq and stamp."""
    known = json.loads(TEXTS[0])
    text = canonical.encode({"kind": "closing", "seq": 1, "at": known["at"], "count": 7})
    assert messages.decode_batch(batch([text])).texts == (text,)


@pytest.mark.parametrize(
    "one",
    [
        receipt(0, 0),
        receipt(5, 5),
        receipt(5, 9, (6, 8)),
        receipt(0, 2, (1, 1)),
        receipt(1, 130, *((2 * n, 2 * n) for n in range(1, messages.MAX_MISSING + 1))),
    ],
)
def test_a_receipt_comes_back_as_it_was_sent(one: messages.Receipt) -> None:
    """Up to 64 missing ranges survive the wire."""
    sent = messages.encode_receipt(one)
    assert messages.decode_receipt(sent) == one
    validate("receipt", sent)


@settings(deadline=None)
@given(st.sets(st.integers(1, 60), max_size=40), st.integers(0, 60))
def test_every_true_statement_about_a_store_is_a_receipt(stored: set[int], upto: int) -> None:
    """Whatever is stored, the receipt that states it is accepted and gives it back."""
    have = Ranges([(1, upto)] if upto else [])
    for seq in stored:
        have.add(seq, seq)
    whole = have.from_(1)
    top = whole[1] if whole and whole[0] == 1 else 0
    missing = tuple(Ranges([(1, have.last)] if have else []).minus(have))
    one = receipt(top, have.last, *missing)
    back = messages.decode_receipt(messages.encode_receipt(one))
    found = Ranges([(1, back.last)] if back.last else [])
    for first, last in back.missing:
        found.remove(first, last)
    assert found == have


@pytest.mark.parametrize(
    "one",
    [
        receipt(5, 4),
        receipt(5, 9),
        receipt(5, 5, (6, 6)),
        receipt(5, 9, (5, 6)),
        receipt(0, 0, (1, 1)),
        receipt(5, 9, (7, 6)),
        receipt(5, 9, (8, 9)),
        receipt(5, 9, (8, 10)),
        receipt(5, 9, (3, 3)),
        receipt(5, 9, (7, 7), (7, 7)),
        receipt(5, 9, (8, 8), (6, 6)),
        receipt(5, 9, (6, 7), (7, 8)),
    ],
)
def test_a_receipt_that_contradicts_itself_is_refused(one: messages.Receipt) -> None:
    """Ranges must ascend between upto and last, and last be upto when nothing is missing."""
    assert reason(messages.encode_receipt(one), "receipt") == "schema"


def test_a_status_and_a_roster_come_back_as_they_were_sent() -> None:
    """Online, offline and the people of the roster survive the wire."""
    assert messages.decode_status(MESSAGES["status"]) == STATUS
    assert messages.decode_roster(MESSAGES["roster"]) == ROSTER
    empty = messages.Roster(TERMINAL, 1, {})
    assert messages.decode_roster(messages.encode_roster(empty)) == empty


def test_a_credential_has_one_holder() -> None:
    """A roster that gives one credential to two people is refused."""
    table = json.loads(messages.inflate(MESSAGES["roster"]))
    table["people"].append(table["people"][0] | {"person": "p-99"})
    assert reason(json.dumps(table).encode(), "roster") == "schema"


def test_a_batch_that_disagrees_with_its_own_numbers_is_refused() -> None:
    """Every seq follows from `first`, and the seal is that of the last entry."""
    for key, value in (("first", 2), ("seal", {"seq": 4}), ("entries", {"seq": 7})):
        table = json.loads(messages.inflate(batch(TEXTS)))
        if key == "first":
            table[key] = value
        else:
            target = table[key][2] if key == "entries" else table[key]
            target.update(value)
        assert reason(json.dumps(table).encode()) == "schema"


def test_true_is_not_one() -> None:
    """In Python `True == 1`; on the wire the one is no seq and no version."""
    plain = messages.inflate(batch(TEXTS[:1]))
    for number in (b'"seq":1', b'"first":1', b'"batch":1'):
        assert reason(plain.replace(number, number[:-1] + b"true")) == "schema"
    assert reason(plain) == ""


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"", "encoding"),
        (b" {}", "encoding"),
        (b"[]", "encoding"),
        (b"null", "encoding"),
        ('{"batch":1}'.encode("utf-16"), "encoding"),
        ('{"batch":1}'.encode("utf-16-le"), "json"),
        (b"\xef\xbb\xbf{}", "encoding"),
        (b"\x1f\x8b\x08\x00", "encoding"),
        (b"{", "json"),
        (b"{}", "schema"),
        (b"{}{}", "json"),
        (b"{}\0", "json"),
        (b"\x78", "encoding"),
        (b"\x78\x9c", "encoding"),
        (b"\x78\x00garbage", "encoding"),
        (SMALL.compress(b"{}") + SMALL.flush(), "encoding"),
        (zlib.compress(b"{}")[:-1], "encoding"),
        (zlib.compress(b"{}")[:-4], "encoding"),
        (zlib.compress(b"{}") + b"\0", "encoding"),
        (zlib.compress(b"{}") * 2, "encoding"),
        (zlib.compress(b"{}")[:-4] + b"\0\0\0\0", "encoding"),
        (zlib.compress(zlib.compress(b"{}")), "json"),
        (zlib.compress(b"[1]"), "schema"),
        (zlib.compress(b"null"), "schema"),
        (zlib.compress(b""), "json"),
        (b"{" + b" " * messages.MAX_WIRE_BYTES, "size"),
        (zlib.compress(b"{" + b" " * messages.MAX_PLAIN_BYTES), "size"),
    ],
    ids=range(27),
)
def test_bytes_that_are_no_message_are_refused_for_one_reason(
    payload: bytes, expected: str
) -> None:
    """Whatever the kind that was expected, the reason is the same word."""
    assert {reason(payload, kind) for kind in DECODERS} == {expected}


def test_the_limits_themselves_are_allowed() -> None:
    """A message of exactly the largest size passes, wire and inflated; one byte more fails."""
    widest = b"{" + b" " * (messages.MAX_WIRE_BYTES - 1)
    assert messages.inflate(widest) == widest
    for beyond in (0, 1, 2, 257, 258, 259):  # zlib repeats at most 258 bytes at once
        plain = b"{" + b" " * (messages.MAX_PLAIN_BYTES - 1 + beyond)
        assert reason(zlib.compress(plain)) == ("size" if beyond else "json")


def test_a_bomb_is_inflated_no_further_than_the_limit() -> None:
    """Of 400 MB that deflate to 0.4 MB, no more than the limit ever stands in memory."""
    pack = zlib.compressobj(9)
    bomb = b"".join([pack.compress(b"{" * 1_000_000) for _ in range(400)]) + pack.flush()
    assert len(bomb) < messages.MAX_WIRE_BYTES
    tracemalloc.start()
    assert reason(bomb) == "size"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * messages.MAX_PLAIN_BYTES


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_at_every_depth(opening: bytes) -> None:
    """Below, at and above the depth that Python gives up on, a refusal and nothing else."""
    plain = messages.inflate(batch(TEXTS[:1]))
    closing = {b"[": b"]", b'{"a":': b"}"}[opening]
    for depth in (*range(4, 2000, 31), *range(960, 1010), 50_000):
        nested = b'"entries":[{"later":' + opening * depth + b"1" + closing * depth + b","
        assert reason(plain.replace(b'"entries":[{', nested)) in {"json", "schema"}


@settings(deadline=None)
@given(st.sampled_from([b"", b"{", b"\x78", b"\x78\x9c"]), st.binary(max_size=300))
def test_noise_is_refused_and_never_raises_anything_else(start: bytes, noise: bytes) -> None:
    """Every decoder answers every payload with a message or a MessageError."""
    for kind in DECODERS:
        assert reason(start + noise, kind) != ""


@pytest.mark.parametrize("start", ["", "\x1b[2J\n", "\x9b2J"])
def test_a_strange_key_cannot_steer_the_screen_of_who_reads_the_refusal(start: str) -> None:
    """Control characters in a refused message come out quoted, and not at any length."""
    table = {"status": 1, start + "x" * 100_000: 1}
    with pytest.raises(MessageError) as refusal:
        messages.decode_status(json.dumps(table).encode())
    assert refusal.value.detail.isprintable()
    assert len(refusal.value.detail) < 500


def test_a_roster_of_the_largest_size_fits_the_wire() -> None:
    """The most people that the schema allows, with usual names, stay below the limits in bytes."""
    people = {
        hashlib.sha256(b"%d" % n).hexdigest(): Person(f"1980{n:014}", f"Wa Ode Siti Rahmawati {n}")
        for n in range(messages.MAX_PEOPLE)
    }
    sent = messages.encode_roster(messages.Roster(TERMINAL, 1, people))
    assert messages.decode_roster(sent).people == people
