"""Every vector of the wire, whole and damaged, against the decoder of its device.

Where a frame has a checksum, whatever is done to the bytes, only a record that stands in them with
its checksum right may come out; sums of 8 and 16 bits and XOR find every single flipped bit. Lines
and the frames of QR modules have none: a flipped bit may be another number of the same form, which
nothing at the terminal can tell; the roster does not know it. There only the form is held.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import xor
from random import Random
from typing import Any

import pytest
from conftest import shared
from decoder_cases import (
    VECTORS,
    ef01_framer,
    feed,
    flipped,
    hsu_framer,
    one_by_one,
    outcome,
)

from edge_agent import profile
from edge_agent.devices import Decoder, ef01, hsu, scanner_decoder
from edge_agent.devices.ef01 import Ack
from edge_agent.devices.hsu import Frame, Kind
from edge_agent.devices.pn532 import read_type_a, read_type_b
from edge_agent.records import Scan
from edge_agent.sim import ef01 as module
from edge_agent.sim import pn532_frames as chip

Vector = Mapping[str, Any]


@dataclass(frozen=True)
class Device:
    """How to ask something of the decoder of a device.

    Attributes:
        stands: whether a record stands in these bytes, with its checksum if there is one.
        good: a frame, and what it says.
        ahead: the end of the line before, where a line has no beginning.
    """

    make: Callable[[], Decoder[Any]]
    stands: Callable[[Any, bytes], bool]
    good: tuple[bytes, Any]
    ahead: bytes = b""
    has_sum: bool = True


def _card_stands(scan: Scan, data: bytes) -> bool:
    check = reduce(xor, bytes.fromhex(scan.value))
    return f"\x02{scan.value}{check:02X}".encode() in data.upper()


def _frame_stands(frame: Frame, data: bytes) -> bool:
    whole = {Kind.ACK: chip.ACK, Kind.NACK: chip.NACK, Kind.ERROR: chip.SYNTAX_ERROR}
    if frame.kind is Kind.ANSWER:
        return chip.frame(bytes([0xD5, frame.code]) + frame.data)[1:] in data
    return whole[frame.kind][1:] in data


def _ack_stands(ack: Ack, data: bytes) -> bool:
    return module.packet(module.ACK, bytes([ack.code]) + ack.data, 0xFFFFFFFF) in data


def _text_stands(scan: Scan, data: bytes) -> bool:
    """Its characters stand in this order: controls, and answers between them, are cut out."""
    texts = (data.decode("latin-1"), data.decode("utf-8", "ignore"))
    rests = [iter(text.upper()) for text in texts]
    return any(all(sign in rest for sign in scan.value.upper()) for rest in rests)


def _scanner(model: str) -> Callable[[], Decoder[Any]]:
    found = profile.scanner(model)
    return lambda: scanner_decoder(found)


_EM4100 = (b"\x0201000734E0D2\x03", Scan("em4100", "01000734E0"))
DEVICES = {
    "rdm6300": Device(_scanner("rdm6300"), _card_stands, _EM4100),
    "id12": Device(_scanner("id12la"), _card_stands, _EM4100),
    "parallax": Device(
        _scanner("parallax-28140"),
        _text_stands,
        (b"\n01000734E0\r", Scan("em4100", "01000734E0")),
        has_sum=False,
    ),
    "pn532": Device(
        hsu_framer,
        _frame_stands,
        (bytes.fromhex("0000FF02FED5151600"), Frame(Kind.ANSWER, 0x15)),
    ),
    "fingerprint": Device(
        ef01_framer, _ack_stands, (bytes.fromhex("EF01FFFFFFFF0700030A0014"), Ack(0x0A))
    ),
    "gm65": Device(
        _scanner("gm65"), _text_stands, (b"6381333931\r", Scan("qr", "6381333931")), b"\r", False
    ),
}


def _said(vector: Vector) -> list[Any]:
    """The records that a device's words are."""
    dev, expect, data = vector["dev"], vector["expect"], bytes.fromhex(vector["hex"])
    if "reject" in expect or expect.keys() & {"handshake", "truncated", "ok"}:
        return []
    if dev in ("rdm6300", "id12", "parallax"):
        value = expect.get("id5", data[1:11].decode())
        return [Scan("em4100", value)] if int(value, 16) else []
    if dev == "pn532":
        return [_frame(one, data) for one in expect["frames"]]
    if dev == "gm65":
        return [Scan("qr", expect["code"])]
    packets = bytearray(data)
    taken = [module.take(packets) for _ in range(expect.get("frames", 1))]
    return [Ack(one.content[0], one.content[1:]) for one in taken if one]


