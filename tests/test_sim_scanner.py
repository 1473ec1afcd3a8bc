"""The frames of the simulated scanners, against captured ones."""

import io
from functools import reduce
from operator import xor

import pytest

from edge_agent.sim import scanner
from edge_agent.sim.wire import Line, Wire

CARD = "3C00CE754C"

# Digits, checksum and frame as captured or printed in a datasheet.
RDM6300_FRAMES = [
    pytest.param("62E3086CED", "0236324533303836434544303803", id="RDM630-Spec, first example"),
    pytest.param("01000734E0", "0230313030303733344530443203", id="Seeed wiki, second example"),
    pytest.param("3C00CE754C", "0233433030434537353443434203", id="Stack Overflow 11848921"),
    pytest.param("67003B51C6", "0236373030334235314336434203", id="mad-tinkerer/python-rdm6300"),
    pytest.param("1F00644BB6", "0231463030363434424236383603", id="HB-UNI-Sen-RFID-RC issue 3"),
]
ID12LA_FRAMES = [
    pytest.param("62E3086CED", "023632453330383643454430380D0A03", id="RDM630-Spec's card"),
    pytest.param("3C00CE754C", "023343303043453735344343420D0A03", id="Stack Overflow's card"),
]


@pytest.mark.parametrize(("card", "frame"), RDM6300_FRAMES)
def test_an_rdm6300_frame_is_the_captured_one(card: str, frame: str) -> None:
    """Byte for byte, from the card's ten digits."""
    assert scanner.rdm6300_frame(card) == bytes.fromhex(frame)
    assert scanner.rdm6300_frame(card.lower()) == bytes.fromhex(frame)


@pytest.mark.parametrize(("card", "frame"), ID12LA_FRAMES)
def test_an_id12la_frame_has_cr_lf_before_the_etx(card: str, frame: str) -> None:
    """Sixteen bytes."""
    assert scanner.id12la_frame(card) == bytes.fromhex(frame)


@pytest.mark.parametrize("card", ["", "3C00CE754", "3C00CE754C00", "3C00CE754G", "3C 00 CE 75"])
def test_a_card_that_is_not_ten_hex_digits_is_refused(card: str) -> None:
    """No frame is made up."""
    with pytest.raises(ValueError, match=r"hex"):
        scanner.rdm6300_frame(card)


def test_phantoms_have_a_right_checksum() -> None:
    """Which is why a checksum cannot tell them from cards."""
    for digits in scanner.PHANTOMS:
        *card, checksum = bytes.fromhex(digits)
        assert reduce(xor, card) == checksum


def test_noise_comes_before_the_frame_and_is_the_same_for_a_seed() -> None:
    """The frame itself stays whole."""
    said: list[bytes] = []
    for _ in range(2):
        out = io.BytesIO()
        line = Line(out.write, Wire(noise=40), seed=7)
        for _ in range(10):
            line.send(scanner.rdm6300_frame(CARD))
        said.append(out.getvalue())
    assert said[0] == said[1]
    assert said[0].count(scanner.rdm6300_frame(CARD)) == 10
    assert len(said[0]) > 10 * 14
