"""The written contract, as files of the package: AsyncAPI 3.0 and JSON Schema draft 2020-12.

For those who write a consumer. Of them the program itself reads only the dictionary: `messages` and
`rules` say the same in code, and the tests hold the two together.
"""

import json
from importlib.resources import files
from typing import Any

#: The four messages, and the entry that a batch carries.
SCHEMAS: tuple[str, ...] = ("batch", "entry", "receipt", "status", "roster")

_HERE = files("edge_agent") / "contract"


def asyncapi() -> str:
    """The AsyncAPI document, YAML. It refers to the schemas by paths beside it, ``./schema/``."""
    return (_HERE / "asyncapi.yaml").read_text(encoding="utf-8")


def bundle() -> str:
    """What is carried by hand, Markdown."""
    return (_HERE / "bundle.md").read_text(encoding="utf-8")


def schema_text(name: str) -> str:
    """The JSON Schema called `name`, one of `SCHEMAS`. Raises KeyError for any other name."""
    if name not in SCHEMAS:
        raise KeyError(name)
    return (_HERE / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")


def schema(name: str) -> dict[str, Any]:
    """The same as a table."""
    table: dict[str, Any] = json.loads(schema_text(name))
    return table


def dictionary() -> bytes:
    """The preset dictionary of a deflated batch, ASCII."""
    return (_HERE / "batch.dictionary").read_bytes()
