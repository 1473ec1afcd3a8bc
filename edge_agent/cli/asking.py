"""What a new terminal must be told: by options, or asked for at the keyboard."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from edge_agent import shape
from edge_agent.config import Broker, Config, Gnss, Scanner, Site
from edge_agent.errors import ConfigError
from edge_agent.technician import form

PROVISION = "provision"


@dataclass(frozen=True, slots=True)
class Question:
    """What a terminal must be told: its option, its words, and the key whose rule it keeps."""

    option: str
    words: str
    kind: type[Any]
    key: str


_QUESTIONS = (
    Question("terminal", "Terminal, never to be changed, e.g. bungi-01", Config, "terminal"),
    Question("site", "Id of the site, e.g. kec-bungi", Site, "id"),
    Question("site-name", "Name of the site, e.g. Kantor Kecamatan Bungi", Site, "name"),
    Question("zone", f"Zone: {form.ZONES}", Site, "zone"),
    Question("broker", "Broker as host or host:port", Broker, "host"),
    Question("topic-root", "Root of its topics", Broker, "topic_root"),
)


def answers(path: Path, said: dict[str, Any]) -> dict[str, str]:
    """The answer to each question: given, asked for, or the default.

    Raises ShapeError for the first that breaks its rule, ConfigError for all that are missing.
    """
    found, missing = {}, []
    for one in _QUESTIONS:
        given = said[one.option.replace("-", "_")]
        default = "attendance" if one.option == "topic-root" else None
        if given is not None:
            form.check(one.kind, one.key, given)
        elif sys.stdin.isatty():
            given = ask(one.words, partial(form.check, one.kind, one.key), default)
        elif default is None:
            missing.append(f"--{one.option}")
        found[one.option] = given or default or ""
    typed = said["latitude"] and said["longitude"]
    if not (typed or said["survey"] or sys.stdin.isatty()):
        missing.append("--latitude and --longitude, or --survey")
    if missing:
        cause = f"missing: {', '.join(missing)}"
        raise ConfigError(PROVISION, str(path), cause, "name them, or run it at a keyboard")
    return found


def ask(words: str, check: Callable[[str], object], default: str | None = None) -> str:
    """Ask until the answer keeps its rule."""

    def keep(text: str) -> str:
        try:
            check(text.strip())
        except (shape.ShapeError, ConfigError) as error:
            raise click.BadParameter(str(error)) from None
        return text.strip()

    answer: str = click.prompt(words, default=default, value_proc=keep, err=True)
    return answer


def anything(_text: str) -> None:
    """Whoever takes the answer looks at it himself."""


def scanners() -> Iterator[Scanner]:
    """Scanners, one after the other, until no more is named."""
    found: list[Scanner] = []

    def keep(words: str) -> None:
        one = form.scanner(words) if words else None
        if one and any(one.name == other.name or one.port == other.port for other in found):
            allowed = "a name and a port that are not used twice"
            raise shape.ShapeError("scanner", shape.show(words), allowed)

    while words := ask("Scanner as name=port:profile, empty for no more", keep, ""):
        found.append(form.scanner(words))
        yield found[-1]


def gnss(model: str, taken: Sequence[Scanner]) -> Gnss | None:
    """The receiver, if there is one; `taken` are the scanners that have their ports."""

    def keep(port: str) -> None:
        if any(port == one.port for one in taken):
            raise shape.ShapeError("gnss.port", shape.show(port), "a port that no scanner uses")

    port = ask("Port of the GNSS receiver, empty for none", keep, "")
    return Gnss(port, model) if port else None
