"""EM4100 frames, as captured and as the data sheets print them."""

import json

import pytest
from conftest import shared

from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.records import Counts, Scan

#: Frame, and the five bytes of the card. Sources as ids.
FRAMES = [
    pytest.param("0236324533303836434544303803", "62E3086CED", id="RDM630-Spec"),
    pytest.param("0230313030303733344530443203", "01000734E0", id="Seeed wiki"),
    pytest.param("0233433030434537353443434203", "3C00CE754C", id="Stack Overflow 11848921"),
    pytest.param("0236373030334235314336434203", "67003B51C6", id="python-rdm6300 test_reader"),
    pytest.param("0231463030363434424236383603", "1F00644BB6", id="HB-UNI-Sen-RFID-RC issue 3"),
    pytest.param("0230304630303030304630303003", "00F00000F0", id="esp-rfid issue 411, phantom"),
    pytest.param("0234464642333838464646464303", "4FFB388FFF", id="Tasmota issue 9522, phantom"),
    pytest.param("023632453330383643454430380D0A03", "62E3086CED", id="ID-12LA layout"),
    pytest.param("023343303043453735344343420D0A03", "3C00CE754C", id="ID-12LA layout, real card"),
]
RIGHT = bytes.fromhex("0233433030434537353443434203")


def decode(data: bytes) -> tuple[list[str], Counts]:
    decoder = Em4100Decoder()
    return [scan.value for scan in decoder.feed(data)], decoder.counts


@pytest.mark.parametrize(("frame", "card"), FRAMES)
def test_a_frame_gives_its_card(frame: str, card: str) -> None:
    """Five bytes as upper-case hex, version first; nothing is counted against it."""
    decoder = Em4100Decoder()
    assert list(decoder.feed(bytes.fromhex(frame))) == [Scan("em4100", card)]
    assert decoder.counts == Counts()


def test_a_credential_is_technology_and_value() -> None:
    """The one form in which a card is spoken of."""
    (scan,) = Em4100Decoder().feed(RIGHT)
    assert scan.credential == "em4100:3C00CE754C"


def test_lower_case_digits_are_the_same_card() -> None:
    """Some modules print lower case."""
    assert decode(b"\x023c00ce754ccb\x03")[0] == ["3C00CE754C"]


def test_a_wrong_checksum_is_rejected() -> None:
    """Captured: python-rdm6300's bad frame, one bit off the right one."""
    cards, counts = decode(bytes.fromhex("0236383030334235314336434203"))
    assert cards == []
    assert counts.rejected == 1


def test_number_zero_is_no_card() -> None:
    """The phantom whose checksum is right and whose every digit is zero."""
    cards, counts = decode(b"\x02000000000000\x03")
    assert cards == []
    assert counts.rejected == 1


def test_a_rejected_frame_does_not_cost_the_next() -> None:
    """The search resumes one byte on, and finds the frame that begins right after."""
    assert decode(b"\x0268003B51C6CB\x03" + RIGHT)[0] == ["3C00CE754C"]


def test_a_start_inside_a_frame_begins_anew() -> None:
    """A frame cut short by the next one costs only itself."""
    for cut in range(1, len(RIGHT)):
        assert decode(RIGHT[:cut] + RIGHT)[0] == ["3C00CE754C"]


@pytest.mark.parametrize(
    "frame",
    [
        b"\x023C00CE754CC\x03",
        b"\x023C00CE754CCB0\x03",
        b"\x023C00CE754GCB\x03",
        b"\x023C00CE754CCB\n\r\x03",
        b"\x023C00CE754CCB\r\n\r\n\x03",
        b"\x02 3C00CE754CCB\x03",
        b"3C00CE754CCB\x03",
        b"\x023C00CE754CCB",
    ],
)
def test_what_only_resembles_a_frame_is_noise(frame: bytes) -> None:
    """Too short, too long, a wrong digit, a wrong end, no start, no end."""
    assert decode(frame + b"\xff")[0] == []


def test_bytes_outside_frames_are_counted_as_noise() -> None:
    """So that a technician sees a wrong baud rate in the status."""
    assert decode(b"\xff" * 7 + RIGHT + b"\x00" * 5)[1] == Counts(noise=12)


def test_a_held_card_repeats_its_frame() -> None:
    """Every frame is a scan of its own; what they mean is not the decoder's business."""
    assert decode(RIGHT * 5)[0] == ["3C00CE754C"] * 5


def test_what_was_half_there_is_dropped_when_the_wire_was_cut() -> None:
    """Half a frame before, half after: no card, and the next one is whole."""
    decoder = Em4100Decoder()
    assert list(decoder.feed(RIGHT[:8])) == []
    decoder.restart()
    assert list(decoder.feed(RIGHT[8:])) == []
    assert list(decoder.feed(RIGHT)) == [Scan("em4100", "3C00CE754C")]
    assert decoder.counts == Counts(noise=14)


def test_the_collected_vectors_decode_as_they_say() -> None:
    """Every RDM6300 and ID-12 vector of the shared folder."""
    vectors = json.loads(shared("devices/vectors.json").read_text(encoding="utf-8"))
    mine = [one for one in vectors if one["dev"] in ("rdm6300", "id12")]
    assert len(mine) >= 13
    for one in mine:
        cards, counts = decode(bytes.fromhex(one["hex"]))
        expect = one["expect"]
        if not one["checksum_ok"] or one["payload"] == "0" * 12:
            assert cards == []
            assert counts.rejected == 1
            continue
        assert cards == [one["payload"][:10]]
        (card,) = cards
        assert card == expect.get("id5", card)
        assert int(card[2:], 16) == expect.get("dec_4byte", int(card[2:], 16))
        assert int(card[:2], 16) == expect.get("version", int(card[:2], 16))
        assert f"{int(card[2:], 16):010}" == expect.get("printed", f"{int(card[2:], 16):010}")
