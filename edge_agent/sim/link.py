"""The network between a terminal and its broker, as bad as one likes.

A TCP forwarder that is cut, stalled, made to swallow everything, and mended, and that knows MQTT
well enough to be told of a `Trouble`. Each order is carried out when its method returns.
"""

import queue
import socket
import threading
from collections.abc import Callable

from edge_agent.sim.forwarder import Forwarder
from edge_agent.sim.packets import Packet
from edge_agent.sim.trouble import Tally, Trouble

_HOST = "127.0.0.1"
_LIMIT_S = 5.0


class Link:
    """A forwarder from `port` to the target.

    Attributes:
        port: where the terminal connects.

    Args:
        target_port: where to connect to, on `target_host`.
        listen_port: 0 for a free one, on `host`.
        trouble: of the link from the start; see `suffer`.
        tell: takes a line about everything that is done to somebody, from the link's thread.
    """

    def __init__(
        self,
        target_port: int,
        listen_port: int = 0,
        trouble: Trouble | None = None,
        *,
        host: str = _HOST,
        target_host: str = _HOST,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Forward from now on.

        Raises:
            OSError: `listen_port` is taken, or `host` is none of ours.
        """
        here, target = (host, listen_port), (target_host, target_port)
        self._forwarder = Forwarder(here, target, trouble or Trouble(), tell)
        self.port = self._forwarder.port
        self._closed = False
        self._orders: queue.SimpleQueue[tuple[Callable[[], None], threading.Event]]
        self._orders = queue.SimpleQueue()
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._forwarder.watch(self._wake)
        self._thread = threading.Thread(target=self._run, name="sim-link", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """Connections accepted so far."""
        return self._forwarder.connections

    @property
    def bytes_up(self) -> int:
        """Bytes passed on to the target."""
        return self._forwarder.bytes_up

    @property
    def bytes_down(self) -> int:
        """Bytes passed back to the clients."""
        return self._forwarder.bytes_down

    @property
    def tally(self) -> Tally:
        """What has come through, and what was done to it."""
        return self._forwarder.course.tally

    def watch(self, told: Callable[[bool, Packet], None]) -> None:
        """Tell of every packet as it comes, from the link's thread: whether it goes up, and it."""
        self._order(lambda: setattr(self._forwarder.course, "watch", told))

    def suffer(self, trouble: Trouble) -> None:
        """Replace the trouble of the link, also for connections that stand; counts begin anew."""
        self._order(lambda: self._forwarder.suffer(trouble))

    def cut(self) -> None:
        """Break every connection now and refuse new ones; bytes under way are lost."""
        self._order(self._forwarder.cut)

    def mend(self) -> None:
        """Forward again, also what was held by a stall; what was swallowed is lost for good."""
        self._order(self._forwarder.mend)

    def stall(self) -> None:
        """Let no byte pass either way, close nothing, accept and hold."""
        self._order(self._forwarder.stall)

    def swallow(self) -> None:
        """Take every byte and pass none on, close nothing, accept: the half-open network.

        Who was connected before, or connects meanwhile, is never answered again, mended or not.
        """
        self._order(self._forwarder.swallow)

    def close(self) -> None:
        """Break everything and end the thread; the link is of no use afterwards."""
        self._order(self._end)
        self._thread.join(_LIMIT_S)

    def _end(self) -> None:
        self._forwarder.close()
        self._closed = True

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
            if self._forwarder.turn():
                self._obey()
        self._wake.close()
        self._waker.close()

    def _obey(self) -> None:
        self._wake.recv(4096)
        while not self._orders.empty():
            carry_out, done = self._orders.get()
            carry_out()
            done.set()
