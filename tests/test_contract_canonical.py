"""The canonical text of an entry, against the rule written down a second time."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.contract import canonical, entries
from edge_agent.contract.canonical import MAX_INTEGER
from edge_agent.errors import MessageError
from edge_agent.records import Grade, Place, Punch, Stamp

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f"}
_ESCAPES |= {"\r": "\\r"}
_ESCAPES |= {chr(code): f"\\u{code:04x}" for code in range(32) if chr(code) not in _ESCAPES}

keys = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
scalars = st.text() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER)


def objects(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of the contract, at most `depth` objects deep."""
    return st.dictionaries(keys, scalars | objects(depth - 1) if depth > 1 else scalars, max_size=4)


def by_the_rule(value: Any) -> str:
    """RFC 8785 for objects, strings and whole numbers, spelled out: keys by UTF-16 unit."""
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'
    if isinstance(value, int):
        return str(value)
    ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
    return "{" + ",".join(f"{by_the_rule(key)}:{by_the_rule(item)}" for key, item in ordered) + "}"


@settings(deadline=None)
@given(objects(canonical.MAX_DEPTH))
def test_the_canonical_text_is_that_of_the_rule(value: dict[str, Any]) -> None:
    """Encoding gives exactly the text that the rule gives."""
    assert canonical.encode(value) == by_the_rule(value)


@settings(deadline=None)
@given(objects(canonical.MAX_DEPTH))
def test_the_canonical_text_says_what_was_encoded(value: dict[str, Any]) -> None:
    """Decoding gives back what was encoded, and encoding that the same text."""
    text = canonical.encode(value)
    back = canonical.decode(text.encode())
    assert back == value
    assert canonical.encode(back) == text


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        1.0,
        float("nan"),
        True,
        False,
        None,
        [],
        [1],
        (1,),
        b"a",
        2**53,
        -(2**53),
        "\ud800",
        "a\udfff",
        "\udc00\ud800",
        {"a": None},
        {"a": "\ud800"},
    ],
)
def test_a_value_that_no_entry_holds_has_no_text(value: Any) -> None:
    """Fractions, booleans, null, lists, more than 53 bits and half surrogates are refused."""
    with pytest.raises(MessageError) as refusal:
        canonical.encode({"a": value})
    assert refusal.value.reason == "schema"


@pytest.mark.parametrize("key", ["", "A", "aB", "1a", "_a", "a-b", "a ", "a\n", "é", "a\u0661"])
def test_a_key_that_could_sort_in_two_ways_has_no_text(key: str) -> None:
    """Only lower-case ASCII keys are taken, at any depth."""
    for value in ({key: 1}, {"a": {key: 1}}):
        with pytest.raises(MessageError, match="lower-case ASCII"):
            canonical.encode(value)


@pytest.mark.parametrize("value", [2**53 - 1, -(2**53) + 1, 0, "", "\u2028\x7f\U0001f600/", {}])
def test_the_last_values_that_are_allowed_have_a_text(value: Any) -> None:
    """What lies just inside the limits is written as it is."""
    assert json.loads(canonical.encode({"a": value})) == {"a": value}


def test_objects_nest_four_deep_and_no_deeper() -> None:
    """The fourth object is taken and the fifth refused."""
    four = {"a": {"a": {"a": {"a": 1}}}}
    assert canonical.encode(four) == '{"a":{"a":{"a":{"a":1}}}}'
    with pytest.raises(MessageError, match="deeper"):
        canonical.encode({"a": four})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"{}}",
        b"{} {}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\t"}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":"\\ud800\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b'{"a":"\xed\xa0\x80"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"9" * 5_000 + b"}",
    ],
)
def test_bytes_that_are_no_json_of_the_contract_are_refused(data: bytes) -> None:
    """Broken JSON, fractions and text that is not UTF-8 are refused with the reason `json`."""
    with pytest.raises(MessageError) as refusal:
        canonical.decode(data)
    assert refusal.value.reason == "json"
    assert "\n" not in refusal.value.detail


def test_a_whole_surrogate_pair_is_one_character() -> None:
    """An escaped pair is read as the character that it stands for."""
    assert canonical.decode(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@given(
    st.sampled_from(["verified", "outside", "no_sky"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(-MAX_INTEGER, MAX_INTEGER),
    st.none() | st.integers(0, MAX_INTEGER),
)
def test_an_entry_is_written_as_its_parsed_object_would_be(grade, word, number, perhaps):
    """The journal's fast writer gives the one canonical text."""
    place = Place(Grade(grade), number, None, perhaps)
    at = Stamp(word, number, number, word, perhaps)
    text = entries.text(Punch(word, word, word, place, None, perhaps), at, 7)
    assert text == by_the_rule(json.loads(text))
    assert text == canonical.encode(json.loads(text))


@pytest.mark.parametrize("wrong", [MAX_INTEGER + 1, True, 1.5, "\ud800"])
def test_what_an_entry_cannot_hold_is_refused_when_it_is_written(wrong):
    """A fault of the program is said at once, not sealed."""
    at = Stamp("b", 1, 1, "none", wrong)
    with pytest.raises(MessageError, match="schema"):
        entries.text(Punch("c", "em4100", "front", Place(Grade.NO_SKY)), at, 1)
