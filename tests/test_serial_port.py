"""Real pseudo-terminals under the port's thread: missing, pulled, back, full of garbage."""

import errno
import os
import queue
import random
import termios
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import serial

from edge_agent.devices import Decoder
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.text import TextDecoder
from edge_agent.events import PortLost, PortOpened
from edge_agent.ports.serial_port import SerialPort
from edge_agent.records import Scan
from edge_agent.sim.pty import PseudoPort

FRAME = b"\x023C00CE754CCB\x03"
SCAN = Scan("em4100", "3C00CE754C")
PATIENCE_S = 10


class Reader:
    """A port under test, and everything it says in one queue."""

    def __init__(
        self, device: Path, decoder: Decoder[Any] | None = None, init: Sequence[bytes] = ()
    ) -> None:
        self.said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        say = self.said.put
        self.port = SerialPort(
            "front", str(device), 9600, decoder or Em4100Decoder(), say, say, init
        )

    def __enter__(self) -> "Reader":
        self.port.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.port.stop()
        assert "port front" not in {thread.name for thread in threading.enumerate()}

    def next(self, patience_s: float = PATIENCE_S) -> Any:
        return self.said.get(timeout=patience_s)

    def lost(self) -> str:
        """The cause, which the next event must be."""
        event = self.next()
        assert isinstance(event, PortLost), event
        assert event.name == "front"
        assert event.cause
        assert event.cause.isprintable()
        assert len(event.cause) <= 120
        return event.cause


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PseudoPort]:
    """A reader's cable, not plugged in yet."""
    one = PseudoPort(tmp_path / "by-id-reader", patience_s=PATIENCE_S)
    yield one
    one.unplug()


def plug(device: PseudoPort, reader: Reader) -> None:
    """Plug it in; when this returns the port is open and reads."""
    device.plug()
    assert reader.next() == PortOpened("front")
    assert device.wait_open(PATIENCE_S)


def test_a_port_that_is_there_opens_and_gives_records(device: PseudoPort) -> None:
    """Every frame, in order, stamped by whoever takes them."""
    with Reader(device.path) as reader:
        device.plug()
        event = reader.next()
        while isinstance(event, PortLost):  # it may have looked before the cable was there
            event = reader.next()
        assert event == PortOpened("front")
        assert device.wait_open(PATIENCE_S)
        device.write(FRAME * 3)
        assert [reader.next() for _ in range(3)] == [SCAN] * 3


def test_a_port_missing_at_the_start_is_said_once_and_opens_when_it_comes(
    device: PseudoPort,
) -> None:
    """Tried again and again; told once."""
    with Reader(device.path) as reader:
        assert "No such file" in reader.lost()
        with pytest.raises(queue.Empty):
            reader.next(0.5)  # three attempts or more
        plug(device, reader)
        device.write(FRAME)
        assert reader.next() == SCAN


def test_a_port_that_vanishes_comes_back(device: PseudoPort) -> None:
    """Pulled and plugged three times; each time it reads again."""
    with Reader(device.path) as reader:
        reader.lost()
        for _ in range(3):
            plug(device, reader)
            device.write(FRAME)
            assert reader.next() == SCAN
            device.unplug()
            reader.lost()


def test_what_comes_in_pieces_is_one_record(device: PseudoPort) -> None:
    """A read for each byte."""
    with Reader(device.path) as reader:
        reader.lost()
        plug(device, reader)
        for at in range(len(FRAME)):
            device.write(FRAME[at : at + 1])
            assert device.drain(PATIENCE_S)
        assert reader.next() == SCAN
        assert reader.said.empty()


def test_no_byte_is_translated(device: PseudoPort) -> None:
    """CR stays CR, 0x03 and 0x04 end nothing, 0xFF is one byte: counted one by one as noise."""
    with Reader(device.path) as reader:
        reader.lost()
        plug(device, reader)
        device.write(bytes(byte for byte in range(256) if byte != 2) * 4 + FRAME)
        assert reader.next() == SCAN
        assert reader.port.counts.noise == 255 * 4


