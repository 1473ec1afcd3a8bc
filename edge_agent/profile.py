"""What is known of one model of scanner or receiver: TOML in ``firmware_configs``.

A site may add its own, or replace one, in ``/etc/edge-agent/firmware_configs``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge_agent import shape, toml_file
from edge_agent.errors import ConfigError

SITE_DIRECTORY = Path("/etc/edge-agent/firmware_configs")
_HERE = Path(__file__).parent
#: Installed, the profiles lie in the package; in a checkout, beside it.
_DIRECTORIES = (
    SITE_DIRECTORY,
    _HERE / "firmware_configs",
    _HERE.parent / "firmware_configs",
)

T = TypeVar("T")
_READ = "read the profile"


#: Bytes as hex digits, blanks between them as one likes.
_HEX = r"([0-9A-Fa-f]{2} *)*"
_REGEX_LENGTH = r"(?s).{0,300}"


@dataclass(frozen=True, slots=True)
class Text:
    """How a reader that prints lines writes a credential.

    Attributes:
        format: ``raw`` (as it stands), ``hex`` (bytes as read on the air), ``hex_rev`` (last byte
            first), ``dec10`` and ``dec10_le`` (ten decimal digits of four bytes, most or least
            significant byte first), ``dec13`` (all five bytes of an EM4100), ``w26`` and ``w34``
            (Wiegand: facility,card or one decimal number), ``w34_rev`` (the same, reversed).
        pattern: regular expression of a whole line; its first group, or else the whole, is the
            credential. For readers that print more than the number.
        end_ms: silence that ends a line; 0 for readers that send CR, LF or ETX.
        longest: more characters are no line.
    """

    format: str = shape.field(
        "raw",
        choices=("raw", "hex", "hex_rev", "dec10", "dec10_le", "dec13", "w26", "w34", "w34_rev"),
    )
    pattern: str = shape.field("", pattern=_REGEX_LENGTH)
    end_ms: int = shape.field(0, low=0, high=1000)
    longest: int = shape.field(64, low=4, high=512)


@dataclass(frozen=True, slots=True)
class Pn532:
    """How a PN532 is asked: a look at the field every `poll_ms`; a card is gone after `misses`."""

    poll_ms: int = shape.field(60, low=0, high=1000)
    misses: int = shape.field(3, low=1, high=20)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What differs between fingerprint modules.

    Attributes:
        capacity: slots of the library; 0 asks the module, which some clones do not answer.
        index_table: the module can say which slots are in use; else only how many.
        password, address: four bytes each, hex.
        ring: the light around the sensor: ``""``, ``r503``, ``r503-old`` (red, blue, purple only).
        poll_ms: between two looks for a finger.
    """

    capacity: int = shape.field(0, low=0, high=5000)
    index_table: bool = True
    password: str = shape.field("00000000", pattern=r"[0-9A-Fa-f]{8}")
    address: str = shape.field("FFFFFFFF", pattern=r"[0-9A-Fa-f]{8}")
    ring: str = shape.field("", choices=("", "r503", "r503-old"))
    poll_ms: int = shape.field(100, low=0, high=1000)


@dataclass(frozen=True, slots=True)
class Identify:
    """How `edge-agent probe` knows the model.

    Attributes:
        usb: vendor and product ids of boards that are this model and nothing else, or of adapters
            that usually are; ``1a86:7523``.
        ask: what to say to it, hex: only what changes nothing in any device. Empty: listen.
        answer: regular expression over the answer as upper-case hex digits.
        wait_ms: how long it may take to answer.
        bauds: speeds to which the model is often set, beside the profile's own.
    """

    usb: tuple[str, ...] = shape.field((), pattern=r"[0-9a-f]{4}:[0-9a-f]{4}", max_items=20)
    ask: str = shape.field("", pattern=_HEX)
    answer: str = shape.field("", pattern=_REGEX_LENGTH)
    wait_ms: int = shape.field(300, low=10, high=3000)
    bauds: tuple[int, ...] = shape.field((), low=1200, high=921_600, max_items=8)


@dataclass(frozen=True, slots=True)
class ScannerProfile:
    """One model of scanner.

    Attributes:
        decoder: who understands its bytes, a module in `devices`.
        baud: bits per second, 8N1.
        confirm: reads of one credential, each within `confirm_ms` of the one before, until it is
            believed. 2 or more for models that repeat while a card is held, which also emit
            phantoms; 1 for the others.
        gone_ms: silence after which a card that comes again is a new presentation.
        technology: what the reader's lines are, e.g. ``em4100``.
        init: what is written to the device each time its port opens, hex, one message an item.
        text, pn532, fingerprint: settings of those decoders.
        identify: how it is found.
        wiring, verified: for people: how to connect it; what the profile was tried with.
    """

    decoder: str = shape.field(choices=("em4100", "text", "gm65", "pn532", "fingerprint"))
    baud: int = shape.field(low=1200, high=921_600)
    confirm: int = shape.field(1, low=1, high=5)
    confirm_ms: int = shape.field(200, low=50, high=2000)
    gone_ms: int = shape.field(500, low=100, high=10_000)
    technology: str = shape.field("text", pattern=r"[a-z0-9]{1,16}")
    init: tuple[str, ...] = shape.field((), pattern=_HEX, max_items=32)
    title: str = shape.field("", pattern=r".{0,120}")
    wiring: str = ""
    verified: str = ""
    text: Text = Text()
    pn532: Pn532 = Pn532()
    fingerprint: Fingerprint = Fingerprint()
    identify: Identify = Identify()


