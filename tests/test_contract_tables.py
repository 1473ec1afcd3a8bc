"""Tables: many entries in few bytes, and back to the very texts."""

import copy
import json
import random
from itertools import accumulate
from typing import Any

import pytest
from contract_check import read, validator
from contract_samples import BOOT, JOURNAL, RECORDS, SEALER, TERMINAL, batch, journal
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.contract import canonical, chain, entries, messages, tables
from edge_agent.errors import MessageError
from edge_agent.records import Grade, Place, Punch, Stamp

INCIDENT = entries.Incident("broker", "", entries.OPENED, 'said "no" \\ twice')


def punches(count: int) -> list[tuple[Any, Stamp]]:
    """An office of thirty with jittering fixes; every twentieth tap is of a stranger."""
    chance = random.Random(7)
    found = []
    for number in range(count):
        place = Place(
            Grade.VERIFIED,
            -53_899_500 + chance.randint(-300, 300),
            1_226_499_800 + chance.randint(-300, 300),
            *(chance.randint(20, 1100), chance.randint(1, 5), chance.randint(7, 12), 90, 44),
        )
        who = chance.randrange(30)
        person = None if number % 20 == 7 else f"p-{who}"
        later_ms = number * 31_000 + chance.randint(0, 30_000)
        at = Stamp(BOOT, 60_000 + later_ms, 1_790_000_000_000 + later_ms, "ntp", 12)
        found.append((Punch(f"{who:02x}" * 32, "em4100", "front", place, person), at))
    return found


def by_hand(message: Any) -> list[str]:
    """The texts of a batch, read as its documentation says and with nothing of ours."""
    rows = list(message["entries"])
    for table in message.get("tables", ()):
        for row in range(table["rows"]):
            entry: dict[str, Any] = {}
            for path, column in table["columns"].items():
                *above, key = path.split(".")
                place = entry
                for step in above:
                    place = place.setdefault(step, {})
                place[key] = cell(column, row)
            rows.append(entry)
    rows.sort(key=lambda entry: entry["seq"])
    return [
        json.dumps(one, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for one in rows
    ]


def cell(column: Any, row: int) -> Any:
    if isinstance(column, list):
        return column[row]
    if isinstance(column, dict) and "steps" in column:
        return list(accumulate(column["steps"]))[row]
    if isinstance(column, dict):
        return column["values"][column["index"][row]]
    return column


def test_a_day_of_an_office_goes_out_and_comes_back_as_the_very_texts() -> None:
    """Four of five columns deflate to little, and nothing is lost by it."""
    texts = journal([*punches(700), *RECORDS, (INCIDENT, punches(1)[0][1]), *punches(200)])
    payload = batch(texts)
    decoded = messages.decode_batch(payload)
    assert list(decoded.texts) == texts
    assert [canonical.write(one) for one in decoded.entries] == texts
    assert by_hand(read(payload)) == texts
    assert validator("batch").is_valid(read(payload))


def test_a_backlog_costs_few_bytes_a_punch() -> None:
    """Chain and seal included; the target is 40."""
    assert len(batch(journal(punches(1000)))) / 1000 < 25


def test_a_punch_that_goes_alone_leans_on_the_dictionary() -> None:
    """What every batch says is not said again; the target with MQTT's own bytes is 450."""
    payload = batch(journal(punches(1)))
    assert payload[0] == 0x78
    assert payload[1] & 0x20  # RFC 1950: FDICT
    assert len(payload) < 400


fields = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.text(max_size=5),
    st.dictionaries(st.sampled_from(["a", "b", "b1", "b_"]), st.text('x\n"\\%,:é', max_size=3)),
)
shapes = st.dictionaries(st.sampled_from(["a", "b", "b1", "place", "zz"]), fields, max_size=4)


@given(st.lists(shapes, min_size=1, max_size=4), st.integers(5, 40), st.randoms())
def test_whatever_entries_hold_comes_back(
    kinds: list[dict[str, Any]], count: int, chance: random.Random
) -> None:
    """Shapes mixed at random, quotes, line ends and per cents among them, and empty objects."""
    at = {"boot": BOOT, "mono_ms": 5, "utc_ms": 7, "source": "none"}
    texts = [
        canonical.encode({**chance.choice(kinds), "at": at, "kind": "later", "seq": seq})
        for seq in range(1, count + 1)
    ]
    payload = batch(texts)
    assert list(messages.decode_batch(payload).texts) == texts
    assert by_hand(read(payload)) == texts


def test_more_shapes_than_tables_go_as_they_are() -> None:
    """Nothing is refused for being odd."""
    at = {"boot": BOOT, "mono_ms": 5, "utc_ms": 7, "source": "none"}
    texts = [
        canonical.encode({f"k{seq % 30}": 1, "at": at, "kind": "later", "seq": seq})
        for seq in range(1, 101)
    ]
    assert len(read(batch(texts))["tables"]) == tables.MAX_TABLES
    assert list(messages.decode_batch(batch(texts)).texts) == texts


