"""The written schemas and the decoders say the same, message by message and change by change."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from contract_check import SCHEMA_OF, read, validate, validator
from contract_samples import DECODERS, MESSAGES, RECORDS, batch, journal
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.contract import documents, entries
from edge_agent.contract.messages import MAX_BATCH, MAX_MISSING, MAX_PEOPLE
from edge_agent.errors import MessageError

CHANNEL_OF = {schema: channel for channel, schema in SCHEMA_OF.items()}
#: Fields of an entry that may be absent; every other known field of every message is required.
OPTIONAL = {"previous", "error_ms", "person", "repeat_of", "opened", "length_ms"} | {
    *("lat_e7", "lon_e7", "age_ms", "distance_m", "satellites", "hdop_e2"),
    *("card", "slot", "score", "cn0", "reasons", "floor_ms", "system_ms"),
    *("latency_ms", "oldest_ms", "reception", "operator", "rssi_dbm", "rsrp_dbm", "rsrq_e1"),
    "snr_e1",
}
#: What JSON Schema cannot state, by the words of the decoder. Only these may the decoder add.
EXCEPTIONS = (
    r"json: .* is not a whole number",  # 1.0 is an integer to JSON Schema
    r"json: .*surrogates not allowed",
    r"schema: entry \d+ has seq -?\d+",
    r"schema: seal\.seq is not the seq of the last entry",
    r"schema: missing: ranges must ascend between upto and last",
    r"schema: last and upto contradict the missing ranges",
    r"schema: people: a credential stands there twice",
)
#: Of no use anywhere: no field of the contract holds any of these.
NEVER: tuple[Any, ...] = (None, True, False, 1.5, -0.5)
ODD: tuple[Any, ...] = (
    *(0, 1, 1.0, -1, 2**53 - 1, 2**53, -(2**53), 10**30),
    *(900_000_000, 900_000_001, -900_000_001, 1_800_000_000, 1_800_000_001, -1_800_000_001),
    *("", "x", "X", "-", "x\n", "x y", "\0", "\x85", "é", "\ud800"),
    *("x" * (most + more) for most in (16, 32, 40, 63, 64, 80) for more in (0, 1)),
    *([], [1], [[1, 2]], [[1]], [[0, 1]], [[2, 1], [1, 1]], [[1, 2, 3]], [[1, 1]] * 65),
    *({}, {"a": 1}, {"A": 1}, {"a": None}, {"a": []}, {"a": {"b": {"c": 1}}}, {"a\n": 1}),
    *({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": {"d": {}}}}}),
)

Path = tuple[str | int, ...]


def verdicts(kind: str, payload: bytes) -> tuple[bool, str]:
    """Whether the schema takes the message, and the decoder's refusal, "" if it takes it too."""
    refusal = ""
    try:
        DECODERS[kind](payload)
    except MessageError as error:
        refusal = str(error)
    return validator(kind).is_valid(json.loads(payload)), refusal


def encoded(table: Any) -> bytes:
    return json.dumps(table).encode()  # escapes half surrogates, so that they reach the reader


def objects(value: Any, at: Path = ()) -> Iterator[Path]:
    """The paths of all objects in `value`."""
    if isinstance(value, dict):
        yield at
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            yield from objects(item, (*at, key))


def leaves(value: Any) -> Iterator[Path]:
    """The paths of everything in `value` that has a key."""
    for at in objects(value):
        yield from ((*at, key) for key in found(value, at))


def found(value: Any, at: Path) -> Any:
    for key in at:
        value = value[key]
    return value


def replaced(table: Any, at: Path, value: Any) -> bytes:
    table = copy.deepcopy(table)
    found(table, at[:-1])[at[-1]] = value
    return encoded(table)


def removed(table: Any, at: Path) -> bytes:
    table = copy.deepcopy(table)
    del found(table, at[:-1])[at[-1]]
    return encoded(table)


def neighbours(value: Any) -> tuple[Any, ...]:
    """Values of the right type that lie close to `value`."""
    if isinstance(value, int):
        return (value + 1, value - 1, -value, str(value), float(value), [value])
    if isinstance(value, str):
        return (value + "\n", "\n" + value, value[:-1], value + "0", value.upper(), value * 9)
    if isinstance(value, list):
        return (value + value, [], value[:-1], value[::-1], [*value, None], value[:1] * 70)
    nested: Any = 1
    deeper = [{**value, "later": (nested := {"a": nested})} for _ in range(4)]
    return ([value], {**value, "Later": 1}, {**value, "later": [1]}, *deeper)


#: One message of each kind, and of the batch one for each kind of entry.
CASES = {name: (name, MESSAGES[name]) for name in ("receipt", "status", "roster")} | {
    f"batch-{at}": ("batch", batch(journal([record]))) for at, record in enumerate(RECORDS)
}
cases = pytest.mark.parametrize(("kind", "payload"), list(CASES.values()), ids=list(CASES))


def test_every_kind_of_entry_is_among_the_cases() -> None:
    """A kind that no case holds would be compared by nobody."""
    kinds = {entries.START, entries.PUNCH, entries.ENROLMENT, entries.INCIDENT}
    kinds |= {entries.CLOCK, entries.SURVEY}
    assert {entries.kind_of(record) for record, _ in RECORDS} == kinds


