"""The simulated network: it forwards, is cut, stalls and is mended."""

import socket
import threading
from collections.abc import Iterator
from random import Random

import pytest

from edge_agent.sim.broker import free_port
from edge_agent.sim.link import Link
from edge_agent.sim.trouble import Trouble


@pytest.fixture
def target() -> Iterator[socket.socket]:
    """A listening socket at the far end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5.0)
        yield server


@pytest.fixture
def link(target: socket.socket) -> Iterator[Link]:
    """A link to `target`."""
    with Link(target.getsockname()[1]) as one:
        yield one


def connected(link: Link, target: socket.socket) -> tuple[socket.socket, socket.socket]:
    """A connection through the link: the terminal's end and the broker's end."""
    near = socket.create_connection(("127.0.0.1", link.port), timeout=5.0)
    far, _ = target.accept()
    far.settimeout(5.0)
    return near, far


def exactly(end: socket.socket, size: int) -> bytes:
    """`size` bytes from `end`, or what came before it ended."""
    got = bytearray()
    while len(got) < size and (part := end.recv(size - len(got))):
        got += part
    return bytes(got)


def filled(end: socket.socket, block: bytes) -> int:
    """Send `block` over and over until nobody takes any more; gives the bytes sent."""
    end.settimeout(0.2)
    sent = 0
    try:
        while sent < 1_000_000_000:
            sent += end.send(block[sent % len(block) :])
    except TimeoutError:
        return sent
    return pytest.fail("nothing holds the writer back")


def is_over(end: socket.socket) -> bool:
    """True if `end` was closed or reset by the other side."""
    try:
        return end.recv(1) == b""
    except ConnectionError:
        return True


def test_bytes_pass_both_ways_and_are_counted(link: Link, target: socket.socket) -> None:
    """What goes in comes out, however slowly it is taken."""
    near, far = connected(link, target)
    much = bytes(range(256)) * 16_384
    sender = threading.Thread(target=near.sendall, args=(much,))
    sender.start()
    assert exactly(far, len(much)) == much
    sender.join(5.0)
    far.sendall(b"receipt")
    assert exactly(near, 7) == b"receipt"
    near.close()
    assert is_over(far)
    far.close()
    assert (link.bytes_up, link.bytes_down, link.connections) == (len(much), 7, 1)


def test_a_reader_that_is_slow_holds_the_writer_back(link: Link, target: socket.socket) -> None:
    """The link keeps little itself; when the reader goes on, nothing is missing."""
    near, far = connected(link, target)
    block = Random(0).randbytes(100_003)
    sent = filled(near, block)
    got = exactly(far, sent)
    assert got == (block * (sent // len(block) + 1))[:sent]
    near.close()
    far.close()


def test_the_last_bytes_before_a_close_arrive(link: Link, target: socket.socket) -> None:
    """One side may stop sending while the other still answers."""
    near, far = connected(link, target)
    near.sendall(b"last words")
    near.shutdown(socket.SHUT_WR)
    assert exactly(far, 10) == b"last words"
    assert is_over(far)
    far.sendall(b"heard")
    far.close()
    assert exactly(near, 5) == b"heard"
    assert is_over(near)
    near.close()


def test_a_cut_breaks_connections_and_refuses_new_ones(link: Link, target: socket.socket) -> None:
    """Both ends see it at once, and the port stays the link's own until it is mended."""
    near, far = connected(link, target)
    link.cut()
    assert is_over(near)
    assert is_over(far)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", link.port), timeout=5.0)
    with pytest.raises(OSError, match="in use"), socket.socket() as thief:
        thief.bind(("127.0.0.1", link.port))
    near.close()
    far.close()


def test_a_mended_link_works_as_before(link: Link, target: socket.socket) -> None:
    """After every cut, on the same port."""
    for turn in range(3):
        link.cut()
        link.mend()
        near, far = connected(link, target)
        near.sendall(b"again")
        assert exactly(far, 5) == b"again"
        assert link.connections == turn + 1
        near.close()
        far.close()


def test_a_stall_passes_nothing_and_closes_nothing(link: Link, target: socket.socket) -> None:
    """Neither end can tell it from silence; the mend delivers what was under way."""
    near, far = connected(link, target)
    link.stall()
    near.sendall(b"into the void")
    far.sendall(b"and back")
    for end in (near, far):
        end.settimeout(0.1)
        with pytest.raises(TimeoutError):
            end.recv(1)
        end.settimeout(5.0)
    assert (link.bytes_up, link.bytes_down) == (0, 0)
    link.mend()
    assert exactly(far, 13) == b"into the void"
    assert exactly(near, 8) == b"and back"
    near.close()
    far.close()


def test_a_stalled_link_accepts_and_holds(link: Link, target: socket.socket) -> None:
    """A client that connects during a stall is connected on once it is mended, or cut with it."""
    link.stall()
    near = socket.create_connection(("127.0.0.1", link.port), timeout=5.0)
    near.sendall(b"CONNECT")
    target.settimeout(0.1)
    with pytest.raises(TimeoutError):
        target.accept()
    target.settimeout(5.0)
    link.mend()
    far, _ = target.accept()
    far.settimeout(5.0)
    assert exactly(far, 7) == b"CONNECT"
    link.stall()
    held = socket.create_connection(("127.0.0.1", link.port), timeout=5.0)
    link.cut()
    for end in (held, near, far):
        assert is_over(end)
        end.close()


def test_a_client_of_a_dead_broker_is_turned_away(link: Link, target: socket.socket) -> None:
    """The link is up, the far end is not: the connection ends, and a later one works."""
    address = target.getsockname()
    target.close()
    with socket.create_connection(("127.0.0.1", link.port), timeout=5.0) as near:
        assert is_over(near)
    with socket.create_server(address) as back:
        near, far = connected(link, back)
        near.sendall(b"you are back")
        assert exactly(far, 12) == b"you are back"
        near.close()
        far.close()


def test_a_closed_link_leaves_no_thread_and_no_port(target: socket.socket) -> None:
    """Closing twice is harmless, and orders afterwards do nothing."""
    link = Link(target.getsockname()[1], free_port())
    near, far = connected(link, target)
    link.close()
    link.close()
    link.mend()
    assert is_over(near)
    assert is_over(far)
    assert "sim-link" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", link.port), timeout=5.0)
    near.close()
    far.close()


def test_a_rate_is_felt_also_after_a_cut(link: Link, target: socket.socket) -> None:
    """A client is not told that what waits for a slow link were gone."""
    link.suffer(Trouble(rate=1_000))
    link.cut()
    link.mend()
    with socket.socket() as near:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        near.connect(("127.0.0.1", link.port))
        far, _ = target.accept()
        assert filled(near, bytes(1_000)) < 200_000
    far.close()
