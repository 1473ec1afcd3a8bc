"""Which profiles fit a port that talks by itself: pure, from bytes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from conftest import shared

from edge_agent.profile import Identify, ScannerProfile
from edge_agent.sim import scanner
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.sentences import sentence
from edge_agent.technician.ear import Ear, speeds
from edge_agent.technician.model import Finding, Model, Sure, models

MODELS = models(print)
CARD = "3C00CE754C"
RDM6300 = scanner.rdm6300_frame(CARD)
ID12LA = scanner.id12la_frame(CARD)
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)


def sky(*, clear: bool) -> bytes:
    """What a receiver says in a second."""
    receiver = GnssReceiver(-5.36944, 122.69396)
    receiver.sky = clear
    return receiver.sentences(NOON)


def understood(data: bytes, baud: int | None = 9600, usb: str = "", step_ms: int = 65) -> Finding:
    """What is found in bytes that come in pieces of a frame, each so long after the other."""
    found = listen(data, baud, usb, step_ms)
    assert found is not None
    return found


def listen(data: bytes, baud: int | None, usb: str = "", step_ms: int = 65) -> Finding | None:
    ear = Ear(MODELS)
    size = len(ID12LA) if ID12LA in data else len(RDM6300)
    for at in range(0, len(data), size):
        ear.hear(data[at : at + size], 1_000_000 + at // size * step_ms)
    ear.hear(b"", 2_000_000)
    return ear.finding(baud, usb)


def names(found: Finding) -> list[str]:
    return [one.model.name for one in found.candidates]


def model(name: str) -> Model:
    return next(one for one in MODELS if one.name == name)


def test_a_card_said_again_and_again_is_certainly_an_rdm6300() -> None:
    """Its own frames, as fast as it repeats them; the number is shown to be compared."""
    found = understood(RDM6300 * 4)
    assert found.sure is Sure.CERTAIN
    assert names(found)[0] == "rdm6300"
    assert "4 times" in found.why
    assert found.candidates[0].reads == ("em4100:3C00CE754C",)
    assert found.candidates[0].baud is None


def test_frames_of_another_shape_are_another_model() -> None:
    """An ID-12LA puts CR and LF before the ETX; a second presentation makes it certain."""
    found = understood(ID12LA * 2, step_ms=1500)
    assert found.sure is Sure.CERTAIN
    assert names(found)[:2] == ["id12la", "rdm6300"]


def test_one_frame_is_probable_only() -> None:
    """Phantoms have the right checksum, too."""
    assert understood(ID12LA).sure is Sure.PROBABLE
    assert names(understood(ID12LA))[0] == "id12la"


def test_different_cards_once_each_are_no_proof() -> None:
    """A module that invents cards says another one each time."""
    other = scanner.rdm6300_frame("62E3086CED")
    assert understood(RDM6300 + other).sure is Sure.PROBABLE


def test_a_receiver_is_certain_with_and_without_sky() -> None:
    """Indoors there is no fix, but every sentence adds up."""
    clear, roof = understood(sky(clear=True) * 2), understood(sky(clear=False))
    for found in (clear, roof):
        assert found.sure is Sure.CERTAIN
        assert names(found)[0] == "nmea"
    assert "and a fix" in clear.why
    assert "no fix yet" in roof.why


def test_a_receiver_at_another_speed_gets_a_line_for_it() -> None:
    """38400 is the speed of M9 and M10, which come first then, but not of the profile nmea."""
    found = understood(sky(clear=True), baud=38400)
    speed = {one.model.name: one.baud for one in found.candidates}
    assert names(found)[0] == "ublox-m9"
    assert speed["nmea"] == 38400
    assert speed["ublox-m9"] is None


@pytest.mark.parametrize("baud", [9600, 115200])
def test_a_receiver_is_any_receiver_unless_more_is_known(baud: int) -> None:
    """115200 is also the speed of a modem's port, of which the profile describes no words."""
    assert names(understood(sky(clear=True), baud=baud))[0] == "nmea"


def test_sentences_that_do_not_add_up_are_no_receiver() -> None:
    """One bit of each is wrong."""
    found = understood(sky(clear=True).replace(b"$G", b"$W"))
    assert found.sure is Sure.PROBABLE
    assert "nmea" not in names(found)


def test_a_receiver_that_says_its_name_is_that_model() -> None:
    """The banner of a u-blox after power-on, at the speed that it shares with most."""
    banner = sentence("GPTXT,01,01,02,u-blox ag - www.u-blox.com")
    assert names(understood(banner + sky(clear=True)))[0] == "ublox-m8"


def test_one_sentence_that_adds_up_by_chance_is_no_receiver() -> None:
    """One byte in 256 fits."""
    assert listen(b"\x80" * 20 + sentence("GPXYZ,1") + b"\x80" * 20, 9600) is None


def test_a_printed_number_is_shown_as_each_profile_reads_it() -> None:
    """Ten digits can be meant in many ways; the technician holds the card and knows."""
    found = understood(b"0013530444\r\n")
    assert found.sure is Sure.PROBABLE
    reads = {one.model.name: one.reads for one in found.candidates}
    assert reads["usb-dec10"] == ("em4100:00CE754C",)
    assert reads["text-line"] == ("text:0013530444",)
    assert reads["usb-dec10-le"] != reads["usb-dec10"]
    assert "rdm6300" not in reads
    assert "usb-hex" not in reads


