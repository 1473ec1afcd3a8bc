"""Tables: schema and decoder say the same of them, and entries are held to the same rules there."""

import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from contract_check import read, validate
from contract_samples import AT, BOOT, PUNCH, RECORDS, batch, journal
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

from edge_agent.contract import canonical, messages, tables
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
    message = read(batch(journal([*RECORDS[:1], *[(PUNCH, AT)] * 3])))
    message["batch"], message["entries"] = 2, message["entries"][:1]
    columns = {
        "at.boot": BOOT,
        "at.mono_ms": {"steps": [1, 2, 0]},
        "at.source": ["ntp", "gnss", "ntp"],
        "at.utc_ms": 7,
        "credential": "cd" * 32,
        "kind": "punch",
        "later.thing": "from a newer terminal",
        "place.grade": {"index": [0, 1, 0], "values": ["verified", "no_sky"]},
        "place.lat_e7": -900_000_000,
        "scanner": "front",
        "seq": [2, 4, 3],
        "technology": "em4100",
    }
    message["tables"] = [{"columns": columns, "rows": 3}]
    return message


def odd_rows(message: Any) -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    """Messages whose tables are sound, and their rows are not."""
    columns = found(message, ("tables", 0, "columns"))
    for path in columns:
        renamed = {one + ".deeper" * (one == path): columns[one] for one in columns}
        yield (path, "deeper"), replaced(message, ("tables", 0, "columns"), renamed)
    for number in range(6):  # rows of two kinds, one of them no good
        mixed = {**columns, "kind": ["punch", f"later{'r' * number}", "punch"], "credential": "cd"}
        yield ("kind", number), replaced(message, ("tables", 0, "columns"), mixed)
    yield ("rows",), replaced(message, ("tables", 0, "rows"), messages.MAX_BATCH)


def changes() -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    """Messages with one thing in their tables changed, taken out or put in."""
    message = tabled()
    for at in leaves(message):
        if at[0] in {"tables", "batch"}:
            yield at, removed(message, at)
            for value in (*NEVER, *ODD, *neighbours(found(message, at))):
                yield at, replaced(message, at, value)
    yield from odd_rows(message)
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


def test_a_table_has_no_more_of_anything_than_the_schema_says() -> None:
    """Of tables, columns and rows, so that no message costs more than one of the most of each."""
    message = tabled()
    (table,) = message["tables"]
    wide = {**table["columns"], **{f"c{number}": 1 for number in range(tables.MAX_COLUMNS)}}
    assert verdicts("batch", replaced(message, ("tables",), [table] * 17))[0] is False
    assert verdicts("batch", replaced(message, ("tables", 0, "columns"), wide))[0] is False
    for tables_ in ([table] * 17, [{**table, "columns": wide}]):
        with pytest.raises(MessageError, match=r"expected"):
            messages.decode_batch(encoded({**message, "tables": tables_}))
    half = {"rows": 501, "columns": {**table["columns"], "seq": {"steps": [1] * 501}}}
    for path in ("at.mono_ms", "at.source", "place.grade"):
        half["columns"][path] = 7 if path == "at.mono_ms" else "ntp"
    with pytest.raises(MessageError, match=r"rows may not be 501"):
        messages.decode_batch(encoded({**message, "tables": [half, half]}))


def test_the_names_of_columns_count_once_for_each_row() -> None:
    """Each row's text has them: a long one cannot become a thousand long ones."""
    message = tabled()
    message["tables"][0]["columns"]["c" * 1_350_000] = 1
    with pytest.raises(MessageError, match=r"^size: the tables"):
        messages.decode_batch(zlib.compress(encoded(message)))
