"""What the models of simulated fingerprint modules say of themselves, and say unasked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from wired import PATIENCE_S
from wired_finger import (
    GEN_IMG,
    HEAD,
    LD_MODULE,
    NO_FINGER,
    OK,
    READ_SYS_PARA,
    TEMPLETE_NUM,
    UNKNOWN,
    VFY_PWD,
    ack,
    packet,
    started,
)

from edge_agent.sim.fingerprint import DEBUG_TEXT
from edge_agent.sim.fingerprint_commands import Ring
from edge_agent.sim.fingerprint_models import AS608, R307, R503, ZFM20, Model
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "finger") as one:
        yield one


def test_the_parameters_are_laid_out_as_captured(port: PseudoPort) -> None:
    """System id 2EC8, 100 slots; the password was verified and an image is there."""
    with started(port, LD_MODULE) as (module, one):
        module.place("ani")
        one.ask(VFY_PWD, OK)
        one.ask(GEN_IMG, OK)
        one.ask(READ_SYS_PARA, HEAD + "07001300000C2EC800640003FFFFFFFF000200060587")


@pytest.mark.parametrize(
    ("model", "words"),
    [(ZFM20, "000900A2"), (R307, "000903E8"), (R503, "000000C8"), (AS608, "0009012C")],
)
def test_models_differ_in_size_and_system_id(port: PseudoPort, model: Model, words: str) -> None:
    """The library's size is what a host must ask for."""
    with started(port, model) as (_, one):
        one.ask(READ_SYS_PARA, ack(f"000000{words}0003FFFFFFFF00020006"))


@pytest.mark.parametrize(
    ("model", "answers"),
    [
        (ZFM20, {"35": "FC", "3501500600": "FC", "40": "FC", "53": "FC", "1F00": "FC"}),
        (R307, {"35": "FC", "40": "FC", "53": "55", "50": "00", "36": "FC"}),
        (AS608, {"35": "00", "3501500600": "00", "40": "FC", "28": "FC", "3C": "FC"}),
        (
            R503,
            {"35": "01", "3501500600": "00", "40": "00", "36": "00", "1B010000000A": "FC"},
        ),
    ],
)
def test_models_differ_in_what_they_know(
    port: PseudoPort, model: Model, answers: dict[str, str]
) -> None:
    """35 above all: the ring of an R503, a handshake of a Synochip, nothing to the others."""
    with started(port, model) as (_, one):
        for content, answer in answers.items():
            one.ask(packet(content), ack(answer))
        one.ask(packet("FB"), UNKNOWN)


def test_the_ring_keeps_its_last_setting_until_power_goes(port: PseudoPort) -> None:
    """Cyan, breathing, as in the R503's manual."""
    with started(port, R503) as (module, one):
        assert module.ring is None
        one.ask(HEAD + "01000735015006000094", OK)
        assert module.ring == Ring(control=1, speed=80, colour=6, times=0)
        one.ask(HEAD + "0100033D0041", OK, "55")
        assert module.ring is None


def test_an_r503_tells_what_it_is(port: PseudoPort) -> None:
    """46 bytes of ReadProdInfo, 32 of each version."""
    with started(port, R503) as (_, one):
        one.ask(packet("3C"), HEAD + "07" + "0031" + "00")
        info = bytes.fromhex(one.hear(48))[:-2]
        assert info[:16] == b"R503".ljust(16, b"\0")
        assert info[-4:] == (1536).to_bytes(2, "big") + (200).to_bytes(2, "big")
        for version in ("39", "3A"):
            one.ask(packet(version), HEAD + "07" + "0023" + "00")
            one.hear(34)


def test_some_models_do_not_answer_every_command(port: PseudoPort) -> None:
    """As R308 clones keep silent about their parameters."""
    with started(port, replace(R307, silent=frozenset({0x0F}))) as (module, one):
        one.say(READ_SYS_PARA)
        one.ask(GEN_IMG, NO_FINGER)
        assert module.device.asked == {0x0F: 1, 0x01: 1}


def test_random_codes_differ(port: PseudoPort) -> None:
    """Four bytes each."""
    with started(port) as (_, one):
        codes = set()
        for _ in range(2):
            one.ask(packet("14"), HEAD + "07000700")
            codes.add(one.hear(6))
        assert len(codes) == 2


# --- several acks, and none that was asked for ----------------------------------------------------


def test_an_r503_enrols_by_itself_with_fifteen_acks(port: PseudoPort) -> None:
    """The manual's example: any slot, say the steps; here the finger need not leave."""
    steps = [HEAD + f"070005{content}" for content in (
        "000100000D", "000200000E", "000300000F", "0004000010", "0005000011", "0006000012",
        "0007000013", "0008000014", "0009000015", "000A000016", "000B000017", "000C000018",
        "000D000019", "000E00001A", "000F00001B",
    )]  # fmt: skip
    with started(port, R503) as (module, one):
        module.place("ani")
        one.ask(packet("31C800010100"), *steps)
        assert module.slots == {0: "ani"}
        one.ask(packet("31C800000000"), ack("270D00"))
        one.ask(packet("310000000000"), ack("220000"))
        one.ask(packet("3203000A0101"), ack("000100000000"), ack("000200000000"))
        one.ask("", HEAD + "070008" + "00" + "030000")
        one.hear(4)


def test_a_synochip_gives_up_enrolling_as_captured(port: PseudoPort) -> None:
    """Nobody comes: 26 at the first image."""
    with started(port, LD_MODULE) as (_, one):
        one.ask(HEAD + "01000831000102004B0088", ack("000000"))
        one.expect(HEAD + "0700052601010034")


def test_cancel_ends_enrolling_at_once(port: PseudoPort) -> None:
    """What else waits is forgotten with it."""
    with started(port, AS608, speed=20.0) as (_, one):
        one.ask(packet("310001020000"), ack("000000"))
        one.say(GEN_IMG)
        one.ask(packet("30"), OK)
        one.ask(GEN_IMG, NO_FINGER)


def test_commands_wait_for_the_one_that_is_worked_on(port: PseudoPort) -> None:
    """Half duplex: three in one write are answered in turn."""
    with started(port, slots={1: "ani"}) as (_, one):
        one.say(GEN_IMG, TEMPLETE_NUM, GEN_IMG)
        one.expect(NO_FINGER, ack("000001"), NO_FINGER)


def test_debug_text_comes_before_an_ack(port: PseudoPort) -> None:
    """The bytes of an R311's transcript."""
    captured = "E3D0D6B53D36342C205765743D33322C204472793D3332200AEF01FFFFFFFF07000300000A"
    with started(port) as (module, one):
        module.debug = True
        one.ask(GEN_IMG, NO_FINGER)
        module.place("ani")
        one.ask(GEN_IMG, captured)
        assert DEBUG_TEXT.decode("gbk").endswith("Wet=32, Dry=32 \n")


def test_a_sleeping_synochip_says_that_a_finger_woke_it(port: PseudoPort) -> None:
    """A packet that nobody asked for, once."""
    with started(port, AS608) as (module, one):
        module.place("ani")
        module.lift()
        one.ask(HEAD + "010003330037", OK)
        assert module.device.wait_for(lambda: module.device.answered[0x33] == 1, PATIENCE_S)
        module.place("ani")
        one.expect(HEAD + "070003FF0109")
        one.ask(GEN_IMG, OK)
