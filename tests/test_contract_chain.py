"""Chain, seal and concealed credentials: only what an honest terminal sends is believed."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from contract_samples import JOURNAL, SEALER, TERMINAL, batch, journal
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.contract import canonical, chain, credentials, messages
from edge_agent.errors import MessageError

OTHER = chain.Sealer.from_hex("43" * 32)
TEXTS = journal()

Change = Callable[[dict[str, Any]], None]


def believed(payload: bytes, key: str = SEALER.key, begins: bytes | None = None) -> bool:
    """What a consumer concludes that holds `key` and the head `begins` before the batch."""
    try:
        found = messages.decode_batch(payload)
    except MessageError:
        return False
    start = bytes.fromhex(found.prev)
    if found.first == 1:
        begins = chain.genesis(found.terminal, found.journal)
    return (
        found.seal.key == key
        and found.seal.verify(found.terminal, found.journal)
        and start == (begins or start)
        and chain.follow(start, found.texts).hex() == found.seal.head
    )


def changed(payload: bytes, change: Change) -> bytes:
    table = json.loads(messages.inflate(payload))
    change(table)
    return json.dumps(table).encode()


def renumber(table: dict[str, Any]) -> None:
    for seq, entry in enumerate(table["entries"], table["first"]):
        entry["seq"] = seq
    table["seal"]["seq"] = table["first"] + len(table["entries"]) - 1


def edit(table: dict[str, Any]) -> None:
    table["entries"][1]["at"]["utc_ms"] -= 3_600_000


def edit_an_unknown_field(table: dict[str, Any]) -> None:
    table["entries"][1]["later"] = "added"


def delete(table: dict[str, Any]) -> None:
    del table["entries"][1]
    renumber(table)


def delete_the_last(table: dict[str, Any]) -> None:
    del table["entries"][-1]
    renumber(table)


def delete_the_first(table: dict[str, Any]) -> None:
    del table["entries"][0]
    table["first"] = 2


def insert(table: dict[str, Any]) -> None:
    table["entries"].insert(1, dict(table["entries"][1]))
    renumber(table)


def reorder(table: dict[str, Any]) -> None:
    table["entries"][1:3] = reversed(table["entries"][1:3])
    renumber(table)


def of_another_terminal(table: dict[str, Any]) -> None:
    table["terminal"] = "bungi-2"


def of_another_journal(table: dict[str, Any]) -> None:
    table["journal"] = "f" * 32


def begin_elsewhere(table: dict[str, Any]) -> None:
    table["prev"] = "00" * 32


def claim_another_head(table: dict[str, Any]) -> None:
    table["seal"]["head"] = "00" * 32


def claim_another_key(table: dict[str, Any]) -> None:
    table["seal"]["key"] = OTHER.key


@pytest.mark.parametrize(
    "change",
    [
        edit,
        edit_an_unknown_field,
        delete,
        delete_the_last,
        delete_the_first,
        insert,
        reorder,
        of_another_terminal,
        of_another_journal,
        begin_elsewhere,
        claim_another_head,
        claim_another_key,
    ],
    ids=lambda change: change.__name__,
)
def test_a_changed_batch_is_not_believed(change: Change) -> None:
    """Whatever is changed in an honest batch, the consumer sees it."""
    honest = batch(TEXTS)
    assert believed(changed(honest, lambda _table: None))
    assert not believed(changed(honest, change))


def test_a_forger_with_a_key_of_their_own_is_not_believed() -> None:
    """A whole journal made and sealed anew is sound in itself, but not under the key we hold."""
    forged = batch(TEXTS, sealer=OTHER)
    assert believed(forged, OTHER.key)
    assert not believed(forged)


def test_a_batch_from_the_middle_is_tied_to_what_was_before() -> None:
    """Its `prev` is the head of the entry before it; over other entries it does not fit."""
    before = chain.follow(chain.genesis(TERMINAL, JOURNAL), TEXTS[:2])
    assert believed(batch(TEXTS, 3), begins=before)
    other = chain.follow(chain.genesis(TERMINAL, JOURNAL), [TEXTS[1], TEXTS[0]])
    assert not believed(batch(TEXTS, 3), begins=other)


@settings(deadline=None)
@given(st.integers(0, len(TEXTS) - 1), st.data())
def test_any_other_text_gives_another_head(index: int, data: st.DataObject) -> None:
    """One character changed anywhere changes the head of the journal."""
    at = data.draw(st.integers(0, len(TEXTS[index]) - 1))
    char = data.draw(st.characters(codec="utf-8").filter(lambda one: one != TEXTS[index][at]))
    texts = list(TEXTS)
    texts[index] = TEXTS[index][:at] + char + TEXTS[index][at + 1 :]
    start = chain.genesis(TERMINAL, JOURNAL)
    assert chain.follow(start, texts) != chain.follow(start, TEXTS)


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(1, canonical.MAX_INTEGER))
def test_a_seal_holds_for_its_own_head_and_seq_alone(head: bytes, seq: int) -> None:
    """Moved to another seq, another head or another journal, a seal does not verify."""
    seal = SEALER.seal(TERMINAL, JOURNAL, seq, head)
    assert seal.verify(TERMINAL, JOURNAL)
    other_head = hashlib.sha256(head).hexdigest()
    assert not chain.Seal(seq + 1, seal.head, seal.key, seal.signature).verify(TERMINAL, JOURNAL)
    assert not chain.Seal(seq, other_head, seal.key, seal.signature).verify(TERMINAL, JOURNAL)
    assert not seal.verify(TERMINAL, "f" * 32)
    assert not seal.verify("bungi-2", JOURNAL)


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 31, "00" * 33])
def test_a_seal_of_odd_form_is_no_seal(text: str) -> None:
    """A key or a signature that is none is answered with no, not with an exception."""
    good = SEALER.seal(TERMINAL, JOURNAL, 1, bytes(32))
    assert not chain.Seal(1, good.head, text, good.signature).verify(TERMINAL, JOURNAL)
    assert not chain.Seal(1, good.head, good.key, text).verify(TERMINAL, JOURNAL)


def test_a_private_key_survives_its_file() -> None:
    """What `to_hex` gives makes the same sealer; anything else is a ValueError."""
    made = chain.Sealer.new()
    assert chain.Sealer.from_hex(made.to_hex() + "\n").key == made.key
    assert len(made.to_hex()) == 64
    for text in ("", "00" * 31, "zz" * 32):
        with pytest.raises(ValueError, match=r"."):
            chain.Sealer.from_hex(text)


def _hmac_sha256(key: bytes, data: bytes) -> str:
    """RFC 2104 for SHA-256, spelled out: block of 64 bytes, ipad 36, opad 5C."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + data).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


