"""The simulated PN532, spoken to in bytes that were captured from real ones."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wired import PATIENCE_S, quiet
from wired_pn532 import (
    ACK,
    CLASSIC,
    CONFIGURED,
    FIELD_OFF,
    FIRMWARE,
    FIRMWARE_IS,
    LIST_A,
    LIST_A2,
    LIST_B,
    NACK,
    NOBODY,
    RELEASE,
    RELEASED,
    SAM,
    SAM_DONE,
    SYNTAX_ERROR,
    TRY_ONCE,
    WAKE,
    asleep,
    awake,
    frame,
)

from edge_agent.sim import cards
from edge_agent.sim.cards import Card, TypeA, TypeB
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "pn532") as one:
        yield one


# --- waking and cards -----------------------------------------------------------------------------


def test_a_chip_after_power_on_sleeps_until_it_is_woken(port: PseudoPort) -> None:
    """A bare command and a few wake bytes are lost; after enough of them a frame is heard."""
    with asleep(port) as (chip, one):
        one.say(FIRMWARE, "5555000000", FIRMWARE)
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(FIRMWARE, FIRMWARE_IS)
        assert chip.device.asked == {0x14: 1, 0x02: 1}


def test_ten_zeros_wake_it_too(port: PseudoPort) -> None:
    """The preamble that nfcpy puts before its first frame."""
    with asleep(port) as (_, one):
        one.ask("00" * 10 + FIRMWARE, FIRMWARE_IS)


CAPTURED = [
    pytest.param(cards.MIFARE_1K, CLASSIC, id="MIFARE Classic 1K"),
    pytest.param(
        TypeA(bytes.fromhex("C2994A1B"), b"\x00\x04", 0x08),
        "0000FF0CF4D54B010100040804C2994A1B0E00",
        id="another one",
    ),
    pytest.param(
        cards.CPU_CARD,
        "0000FF1CE4D54B010100042804FDE60899107880900220900000000000FDE608995C00",
        id="SEL_RES 28 with ATS",
    ),
    pytest.param(
        cards.DESFIRE,
        "0000FF15EBD54B010103442007047368A2C722800675778102809100",
        id="DESFire with ATS",
    ),
    pytest.param(
        TypeA(bytes.fromhex("0416C6C2D73881")),
        "0000FF0FF1D54B0101004400070416C6C2D738816100",
        id="NTAG, seven bytes",
    ),
]


@pytest.mark.parametrize(("card", "answer"), CAPTURED)
def test_a_card_of_type_a_is_answered_as_captured(
    port: PseudoPort, card: Card, answer: str
) -> None:
    """Byte for byte, checksums included."""
    with awake(port) as (chip, one):
        chip.place(card)
        one.ask(LIST_A, ACK, answer)


def test_a_card_of_type_b_is_answered_as_captured(port: PseudoPort) -> None:
    """ATQB and ATTRIB_RES as in nfcpy's tests; it does not answer to type A."""
    pupi, app_data, prot_info = (bytes.fromhex(part) for part in ("E8253EEC", "00000011", "008185"))
    with awake(port) as (chip, one):
        chip.place(TypeB(pupi, app_data, prot_info))
        one.ask(LIST_A, NOBODY)
        one.ask(LIST_B, ACK, "0000FF12EED54B010150E8253EEC0000001100818501003F00")


def test_an_e_ktp_shows_its_historical_bytes_and_a_uid_of_seven(port: PseudoPort) -> None:
    """SEL_RES 20, a UID that begins 04, an ATS of 16 bytes that says eKTP0D2eKTP."""
    with awake(port) as (chip, one):
        chip.place(cards.E_KTP)
        one.ask(LIST_A, ACK, "0000FF1FE1D54B010100442007")
        rest = bytes.fromhex(one.hear(25))
        assert rest[0] == 0x04
        assert rest[7:-2] == b"\x10\x78\x77\x81\x02eKTP0D2eKTP"