def _frame(said: Any, data: bytes) -> Frame:
    """A frame as the vectors write it; of some they give only the code."""
    if said == "ACK":
        return Frame(Kind.ACK)
    end = data.rindex(bytes([0xD5, int(said["resp"], 16)]))
    content = bytes.fromhex(said["data"]) if "data" in said else data[end + 2 : -2]
    return Frame(Kind.ANSWER, int(said["resp"], 16), content)


def _is_told(vector: Vector) -> bool:
    """Whether it is the host that says it."""
    expect = vector["expect"]
    return bool(expect.keys() & {"tx", "cmd", "type"}) and "frames" not in expect


def load() -> list[Vector]:
    """Those typed in, and those of the shared folder if it is there."""
    try:
        text = shared("devices/vectors.json").read_text(encoding="utf-8")
    except pytest.skip.Exception:
        return list(VECTORS)
    return [*VECTORS, *json.loads(text)]


def _of(vectors: list[Vector]) -> Any:
    names = [f"{one['dev']} {one['name']}" for one in vectors]
    return pytest.mark.parametrize("vector", vectors, ids=names)


ALL = load()
TOLD = [one for one in ALL if _is_told(one)]
PAYLOADS = [one for one in ALL if "payload_only" in one["expect"]]
SAID = [one for one in ALL if one not in TOLD and one not in PAYLOADS]
every_word_of_a_device = _of(SAID)


def _sound(vector: Vector, data: bytes, records: list[Any]) -> list[Any]:
    """The records, each of which must stand in the bytes."""
    stands = DEVICES[vector["dev"]].stands
    assert [one for one in records if not stands(one, data)] == [], data.hex()
    return records


def test_every_vector_of_the_shared_folder_is_used() -> None:
    """Each is something that is said, something that is told, or a part of an answer."""
    vectors = json.loads(shared("devices/vectors.json").read_text(encoding="utf-8"))
    said, told, part = ([one for one in vectors if one in of] for of in (SAID, TOLD, PAYLOADS))
    assert len(said) + len(told) + len(part) == len(vectors) >= 84
    assert len(said) >= 55
    assert len(told) >= 28
    assert len(part) >= 1
    assert {one["dev"] for one in vectors} == DEVICES.keys()


@every_word_of_a_device
def test_whole_and_byte_by_byte_it_says_what_it_says(vector: Vector) -> None:
    """In one read, in as many as there are bytes, and in two, cut anywhere."""
    data, records = bytes.fromhex(vector["hex"]), _said(vector)
    device = DEVICES[vector["dev"]]
    for parts in ([data], one_by_one(data)):
        assert outcome(device.make(), parts) == records
    for cut in range(1, len(data)):
        assert outcome(device.make(), [data[:cut], data[cut:]]) == records


@every_word_of_a_device
def test_two_frames_in_one_read_are_two(vector: Vector) -> None:
    """The same twice, and another one before and after."""
    data, records = bytes.fromhex(vector["hex"]), _said(vector)
    device = DEVICES[vector["dev"]]
    good, right = device.good
    assert outcome(device.make(), [data + data]) == records * 2
    assert outcome(device.make(), [data + good]) == [*records, right]
    assert outcome(device.make(), [good + data]) == [right, *records]