@settings(deadline=None)
@given(st.text(), st.binary(max_size=80))
def test_a_credential_is_concealed_as_rfc_2104_says(credential: str, key: bytes) -> None:
    """The concealed form is the HMAC-SHA-256 of the credential's UTF-8 text."""
    assert credentials.conceal(credential, key) == _hmac_sha256(key, credential.encode())


def test_a_credential_is_concealed_as_in_rfc_4231() -> None:
    """Test case 2 of RFC 4231."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert credentials.conceal("what do ya want for nothing?", b"Jefe") == expected


def test_a_key_file_holds_64_hex_digits() -> None:
    """White space around them is allowed, anything else is a ValueError."""
    assert credentials.parse_key(" " + "Ab" * 32 + "\n") == b"\xab" * 32
    for text in ("", "ab" * 31, "ab" * 33, "zz" * 32, "a b" * 32):
        with pytest.raises(ValueError, match="64 hex digits"):
            credentials.parse_key(text)
    assert credentials.key_id(b"\xab" * 32) != credentials.key_id(b"\xac" * 32)


def test_where_the_texts_lead_is_part_of_what_is_signed() -> None:
    """A stranger can neither add, change nor take away the statement that a text was edited."""
    edited = SEALER.seal(TERMINAL, JOURNAL, 1, bytes(32), bytes([1]) * 32)
    assert edited.lead == "01" * 32
    assert edited.verify(TERMINAL, JOURNAL)
    plain = SEALER.seal(TERMINAL, JOURNAL, 1, bytes(32))
    assert plain.lead == "00" * 32
    for lie in (
        replace(edited, sent=None),
        replace(edited, sent="02" * 32),
        replace(plain, sent="01" * 32),
    ):
        assert not lie.verify(TERMINAL, JOURNAL)
