"""The simulated PN532 in trouble, and the time that it takes."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from wired import PATIENCE_S, host
from wired_pn532 import (
    ACK,
    CLASSIC,
    CONFIGURED,
    FIRMWARE,
    FIRMWARE_IS,
    LIST_A,
    NACK,
    NOBODY,
    SAM,
    SAM_DONE,
    WAKE,
    answered,
    asleep,
    awake,
    frame,
)

from edge_agent.sim import cards
from edge_agent.sim.device import CALM, Faults
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "pn532") as one:
        yield one


def test_power_is_lost_with_the_plug(port: PseudoPort) -> None:
    """Plugged in again it sleeps and waits for cards for ever; the card still lies there."""
    with awake(port) as (chip, _):
        chip.place(cards.MIFARE_1K)
        port.unplug()
        port.plug()
        with host(port) as one:
            assert chip.device.wait_for(lambda: chip.device.powered == 2, PATIENCE_S)
            one.say(FIRMWARE)
            one.ask(WAKE + SAM, SAM_DONE)
            assert chip.device.asked[0x02] == 0
            one.ask(LIST_A, ACK, CLASSIC)
            one.ask(LIST_A, ACK)
            one.ask(FIRMWARE, FIRMWARE_IS)


def test_noise_comes_before_messages_and_leaves_them_whole(port: PseudoPort) -> None:
    """Up to 40 bytes before each."""
    with awake(port, Faults(noise=40, seed=1)) as (_, one):
        one.say(FIRMWARE)
        assert len(one.until(FIRMWARE_IS.removeprefix(ACK))) > len(FIRMWARE_IS) // 2


def test_pieces_make_up_the_whole(port: PseudoPort) -> None:
    """One byte a write."""
    with awake(port, Faults(piece=1)) as (_, one):
        one.ask(FIRMWARE, FIRMWARE_IS)


def test_delays_come_before_messages(port: PseudoPort) -> None:
    """With this seed more than 50 ms in all, however fast the chip is."""
    with awake(port, Faults(delay_s=0.1, seed=1)) as (_, one):
        began = time.monotonic()
        one.ask(FIRMWARE, FIRMWARE_IS)
        assert time.monotonic() - began > 0.05


def test_a_lost_answer_is_lost_whole(port: PseudoPort) -> None:
    """It was given nevertheless: NACK brings it again."""
    with awake(port, Faults(lose=1.0)) as (chip, one):
        one.say(FIRMWARE)
        assert answered(chip, 1)
        chip.device.faults = CALM
        one.ask(NACK, FIRMWARE_IS.removeprefix(ACK))


def test_dropped_bytes_are_missing_from_what_is_heard(port: PseudoPort) -> None:
    """The rest keeps its order."""
    with awake(port, Faults(drop=0.3, seed=2)) as (chip, one):
        one.say(FIRMWARE)
        assert answered(chip, 1)
        chip.device.faults = CALM
        chip.device.say(b"<the end>")
        got = one.until(b"<the end>".hex()).removesuffix(b"<the end>")
        whole = iter(bytes.fromhex(FIRMWARE_IS))
        assert 0 < len(got) < len(FIRMWARE_IS) // 2
        assert all(byte in whole for byte in got)


@pytest.mark.parametrize("seed", range(4))
def test_a_reset_in_the_middle_of_a_command_leaves_no_answer(port: PseudoPort, seed: int) -> None:
    """At most an ACK; then it sleeps as after power-on."""
    with awake(port, Faults(reset=1.0, seed=seed)) as (chip, one):
        one.say(FIRMWARE)
        assert chip.device.wait_for(lambda: chip.device.resets == 1, PATIENCE_S)
        chip.device.faults = CALM
        one.say(FIRMWARE)
        one.say(WAKE + SAM)
        assert one.until(SAM_DONE).hex().upper() in (SAM_DONE, ACK + SAM_DONE)
        assert chip.device.answered[0x02] == 0


def test_it_may_talk_while_the_host_does(port: PseudoPort) -> None:
    """Its last answer once more, or an ACK that nobody asked for, before the right answer."""
    with awake(port, Faults(talk_over=1.0)) as (chip, one):
        for turn in range(1, 6):
            one.say(FIRMWARE)
            last = CONFIGURED.removeprefix(ACK) if turn == 1 else FIRMWARE_IS.removeprefix(ACK)
            extra = one.hear(6)
            if extra == last[:12]:
                one.expect(last[12:])
            else:
                assert extra == ACK
            one.expect(FIRMWARE_IS)
            assert answered(chip, turn)


def test_the_same_seed_makes_the_same_trouble(port: PseudoPort) -> None:
    """Byte for byte, over a conversation of ten commands."""
    faults = Faults(noise=9, drop=0.05, lose=0.2, talk_over=0.4, seed=7)
    said = []
    for _ in range(2):
        with awake(port, faults) as (chip, one):
            for turn in range(1, 11):
                one.say(FIRMWARE)
                assert answered(chip, turn)
            chip.device.faults = CALM
            chip.device.say(b"<the end>")
            said.append(one.until(b"<the end>".hex()))
    assert said[0] == said[1]
    assert len(said[0]) != 10 * len(FIRMWARE_IS) // 2


def test_the_plug_is_pulled_after_so_many_bytes_and_only_once(port: PseudoPort) -> None:
    """Both directions count; the host has got its share before."""
    with awake(port, Faults(cut_after=len(FIRMWARE) // 2 + 9)) as (chip, one):
        one.ask(FIRMWARE, FIRMWARE_IS[:18])
        with pytest.raises(serial.SerialException):
            one.hear(1)
        assert not port.is_plugged
        port.plug()
        with host(port) as again:
            again.ask(WAKE + SAM, SAM_DONE)
            again.ask(FIRMWARE, FIRMWARE_IS)
        assert chip.device.powered == 2


def test_tries_take_their_time(port: PseudoPort) -> None:
    """Seventeen of five milliseconds each, when time is real."""
    with asleep(port, speed=1.0) as (_, one):
        one.ask(WAKE + SAM, SAM_DONE)
        one.ask(frame("D43205FF0110"), CONFIGURED)
        began = time.monotonic()
        one.ask(LIST_A, NOBODY)
        assert time.monotonic() - began >= 17 * 0.005
