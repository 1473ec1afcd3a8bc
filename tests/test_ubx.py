"""u-blox frames: what they say against the signals, typed from their description and captured."""

import pytest
from gnss_words import frame, mon_hw, mon_rf, nav_status, sec_sig

from edge_agent.devices import ubx
from edge_agent.devices.gnss import GnssDecoder
from edge_agent.records import Counts, Doubt

SPOOFED, TRUE = Doubt("spoof", stands=True), Doubt("spoof", stands=False)
JAMMED, CLEAR = Doubt("jam", stands=True), Doubt("jam", stands=False)


def decode(*frames: bytes) -> tuple[list[object], Counts]:
    decoder = GnssDecoder()
    return list(decoder.feed(b"".join(frames))), decoder.counts


@pytest.mark.parametrize(
    ("said", "doubts"),
    [
        (nav_status(0), []),
        (nav_status(1), [TRUE]),
        (nav_status(2), [SPOOFED]),
        (nav_status(3), [SPOOFED]),
        (mon_hw(0), []),
        (mon_hw(1), [CLEAR]),
        (mon_hw(2), [JAMMED]),
        (mon_hw(3, 68), [JAMMED]),
        (mon_rf(0, 0), []),
        (mon_rf(), []),
        (mon_rf(1, 0), [CLEAR]),
        (mon_rf(1, 2), [JAMMED]),
        (mon_rf(3), [JAMMED]),
        (sec_sig(1, 0, 0), []),
        (sec_sig(1, 1, 1), [CLEAR, TRUE]),
        (sec_sig(1, 3, 3), [JAMMED, SPOOFED]),
        (sec_sig(1, 2, 4), [JAMMED]),
        (sec_sig(1, 2, 6), [JAMMED]),
        (sec_sig(1, 3, 3, looking=0), []),
        (sec_sig(2, 0, 0), []),
        (sec_sig(2, 1, 2), [CLEAR, SPOOFED]),
        (sec_sig(2, 2, 1), [JAMMED, TRUE]),
        (sec_sig(2, 3, 3, looking=0), []),
    ],
)
def test_a_state_is_a_doubt_only_if_it_was_looked_for(said: bytes, doubts: list[Doubt]) -> None:
    """0 is unknown, 1 none, 2 and 3 are doubts; what nobody looks for is not said to be absent."""
    assert decode(said) == (doubts, Counts())


@pytest.mark.parametrize(
    ("said", "rejected"),
    [
        (frame("0103", bytes(15)), 0),  # of no length that the message has: bytes
        (frame("0A09", bytes(61)), 0),
        (frame("0A38", bytes([0, 2, *bytes(26)])), 1),  # says two blocks, has one
        (
            frame("2709", bytes([1, 0, 0, 0, 7, 0, 0, 0, 7, *bytes(7)])),
            1,
        ),  # as long as no version 1
        (frame("2709", bytes([3, 0x3F, 0, 0])), 1),  # a version to come
        (frame("2709", bytes([2, 0x3F, 0, 5, *bytes(8)])), 1),
        (frame("0135", bytes(400)), 0),  # NAV-SAT is not ours
    ],
)
def test_a_frame_of_another_form_says_nothing(said: bytes, rejected: int) -> None:
    """Neither does it cost the frame behind it."""
    given, counts = decode(said, nav_status(2))
    assert given == [SPOOFED]
    assert counts.rejected == rejected


def test_the_answers_to_our_own_messages_are_no_noise() -> None:
    """ACK-ACK and ACK-NAK, as pyubx2 tests them and as protocols of u-blox 8 show them."""
    acknowledged = bytes.fromhex("B56205010200 0601 0F38")
    refused = frame("0500", bytes.fromhex("0601"))
    assert decode(acknowledged, refused) == ([], Counts())


def test_a_frame_needs_its_checksum() -> None:
    """Each bit of it; a bad one is noise."""
    good = nav_status(2)
    assert ubx.checksum(good[2:-2]) == good[-2:]
    for at in range(len(good)):
        bad = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]
        assert decode(bad)[0] == []


def test_no_frame_that_is_waited_for_is_longer_than_a_sentence() -> None:
    """The buffer has one bound for both."""
    assert len(mon_rf(*[1] * 8)) == ubx.MAX_FRAME <= 256
