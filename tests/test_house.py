"""The house rules, held against the imports and the sizes of every module."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

PACKAGE = ROOT / "edge_agent"
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 300, 60

GROUND, FIRST, SECOND, ROOF = range(4)
FLOORS = {
    "devices": GROUND,
    "evidence": GROUND,
    "contract": GROUND,
    "journal": FIRST,
    "uplink": FIRST,
    "panel": FIRST,
    "ports": FIRST,
    "terminal": SECOND,
    "central": SECOND,
    "technician": SECOND,
    "sim": SECOND,
    "cli": ROOF,
}
#: Everybody's: they know nobody but each other.
WORDS = {"records", "events", "errors", "ranges", "bounds", "shape", "toml_file"}
#: The terminal's configuration: knows the words and the contract; not for the other ends.
TERMINAL_WORDS = {"config", "profile"}
NOT_FOR = {"contract", "evidence"}
#: What these may know beside the words, and no more. The central is the other end; the devices of
#: `sim` speak from the data sheet, so that one bug cannot hide on both sides.
ONLY: dict[str, set[str]] = {
    **{word: set() for word in WORDS},
    **dict.fromkeys(TERMINAL_WORDS, TERMINAL_WORDS | {"contract"}),
    "central": {"contract"},
    "sim": set(),
}

#: What pure code never needs.
IMPURE = {
    "time", "threading", "queue", "os", "socket", "logging", "random", "subprocess", "asyncio",
}  # fmt: skip
#: The rooms, or the one module, where an outside library lives.
HOMES = {
    "serial": ("ports",),
    "pynmea2": ("devices.nmea",),
    "paho": ("uplink", "central"),
    "RPi": ("panel",),
    "sqlite_utils": ("journal", "central"),
    # The account of a play checks seals by itself: a witness must not be the accused.
    "cryptography": ("contract", "sim.account"),
    "click": ("cli",),
}


def name_of(path: Path) -> str:
    """``devices.nmea`` for that module, ``devices`` for its package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(name: str) -> str:
    return name.partition(".")[0]


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Full names of all modules that a module imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative: from the package that it stands in
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join(filter(None, ["edge_agent", *above, base]))
            inside = base == "edge_agent"
            yield from (f"{base}.{alias.name}" for alias in node.names) if inside else [base]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield str(getattr(node.args[0], "value", ""))


def faults(name: str, source: str) -> list[str]:
    """What this module does against the rules."""
    tree = ast.parse(source)
    package = name if MODULES.get(name, Path()).name == "__init__.py" else name.rpartition(".")[0]
    found = [fault for one in set(imports(tree, package)) for fault in import_faults(name, one)]
    return sorted({*found, *manner_faults(name, tree, source.splitlines())})


def import_faults(name: str, imported: str) -> Iterator[str]:
    top, _, inside = imported.partition(".")
    room, other = room_of(name), room_of(inside)
    if top != "edge_agent":
        yield from library_faults(name, room, top)
    elif not may_know(room, other):
        yield f"{name} imports {imported}: {room} may not know {other}"


def may_know(room: str, other: str) -> bool:
    """Rules 1, 4 and 5: whether a room, or a module beside the rooms, may import from another."""
    if other in {"", "__version__", "BUILT", room} | WORDS or room == "__main__":
        return True
    if room in ONLY:
        return other in ONLY[room]
    if other in TERMINAL_WORDS:
        return room not in NOT_FOR
    return FLOORS[other] < FLOORS[room]


def library_faults(name: str, room: str, library: str) -> Iterator[str]:
    """Rules 2 and 3: purity of the ground floor, and homes."""
    if library in sys.stdlib_module_names:
        if library in IMPURE and FLOORS.get(room) == GROUND:
            yield f"{name} imports {library}: the ground floor is pure"
    elif library not in HOMES:
        yield f"{name} imports {library}, which has no home"
    elif not any(f"{name}.".startswith(f"{home}.") for home in HOMES[library]):
        yield f"{name} imports {library}, whose home is {' and '.join(HOMES[library])}"


