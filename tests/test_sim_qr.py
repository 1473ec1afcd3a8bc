"""The simulated QR module, spoken to in bytes that were captured from a GM861."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial
from wired import PATIENCE_S, Host, host, quiet

from edge_agent.sim.device import CALM, FAST, Faults
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.qr import Mode, QrModule, Tail

# Tasmota xsns_107_gm861.
TRIGGER, DONE = "7E000801000201ABCD", "02000001003331"
BAUD, BAUD_IS = "7E000701002A02D80F", "020000023901C14C"
FORM, FORM_IS = "7E000701006001ABCD", "02000001012310"
SAVE, HEARTBEAT, ALIVE = "7E000901000000DEC8", "7E000A01000000301A", "03000001003331"
FACTORY, USER, MAKE_USER = "7E00080100D95081D3", "7E00080100D955D176", "7E00080100D956E115"
EAN, EAN_CR = "8711218972875", "383731313231383937323837350D"
ZONES = (
    "02000062D6002000000A32012C00873C01A11C32030080000600000000000000000000000002803C0000"
    "00060000390105640D0D0D010D0104800904800504800104800108048008048008048008048008018000"
    "00000480010100000000048000000300010030FE"
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "qr") as one:
        yield one


@contextmanager
def module(
    port: PseudoPort,
    mode: Mode = Mode.ON_COMMAND,
    tail: Tail = Tail.CR,
    *,
    protocol: bool = False,
    aim: bool = False,
    speed: float = FAST,
) -> Iterator[tuple[QrModule, Host]]:
    """A module that has power, and its host."""
    with (
        host(port, 9600) as one,
        QrModule(port, mode=mode, tail=tail, protocol=protocol, aim=aim, speed=speed) as made,
    ):
        yield made, one


@contextmanager
def replugged(port: PseudoPort, qr: QrModule) -> Iterator[Host]:
    """The port after it was away; the module has its power back."""
    powered = qr.device.powered + 1
    port.unplug()
    port.plug()
    with host(port, 9600) as again:
        assert qr.device.wait_for(lambda: qr.device.powered == powered, PATIENCE_S)
        yield again


@pytest.mark.parametrize(
    ("tail", "ending"),
    [(Tail.CR, "0D"), (Tail.CR_LF, "0D0A"), (Tail.TAB, "09"), (Tail.NONE, "")],
)
def test_a_line_ends_as_is_set(port: PseudoPort, tail: Tail, ending: str) -> None:
    """After every code; without a tail the next one follows at once."""
    with module(port, Mode.CONTINUOUS, tail) as (qr, one):
        qr.place(EAN)
        one.expect(*[EAN.encode().hex() + ending] * 2)


def test_protocol_mode_gives_the_length_first(port: PseudoPort) -> None:
    """And no tail."""
    with module(port, Mode.CONTINUOUS, protocol=True) as (qr, one):
        qr.place("0321563840")
        one.expect("03000A30333231353633383430" * 2)


def test_the_kind_of_a_code_stands_before_it(port: PseudoPort) -> None:
    """]E0 for EAN-13, as captured; ]Q1 for QR, whose text is UTF-8."""
    with module(port, aim=True) as (qr, one):
        qr.place(EAN)
        one.ask(TRIGGER, DONE, "5D4530" + EAN_CR)
        qr.place("Wa Ode é")
        one.ask(TRIGGER, DONE, "5D5131" + "Wa Ode é".encode().hex() + "0D")


def test_on_command_one_code_is_read_and_the_answer_runs_into_it(port: PseudoPort) -> None:
    """Nothing before the command, one code after it, nothing more after that."""
    with module(port) as (qr, one):
        qr.place(EAN)
        one.ask(HEARTBEAT, ALIVE)
        one.ask(TRIGGER, DONE, EAN_CR)
        one.ask(HEARTBEAT, ALIVE)
        assert qr.sent == 1
        assert qr.written == 0


def test_a_command_to_look_waits_for_a_code_and_gives_up(port: PseudoPort) -> None:
    """A tenth of a second here; what is shown later is not read."""
    with module(port) as (qr, one):
        one.ask("7E000801000600ABCD", DONE)  # as long as it takes
        one.ask(TRIGGER, DONE)
        qr.place(EAN)
        one.expect(EAN_CR)
        qr.lift()
        one.ask("7E000801000601ABCD", DONE)
        one.ask(TRIGGER, DONE)
        look = "7E000701000201ABCD"
        for _ in range(1000):
            one.say(look)
            if one.hear(7) == DONE:  # the bit is cleared
                break
        qr.place(EAN)
        one.ask(HEARTBEAT, ALIVE)
        assert qr.sent == 1


def test_a_code_is_repeated_while_it_is_seen(port: PseudoPort) -> None:
    """In continuous mode; `show` counts how often, and ends when it is lifted."""
    with module(port, Mode.CONTINUOUS) as (qr, one):
        counts: list[int] = []
        showing = threading.Thread(target=lambda: counts.append(qr.show(EAN, 60.0)))
        showing.start()
        one.expect(EAN_CR * 3)
        qr.lift()
        showing.join(PATIENCE_S)
        assert counts[0] >= 3


def test_the_same_code_can_be_held_back_until_another_comes(port: PseudoPort) -> None:
    """Zone 13 set to 80: not before another one."""
    with module(port, Mode.CONTINUOUS) as (qr, one):
        one.ask("7E000801001380ABCD", DONE)
        for code in ("A", "B", "A"):
            qr.place(code)
            one.expect(code.encode().hex() + "0D")
            quiet(qr.device, one)


def test_on_change_a_code_is_read_once_each_time_it_comes(port: PseudoPort) -> None:
    """Lifted and shown again it is new."""
    with module(port, Mode.ON_CHANGE) as (qr, one):
        for _ in range(2):
            qr.place(EAN)
            one.expect(EAN_CR)
            quiet(qr.device, one)


def test_zones_are_read_as_captured(port: PseudoPort) -> None:
    """The baud rate, the form, and the dump of all of them after power-on."""
    with module(port, Mode.CONTINUOUS) as (qr, one):
        one.ask(BAUD, BAUD_IS)
        one.ask(FORM, FORM_IS)
        one.ask("7E000701000062ABCD", ZONES)
        assert qr.written == 0
        assert qr.device.asked == {0x07: 3}


def test_a_wrong_crc_is_not_answered(port: PseudoPort) -> None:
    """Neither is noise; what follows is."""
    with module(port) as (qr, one):
        one.ask("7E000701002A02D80E" + "7E7E00" + BAUD, BAUD_IS)
        assert qr.device.asked[0x07] == 1


def test_settings_survive_power_only_if_they_were_saved(port: PseudoPort) -> None:
    """Protocol mode set twice, saved once; sleeping and waking change nothing."""
    protocol, code = "7E000801006081ABCD", "03000A30333231353633383430"
    with module(port, Mode.CONTINUOUS) as (qr, one):
        one.ask(protocol, DONE)
        with replugged(port, qr) as again:
            again.ask(FORM, FORM_IS)
            again.ask(protocol, DONE)
            again.ask(SAVE, DONE)
        with replugged(port, qr) as again:
            qr.place("0321563840")
            assert again.until(code)
        assert qr.written == 3


def test_factory_and_user_settings_come_back(port: PseudoPort) -> None:
    """Made the user's, reset, and restored; each counts as a change."""
    with module(port, tail=Tail.TAB) as (qr, one):
        one.ask(MAKE_USER, DONE)
        one.ask(FACTORY, DONE)
        one.ask(FORM, FORM_IS)
        one.ask("7E000801000001ABCD", DONE)
        one.ask(USER, DONE)
        qr.place("A")
        one.ask(TRIGGER, DONE, "4109")
        assert qr.written == 4