@cases
def test_a_valid_message_is_taken_by_both(kind: str, payload: bytes) -> None:
    """The messages that every change below begins from are good."""
    assert verdicts(kind, encoded(read(payload))) == (True, "")
    validate(CHANNEL_OF[kind], payload)


@cases
def test_a_message_without_one_of_its_keys_is_refused_by_both(kind: str, payload: bytes) -> None:
    """Every known key is required, but for the fields of an entry that may be absent."""
    table = read(payload)
    for at in leaves(table):
        optional = at[0] == "entries" and at[-1] in OPTIONAL
        if at[-1] in {"lat_e7", "lon_e7"} and "place" not in at:
            optional = False  # of the geofence, not of a fix
        if optional and at[-1] == "person" and found(table, (*at[:2], "kind")) == entries.ENROLMENT:
            optional = False  # bound to whom?
        if at[-1] == "length_ms" and found(table, (*at[:2], "kind")) == entries.SURVEY:
            optional = False  # of an hour of numbers
        if at[-1] == "technology":
            optional = "reception" in at  # a modem may not say it
        if at == ("first_seq",):
            optional = True  # of a status; older terminals do not say it
        valid, refusal = verdicts(kind, removed(table, at))
        assert (valid, refusal == "") == (optional, optional), (at, refusal)


@cases
def test_an_unknown_key_is_refused_in_a_message_and_allowed_in_an_entry(
    kind: str, payload: bytes
) -> None:
    """Envelopes are closed; an entry may come from a newer terminal."""
    table = read(payload)
    for at in objects(table):
        is_open = len(at) >= 2 and at[0] == "entries"
        valid, refusal = verdicts(kind, replaced(table, (*at, "later"), "x"))
        assert (valid, refusal == "") == (is_open, is_open), (at, refusal)


@cases
def test_a_value_of_the_wrong_type_is_refused_by_both(kind: str, payload: bytes) -> None:
    """Null, booleans and fractions stand nowhere, and no type stands for another."""
    table = read(payload)
    for at in leaves(table):
        types: tuple[Any, ...] = (0, "x", [], {})
        others = [one for one in types if type(one) is not type(found(table, at))]
        for value in (*NEVER, *others):
            valid, refusal = verdicts(kind, replaced(table, at, value))
            assert (valid, refusal != "") == (False, True), (at, value)


@cases
def test_a_changed_value_has_the_same_verdict_from_both(kind: str, payload: bytes) -> None:
    """Near and far values: what the decoder refuses beyond the schema is a listed exception."""
    table = read(payload)
    for at in leaves(table):
        for value in (*ODD, *neighbours(found(table, at))):
            valid, refusal = verdicts(kind, replaced(table, at, value))
            if valid and refusal:
                assert any(re.fullmatch(one, refusal) for one in EXCEPTIONS), (at, value, refusal)
            else:
                assert valid == (refusal == ""), (at, value, refusal)


def test_every_exception_is_met() -> None:
    """A listed exception that no change meets would hide a disagreement to come."""
    refusals = set()
    for kind, payload in (CASES[name] for name in ("batch-1", "receipt", "roster")):
        table = read(payload)
        for at in leaves(table):
            for value in (1.0, "\ud800", *neighbours(found(table, at))):
                valid, refusal = verdicts(kind, replaced(table, at, value))
                if valid:
                    refusals.add(refusal)
    for one in EXCEPTIONS:
        assert any(re.fullmatch(one, refusal) for refusal in refusals), one


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: not one.is_integer())
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.text(max_size=4) | st.from_regex(r"[a-z][a-z0-9_]*\n?", fullmatch=True), json_values)
def test_an_unknown_field_has_the_same_verdict_from_both(key: str, value: Any) -> None:
    """Whatever key and value a newer terminal or a stranger adds to an entry, stamp or place."""
    table = read(batch(journal()))
    for at in ((), ("at",), ("place",)):
        target = found(table["entries"][1], at)
        if key not in target:
            valid, refusal = verdicts("batch", replaced(table, ("entries", 1, *at, key), value))
            assert valid == (refusal == ""), (at, refusal)


def test_the_counts_that_the_schemas_allow_are_those_of_the_code() -> None:
    """The largest batch, the most gaps and the most people are the same numbers in both."""
    batches, receipts, rosters = map(documents.schema, ("batch", "receipt", "roster"))
    assert batches["properties"]["entries"]["maxItems"] == MAX_BATCH
    assert receipts["properties"]["missing"]["maxItems"] == MAX_MISSING
    assert rosters["properties"]["people"]["maxItems"] == MAX_PEOPLE


@pytest.mark.parametrize("many", [0, MAX_BATCH, MAX_BATCH + 1])
def test_a_batch_holds_one_to_a_thousand_entries(many: int) -> None:
    """None and one too many are refused by both."""
    table = read(batch(journal()))
    entry = table["entries"][-1]
    table["first"] = 2
    table["entries"] = [{**entry, "seq": seq} for seq in range(2, many + 2)]
    table["seal"]["seq"] = many + 1
    valid, refusal = verdicts("batch", encoded(table))
    assert (valid, refusal == "") == ((1 <= many <= MAX_BATCH),) * 2
