"""Packets of fingerprint modules: what is one, whose it is, and how long the rest is waited for."""

import pytest
from decoder_cases import ef01_framer, feed, flipped, held, one_by_one, outcome, silence
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices import ef01
from edge_agent.devices.ef01 import Ack, Ef01Framer
from edge_agent.records import Counts
from edge_agent.sim import ef01 as module

BROADCAST = b"\xff" * 4
HIT = bytes.fromhex("EF01FFFFFFFF070007000011006F008E")
OK = bytes.fromhex("EF01FFFFFFFF07000300000A")
FOUND, DONE = Ack(0, bytes.fromhex("0011006F")), Ack(0)


def acknowledgement(content: bytes, pid: int = module.ACK, address: int = 0xFFFFFFFF) -> bytes:
    return module.packet(pid, content, address)


def test_an_acknowledgement_is_a_code_and_what_was_asked_for() -> None:
    """Captured from an R311: slot 17, score 111."""
    framer = ef01_framer()
    assert feed(framer, [HIT]) == [FOUND]
    assert framer.counts == Counts()


@given(content=st.binary(min_size=1, max_size=256))
def test_content_of_any_length_is_taken(content: bytes) -> None:
    """Up to the 256 bytes of the longest packet, byte by byte."""
    packet = acknowledgement(content)
    assert feed(ef01_framer(), one_by_one(packet)) == [Ack(content[0], content[1:])]


def test_a_longer_packet_is_none() -> None:
    """Its header is refused at once, not after all of it was waited for."""
    framer = ef01_framer()
    assert feed(framer, [acknowledgement(bytes(257))]) == []
    assert framer.counts.rejected >= 1
    assert held(framer) == 0


def test_several_acknowledgements_to_one_command_are_all_given() -> None:
    """As an R503 says the 15 steps of AutoEnroll."""
    steps = [Ack(0, bytes([step, 0])) for step in range(1, 16)]
    said = b"".join(acknowledgement(bytes([0, step, 0])) for step in range(1, 16))
    assert feed(ef01_framer(), [said]) == steps


@pytest.mark.parametrize(
    "packet",
    [
        HIT[:-1] + b"\x8f",
        acknowledgement(b"\x00", pid=module.DATA),
        acknowledgement(b"\x00", pid=module.LAST_DATA),
        acknowledgement(b"\x00", address=0xFFFFFFFE),
        ef01.command(b"\x01", BROADCAST),
        bytes.fromhex("EF01FFFFFFFF0700020009"),
        bytes.fromhex("EF01FFFFFFFF0300030000000006"),
    ],
    ids=["sum", "data", "last data", "another's", "a command", "no content", "unknown kind"],
)
def test_what_is_no_acknowledgement_of_ours_is_counted(packet: bytes) -> None:
    """It costs the next one nothing."""
    framer = ef01_framer()
    assert outcome(framer, [packet]) == []
    assert framer.counts.rejected >= 1
    assert outcome(ef01_framer(), [packet + HIT]) == [FOUND]


def test_a_module_with_an_address_of_its_own_is_heard() -> None:
    """And no other then."""
    framer = Ef01Framer(bytes.fromhex("00000001"))
    assert list(framer.feed(acknowledgement(b"\x00", address=1) + OK)) == [DONE]
    assert framer.rejected == 1


def test_debug_text_before_an_acknowledgement_is_noise() -> None:
    """GBK text and numbers, as an R311 prints them."""
    text = bytes.fromhex("E3D0D6B53D36342C205765743D33322C204472793D3332200A")
    framer = ef01_framer()
    assert feed(framer, one_by_one(text + OK)) == [DONE]
    assert framer.counts == Counts(noise=len(text))


def test_a_start_code_can_begin_with_the_end_of_noise() -> None:
    """EF EF 01: the first one is noise."""
    assert feed(ef01_framer(), one_by_one(b"\xef" + OK)) == [DONE]
    assert outcome(ef01_framer(), [b"\xef\x01" + OK]) == [DONE]


@pytest.mark.parametrize("length", [3, 40, 258])
def test_a_header_that_lies_holds_the_next_packet_no_longer_than_silence(length: int) -> None:
    """It is possible, but what it announces never comes."""
    framer = ef01_framer()
    heard = feed(framer, [HIT[:7] + length.to_bytes(2, "big") + OK])
    assert heard + silence(framer) == [DONE]
    assert held(framer) == 0


@pytest.mark.parametrize("place", range(len(HIT)))
def test_a_packet_that_lost_a_byte_is_no_packet(place: int) -> None:
    """And the next one is read."""
    short = HIT[:place] + HIT[place + 1 :]
    assert outcome(ef01_framer(), [short]) == []
    assert outcome(ef01_framer(), [short + OK])[-1:] == [DONE]


def test_a_flipped_bit_makes_no_other_acknowledgement() -> None:
    """The address has no sum, but is held against ours."""
    for good in (HIT, OK):
        for damaged in flipped(good):
            assert outcome(ef01_framer(), [damaged]) == [], damaged.hex()


def test_commands_are_framed_as_captured() -> None:
    """ReadSysPara and a breathing cyan ring; the sum leaves the address out."""
    assert ef01.command(b"\x0f", BROADCAST).hex() == "ef01ffffffff0100030f0013"
    light = ef01.command(bytes.fromhex("3501500600"), BROADCAST)
    assert light.hex() == "ef01ffffffff01000735015006000094"
    assert ef01.command(b"\x0f", bytes(4))[6:] == ef01.command(b"\x0f", BROADCAST)[6:]


@given(content=st.binary(min_size=1, max_size=30), address=st.integers(0, 0xFFFFFFFF))
def test_the_module_understands_every_command(content: bytes, address: int) -> None:
    """Taken apart by the other end's own code."""
    told = ef01.command(content, address.to_bytes(4, "big"))
    assert module.take(bytearray(told)) == module.Packet(address, module.COMMAND, content)