@every_word_of_a_device
def test_noise_before_it_costs_nothing(vector: Vector) -> None:
    """Behind 1 to 40 random bytes, some of them its own in disorder, or its own beginning."""
    data, records = bytes.fromhex(vector["hex"]), _said(vector)
    device = DEVICES[vector["dev"]]
    chance = Random(vector["hex"])
    for size in range(1, 41):
        for noise in (
            chance.randbytes(size),
            bytes(chance.choices(data, k=size)),
            chance.randbytes(size - 1) + data[: max(1, size % len(data))],
        ):
            stream = noise[-40:] + device.ahead + data
            heard = _sound(vector, stream, outcome(device.make(), [stream]))
            assert heard[len(heard) - len(records) :] == records, stream.hex()


@every_word_of_a_device
def test_cut_short_anywhere_it_costs_the_next_nothing(vector: Vector) -> None:
    """Truncated at every position, then a good frame; half of it is nothing, or half a line."""
    data, records = bytes.fromhex(vector["hex"]), _said(vector)
    device = DEVICES[vector["dev"]]
    good, right = device.good
    for cut in range(len(data)):
        stream = data[:cut] + device.ahead + good
        *others, last = _sound(vector, stream, outcome(device.make(), [stream]))
        assert last == right, stream.hex()
        if device.has_sum:
            assert others == records[: len(others)], stream.hex()


@every_word_of_a_device
def test_one_flipped_bit_is_never_another_credential(vector: Vector) -> None:
    """The same records or fewer; what was refused may be healed; a line may be another line.

    And whatever it was, the next frame is read.
    """
    data, records = bytes.fromhex(vector["hex"]), _said(vector)
    device = DEVICES[vector["dev"]]
    good, right = device.good
    for damaged in flipped(data):
        heard = _sound(vector, damaged, outcome(device.make(), [damaged]))
        if device.has_sum and "reject" not in vector["expect"]:
            assert [one for one in heard if one not in records] == [], damaged.hex()
            assert len(heard) <= len(records)
        stream = damaged + device.ahead + good
        assert outcome(device.make(), [stream])[-1] == right, stream.hex()


@_of(TOLD)
def test_what_the_host_says_is_no_word_of_a_device(vector: Vector) -> None:
    """An echo, or a wire that is crossed: nothing comes of it, and the next frame is read."""
    data, device = bytes.fromhex(vector["hex"]), DEVICES[vector["dev"]]
    good, right = device.good
    decoder = device.make()
    assert outcome(decoder, [data]) == []
    assert decoder.counts.rejected + decoder.counts.noise > 0
    assert outcome(device.make(), [data + device.ahead + good]) == [right]


@_of([one for one in TOLD if one["dev"] != "gm65"])
def test_we_say_it_in_the_same_bytes(vector: Vector) -> None:
    """Our encoders make of code and parameters what was captured."""
    data, expect = bytes.fromhex(vector["hex"]), vector["expect"]
    if vector["dev"] == "pn532":
        parameters = bytes.fromhex(expect["params"])
        assert hsu.command(int(expect["cmd"], 16), parameters) == data
        return
    sizes = {"buf": 1, "page": 2, "n": 2, "ctrl": 1, "speed": 1, "color": 1, "times": 1}
    named = [expect[name].to_bytes(size, "big") for name, size in sizes.items() if name in expect]
    content = bytes.fromhex(expect["cmd"]) + b"".join(named or [data[10:-2]])
    assert ef01.command(content, b"\xff" * 4) == data


@_of([one for one in ALL if one["expect"].keys() & {"uid", "pupi"}])
def test_the_card_of_an_answer_is_named_whole(vector: Vector) -> None:
    """UID or PUPI, as the vector reads it, from an answer to InListPassiveTarget."""
    expect, target = vector["expect"], bytes.fromhex(vector["hex"])
    if "payload_only" not in expect:
        (*_, frame) = feed(hsu_framer(), [target])
        target = frame.data[1:] if frame.code == 0x4B else frame.data[3:]
    if "pupi" in expect:
        assert read_type_b(b"\x01" + target) == Scan("14443b", expect["pupi"])
        return
    card = read_type_a(b"\x01" + target)
    assert card is not None
    assert (card.technology, card.value) == ("14443a", expect["uid"])
    kinds = {"00": "ultralight", "08": "classic", "28": "smart", "20": "desfire"}
    assert card.card == kinds[expect["sel_res"]] if "sel_res" in expect else True
