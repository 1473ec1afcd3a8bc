"""A port whose device is asked: set up at each opening, asked in time, given orders at once."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_serial_port import PATIENCE_S, Reader, plug

from edge_agent.devices import Decoder
from edge_agent.events import CancelEnrolment, EnrolFinger, Order
from edge_agent.records import Counts
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def device(tmp_path: Path) -> Iterator[PseudoPort]:
    """The device's end of the cable, not plugged in yet."""
    one = PseudoPort(tmp_path / "by-id-module", patience_s=PATIENCE_S)
    yield one
    one.unplug()


class Asker(Decoder[Any]):
    """Asks ``?`` every `every_ms`, once if that is None; gives what it hears and is ordered."""

    def __init__(self, every_ms: int | None = None, question: bytes = b"?") -> None:
        self.polls = self.restarts = 0
        self.times: list[int] = []
        self.ordered: list[Order] = []
        self._every_ms = every_ms
        self._question = question
        self._due_ms: int | None = 0

    @property
    def counts(self) -> Counts:
        return Counts()

    @property
    def wake_ms(self) -> int | None:
        return self._due_ms

    def restart(self) -> None:
        self.restarts += 1
        self._due_ms = 0

    def poll(self, now_ms: int) -> bytes:
        self.polls += 1
        if self._due_ms is None or now_ms < self._due_ms:
            return b""
        self._due_ms = None if self._every_ms is None else now_ms + self._every_ms
        return self._question

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Any]:
        self.times.append(now_ms)
        waiting, self.ordered = self.ordered, []
        yield from waiting
        if data:
            yield data

    def order(self, order: Order) -> None:
        self.ordered.append(order)


def hear(device: PseudoPort, count: int) -> bytes:
    """The next `count` bytes that the device is told."""
    heard = b""
    while len(heard) < count:
        more = device.read(PATIENCE_S)
        assert more, heard
        heard += more
    return heard


def test_a_device_is_set_up_each_time_its_port_opens(device: PseudoPort) -> None:
    """Every message in order, before anything is asked; a module that lost its power forgot."""
    with Reader(device.path, Asker(), [b"one;", b"two;"]) as reader:
        reader.lost()
        for _ in range(2):
            plug(device, reader)
            assert hear(device, 9) == b"one;two;?"
            device.unplug()
            reader.lost()


def test_a_device_is_asked_again_when_the_decoder_wants_to(device: PseudoPort) -> None:
    """Though it says nothing; and what it says comes at once, between two questions."""
    with Reader(device.path, asker := Asker(every_ms=50)) as reader:
        reader.lost()
        plug(device, reader)
        began = time.monotonic()
        assert hear(device, 6) == b"??????"
        assert 0.2 <= time.monotonic() - began < 2
        device.write(b"!")
        assert reader.next() == b"!"
        assert asker.times == sorted(asker.times)
        assert abs(asker.times[-1] - time.monotonic() * 1000) < 1000


def test_a_decoder_that_wants_nothing_is_left_in_peace(device: PseudoPort) -> None:
    """The thread sleeps until there is a byte: no processor time for a reader that talks."""
    with Reader(device.path, asker := Asker(every_ms=None)) as reader:
        reader.lost()
        plug(device, reader)
        hear(device, 1)
        with pytest.raises(queue.Empty):
            reader.next(0.3)
        assert asker.polls <= 3


def test_an_order_reaches_the_decoder_at_once(device: PseudoPort) -> None:
    """Though the thread sleeps for ever; several come in their order."""
    with Reader(device.path, Asker()) as reader:
        reader.lost()
        plug(device, reader)
        hear(device, 1)
        for order in (EnrolFinger(7), CancelEnrolment(), EnrolFinger(8)):
            reader.port.order(order)
        assert [reader.next(1) for _ in range(3)] == [
            EnrolFinger(7), CancelEnrolment(), EnrolFinger(8),
        ]  # fmt: skip


def test_an_order_to_a_port_that_is_not_there_is_forgotten(device: PseudoPort) -> None:
    """Before the first time and while it is unplugged: nobody wants it any more when it comes.

    Nor do they pile up while it is away: the ring of a module is told of every notice.
    """
    with Reader(device.path, asker := Asker(every_ms=20)) as reader:
        reader.lost()
        for _ in range(2):
            reader.port.order(EnrolFinger(7))
            assert reader.port._orders.empty()
            plug(device, reader)
            hear(device, 3)
            device.unplug()
            reader.lost()
        assert asker.restarts == 2
        assert reader.said.empty()


class Busy(Asker):
    """Takes its time over what it hears."""

    def __init__(self) -> None:
        super().__init__(every_ms=0)
        self.begun, self.go_on = threading.Event(), threading.Event()

    def feed(self, data: bytes, now_ms: int = 0) -> Iterator[Any]:
        if data:
            self.begun.set()
            self.go_on.wait(PATIENCE_S)
        yield from super().feed(b"", now_ms)


def test_an_order_that_the_cable_did_not_outlive_is_forgotten(device: PseudoPort) -> None:
    """Given and not yet passed on when the port went: it is not done at the next opening."""
    with Reader(device.path, busy := Busy()) as reader:
        reader.lost()
        plug(device, reader)
        device.write(b"!")
        assert busy.begun.wait(PATIENCE_S)
        reader.port.order(EnrolFinger(7))
        device.unplug()
        busy.go_on.set()
        reader.lost()
        plug(device, reader)
        hear(device, 3)
        assert reader.said.empty()


def test_a_device_that_does_not_listen_is_heard_all_the_same(device: PseudoPort) -> None:
    """Its buffer is full after a few kilobytes; the thread does not wait for it."""
    with Reader(device.path, Asker(every_ms=1, question=b"?" * 50_000)) as reader:
        reader.lost()
        plug(device, reader)
        for number in range(20):
            device.write(b"%d" % number)
            assert reader.next() == b"%d" % number


def test_a_port_whose_decoder_asks_stops_in_time(device: PseudoPort) -> None:
    """In the middle of asking, and while the device is deaf."""
    for question in (b"?", b"?" * 50_000):
        with Reader(device.path, Asker(1, question)) as reader:
            reader.lost()
            plug(device, reader)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        device.unplug()