def test_asleep_it_reads_nothing_until_it_is_spoken_to(port: PseudoPort) -> None:
    """Sleep and wake are no changes."""
    with module(port, Mode.CONTINUOUS) as (qr, one):
        one.ask("7E00080100D9A53E69", DONE)
        qr.place(EAN)
        quiet(qr.device, one)
        one.ask("7E00080100D900DB26", DONE, EAN_CR)
        assert qr.written == 0


def test_a_pause_follows_a_code(port: PseudoPort) -> None:
    """A second, ten times as fast here."""
    with module(port, Mode.CONTINUOUS, speed=10.0) as (qr, one):
        qr.place(EAN)
        one.expect(EAN_CR)
        began = time.monotonic()
        one.expect(EAN_CR)
        assert time.monotonic() - began > 0.08


# --- trouble --------------------------------------------------------------------------------------


def test_noise_pieces_and_delays_leave_codes_whole(port: PseudoPort) -> None:
    """Whatever comes before."""
    with module(port, Mode.CONTINUOUS) as (qr, one):
        qr.device.faults = Faults(noise=20, piece=2, delay_s=0.01, seed=1)
        qr.place(EAN)
        for _ in range(3):
            one.until(EAN_CR)


def test_a_lost_answer_is_lost_whole(port: PseudoPort) -> None:
    """The next one is there."""
    with module(port) as (qr, one):
        qr.device.faults = Faults(lose=1.0)
        one.say(HEARTBEAT)
        assert qr.device.wait_for(lambda: qr.device.answered[0x0A] == 1, PATIENCE_S)
        qr.device.faults = CALM
        qr.place(EAN)
        one.ask(TRIGGER, DONE, EAN_CR)


def test_dropped_bytes_are_missing(port: PseudoPort) -> None:
    """Three answers, not 21 bytes."""
    with module(port) as (qr, one):
        qr.device.faults = Faults(drop=0.3, seed=1)
        one.say(HEARTBEAT * 3)
        assert qr.device.wait_for(lambda: qr.device.answered[0x0A] == 3, PATIENCE_S)
        qr.device.faults = CALM
        qr.device.say(b"<the end>")
        assert len(one.until(b"<the end>".hex())) < 21 + 9


def test_it_may_say_a_code_again_while_the_host_talks(port: PseudoPort) -> None:
    """Before the answer to a command."""
    with module(port) as (qr, one):
        qr.place(EAN)
        one.ask(TRIGGER, DONE, EAN_CR)
        qr.device.faults = Faults(talk_over=1.0)
        one.ask(HEARTBEAT, EAN_CR, ALIVE)


def test_a_reset_forgets_what_was_not_saved(port: PseudoPort) -> None:
    """No answer, and the form of before."""
    with module(port) as (qr, one):
        one.ask("7E000801006081ABCD", DONE)
        qr.device.faults = Faults(reset=1.0)
        one.say(HEARTBEAT)
        assert qr.device.wait_for(lambda: qr.device.resets == 1, PATIENCE_S)
        qr.device.faults = CALM
        one.ask(FORM, FORM_IS)


def test_the_plug_is_pulled_between_answer_and_code(port: PseudoPort) -> None:
    """Nine bytes of a command, seven of its answer, two of the code."""
    with module(port) as (qr, one):
        qr.device.faults = Faults(cut_after=9 + 7 + 2)
        qr.place(EAN)
        one.ask(TRIGGER, DONE, EAN_CR[:4])
        with pytest.raises(serial.SerialException):
            one.hear(1)
