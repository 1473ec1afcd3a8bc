"""Tables: schema and decoder say the same of them, and entries are held to the same rules there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from contract_check import read, validate
from contract_samples import AT, BOOT, RECORDS, batch, journal
from test_contract_schema import (
    CHANNEL_OF,
    EXCEPTIONS,
    NEVER,
    ODD,
    encoded,
    found,
    leaves,
    neighbours,
    objects,
    removed,
    replaced,
    verdicts,
)
from test_contract_tables import by_hand

from edge_agent.contract import canonical, entries, messages
from edge_agent.errors import MessageError

#: What the schema of a table cannot state: that columns, rows and entries fit each other.
TABLE_EXCEPTIONS = (
    *EXCEPTIONS,
    r"schema: column \S+ has \d+ rows, not \d+",
    r"schema: column \S+ is below another one",
    r"schema: rows may not be \d+",
    r"schema: a number in steps or index is out of range",
    r"schema: a number in a column does not fit 53 bits",
    r"schema: entry -?\d+(\.\S+)? has no \w+",
    r"schema: entry -?\d+\.\S+ may not be .*",
)


def tabled() -> Any:
    """A message with a table that has columns of all forms, and an entry in none."""
    message = read(batch(journal([*RECORDS[:1], *[(entries.Clock("daily"), AT)] * 3])))
    message["batch"], message["entries"] = 2, message["entries"][:1]
    columns = {
        "at.boot": BOOT,
        "at.mono_ms": {"steps": [1, 2, 0]},
        "at.source": ["ntp", "gnss", "ntp"],
        "at.utc_ms": 7,
        "kind": "clock",
        "later.thing": "from a newer terminal",
        "seq": [2, 4, 3],
        "why": {"index": [0, 1, 0], "values": ["daily", "better"]},
    }
    message["tables"] = [{"columns": columns, "rows": 3}]
    return message


def changes() -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    """Messages with one thing in their tables changed, taken out or put in."""
    message = tabled()
    for at in leaves(message):
        if at[0] in {"tables", "batch"}:
            yield at, removed(message, at)
            for value in (*NEVER, *ODD, *neighbours(found(message, at))):
                yield at, replaced(message, at, value)
    yield ("rows",), replaced(message, ("tables", 0, "rows"), messages.MAX_BATCH)
    for at in objects(message):
        if at[:1] == ("tables",):
            for key in ("later", "at", "at.boot.x", "a.b.c.d", "a.b.c.d.e", "A", "a\n", "a..b", ""):
                yield (*at, key), replaced(message, (*at, key), "x")
    for at in leaves(message):
        if at[0] == "tables" and isinstance(found(message, at), list):
            for value in (*NEVER, *ODD):
                yield (*at, 0), replaced(message, (*at, 0), value)


def test_schema_and_decoder_say_the_same_of_tables() -> None:
    """What the decoder refuses beyond the schema is a listed exception, and each is met."""
    assert verdicts("batch", encoded(tabled())) == (True, "")
    validate(CHANNEL_OF["batch"], encoded(tabled()))
    beyond = set()
    for at, payload in changes():
        valid, refusal = verdicts("batch", payload)
        if valid and refusal:
            beyond.add(refusal)
            assert any(re.fullmatch(one, refusal) for one in TABLE_EXCEPTIONS), (at, refusal)
        else:
            assert valid == (refusal == ""), (at, refusal)
    for one in set(TABLE_EXCEPTIONS) - set(EXCEPTIONS):
        assert any(re.fullmatch(one, refusal) for refusal in beyond), one


def test_entries_are_held_to_the_same_rules_in_a_table_and_outside() -> None:
    """A table is checked column by column: that lets nobody past the rules, and stops nobody."""
    compared = set()
    for at, payload in changes():
        valid, refusal = verdicts("batch", payload)
        if not valid or re.search(r"json|rows|below|entry 0|steps or index|53 bits", refusal):
            continue  # that is no table, or no batch of them: the other test's matter
        message = canonical.decode(payload)
        texts = by_hand(message)
        plain = {key: value for key, value in message.items() if key != "tables"}
        plain |= {"batch": 1, "entries": [canonical.decode(text.encode()) for text in texts]}
        _, alone = verdicts("batch", encoded(plain))
        compared.add(alone == "")
        assert (alone == "") == (refusal == ""), (at, alone, refusal)
    assert compared == {True, False}


@pytest.mark.parametrize("place", ["value", "index", "list"])
def test_what_a_value_costs_once_written_counts(place: str) -> None:
    """A control character is one in a column and six in a text, before the seal is looked at."""
    message = tabled()
    table, long = message["tables"][0], "\x01" * 250_000
    column = {"value": long, "list": [long] * 3, "index": {"index": [0] * 3, "values": [long]}}
    table["columns"]["later.thing"] = column[place]
    with pytest.raises(MessageError, match=r"^size"):
        messages.decode_batch(encoded(message))


def test_a_table_of_the_most_of_everything_is_taken() -> None:
    """A thousand rows of 64 columns, each a long number: the limit is no trap."""
    rows = messages.MAX_BATCH
    at = {"boot": "0f" * 16, "mono_ms": 1, "utc_ms": 1, "source": "none"}
    columns: dict[str, Any] = {f"at.{key}": value for key, value in at.items()}
    columns |= {"kind": "later", "seq": {"steps": [1] * rows}}
    columns |= {f"c{number}": [canonical.MAX_INTEGER // 10] * rows for number in range(58)}
    message = tabled() | {"entries": [], "tables": [{"rows": rows, "columns": columns}]}
    message["seal"]["seq"] = rows
    decoded = messages.decode_batch(encoded(message))
    assert len(decoded.texts) == rows
    assert [canonical.encode(one) for one in decoded.entries] == list(decoded.texts)
