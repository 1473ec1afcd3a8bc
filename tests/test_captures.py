"""Each shipped profile against what its device said, as far as anybody has written that down.

`captures/NAME.toml` belongs to the scanner profile NAME and says where its bytes are from:
``captured`` from a device by somebody, ``datasheet`` from its maker's examples, ``computed`` from a
layout. In a captured or datasheet file the items that are nevertheless computed are marked.
"""

import json
import re
import tomllib
from binascii import crc_hqx
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import shared
from virtual import Virtual

from edge_agent import profile, shape
from edge_agent.devices import scanner_decoder
from edge_agent.records import Condition, Scan

FOLDER = Path(__file__).parent / "captures"


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes of a reader that talks, and the credentials that they are."""

    hex: str
    credentials: tuple[str, ...]
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command and its answer, which is given `times` times before the next one's turn.

    Without a `host` the device says it unasked, before all else.
    """

    device: str
    host: str = ""
    times: int = 1
    computed: bool = False


@dataclass(frozen=True, slots=True)
class Capture:
    """One file. `credentials` are what the exchanges must come to."""

    profile: str
    kind: str = shape.field(choices=("captured", "datasheet", "computed"))
    source: str = shape.field(pattern=r"(?s).{10,1000}")
    credentials: tuple[str, ...] = ()
    frame: tuple[Frame, ...] = ()
    exchange: tuple[Exchange, ...] = ()


def load(path: Path) -> Capture:
    return shape.load(Capture, tomllib.loads(path.read_text(encoding="utf-8")))


CAPTURES = {path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))}
TALKING = [name for name, capture in CAPTURES.items() if capture.frame]
ASKED = [name for name, capture in CAPTURES.items() if capture.credentials]


def test_every_scanner_profile_has_a_capture_and_every_capture_a_profile() -> None:
    """A model is added with the bytes that it was tried with."""
    shipped = {path.stem for path in (FOLDER.parents[1] / "firmware_configs/scanners").glob("*")}
    assert set(CAPTURES) == shipped
    assert all(capture.profile == name for name, capture in CAPTURES.items())
    assert set(TALKING) | set(ASKED) == shipped


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES.keys())
def test_only_what_is_computed_throughout_is_called_computed(capture: Capture) -> None:
    """The kind of a file is no compliment."""
    marks = {item.computed for item in (*capture.frame, *capture.exchange)}
    assert (False in marks) == (capture.kind != "computed")


@pytest.mark.parametrize(
    "capture",
    [one for one in CAPTURES.values() if one.kind == "captured"],
    ids=lambda one: one.profile,
)
def test_what_is_called_captured_is_in_the_collection_of_captured_bytes(capture: Capture) -> None:
    """Nothing was made up or mistyped; an acknowledgement may stand before a PN532's answer."""
    collected = {one["hex"] for one in json.loads(shared("devices/vectors.json").read_text())}
    for item in (*capture.frame, *capture.exchange):
        if not item.computed:
            said = item.hex if isinstance(item, Frame) else item.device
            assert {said, said.removeprefix("0000FF00FF00")} & collected, said


# --- readers that talk ----------------------------------------------------------------------------


def credentials_of(name: str, chunks: list[bytes]) -> list[str]:
    """What the profile's decoder makes of them, a millisecond apart."""
    decoder = scanner_decoder(profile.scanner(name))
    found = []
    for now_ms, chunk in enumerate([*chunks, b""]):
        found += [one.credential for one in decoder.feed(chunk, now_ms)]
    return found


@pytest.mark.parametrize("name", TALKING)
def test_the_frames_of_a_talking_reader_are_its_credentials(name: str) -> None:
    """Alone, all at once, and byte by byte."""
    frames = CAPTURES[name].frame
    for frame in frames:
        assert credentials_of(name, [bytes.fromhex(frame.hex)]) == list(frame.credentials)
    whole = b"".join(bytes.fromhex(frame.hex) for frame in frames)
    wanted = [one for frame in frames for one in frame.credentials]
    assert credentials_of(name, [whole]) == wanted
    assert credentials_of(name, [bytes([byte]) for byte in whole]) == wanted


# --- devices that are asked -----------------------------------------------------------------------


def chip_commands(said: bytes) -> Iterator[bytes]:
    """Bodies of the PN532's normal frames, from D4 on (UM0701-02 section 6.2.1)."""
    for found in re.finditer(rb"(?s)\x00\xff(.)(.)(?=\xd4)", said):
        length, check = found[1][0], found[2][0]
        body = said[found.end() : found.end() + length + 1]
        if (length + check) & 0xFF == 0 and len(body) == length + 1 and sum(body) & 0xFF == 0:
            yield body[:-1]


def module_commands(said: bytes) -> Iterator[bytes]:
    """Contents of the fingerprint modules' command packets (R503 manual section 5.2)."""
    for found in re.finditer(rb"(?s)\xef\x01.{4}\x01(..)", said):
        end = found.end() + int.from_bytes(found[1])
        content, check = said[found.end() : end - 2], said[end - 2 : end]
        if sum(said[found.start() + 6 : end - 2]) & 0xFFFF == int.from_bytes(check):
            yield content


def commands(said: bytes) -> list[bytes]:
    """All commands in what a host said, whatever else it said before them."""
    return [*chip_commands(said), *module_commands(said)]


