"""The devices' side of a terminal without hardware: ports, wires, scanners, a receiver at work."""

import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pynmea2
import pytest
import serial

from edge_agent.errors import EdgeAgentError
from edge_agent.sim import gnss, scanner
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.wire import Line, Wire, portions, send

MORNING = datetime(2026, 11, 22, 23, 30, 0, tzinfo=UTC)
CARD = "3C00CE754C"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "by-id-reader", patience_s=5.0) as one:
        yield one


@pytest.fixture
def host(port: PseudoPort) -> Iterator[serial.Serial]:
    """The host's side of `port`, open and ready."""
    with serial.Serial(str(port.path), 9600, timeout=5.0, exclusive=True) as one:
        assert port.wait_open(5.0)
        yield one


def written(port: PseudoPort, host: serial.Serial) -> bytes:
    """Everything written so far: a mark is sent after it, so that nothing has to be timed."""
    mark = b"<the end>"
    port.write(mark)
    got: bytes = host.read_until(mark)
    assert got.endswith(mark)
    return got.removesuffix(mark)


# --- ports ----------------------------------------------------------------------------------------


def test_every_byte_passes_both_ways_unchanged(port: PseudoPort, host: serial.Serial) -> None:
    """No echo, no CR LF translation, no control character is obeyed."""
    every = bytes(range(256)) * 3
    assert port.write(every) == len(every)
    assert host.read(len(every)) == every
    host.write(every)
    heard = b""
    while len(heard) < len(every) and (part := port.read(5.0)):
        heard += part
    assert heard == every
    assert host.in_waiting == 0


def test_the_port_is_raw_before_a_host_configures_it(port: PseudoPort) -> None:
    """A host that only opens and reads sees CR as CR and nothing echoed."""
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    try:
        assert port.wait_open(5.0)
        port.write(b"3C00\r\x03\x04")
        assert os.read(fd, 100) == b"3C00\r\x03\x04"
        os.write(fd, b"a\r\n")
        assert port.read(5.0) == b"a\r\n"
    finally:
        os.close(fd)


def test_unplugging_hangs_up_on_the_reader(port: PseudoPort, host: serial.Serial) -> None:
    """pyserial raises, as it does when a USB adapter is pulled out, and the path is gone."""
    port.unplug()
    with pytest.raises(serial.SerialException):
        host.read(1)
    assert not port.path.is_symlink()
    assert port.write(b"late") == 0


def test_unplugging_ends_a_read_that_waits(port: PseudoPort) -> None:
    """A plain blocking read returns with end of file or EIO."""
    ended = threading.Event()
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY)

    def wait_for_a_byte() -> None:
        try:
            assert os.read(fd, 1) == b""
        except OSError as error:
            assert error.errno == 5  # noqa: PT017 - either end is an ordinary one
        ended.set()

    thread = threading.Thread(target=wait_for_a_byte)
    thread.start()
    assert port.wait_open(5.0)
    port.unplug()
    assert ended.wait(5.0)
    thread.join()
    os.close(fd)


def test_a_port_comes_back_under_its_path(port: PseudoPort) -> None:
    """After pulling and plugging the same path leads to a working port."""
    for _ in range(3):
        port.unplug()
        port.plug()
        with serial.Serial(str(port.path), timeout=5.0) as again:
            assert port.wait_open(5.0)
            port.write(b"back")
            assert again.read(4) == b"back"