def manner_faults(name: str, tree: ast.AST, lines: list[str]) -> Iterator[str]:
    """Printing, exit codes and catching everything."""
    room = room_of(name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and room not in ("cli", "__main__"):
            called = ast.unparse(node.func)
            if called in ("print", "exit", "quit", "sys.exit", "os._exit", "SystemExit"):
                yield f"{name} calls {called}: that is for the cli"
        if isinstance(node, ast.ExceptHandler) and not ast.unparse(node).endswith("raise"):
            caught = "BaseException" if node.type is None else ast.unparse(node.type)
            everything = {"Exception", "BaseException"} & set(re.findall(r"\w+", caught))
            if everything and "#" not in lines[node.lineno - 1]:
                yield f"{name}:{node.lineno} catches everything and does not say why"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_keeps_the_house_rules(name: str) -> None:
    """Imports point down or stay in a room; libraries have homes; only the cli prints."""
    assert faults(name, MODULES[name].read_text(encoding="utf-8")) == []


def test_every_room_is_known() -> None:
    """A new room must be given its floor here, and each says in a sentence what it is."""
    rooms = {path.parent.name for path in PACKAGE.glob("*/*.py")}
    assert rooms == set(FLOORS)
    for room in rooms:
        source = (PACKAGE / room / "__init__.py").read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(source)), room
    beside = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    assert beside == WORDS | TERMINAL_WORDS


SOURCES = [
    *PACKAGE.rglob("*.py"),
    *(ROOT / "tests").glob("*.py"),
    *(ROOT / "scripts").rglob("*.py"),
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_outgrows_the_budget(path: Path) -> None:
    """No file over 300 lines, no function over 60."""
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    long = [
        f"{node.name}: {length}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


BROKEN = [
    ("devices.gm65", "import time", "pure"),
    ("evidence.position", "from threading import Thread", "pure"),
    ("contract.topics", "def f():\n    import os.path", "pure"),
    ("devices.gm65", "from edge_agent.contract import topics", "may not know contract"),
    ("evidence.position", "from edge_agent import devices", "may not know devices"),
    ("evidence.position", "from edge_agent.config import Site", "may not know config"),
    ("devices.nmea", "from edge_agent.ports.clock import Clock", "may not know ports"),
    ("devices.nmea", "from ..ports import clock", "may not know ports"),
    ("journal.journal", "from edge_agent.uplink.window import Window", "may not know uplink"),
    ("panel.lights", "import edge_agent.terminal.agent", "may not know terminal"),
    ("terminal.agent", "from edge_agent import cli", "may not know cli"),
    ("terminal.agent", "from edge_agent.central import store", "may not know central"),
    ("records", "from edge_agent import contract", "may not know contract"),
    ("shape", "import edge_agent.config", "may not know config"),
    ("profile", "from edge_agent.devices import Decoder", "may not know devices"),
    ("central.store", "from edge_agent import config", "may not know config"),
    ("central.store", "from edge_agent.journal import Journal", "may not know journal"),
    ("sim.scanner", "from edge_agent.devices.em4100 import Em4100Decoder", "may not know devices"),
    ("sim.office", "from edge_agent import config", "may not know config"),
    ("sim.office", "from edge_agent.contract import chain", "may not know contract"),
    ("terminal.agent", "import serial", "home is ports"),
    ("devices.em4100", "import pynmea2", "home is devices.nmea"),
    ("terminal.delivery", "import paho.mqtt.client as mqtt", "home is uplink and central"),
    ("cli.status", "import sqlite_utils", "home is journal and central"),
    ("ports.files", "from cryptography import x509", "home is contract"),
    ("terminal.agent", "import importlib; importlib.import_module('RPi.GPIO')", "home is panel"),
    ("terminal.agent", "import requests", "no home"),
    ("terminal.agent", "print(1)", "for the cli"),
    ("sim.demo", "import sys; sys.exit(1)", "for the cli"),
    ("sim.demo", "raise SystemExit(1)", "for the cli"),
    ("cli.run", "try:\n    pass\nexcept Exception:\n    pass", "catches everything"),
    ("cli.run", "try:\n    pass\nexcept (OSError, Exception):\n    pass", "catches everything"),
    ("cli.run", "try:\n    pass\nexcept:\n    pass", "catches everything"),
]


@pytest.mark.parametrize(("name", "source", "said"), BROKEN)
def test_a_broken_rule_is_seen(name: str, source: str, said: str) -> None:
    """Each rule, broken on purpose in a module that does not exist."""
    (fault,) = faults(name, source)
    assert said in fault


def test_what_the_rules_allow_is_allowed() -> None:
    """Down a floor, within a room, the words, and catching everything with a reason."""
    for name, source in (
        ("terminal.agent", "from edge_agent.ports import clock\nimport time, logging"),
        ("devices.gm65", "from edge_agent.devices import text\nfrom edge_agent import records"),
        ("devices.nmea", "import pynmea2"),
        ("central.store", "from edge_agent.contract import chain\nfrom edge_agent import ranges"),
        (
            "uplink.connection",
            "try:\n    pass\nexcept Exception:  # a thread's last frame\n    pass",
        ),
        ("central.store", "try:\n    pass\nexcept BaseException:\n    undo()\n    raise"),
        ("cli.run", "print(1)"),
    ):
        assert faults(name, source) == []