class Script:
    """A device that answers as it is written, and whatever else it is told in between.

    A command is looked up whole, else by its code; an answer's turn comes after those before it.
    """

    def __init__(self, exchanges: tuple[Exchange, ...]) -> None:
        self.unasked = b"".join(bytes.fromhex(one.device) for one in exchanges if not one.host)
        self._turns: dict[bytes, deque[bytes]] = {}
        for one in exchanges:
            for command in commands(bytes.fromhex(one.host)):
                turns = self._turns.setdefault(command, deque())
                turns.extend([bytes.fromhex(one.device)] * one.times)

    def answer(self, said: bytes) -> bytes:
        return b"".join(self._next(command) for command in commands(said))

    def _next(self, command: bytes) -> bytes:
        code = command[:2] if command[0] == 0xD4 else command[:1]
        like_it = (known for known in self._turns if known.startswith(code))
        known = command if command in self._turns else next(like_it, None)
        assert known is not None, f"the capture has no answer to {command.hex(' ').upper()}"
        turns = self._turns[known]
        return turns.popleft() if len(turns) > 1 else turns[0]


def play(name: str) -> list[Any]:
    """Everything the decoder gives in a minute while the device answers by the script."""
    script = Script(CAPTURES[name].exchange)
    device = Virtual(
        scanner_decoder(profile.scanner(name)), lambda said: [(5, script.answer(said))]
    )
    device.say(script.unasked)
    return device.run(60_000)


@pytest.mark.parametrize("name", ASKED)
def test_the_talk_with_an_asked_device_comes_to_its_credentials(name: str) -> None:
    """Each card and each press once, in order, from a device that never has cause to complain."""
    given = play(name)
    scans = [one.credential for one in given if isinstance(one, Scan)]
    assert scans == list(CAPTURES[name].credentials)
    assert {one.trouble for one in given if isinstance(one, Condition)} == {""}


# --- how a model is found -------------------------------------------------------------------------


def every_profile() -> Iterator[tuple[str, profile.ScannerProfile | profile.GnssProfile]]:
    yield from ((name, profile.scanner(name)) for name in profile.known("scanners"))
    yield from ((name, profile.gnss(name)) for name in profile.known("gnss"))


PROFILES = dict(every_profile())
ASKING = [name for name, one in PROFILES.items() if one.identify.ask]


def only_asks(said: bytes) -> bool:
    """True if this is one question that changes nothing in any device on whose port it may fall.

    A wake-up and GetFirmwareVersion (D4 02) for a PN532; ReadSysPara (0F) for fingerprint modules,
    where 3C would ask some and set the light of others; a read (07) for GM65. One to another family
    is noise: neither the head nor the checksum fits.
    """
    if said.startswith(b"\x7e\x00"):  # 7E 00 | 07 | length | zone 2 | count | CRC 2
        return (
            len(said) == 9 and said[2] == 0x07 and crc_hqx(said[2:7], 0) == int.from_bytes(said[7:])
        )
    frame = said.lstrip(b"\x55\x00")
    if commands(said) == [b"\xd4\x02"]:
        return frame == bytes.fromhex("FF02FED4022A00")
    return commands(said) == [b"\x0f"] and len(said) == 12


@pytest.mark.parametrize("name", ASKING)
def test_a_question_of_a_profile_changes_nothing(name: str) -> None:
    """`edge-agent probe` says it to whatever hangs on the port."""
    assert only_asks(bytes.fromhex(PROFILES[name].identify.ask))


@pytest.mark.parametrize(
    "said",
    [
        "EF01FFFFFFFF0100030D0011",  # Empty
        "EF01FFFFFFFF0100033C0040",  # ReadProdInfo, or the light
        "EF01FFFFFFFF0100030F0014",  # wrong sum
        "EF01FFFFFFFF0100030F0013EF01FFFFFFFF0100030D0011",
        "7E00080100D95081D3",  # factory reset
        "7E000701002A02ABCD",  # unchecked
        "0000FF05FBD4140100011600",  # SAMConfiguration
        "5555000000FF02FED4022A0024504D544B3130342A33370D0A",  # a receiver's cold start behind it
        "",
    ],
)
def test_what_could_change_something_is_no_question(said: str) -> None:
    """The list of what may be asked lets nothing else through."""
    assert not only_asks(bytes.fromhex(said))


@pytest.mark.parametrize("name", PROFILES)
def test_the_expressions_of_a_profile_compile(name: str) -> None:
    """A wrong one would only show on the day when it is needed."""
    found = PROFILES[name]
    re.compile(found.identify.answer)
    if isinstance(found, profile.ScannerProfile):
        re.compile(found.text.pattern)


def words(name: str) -> list[str]:
    """What the device of a capture says that its profile should know it by."""
    capture, ask = CAPTURES[name], PROFILES[name].identify.ask
    if not ask:
        return [frame.hex for frame in capture.frame if frame.credentials]
    asked = commands(bytes.fromhex(ask)) or bytes.fromhex(ask)
    return [
        one.device
        for one in capture.exchange
        if (commands(bytes.fromhex(one.host)) or bytes.fromhex(one.host)) == asked
    ]


@pytest.mark.parametrize("name", [one for one in CAPTURES if PROFILES[one].identify.answer])
def test_the_device_of_a_capture_is_known_by_its_words(name: str) -> None:
    """Its own frame, or its answer to the question, fits the expression at a byte."""
    expression = re.compile(PROFILES[name].identify.answer)
    described = [
        said
        for said in words(name)
        if any(expression.match(said, at) for at in range(0, len(said), 2))
    ]
    assert described


def test_no_scanner_is_told_anything_when_its_port_opens() -> None:
    """Their settings survive power-off in some, and none needs any."""
    assert not any(profile.scanner(name).init for name in profile.known("scanners"))
