"""Frames of the PN532: what is one, what is counted, and how long the rest is waited for."""

import pytest
from decoder_cases import feed, flipped, held, hsu_framer, one_by_one, outcome, silence
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices import hsu
from edge_agent.devices.hsu import Frame, Kind
from edge_agent.records import Counts
from edge_agent.sim import pn532_frames as chip

ACK = bytes.fromhex("0000FF00FF00")
FIRMWARE = bytes.fromhex("0000FF06FAD50332010607E800")
NTAG = bytes.fromhex("0000FF0FF1D54B0101004400070416C6C2D738816100")
VERSION = Frame(Kind.ANSWER, 0x03, bytes.fromhex("32010607"))
CARD = Frame(Kind.ANSWER, 0x4B, bytes.fromhex("0101004400070416C6C2D73881"))


def framed(body: bytes) -> bytes:
    """A normal frame around TFI, code and data, with right sums."""
    return (
        b"\x00\x00\xff"
        + bytes([len(body), -len(body) & 0xFF])
        + body
        + bytes([-sum(body) & 0xFF, 0])
    )


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        (ACK, Frame(Kind.ACK)),
        (bytes.fromhex("0000FFFF0000"), Frame(Kind.NACK)),
        (bytes.fromhex("0000FF01FF7F8100"), Frame(Kind.ERROR)),
        (FIRMWARE, VERSION),
        (FIRMWARE[1:], VERSION),
        (bytes(20) + FIRMWARE + bytes(20), VERSION),
        (bytes.fromhex("0000FFFFFF0006FAD50332010607E800"), VERSION),
        (framed(b"\xd5\x15"), Frame(Kind.ANSWER, 0x15)),
    ],
    ids=["ack", "nack", "error", "normal", "one zero", "filling", "extended", "no data"],
)
def test_each_kind_of_frame_is_known(data: bytes, frame: Frame) -> None:
    """Extended frames may be short, and zeros around a frame are nothing (UM0701-02, 6.2.1)."""
    framer = hsu_framer()
    assert feed(framer, [data]) == [frame]
    assert framer.counts == Counts()


@pytest.mark.parametrize("size", [2, 254, 255, 256, 265])
def test_a_frame_of_any_length_is_taken(size: int) -> None:
    """As the chip makes them: normal up to 255 bytes, extended up to 265."""
    body = bytes([0xD5, 0x4B]) + bytes(n & 0xFF for n in range(size - 2))
    frames = feed(hsu_framer(), one_by_one(chip.frame(body)))
    assert frames == [Frame(Kind.ANSWER, 0x4B, body[2:])]


def test_a_longer_frame_is_none() -> None:
    """266 bytes: its header is refused at once, not after all of it was waited for."""
    framer = hsu_framer()
    assert feed(framer, [chip.frame(bytes([0xD5]) + bytes(265))]) == []
    assert framer.counts.rejected >= 1
    assert held(framer) <= 1


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("0000FF04FBD5013435368B00"),
        bytes.fromhex("0000FF05FBD5013435368A00"),
        bytes.fromhex("0000FF05FBD6013435368A00"),
        bytes.fromhex("0000FFFFFF0006FBD50332010607E800"),
        framed(b"\xd5"),
        framed(b"\x7e"),
        hsu.command(0x4A, b"\x01\x00"),
    ],
    ids=["LCS", "DCS", "TFI", "extended LCS", "no code", "no error", "a command"],
)
def test_what_does_not_add_up_is_counted_and_costs_the_next_nothing(data: bytes) -> None:
    """Nor is what the host itself says, as an echo, an answer."""
    framer = hsu_framer()
    assert outcome(framer, [data]) == []
    assert framer.counts.rejected >= 1
    assert outcome(hsu_framer(), [data + FIRMWARE]) == [VERSION]


def test_an_ack_and_an_answer_in_one_read_are_two_frames() -> None:
    """Also split anywhere, as the DFR0231 captures show both."""
    both = ACK + FIRMWARE
    for cut in range(len(both) + 1):
        framer = hsu_framer()
        assert feed(framer, [part for part in (both[:cut], both[cut:]) if part]) == [
            Frame(Kind.ACK),
            VERSION,
        ]
        assert framer.counts == Counts()


@pytest.mark.parametrize("size", [1, 40, 255, 265])
def test_a_header_that_lies_holds_the_next_frame_no_longer_than_silence(size: int) -> None:
    """It is right in itself, but what it announces never comes."""
    head = chip.frame(bytes(size))[: 5 if size < 256 else 8]
    framer = hsu_framer()
    heard = feed(framer, [head + ACK])
    assert heard + silence(framer) == [Frame(Kind.ACK)]
    assert held(framer) == 0


@pytest.mark.parametrize("place", range(5, len(NTAG) - 2))
def test_a_frame_that_lost_a_byte_is_no_frame(place: int) -> None:
    """Not even a zero, which changes no sum: the filling then stands where the sum should."""
    short = NTAG[:place] + NTAG[place + 1 :]
    assert outcome(hsu_framer(), [short]) == []
    with_zero = bytes.fromhex("D54B0101004400070416C600D73881")  # a UID with a zero
    assert outcome(hsu_framer(), [framed(with_zero).replace(b"\xc6\x00\xd7", b"\xc6\xd7")]) == []


def test_a_flipped_bit_makes_no_other_frame() -> None:
    """Nor an acknowledgement of an error, although those have no sum."""
    for good in (FIRMWARE, NTAG, ACK, bytes.fromhex("0000FF01FF7F8100"), chip.NACK):
        (right,) = feed(hsu_framer(), [good])
        for damaged in flipped(good):
            assert outcome(hsu_framer(), [damaged]) in ([], [right]), damaged.hex()


def test_commands_are_framed_as_captured() -> None:
    """SAMConfiguration, GetFirmwareVersion and InListPassiveTarget, from public captures."""
    assert hsu.command(0x14, bytes.fromhex("010001")).hex() == "0000ff05fbd4140100011600"
    assert hsu.command(0x02).hex() == "0000ff02fed4022a00"
    assert hsu.command(0x4A, b"\x01\x00").hex() == "0000ff04fcd44a0100e100"


@given(code=st.integers(0, 255), data=st.binary(max_size=253))
def test_the_chip_understands_every_command(code: int, data: bytes) -> None:
    """Taken apart by the other end's own code."""
    assert chip.take(bytearray(hsu.command(code, data))) == bytes([0xD4, code]) + data
