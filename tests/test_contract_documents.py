"""The shipped documents parse, every reference leads somewhere, and they say what the code does."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
import yaml
from contract_check import SCHEMA_OF, validate, validator
from jsonschema import Draft7Validator, Draft202012Validator

from edge_agent.contract import (
    canonical,
    chain,
    credentials,
    documents,
    entries,
    messages,
    topics,
)
from edge_agent.records import Grade

ASYNCAPI: dict[str, Any] = yaml.safe_load(documents.asyncapi())
EXAMPLE = ASYNCAPI["info"]["x-worked-example"]
CHANNELS = (topics.ENTRIES, topics.RECEIPT, topics.STATUS, topics.ROSTER)
RETAINED = {topics.RECEIPT, topics.STATUS, topics.ROSTER}
#: Who publishes on which channel; the other end receives.
SENDER = {"entries": "terminal", "receipt": "central", "status": "terminal", "roster": "central"}

schemas = pytest.mark.parametrize("name", documents.SCHEMAS)


def parts(value: Any) -> Iterator[Any]:
    """`value` and everything in it."""
    yield value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from parts(inner)


def references(document: Any) -> Iterator[str]:
    for part in parts(document):
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            yield part["$ref"]


def resolve(document: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("#/").split("/"):
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


@schemas
def test_every_schema_is_itself_valid(name: str) -> None:
    """By draft 2020-12, and by draft 7, which AsyncAPI tools take a schema for."""
    Draft202012Validator.check_schema(documents.schema(name))
    Draft7Validator.check_schema(documents.schema(name))


@schemas
def test_every_reference_of_a_schema_leads_to_something(name: str) -> None:
    """Inside the file by pointer, to another schema by its file name beside this one."""
    for reference in references(documents.schema(name)):
        if reference.startswith("#/"):
            assert resolve(documents.schema(name), reference)
        else:
            assert reference.removesuffix(".schema.json") in documents.SCHEMAS


@schemas
def test_every_field_is_explained(name: str) -> None:
    """A stranger finds a description at each field, or at what it refers to."""
    table = documents.schema(name)
    for part in parts(table):
        if not (isinstance(part, dict) and part.get("type") == "object"):
            continue
        for key, field in part.get("properties", {}).items():
            explained = field | resolve(table, field["$ref"]) if "$ref" in field else field
            assert len(explained.get("description", "")) > 10, (name, key)


def test_the_schemas_named_are_those_in_the_folder() -> None:
    """No schema is shipped that nobody can ask for, and a wrong name is a KeyError."""
    folder = files("edge_agent") / "contract" / "schema"
    named = {f"{name}.schema.json" for name in documents.SCHEMAS}
    assert {one.name for one in folder.iterdir() if one.name.endswith(".json")} == named
    assert all(json.loads(documents.schema_text(one)) for one in documents.SCHEMAS)
    with pytest.raises(KeyError):
        documents.schema("../entry")


def test_every_reference_of_the_asyncapi_document_leads_to_something() -> None:
    """By pointer inside the document, or to a shipped schema by a path beside it."""
    found = list(references(ASYNCAPI))
    for reference in found:
        if reference.startswith("#/"):
            assert resolve(ASYNCAPI, reference), reference
        else:
            name = re.fullmatch(r"\./schema/([a-z]+)\.schema\.json", reference)
            assert name, reference
            assert documents.schema(name[1])
    assert len(found) >= 20


def test_the_channels_are_those_of_the_code() -> None:
    """Each address is what `topic` makes, and each message has the schema of its channel."""
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert set(ASYNCAPI["channels"]) == set(CHANNELS) == set(SCHEMA_OF)
    for name, channel in ASYNCAPI["channels"].items():
        assert channel["address"] == topics.topic("{root}", "{terminal}", name)
        assert set(channel["parameters"]) == {"root", "terminal"}
        (message,) = channel["messages"].values()
        payload = resolve(ASYNCAPI, message["$ref"])["payload"]["$ref"]
        assert payload == f"./schema/{SCHEMA_OF[name]}.schema.json"
        for root in channel["parameters"]["root"]["examples"]:
            assert re.fullmatch(topics.ROOT_PATTERN, root)
        for terminal in channel["parameters"]["terminal"]["examples"]:
            assert re.fullmatch(topics.TERMINAL_PATTERN, terminal)


def test_both_ends_of_every_channel_are_operations() -> None:
    """One end sends, the other receives, with QoS 1, retained where the topics say so."""
    ends = {}
    for name, operation in ASYNCAPI["operations"].items():
        channel = operation["channel"]["$ref"].rsplit("/", 1)[-1]
        binding = operation["bindings"]["mqtt"]
        assert binding["qos"] == 1
        if operation["action"] == "send":
            assert binding["retain"] == (channel in RETAINED)
        ends[channel, operation["action"]] = re.match("terminal|central", name)
    assert len(ends) == len(ASYNCAPI["operations"]) == 8
    for channel, sender in SENDER.items():
        receiver = "central" if sender == "terminal" else "terminal"
        for action, end in (("send", sender), ("receive", receiver)):
            who = ends[channel, action]
            assert who
            assert who[0] == end


def test_the_last_will_is_the_retained_status() -> None:
    """Plain and secure servers name the same will."""
    assert {one["protocol"] for one in ASYNCAPI["servers"].values()} == {"mqtt", "mqtts"}
    for server in ASYNCAPI["servers"].values():
        will = server["bindings"]["mqtt"]["lastWill"]
        assert will["topic"] == topics.topic("{root}", "{terminal}", topics.STATUS)
        assert (will["qos"], will["retain"]) == (1, True)


def test_the_numbers_and_words_of_the_text_are_those_of_the_code() -> None:
    """Limits, labels and grades that the text names."""
    text = ASYNCAPI["info"]["description"]
    for limit in (messages.MAX_WIRE_BYTES, messages.MAX_PLAIN_BYTES):
        assert f"{limit:,} bytes" in text or f"{limit:,} inflated" in text
    assert f"{messages.MAX_BATCH:,}\nentries" in text
    assert f"More than {messages.MAX_MISSING} gaps" in text
    for word in (*Grade, entries.CLOCK, entries.DOUBTED, entries.SETTLED):
        assert f"`{word}`" in text
    for name in CHANNELS:
        assert f"`{topics.topic('{root}', '{terminal}', name)}`" in text
    assert canonical.MAX_INTEGER == 2**53 - 1


def test_the_patterns_of_the_schemas_are_those_of_the_code() -> None:
    """Names of terminals and kinds of entry."""
    for name in ("batch", "receipt", "status", "roster"):
        terminal = documents.schema(name)["properties"]["terminal"]
        assert terminal["pattern"] == f"^{topics.TERMINAL_PATTERN}$"
    kind = documents.schema("entry")["properties"]["kind"]
    assert kind["pattern"] == f"^{entries.KIND_PATTERN}$"
    for word in (entries.START, entries.PUNCH, entries.ENROLMENT, entries.INCIDENT):
        assert documents.schema("entry")["$defs"][word]["description"]


def test_the_worked_example_is_what_the_code_makes() -> None:
    """The same keys and texts through the program give the same heads, seal and messages."""
    terminal, journal = EXAMPLE["terminal"], EXAMPLE["journal"]
    sealer = chain.Sealer.from_hex(EXAMPLE["private_key"])
    heads = [chain.genesis(terminal, journal)]
    for text in EXAMPLE["texts"]:
        heads.append(chain.link(heads[-1], text))
    assert [head.hex() for head in heads] == EXAMPLE["heads"]
    seal = sealer.seal(terminal, journal, 2, heads[2])
    sent = messages.encode_batch(terminal, journal, heads[0], EXAMPLE["texts"], 1, seal)
    assert messages.inflate(sent).decode() == EXAMPLE["batch"]
    assert messages.decode_batch(sent).texts == tuple(EXAMPLE["texts"])
    receipt = messages.Receipt(terminal, journal, 2, heads[2].hex(), 2, ())
    assert messages.encode_receipt(receipt).decode() == EXAMPLE["receipt"]
    key = credentials.parse_key(EXAMPLE["organisation_key"])
    assert credentials.conceal(EXAMPLE["credential"], key) == EXAMPLE["concealed"]
    assert credentials.key_id(key) == EXAMPLE["credential_key"]
    validate("entries", sent)
    validate("receipt", EXAMPLE["receipt"].encode())


def test_the_check_for_other_tests_refuses_what_is_no_message() -> None:
    """A wrong channel, a fraction, a doubled key and noise are not let through."""
    good = EXAMPLE["receipt"].encode()
    for channel, payload in (
        ("status", good),
        ("receipt", good.replace(b'"upto":2', b'"upto":-1')),
    ):
        with pytest.raises(AssertionError):
            validate(channel, payload)
    doubled = good.replace(b'"upto":2', b'"upto":2,"upto":2')
    for payload in (b"", b"[]", good.replace(b'"upto":2', b'"upto":2.0'), doubled):
        with pytest.raises(ValueError, match=r"."):
            validate("receipt", payload)
    assert validator("entry").is_valid(json.loads(EXAMPLE["texts"][1]))