def test_a_uid_of_ten_bytes_is_given_whole(port: PseudoPort) -> None:
    """Without the cascade tags, which the chip has taken out."""
    with awake(port) as (chip, one):
        chip.place(TypeA(bytes(range(1, 11))))
        one.ask(LIST_A, ACK, frame("D54B01010044000A0102030405060708090A"))


def test_without_automatic_rats_there_is_no_ats(port: PseudoPort) -> None:
    """SetParameters takes it away."""
    with awake(port) as (chip, one):
        chip.place(cards.DESFIRE)
        one.ask(frame("D41200"), ACK, frame("D513"))
        one.ask(LIST_A, ACK, frame("D54B010103442007047368A2C72280"))


def test_numbers_that_a_card_makes_up_change_at_each_activation(port: PseudoPort) -> None:
    """A random UID has four bytes and begins 08; a PUPI may be new as well."""
    with awake(port) as (chip, one):
        chip.place(cards.PHONE)
        chip.place(TypeB(bytes(4), new_pupi=True))
        seen = set()
        for _ in range(2):
            one.ask(LIST_A, ACK, "0000FF11EFD54B010100042004")
            uid = one.hear(11)[:8]
            one.ask(LIST_B, ACK, "0000FF12EED54B010150")
            seen |= {uid, one.hear(15)[:8]}
            one.ask(RELEASE, RELEASED)
            assert uid.startswith("08")
        assert len(seen) == 4


def test_no_more_cards_are_answered_than_were_asked_for(port: PseudoPort) -> None:
    """Three in the field: two at most, numbered 1 and 2, then the third."""
    with awake(port) as (chip, one):
        for number in (1, 2, 3):
            chip.place(TypeA(bytes([number] * 4), b"\x00\x04", 0x08))
        two = "D54B02" + "010004080401010101" + "020004080402020202"
        one.ask(LIST_A2, ACK, frame(two))
        one.ask(LIST_A, ACK, frame("D54B01010004080403030303"))


def test_an_active_card_is_not_found_again_until_it_was_let_go(port: PseudoPort) -> None:
    """By InRelease, by the field going off, or by being lifted and put back."""
    with awake(port) as (chip, one):
        chip.place(cards.MIFARE_1K)
        one.ask(LIST_A, ACK, CLASSIC)
        one.ask(LIST_A, NOBODY)
        one.ask(RELEASE, RELEASED)
        one.ask(LIST_A, ACK, CLASSIC)
        assert chip.field
        one.ask(FIELD_OFF, CONFIGURED)
        assert not chip.field
        one.ask(LIST_A, ACK, CLASSIC)
        chip.lift()
        one.ask(LIST_A, NOBODY)
        chip.place(cards.MIFARE_1K)
        one.ask(LIST_A, ACK, CLASSIC)


def test_presenting_a_card_ends_when_it_is_lifted(port: PseudoPort) -> None:
    """From another thread; after it there is nobody."""
    with asleep(port) as (chip, one):
        one.ask(WAKE + SAM, SAM_DONE)
        holding = threading.Thread(target=chip.present, args=(cards.MIFARE_1K, 60.0))
        holding.start()
        one.ask(LIST_A, ACK, CLASSIC)
        one.ask(TRY_ONCE, CONFIGURED)
        one.ask(RELEASE, RELEASED)
        chip.lift()
        holding.join(PATIENCE_S)
        assert not holding.is_alive()
        one.ask(LIST_A, NOBODY)
        chip.present(cards.MIFARE_1K, 0.0)
        one.ask(LIST_A, NOBODY)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: TypeA(bytes(5)),
        lambda: TypeA(bytes(4), b"\x04"),
        lambda: TypeA(bytes(7), sel_res=0x20, ats=b"\x05\x78"),
        lambda: TypeA(bytes(7), sel_res=0x08, ats=b"\x01"),
        lambda: TypeB(bytes(3)),
    ],
)
def test_a_card_that_cannot_be_is_refused(wrong: Callable[[], Card]) -> None:
    """A test shall not speak of cards that no reader would ever see."""
    with pytest.raises(ValueError, match=r"has|have|ATS"):
        wrong()


