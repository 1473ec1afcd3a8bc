"""Holds messages seen on the wire to the shipped schemas, without the program's decoders."""

import json
import zlib
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry, Resource

from edge_agent.contract import documents

#: Which schema holds for which channel.
SCHEMA_OF = {"entries": "batch", "receipt": "receipt", "status": "status", "roster": "roster"}


@cache
def validator(name: str) -> Draft202012Validator:
    """A validator for the schema `name`, one of `documents.SCHEMAS`."""
    resources = [
        (f"{one}.schema.json", Resource.from_contents(documents.schema(one)))
        for one in documents.SCHEMAS
    ]
    known: dict[str, Any] = {"registry": Registry().with_resources(resources)}
    return Draft202012Validator({"$ref": f"{name}.schema.json"}, **known)


def read(payload: bytes) -> Any:
    """The JSON of a message, plain or deflated; ValueError for what is neither."""
    if payload[:1] == b"\x78":
        unpack = zlib.decompressobj(zdict=documents.dictionary())
        payload = unpack.decompress(payload) + unpack.flush()
    elif payload[:1] != b"{":
        raise ValueError(f"first byte {payload[:1]!r}")
    return json.loads(payload.decode(), parse_float=_refuse, object_pairs_hook=_unique)


def validate(topic_channel: str, payload: bytes) -> None:
    """Raise AssertionError unless `payload` is a message of the channel.

    Args:
        topic_channel: the last level of the topic: entries, receipt, status, roster.
        payload: as it was on the wire.
    """
    fault = best_match(validator(SCHEMA_OF[topic_channel]).iter_errors(read(payload)))
    if fault is not None:
        raise AssertionError(f"{topic_channel}: {fault.json_path}: {fault.message[:300]}")


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not a whole number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return table