def test_a_profile_that_says_more_comes_before_one_that_takes_anything() -> None:
    """`text-line` and the QR modules take any line."""
    found = names(understood(b"3C00CE754C\r\n", step_ms=1))
    assert found.index("text-line") > 0
    hexes = names(understood(b"04C63A63110189\r\n", step_ms=1))
    assert hexes[0] in ("usb-hex", "usb-hex-rev")


def test_a_line_of_another_shape_than_the_profile_describes_is_not_that_model() -> None:
    """A Parallax reader begins its lines with LF."""
    assert "parallax-28140" not in names(understood(b"3C00CE754C\r\n"))
    assert "parallax-28140" in names(understood(b"\n3C00CE754C\r"))


def test_a_reader_most_of_whose_lines_are_refused_is_another_model() -> None:
    """One line that fits among many that do not."""
    found = understood(b"pegawai 17\r\n" * 5 + b"0013530444\r\n")
    assert "usb-dec10" not in names(found)


def test_a_frame_with_a_checksum_comes_before_a_line_without() -> None:
    """The frame of an RDM6300 is a line to readers of text; `zz` describes nothing."""
    ear = Ear([model("text-line"), Model("zz", ScannerProfile("em4100", 9600))])
    ear.hear(ID12LA, 0)
    found = ear.finding(9600)
    assert found is not None
    assert names(found)[0] == "zz"


def test_a_frame_in_much_noise_is_no_reader() -> None:
    """Who searches long enough finds a right checksum."""
    assert listen(bytes([0x80]) * 100 + RDM6300, 9600) is None


@pytest.mark.parametrize("noise", [b"\xe9\xf3\xe8\xfa\xf1\r" * 3, b"7\r", b"OK\r\n"])
def test_what_only_ends_like_a_line_is_none(noise: bytes) -> None:
    """To a decoder of QR codes every byte may be a letter."""
    assert listen(noise, 9600) is None


def test_a_qr_code_is_probably_of_a_qr_module() -> None:
    """Blanks and slashes are in no card's number."""
    assert names(understood(b"https://baubau.example/pegawai 17\r"))[0].startswith("gm")


def test_the_usb_id_decides_among_equals() -> None:
    """A line of text at an adapter that one profile names."""
    mine = Model("mine", replace(model("text-line").profile, identify=Identify(usb=("0403:6001",))))
    ear = Ear([*MODELS, mine])
    ear.hear(b"0013530444\r\n", 0)
    with_usb, without = ear.finding(9600, "0403:6001"), ear.finding(9600, "1a86:7523")
    assert with_usb is not None
    assert without is not None
    assert names(with_usb)[0] == "mine"
    assert names(without)[0] != "mine"


@pytest.mark.parametrize("baud", [2400, 4800, 19200, 38400, 57600, 115200])
@pytest.mark.parametrize("said", ["card", "sky", "line"])
def test_what_is_heard_at_a_wrong_speed_is_not_understood(said: str, baud: int) -> None:
    """Sent at 9600 and sampled at another speed, bit by bit as a UART does."""
    data = {"card": RDM6300 * 20, "sky": sky(clear=True) * 2, "line": b"0013530444\r\n" * 5}[said]
    heard = sampled(data, 9600, baud)
    assert heard
    assert heard != data
    assert listen(heard, baud) is None
    assert sampled(data, 9600, 9600) == data


def sampled(data: bytes, sent: int, read: int) -> bytes:
    """What a UART reads at `read` baud of a line on which `data` is sent at `sent` baud, 8N1.

    Bytes whose stop bit is 0 are handed on all the same, as Linux does by default.
    """
    bits = [1] * 10
    for byte in data:
        bits += [0, *(byte >> bit & 1 for bit in range(8)), 1]
    bits += [1] * 20

    def level(at: float) -> int:
        place = int(at * sent / read)
        return bits[place] if place < len(bits) else 1

    heard, at, end = bytearray(), 0.0, len(bits) * read / sent
    while at < end:
        if level(at):
            at += 0.0625  # sixteen samples a bit
            continue
        heard.append(sum(level(at + 1.5 + bit) << bit for bit in range(8)))
        at += 9.5
        while at < end and not level(at):  # a break ends with the line idle
            at += 0.0625
    return bytes(heard)


def test_noise_is_nobody() -> None:
    """A wire in the air, a hundred times."""
    random = Random(7)
    for _ in range(100):
        assert listen(random.randbytes(random.randrange(400)), 9600) is None


def test_listening_begins_at_the_commonest_speed_and_tries_each_once() -> None:
    """9600 is what nearly all are made with; models that are asked do not count."""
    found = speeds(MODELS)
    assert found[0] == 9600
    assert len(set(found)) == len(found)
    assert {2400, 38400, 115200} <= set(found)
    assert speeds([model("pn532"), model("zfm20")]) == []


def vectors() -> Iterator[dict[str, str]]:
    yield from json.loads(shared("devices/vectors.json").read_text(encoding="utf-8"))


def test_captured_frames_of_cards_are_recognised() -> None:
    """Every whole frame of the shared vectors, held as such a reader holds it."""
    count = 0
    for one in vectors():
        if one["dev"] in ("rdm6300", "id12la") and one.get("checksum_ok"):
            frame = bytes.fromhex(one["hex"])
            ear = Ear(MODELS)
            for turn in range(3):
                ear.hear(frame, turn * 65)
            found = ear.finding(9600)
            if frame[1:11] != b"0000000000" and frame[-1:] == b"\x03":
                assert found is not None, one["name"]
                assert found.sure is Sure.CERTAIN
                count += 1
    assert count > 3
