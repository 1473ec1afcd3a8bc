"""The simulated fingerprint modules in trouble, and the time they take."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from wired import PATIENCE_S, host
from wired_finger import (
    GEN_IMG,
    HEAD,
    IMG_2_TZ_1,
    NO_FINGER,
    OK,
    STORE_1_0,
    TEMPLETE_NUM,
    ack,
    packet,
    started,
)

from edge_agent.sim.device import CALM, Faults
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import R307, R503
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "finger") as one:
        yield one


def test_what_is_said_while_it_starts_is_lost(port: PseudoPort) -> None:
    """Half a second for an R307, twenty times as fast here."""
    with host(port) as one, FingerprintModule(port, R307, speed=20.0) as module:
        one.say(GEN_IMG)
        assert module.started.wait(PATIENCE_S)
        one.ask(TEMPLETE_NUM, ack("000000"))
        assert module.device.asked[0x01] == 0


def test_another_module_on_the_same_plug(port: PseudoPort) -> None:
    """Swapped while the port was away: other fingers, and nothing of the old one's memory."""
    with started(port, R503, {1: "ani"}) as (module, one):
        module.place("ani")
        one.ask(GEN_IMG, OK)
        port.unplug()
        module.swap({2: "budi"})
        port.plug()
        with host(port) as again:
            assert module.device.wait_for(lambda: module.device.powered == 2, PATIENCE_S)
            assert module.started.wait(PATIENCE_S)
            again.say(packet("1F00"))
            assert again.until(ack("00" + "04" + "00" * 31))
            again.ask(IMG_2_TZ_1, ack("15"))


def test_commands_take_their_time(port: PseudoPort) -> None:
    """190 ms for an image, 300 ms for its features; no finger is said much sooner."""
    with started(port, speed=1.0) as (module, one):
        began = time.monotonic()
        one.ask(GEN_IMG, NO_FINGER)
        none_s = time.monotonic() - began
        module.place("ani")
        one.ask(GEN_IMG, OK)
        image_s = time.monotonic() - began - none_s
        one.ask(IMG_2_TZ_1, OK)
        assert 0.012 <= none_s < 0.190
        assert image_s >= 0.190
        assert time.monotonic() - began >= none_s + 0.190 + 0.300


@pytest.mark.parametrize("seed", range(3))
def test_a_reset_forgets_the_image_and_not_the_library(port: PseudoPort, seed: int) -> None:
    """No ack; the boot byte of an R503 instead."""
    with started(port, R503, {1: "ani"}) as (module, one):
        module.place("ani")
        one.ask(GEN_IMG, OK)
        module.device.faults = Faults(reset=1.0, seed=seed)
        one.ask(IMG_2_TZ_1, "55")
        module.device.faults = CALM
        one.ask(IMG_2_TZ_1, ack("15"))
        one.ask(TEMPLETE_NUM, ack("000001"))
        assert module.device.resets == 1


def test_it_may_talk_while_the_host_does(port: PseudoPort) -> None:
    """An ack that was said before or that a finger woke it, and then the right ack."""
    with started(port) as (module, one):
        one.ask(GEN_IMG, NO_FINGER)
        module.device.faults = Faults(talk_over=1.0, seed=3)
        one.say(TEMPLETE_NUM)
        assert one.hear(12) in (NO_FINGER, HEAD + "070003FF0109")
        one.expect(ack("000000"))


def test_a_lost_ack_does_not_undo_what_was_done(port: PseudoPort) -> None:
    """The worst of it: the template is stored and the host does not know."""
    with started(port, slots={1: "ani"}) as (module, one):
        one.ask(packet("07010001"), OK)
        module.device.faults = Faults(lose=1.0)
        one.say(STORE_1_0)
        assert module.device.wait_for(lambda: module.device.answered[0x06] == 1, PATIENCE_S)
        assert module.slots == {0: "ani", 1: "ani"}


def test_pieces_noise_and_delays_leave_packets_whole(port: PseudoPort) -> None:
    """Whatever comes before and between."""
    with started(port) as (module, one):
        module.device.faults = Faults(noise=30, piece=3, delay_s=0.01, seed=4)
        for _ in range(3):
            one.say(TEMPLETE_NUM)
            assert one.until(ack("000000"))


def test_the_plug_is_pulled_in_the_middle_of_an_ack(port: PseudoPort) -> None:
    """Four bytes of it arrive; plugged in again everything works."""
    with started(port, R503) as (module, one):
        module.device.faults = Faults(cut_after=12 + 4)
        one.ask(GEN_IMG, "EF01FFFF")
        with pytest.raises(serial.SerialException):
            one.hear(1)
        port.plug()
        with host(port) as again:
            assert module.device.wait_for(lambda: module.device.powered == 2, PATIENCE_S)
            assert module.started.wait(PATIENCE_S)
            again.say(GEN_IMG)
            assert again.until(NO_FINGER)