def test_garbage_at_full_rate_hides_no_card(device: PseudoPort) -> None:
    """200 kB as fast as the host reads, then a frame; then still a frame."""
    noise = random.Random(1).randbytes(200_000)
    with Reader(device.path) as reader:
        reader.lost()
        plug(device, reader)
        assert device.write(noise) == len(noise)
        device.write(FRAME)
        assert reader.next() == SCAN
        assert reader.port.counts.noise > 190_000
        device.write(FRAME)
        assert reader.next() == SCAN


def test_half_a_line_before_the_cut_does_not_join_what_comes_after(device: PseudoPort) -> None:
    """A reader pulled in the middle of a number: the next card is that card, not a long number."""
    with Reader(device.path, TextDecoder("text")) as reader:
        reader.lost()
        plug(device, reader)
        device.write(b"00135")
        assert device.drain(PATIENCE_S)
        device.unplug()
        reader.lost()
        plug(device, reader)
        # What comes at once may be the rest of a line; it ends here.
        device.write(b"\r\n0013530444\r\n")
        assert reader.next() == Scan("text", "0013530444")


@pytest.mark.parametrize("kind", ["file", "directory", "broken link"])
def test_what_is_no_serial_port_is_lost_and_not_fatal(
    tmp_path: Path, device: PseudoPort, kind: str
) -> None:
    """Whatever stands at the path, the thread goes on until there is a port."""
    if kind == "file":
        device.path.write_text("not a port")
    elif kind == "directory":
        device.path.mkdir()
    else:
        device.path.symlink_to(tmp_path / "nowhere")
    with Reader(device.path) as reader:
        reader.lost()
        device.path.rmdir() if kind == "directory" else device.path.unlink()
        device.plug()
        while not isinstance(event := reader.next(), PortOpened):
            assert isinstance(event, PortLost)
        assert device.wait_open(PATIENCE_S)
        device.write(FRAME)
        assert reader.next() == SCAN


def test_a_port_that_another_program_has_is_lost_until_it_lets_go(device: PseudoPort) -> None:
    """Two programs on one port would each get half of the bytes."""
    device.plug()
    with serial.Serial(str(device.path), exclusive=True) as other, Reader(device.path) as reader:
        assert "lock" in reader.lost()
        other.close()
        assert reader.next() == PortOpened("front")


class Pulled(SerialPort[Scan]):
    """A cable pulled while pyserial empties the buffer of the port that it has just opened.

    pyserial 3.5 lets termios.error through, which is no OSError: measured on pseudo-terminals that
    come and go, in one of a hundred attempts. It cannot be timed, so it is raised here.
    """

    pulled = False

    def _open(self) -> serial.Serial:
        if not self.pulled:
            self.pulled = True
            raise termios.error(errno.EIO, "Input/output error")
        return super()._open()


def test_a_cable_pulled_while_it_is_being_opened_is_lost_and_not_fatal(device: PseudoPort) -> None:
    """The thread goes on and finds the port when it is there again."""
    reader = Reader(device.path)
    said = reader.said.put
    reader.port = Pulled("front", str(device.path), 9600, Em4100Decoder(), said, said)
    device.plug()
    with reader:
        assert "Input/output error" in reader.lost()
        assert reader.next() == PortOpened("front")


def test_a_plug_that_wobbles_wears_nothing_out(device: PseudoPort) -> None:
    """Pulled and plugged a hundred times without a pause; in the end it reads."""
    with Reader(device.path) as reader:
        for _ in range(100):
            device.plug()
            device.unplug()
        device.plug()
        while not isinstance(reader.next(), PortOpened) or not device.wait_open(PATIENCE_S):
            pass
        device.write(FRAME)
        while isinstance(event := reader.next(), PortLost | PortOpened):
            device.write(FRAME)
        assert event == SCAN


def test_stopping_ends_the_thread_whatever_it_waits_for(device: PseudoPort) -> None:
    """For a port that is missing, and for bytes that do not come; nothing is said any more."""
    with Reader(device.path) as reader:
        reader.lost()
    assert reader.said.empty()
    with Reader(device.path) as reader:
        reader.lost()
        plug(device, reader)
    assert reader.said.empty()


def test_no_descriptor_is_left_behind(device: PseudoPort) -> None:
    """A port that comes and goes for years must not use them up."""
    with Reader(device.path) as reader:
        reader.lost()
        plug(device, reader)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  a count, not files
        for _ in range(5):
            device.unplug()
            reader.lost()
            plug(device, reader)
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