def sealed(table: dict[str, Any]) -> bytes:
    return json.dumps(table).encode()


def good() -> dict[str, Any]:
    message: dict[str, Any] = read(batch(journal(punches(6))))
    return message


COLUMN: list[tuple[str, Any]] = [
    ("rows of text", "at"),
    ("null", None),
    ("a fraction", [1.5] * 6),
    ("truth", True),
    ("a list in a list", [[1]] * 6),
    ("too short", [1] * 5),
    ("too long", [1] * 7),
    ("steps too short", {"steps": [1] * 5}),
    ("steps of text", {"steps": ["1"] * 6}),
    ("steps too wide", {"steps": [2**60] * 6}),
    ("sums too wide", {"steps": [2**53] * 6}),
    ("steps and more", {"steps": [1] * 6, "values": []}),
    ("index beyond", {"index": [0, 0, 0, 0, 0, 1], "values": ["x"]}),
    ("index below", {"index": [0, 0, 0, 0, 0, -1], "values": ["x"]}),
    ("index into nothing", {"index": [0] * 6, "values": []}),
    ("values of objects", {"index": [0] * 6, "values": [{}]}),
    ("no form", {"else": 1}),
]


@pytest.mark.parametrize("column", [one for _, one in COLUMN], ids=[name for name, _ in COLUMN])
def test_a_column_that_is_none_is_refused(column: Any) -> None:
    """One clear outcome, whatever stands where a column should."""
    message = good()
    message["tables"][0]["columns"]["at.mono_ms"] = column
    with pytest.raises(MessageError) as refused:
        messages.decode_batch(sealed(message))
    assert refused.value.reason in {"schema", "json"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tables",), []),
        (("tables",), None),
        (("tables",), {}),
        (("tables", 0), 7),
        (("tables", 0, "rows"), 5),
        (("tables", 0, "rows"), 0),
        (("tables", 0, "rows"), True),
        (("tables", 0, "rows"), 10**9),
        (("tables", 0, "columns"), {}),
        (("tables", 0, "columns", "at"), "above another"),
        (("tables", 0, "columns", "at.boot.deeper"), "below another"),
        (("tables", 0, "columns", "a.b.c.d.e"), "too deep"),
        (("tables", 0, "columns", "A"), "not lower case"),
        (("tables", 0, "columns", "a..b"), "no name"),
        (("tables", 0, "more"), 1),
        (("batch",), 1),
        (("batch",), 3),
        (("entries",), None),
    ],
)
def test_a_table_that_is_none_is_refused(path: tuple[Any, ...], value: Any) -> None:
    """The table around the columns is as strict as they are."""
    message = good()
    place: Any = message
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(MessageError, match=r"^schema"):
        messages.decode_batch(sealed(message))


def test_a_row_that_stands_twice_or_is_missing_is_refused() -> None:
    """Rows and entries together are first to seal.seq, each once."""
    for change in ([1, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 7], [2, 3, 4, 5, 6, 7]):
        message = good()
        message["tables"][0]["columns"]["seq"] = change
        with pytest.raises(MessageError, match=r"^schema"):
            messages.decode_batch(sealed(message))
    message = good()
    message["entries"] = [json.loads(journal(punches(6))[2])]
    with pytest.raises(MessageError, match=r"^schema"):
        messages.decode_batch(sealed(message))


def test_a_few_bytes_cannot_become_a_gigabyte() -> None:
    """One long value for a thousand rows would otherwise be a thousand long values."""
    message = good()
    whole = copy.deepcopy(message["tables"][0])
    message["tables"] = [{**whole, "rows": 1000}]
    message["tables"][0]["columns"] = {"seq": {"steps": [1] * 1000}, "later": "x" * 100_000}
    with pytest.raises(MessageError, match=r"^size"):
        messages.decode_batch(sealed(message))


def test_the_first_entry_of_a_table_is_under_the_same_seal() -> None:
    """An edit inside a column leads to another head, as one inside an entry does."""
    texts = journal(punches(6))
    message = good()
    message["tables"][0]["columns"]["place.satellites"][0] ^= 1
    decoded = messages.decode_batch(sealed(message))
    head = chain.follow(bytes.fromhex(decoded.prev), decoded.texts)
    assert head != chain.follow(bytes.fromhex(decoded.prev), texts)
    assert (
        decoded.seal.lead
        == SEALER.seal(
            TERMINAL, JOURNAL, 6, chain.follow(chain.genesis(TERMINAL, JOURNAL), texts)
        ).head
    )