@dataclass(frozen=True, slots=True)
class GnssProfile:
    """One family of receivers; one decoder understands them all.

    Attributes:
        baud: bits per second, 8N1.
        late_ms: the most that the sentences of an epoch come after the second that they name.
        init, title, wiring, verified, identify: as for scanners.
    """

    baud: int = shape.field(9600, low=1200, high=921_600)
    late_ms: int = shape.field(1000, low=50, high=3000)
    init: tuple[str, ...] = shape.field((), pattern=_HEX, max_items=32)
    title: str = shape.field("", pattern=r".{0,120}")
    wiring: str = ""
    verified: str = ""
    identify: Identify = Identify()


@dataclass(frozen=True, slots=True)
class Uart:
    """One serial port on the pins of a board.

    Attributes:
        device: its name under ``/dev`` once `config` is in force.
        rx, tx: numbers of the pins on the 40-pin header.
        config: the line of ``config.txt`` that switches it on, "" if it is on by itself.
        fastest: bits per second up to which it can be relied upon.
        note: for people.
    """

    device: str = shape.field(pattern=r"/dev/[A-Za-z0-9_/.-]+")
    rx: int = shape.field(low=1, high=40)
    tx: int = shape.field(low=1, high=40)
    config: str = ""
    fastest: int = shape.field(921_600, low=1200, high=4_000_000)
    note: str = ""


@dataclass(frozen=True, slots=True)
class BoardProfile:
    """One model of computer; `model` matches what its device tree calls it."""

    title: str = shape.field(pattern=r".{1,120}")
    model: str = shape.field(pattern=r".{1,200}")
    uart: tuple[Uart, ...] = shape.field((), max_items=8)
    wiring: str = ""
    verified: str = ""


def scanner(name: str) -> ScannerProfile:
    """The profile of a scanner model. Raises ConfigError if there is none or it does not parse."""
    return _load("scanners", name, ScannerProfile)


def gnss(name: str) -> GnssProfile:
    """The profile of a receiver family. Raises ConfigError likewise."""
    return _load("gnss", name, GnssProfile)


def board(name: str) -> BoardProfile:
    """The profile of a board. Raises ConfigError likewise."""
    return _load("boards", name, BoardProfile)


def read(path: Path, kind: type[T]) -> T:
    """The profile in one file. Raises ConfigError if it does not parse or could never work."""
    found = toml_file.read(path, kind, _READ)
    _check(path, found)
    return found


def known(folder: str) -> list[str]:
    """Names of all profiles in ``scanners``, ``gnss`` or ``boards``."""
    return sorted({path.stem for one in _DIRECTORIES for path in (one / folder).glob("*.toml")})


def example(name: str) -> str:
    """The text of the shipped example ``name``, e.g. ``agent.toml``. Raises ConfigError."""
    for directory in _DIRECTORIES:
        path = directory / "examples" / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ConfigError("find the example", name, "there is no such file", "install edge-agent again")


def _check(path: Path, found: object) -> None:
    """What the shape cannot say: a site writes profiles too, and one must be able to work."""
    if isinstance(found, ScannerProfile):
        for wrong, key, shown, allowed in _contradictions(found):
            if wrong:
                raise toml_file.wrong_shape(path, shape.ShapeError(key, shown, allowed), _READ)
    patterns: dict[str, str] = {}
    if isinstance(found, ScannerProfile):
        patterns["text.pattern"] = found.text.pattern
    if isinstance(found, (ScannerProfile, GnssProfile)):
        patterns["identify.answer"] = found.identify.answer
    if isinstance(found, BoardProfile):
        patterns["model"] = found.model
    for key, pattern in patterns.items():
        try:
            re.compile(pattern, re.ASCII)
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            flaw = shape.ShapeError(key, shape.show(pattern), f"a regular expression ({error})")
            raise toml_file.wrong_shape(path, flaw, _READ) from None


def _contradictions(one: ScannerProfile) -> Iterator[tuple[bool, str, str, str]]:
    """Settings that parse and under which nothing would ever be read."""
    asked = one.decoder in ("pn532", "fingerprint")
    yield asked and one.confirm > 1, "confirm", str(one.confirm), f"1: {one.decoder} says it once"
    form, technology = one.text.format, one.technology
    short = technology == "14443a" and form in ("w26", "dec13")
    yield short, "text.format", f'"{form}"', "for 14443a a format of 4, 7 or 10 bytes"
    nameless = one.decoder == "text" and form != "raw" and technology == "text"
    yield (
        nameless,
        "technology",
        "nothing",
        f"what the cards are, e.g. em4100, where format is {form}",
    )
    mute = bool(one.identify.ask) and not one.identify.answer
    yield mute, "identify.answer", "nothing", "what to expect where identify.ask is given"


def _load(folder: str, name: str, kind: type[T]) -> T:
    for directory in _DIRECTORIES:
        path = directory / folder / f"{name}.toml"
        if path.is_file():
            return read(path, kind)
    hint = f"known: {', '.join(known(folder))}; or add {SITE_DIRECTORY / folder / name}.toml"
    raise ConfigError("find the profile", f"{folder}/{name}", "there is no such file", hint)