# --- the conversation -----------------------------------------------------------------------------


def test_without_a_limit_it_waits_for_a_card_for_ever(port: PseudoPort) -> None:
    """The default of MaxRetries; the answer comes when the card does."""
    with asleep(port) as (chip, one):
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(LIST_A, ACK)
        quiet(chip.device, one)
        chip.place(cards.MIFARE_1K)
        one.expect(CLASSIC)


def test_an_ack_from_the_host_ends_a_command_without_an_answer(port: PseudoPort) -> None:
    """A card that comes later is no answer to anything; the last answer is the one before."""
    with asleep(port) as (chip, one):
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(LIST_A, ACK)
        one.say(ACK)
        one.ask(NACK, SAM_DONE.removeprefix(ACK))
        chip.place(cards.MIFARE_1K)
        quiet(chip.device, one)
        assert chip.device.answered[0x4A] == 0


def test_a_new_command_ends_the_old_one(port: PseudoPort) -> None:
    """Only the new one is answered, even when there is a card by then."""
    with asleep(port) as (chip, one):
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(LIST_A, ACK)
        one.ask(FIRMWARE, FIRMWARE_IS)
        chip.place(cards.MIFARE_1K)
        one.ask(FIRMWARE, FIRMWARE_IS)


def test_a_nack_asks_for_the_last_answer_again(port: PseudoPort) -> None:
    """The answer alone, without an ACK before it."""
    with awake(port) as (_, one):
        one.ask(FIRMWARE, FIRMWARE_IS)
        one.ask(NACK, FIRMWARE_IS.removeprefix(ACK))


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("D460", id="a code that is not known here"),
        pytest.param("D44A01", id="a parameter short"),
        pytest.param("D44A0300", id="three targets"),
        pytest.param("D43205", id="MaxRetries without values"),
        pytest.param("D4140001", id="a mode that does not exist"),
    ],
)
def test_what_cannot_be_obeyed_is_a_syntax_error(port: PseudoPort, wrong: str) -> None:
    """ACK first: the frame itself was sound."""
    with awake(port) as (_, one):
        one.ask(frame(wrong), ACK, SYNTAX_ERROR)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param("0000FF02FDD4022A00", id="LCS"),
        pytest.param("0000FF02FED4022B00", id="DCS"),
        pytest.param("0000FF02FED6022800", id="TFI"),
        pytest.param("0000FF03FDD402", id="cut off"),
        pytest.param("A1000055FFFF00FFFFFF", id="noise"),
    ],
)
def test_a_frame_that_is_not_sound_is_not_answered(port: PseudoPort, damaged: str) -> None:
    """And the good one behind it is."""
    with awake(port) as (chip, one):
        one.ask(damaged + FIRMWARE, FIRMWARE_IS)
        assert chip.device.asked[0x02] == 1


def test_long_frames_go_both_ways_in_the_extended_form(port: PseudoPort) -> None:
    """The line test of Diagnose with 262 bytes, as nfcpy sends them."""
    line = bytes([0x00, *(at & 0xFF for at in range(262))])
    sent, back = b"\xd4\x00" + line, b"\xd5\x01" + line
    framed = [f"0000FFFFFF0109F6{data.hex()}{-sum(data) & 0xFF:02X}00" for data in (sent, back)]
    with awake(port) as (_, one):
        one.ask(framed[0], ACK, framed[1])


def test_after_power_down_it_must_be_woken(port: PseudoPort) -> None:
    """It keeps its configuration: that there is no card is still said at once."""
    with awake(port) as (chip, one):
        one.ask(frame("D41610"), ACK, frame("D51700"))
        one.say(FIRMWARE)
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(LIST_A, NOBODY)
        assert chip.device.asked[0x02] == 0