def test_bytes_without_a_host_are_lost_and_counted(port: PseudoPort) -> None:
    """A UART sends into the air; a host that opens later does not get old bytes."""
    assert port.write(b"nobody") == 0
    assert port.dropped == 6
    fd = os.open(port.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        os.read(fd, 100)
    os.close(fd)


def test_a_host_that_does_not_read_costs_no_more_than_the_patience(tmp_path: Path) -> None:
    """The write returns, and what was taken and what was dropped add up."""
    flood = bytes(200_000)
    with PseudoPort(tmp_path / "flooded", patience_s=0.05) as one, serial.Serial(str(one.path)):
        assert one.wait_open(5.0)
        sent = one.write(flood)
        assert 0 < sent < len(flood)
        assert sent + one.dropped == len(flood)


def test_nobody_opens_and_the_wait_says_so(port: PseudoPort) -> None:
    """No host, no readiness."""
    assert not port.wait_open(0.02)
    assert not port.is_open


def test_what_is_written_after_the_wait_survives_pyserials_emptying(port: PseudoPort) -> None:
    """pyserial discards its input on opening; the wait lasts until that has happened."""
    for _ in range(20):
        got: list[bytes] = []

        def open_and_read(got: list[bytes] = got) -> None:
            with serial.Serial(str(port.path), timeout=5.0) as late:
                got.append(late.read(5))

        thread = threading.Thread(target=open_and_read)
        thread.start()
        assert port.wait_open(5.0)
        port.write(b"first")
        thread.join(10.0)
        assert got == [b"first"]


def test_drained_means_that_the_host_has_read_it(port: PseudoPort, host: serial.Serial) -> None:
    """Not while bytes wait in the kernel; yes once they are read."""
    port.write(b"x" * 6000)
    assert not port.drain(0.05)
    host.read(6000)
    assert port.drain(5.0)


def test_something_else_at_the_path_is_not_replaced(tmp_path: Path) -> None:
    """A file stays a file; the error names it and a cure."""
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(EdgeAgentError, match="taken") as caught:
        PseudoPort(taken).plug()
    assert caught.value.hint
    assert taken.read_text() == "mine"


# --- the wire -------------------------------------------------------------------------------------


def test_portions_cover_all_bytes_and_are_due_when_their_last_bit_has_passed() -> None:
    """At 9600 baud 960 bytes a second, in what an adapter's 16 ms timer collects."""
    parts = list(portions(960, 9600))
    assert [first for first, _, _ in parts] == [0, *(end for _, end, _ in parts[:-1])]
    assert {end - first for first, end, _ in parts} == {15}
    assert parts[-1][1] == 960
    assert parts[-1][2] == pytest.approx(1.0)


def test_double_the_rate_is_half_the_time() -> None:
    """Ten bits a byte at any rate."""
    ends = [list(portions(9600, rate))[-1][2] for rate in (4800, 9600, 115_200)]
    assert ends[0] == pytest.approx(2 * ends[1]) == pytest.approx(24 * ends[2])


def test_a_paced_message_is_never_early() -> None:
    """Sending takes at least as long as the bits do."""
    began = time.monotonic()
    assert send(bytes(96), len, threading.Event(), rate_baud=9600) == 96
    assert time.monotonic() - began >= 0.1


def test_pieces_are_no_larger_than_asked_and_join_to_the_message() -> None:
    """A frame can be made to reach the host byte by byte."""
    parts: list[bytes] = []

    def write(part: bytes) -> int:
        parts.append(part)
        return len(part)

    Line(write, Wire(piece=3), seed=0).send(b"0123456789")
    assert parts == [b"012", b"345", b"678", b"9"]


# --- scanners -------------------------------------------------------------------------------------


def test_a_held_card_is_repeated_about_every_65_ms(port: PseudoPort, host: serial.Serial) -> None:
    """0.2 s are the frames at 0, 65, 130 and 195 ms."""
    assert list(scanner.frame_times(0.2)) == pytest.approx([0.0, 0.065, 0.13, 0.195])
    assert scanner.Rdm6300(port).present(CARD, held_s=0.2) == 4
    assert written(port, host) == 4 * scanner.rdm6300_frame(CARD)


def test_a_lifted_card_ends_its_frames(port: PseudoPort, host: serial.Serial) -> None:
    """The presentation returns long before the time it was meant to last."""
    reader = scanner.Rdm6300(port)
    thread = threading.Thread(target=reader.present, args=(CARD, 600.0))
    thread.start()
    assert host.read(14) == scanner.rdm6300_frame(CARD)
    reader.lift()
    thread.join(5.0)
    assert not thread.is_alive()


def test_a_phantom_is_one_frame(port: PseudoPort, host: serial.Serial) -> None:
    """The digits it tells are the digits it sent."""
    digits = scanner.Rdm6300(port, seed=3).phantom()
    assert written(port, host) == scanner.rdm6300_frame(digits)


def test_an_id12la_sends_once_and_a_text_reader_a_line(
    port: PseudoPort, host: serial.Serial
) -> None:
    """They do not repeat while the card stays."""
    scanner.Id12la(port).present(CARD)
    assert written(port, host) == scanner.id12la_frame(CARD)
    for terminator in (b"\r\n", b"\r", b"\n", b"\x03", b""):
        scanner.TextReader(port, terminator).present("0013530444")
        assert written(port, host) == b"0013530444" + terminator


# --- the receiver at work -------------------------------------------------------------------------


def test_a_module_sends_epochs_until_it_is_stopped(port: PseudoPort, host: serial.Serial) -> None:
    """One epoch after the other, each later than the last, and nothing after the stop."""
    ticks = iter(range(10_000))
    module = gnss.GnssModule(
        port,
        GnssReceiver(-5.36944, 122.69396),
        clock=lambda: MORNING + timedelta(seconds=next(ticks)),
        period_s=0.01,
        junk=True,
    )
    times: list[datetime] = []
    with module:
        while len(times) < 5:
            line = host.read_until(b"\n")
            if line.startswith(b"$GNRMC"):
                times.append(pynmea2.parse(line.decode(), check=True).datetime)
    assert times == [MORNING + timedelta(seconds=second) for second in range(5)]
    sent = next(ticks)
    assert "sim-gnss" not in {thread.name for thread in threading.enumerate()}
    assert next(ticks) == sent + 1
