"""The network between a terminal and its broker, as one that can be cut, stalled and mended.

A TCP forwarder on 127.0.0.1. Each order is carried out when its method returns.
"""

import queue
import selectors
import socket
import struct
import threading
from collections.abc import Callable

from edge_agent.sim.flow import Pair

_HOST = "127.0.0.1"
_LIMIT_S = 5.0
_READ = selectors.EVENT_READ


class Link:
    """A forwarder from `port` to `target_port`, both on 127.0.0.1.

    Attributes:
        port: where the terminal connects.
        connections: connections accepted so far.
        bytes_up, bytes_down: bytes passed on to the target, and back to the clients.
    """

    def __init__(self, target_port: int, listen_port: int = 0) -> None:
        """Forward from now on.

        Raises:
            OSError: `listen_port` is taken.
        """
        self._target = (_HOST, target_port)
        self._listener = _bound(listen_port)
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self.connections = self.bytes_up = self.bytes_down = 0
        self._pairs: set[Pair] = set()
        self._held: list[socket.socket] = []
        self._stalled = self._cut = self._closed = False
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]]
        self._orders = queue.SimpleQueue()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, _READ)
        self._selector.register(self._listener, _READ)
        self._thread = threading.Thread(target=self._run, name="sim-link", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def cut(self) -> None:
        """Break every connection now and refuse new ones; bytes under way are lost."""
        self._order(self._on_cut)

    def mend(self) -> None:
        """Forward again, also what was held by a stall."""
        self._order(self._on_mend)

    def stall(self) -> None:
        """Let no byte pass either way, close nothing, accept and hold: the half-open network."""
        self._order(self._on_stall)

    def close(self) -> None:
        """Break everything and end the thread; the link is of no use afterwards."""
        self._order(self._on_close)
        self._thread.join(_LIMIT_S)

    def _order(self, carry_out: Callable[[], None]) -> None:
        if self._closed:
            return
        done = threading.Event()
        self._orders.put((carry_out, done))
        self._waker.send(b"!")
        if not done.wait(_LIMIT_S):
            raise TimeoutError("the link's thread does not answer")

    def _run(self) -> None:
        while not self._closed:
            for key, mask in self._selector.select():
                if key.fileobj is self._wake:
                    self._obey()
                    break  # what else was ready may be closed by now
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._pass(key.data, key.fileobj, mask)  # type: ignore[arg-type]
        self._selector.close()
        self._wake.close()
        self._waker.close()

    def _obey(self) -> None:
        self._wake.recv(4096)
        while not self._orders.empty():
            carry_out, done = self._orders.get()
            carry_out()
            done.set()

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # it has given up already
            return
        self.connections += 1
        if self._stalled:
            self._held.append(client)
        else:
            self._join(client)

    def _join(self, client: socket.socket) -> None:
        """Connect `client` to the target; whether that works out is seen when bytes pass."""
        target = socket.socket()
        for end in (client, target):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target.connect_ex(self._target)
        pair = Pair(client, target)
        self._pairs.add(pair)
        self._watch(pair)

    def _pass(self, pair: Pair, ready: socket.socket, mask: int) -> None:
        if pair not in self._pairs:
            return
        flow = pair.up if ready is pair.up.source else pair.down
        try:
            if mask & _READ and not flow.held and not flow.ended:
                flow.pull()
            self._count(pair)
        except OSError:
            self._drop(pair)
            return
        if pair.over:
            self._drop(pair)
        else:
            self._watch(pair)

    def _count(self, pair: Pair) -> None:
        if pair.up.held:
            self.bytes_up += pair.up.push()
        if pair.down.held:
            self.bytes_down += pair.down.push()

    def _watch(self, pair: Pair) -> None:
        for end, events in pair.wanted():
            known = end in self._selector.get_map()
            if self._stalled or not events:
                if known:
                    self._selector.unregister(end)
            elif known:
                self._selector.modify(end, events, pair)
            else:
                self._selector.register(end, events, pair)

    def _drop(self, pair: Pair) -> None:
        self._pairs.discard(pair)
        for end in (pair.up.source, pair.down.source):
            if end in self._selector.get_map():
                self._selector.unregister(end)
            end.close()

    def _on_cut(self) -> None:
        for pair in list(self._pairs):
            _reset(pair.up.source)
            _reset(pair.down.source)
            self._drop(pair)
        for client in self._held:
            _reset(client)
            client.close()
        self._held.clear()
        self._stalled = False
        if not self._cut:
            self._cut = True
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = _bound(self.port)  # kept from others, but refuses: it does not listen

    def _on_mend(self) -> None:
        self._listen()
        self._stalled = False
        for pair in list(self._pairs):
            self._watch(pair)
        for client in self._held:
            self._join(client)
        self._held.clear()

    def _on_stall(self) -> None:
        self._listen()
        self._stalled = True
        for pair in self._pairs:
            self._watch(pair)

    def _on_close(self) -> None:
        self._on_cut()
        self._listener.close()
        self._closed = True

    def _listen(self) -> None:
        if self._cut:
            self._cut = False
            self._listener.listen()
            self._selector.register(self._listener, _READ)


def _bound(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((_HOST, port))
    one.setblocking(False)
    return one


def _reset(end: socket.socket) -> None:
    """Make closing `end` a reset, as a broken path is; there is no orderly good-bye."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
