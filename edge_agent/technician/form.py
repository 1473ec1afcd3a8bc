"""A new terminal's ``agent.toml``: the shipped example, filled in.

So a new file has the example's order, comments and defaults, and a technician who knows one knows
all. What is filled in is a `Config`, which has been held to its rules already.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv6Address
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_agent import profile, shape
from edge_agent.config import Broker, Config, Gnss, Scanner
from edge_agent.technician import toml_lines

ZONES = "Asia/Jakarta (WIB), Asia/Makassar (WITA), Asia/Jayapura (WIT), or another IANA zone"
_SITE = ("id", "name", "zone", "latitude", "longitude", "radius_m")
_BROKER = ("host", "port", "topic_root")


def fill(example: str, wanted: Config) -> str:
    """The text of a configuration that says `wanted`, where that differs from the example."""
    text = toml_lines.put(example, "", {"terminal": _value(wanted.terminal)})
    text = toml_lines.put(text, "site", _values(wanted.site, _SITE), wake=True)
    text = toml_lines.put(text, "broker", _values(wanted.broker, _BROKER), wake=True)
    text = toml_lines.put(text, "panel", {"kind": _value(wanted.panel.kind)})
    text = toml_lines.replace(text, "scanner", _scanners(text, wanted.scanner))
    return toml_lines.replace(text, "gnss", _gnss(text, wanted.gnss))


def scanner(words: str) -> Scanner:
    """A scanner written as ``name=port:profile``.

    Raises ShapeError, or ConfigError for a profile that there is not.
    """
    name, equals, rest = words.partition("=")
    port, colon, model = rest.rpartition(":")  # names by-path have colons of their own
    if not equals or not colon:
        raise shape.ShapeError("scanner", shape.show(words), "name=port:profile")
    found = shape.load(Scanner, {"name": name, "port": port, "profile": model}, "scanner")
    profile.scanner(found.profile)
    return found


def broker(example: Broker, words: str, topic_root: str) -> Broker:
    """A broker written as ``host`` or ``host:port``. Raises ShapeError."""
    found = shape.load(Broker, {**_address(words), "topic_root": topic_root}, "broker")
    return replace(example, host=found.host, port=found.port, topic_root=topic_root)


def _address(words: str) -> dict[str, Any]:
    """The keys that ``host`` or ``host:port`` stands for. Raises ShapeError."""
    host, colon, port = words.partition(":")
    if not colon or _is_ipv6(words):
        return {"host": words}
    if not re.fullmatch("[0-9]{1,5}", port):
        allowed = "host or host:port; an IPv6 address stands alone"
        raise shape.ShapeError("broker", shape.show(words), allowed)
    return {"host": host, "port": int(port)}


def _is_ipv6(words: str) -> bool:
    try:
        IPv6Address(words)
    except ValueError:
        return False
    return True


def check(kind: type[Any], key: str, text: str) -> None:
    """Hold one answer to the rule that its key has in `kind`. Raises ShapeError."""
    limits = kind.__dataclass_fields__[key].metadata["limits"]
    if not limits.admit(text):
        at = key if kind is Config else f"{kind.__name__.lower()}.{key}"
        raise shape.ShapeError(at, shape.show(text), limits.describe())
    if key == "zone":
        zone(text)
    if key == "host":
        shape.load(Broker, _address(text), "broker")


def zone(name: str) -> None:
    """See that `name` is a zone. Raises ShapeError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise shape.ShapeError("site.zone", shape.show(name), ZONES) from None


def _scanners(text: str, wanted: Sequence[Scanner]) -> list[str]:
    """The blocks; the first keeps the example's comments, and without any it is commented out."""
    template = toml_lines.table(text, "scanner")
    if not wanted:
        return _out(template)
    first = toml_lines.put("\n".join(template), "scanner", _wiring(wanted[0], name=True), wake=True)
    blocks = first.splitlines()
    for one in wanted[1:]:
        lines = [f"{key} = {value}" for key, value in _wiring(one, name=True).items()]
        blocks += ["", "[[scanner]]", *lines]
    return blocks


def _gnss(text: str, wanted: Gnss | None) -> list[str]:
    template = toml_lines.table(text, "gnss")
    if wanted is None:
        return _out(template)
    return toml_lines.put("\n".join(template), "gnss", _wiring(wanted), wake=True).splitlines()


def _out(lines: Sequence[str]) -> list[str]:
    return [line if line.startswith("#") else f"# {line}" for line in lines]


def _wiring(one: Scanner | Gnss, *, name: bool = False) -> dict[str, str]:
    keys = ("name",) if name else ()
    found = _values(one, (*keys, "port", "profile"))
    return found if one.baud is None else {**found, "baud": str(one.baud)}


def _values(table: object, keys: Sequence[str]) -> dict[str, str]:
    return {key: _value(getattr(table, key)) for key in keys}


def _value(value: str | float) -> str:
    """A JSON string is a basic string of TOML; degrees are written as `rewrite` writes them."""
    if isinstance(value, float):
        return f"{value:.7f}"
    return json.dumps(value, ensure_ascii=False)
