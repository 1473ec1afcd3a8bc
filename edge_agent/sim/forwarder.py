"""The sockets of a simulated network: accepts, connects on, passes and breaks. One thread's own.

`link.Link` runs it and gives it the orders.
"""

import selectors
import socket
import time
from collections.abc import Callable
from random import Random

from edge_agent.sim import packets
from edge_agent.sim.door import Door, reset, turn_away
from edge_agent.sim.flow import Pair
from edge_agent.sim.pace import Pace, life_s
from edge_agent.sim.trouble import Act, Course, Trouble

_LIMIT_S = 5.0
_READ = selectors.EVENT_READ
#: A modem's buffer: on a link with a rate the client must not be told that 100 kB are gone.
_RATED_BUFFER = 8_192
_TOO_MANY = "connection refused", "a connection is refused: we may have no more files open"


class Forwarder:
    """A listener at `here`, and a connection to `target` for each that it accepts.

    Attributes:
        port, connections, bytes_up, bytes_down: see `Link`.
        course: of the trouble.

    Args:
        here, target: IPv4 address or name, and port.
        trouble: from the start.
        tell: takes a line about everything that is done to somebody.

    Raises:
        OSError: `here` is taken, or none of ours.
    """

    def __init__(
        self,
        here: tuple[str, int],
        target: tuple[str, int],
        trouble: Trouble,
        tell: Callable[[str], None],
    ) -> None:
        self._target = target
        self._tell = tell
        self.connections = self.bytes_up = self.bytes_down = 0
        self._pairs: set[Pair] = set()
        self._held: list[socket.socket] = []
        self._void: set[socket.socket] = set()  # whatever these say has gone astray
        self._stalled = self._swallows = self._cut = False
        self._door = Door(*here)
        self.port = self._door.port
        self.course = Course(trouble)
        self.suffer(trouble)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._door.end, _READ)

    def watch(self, wake: socket.socket) -> None:
        """Let `turn` return True when `wake` can be read."""
        self._selector.register(wake, _READ, wake)

    def turn(self) -> bool:
        """Wait until something has to be done, and do it; True if somebody woke us instead."""
        for key, mask in self._selector.select(self._patience_s()):
            if key.fileobj is self._door.end:
                self._accept()
            elif isinstance(key.data, Pair):
                # Only sockets are registered; a selector's types allow descriptors, too.
                self._pass(key.data, key.fileobj if mask & _READ else None)  # type: ignore[arg-type]
            elif key.data is None:
                self._forget(key.fileobj)  # type: ignore[arg-type]  # as above
            else:
                return True  # what else was ready may be closed by then
        self._on_time()
        return False

    def suffer(self, trouble: Trouble) -> None:
        """Replace the trouble; this and what follows are the orders of `Link`."""
        now_s = time.monotonic()
        self.course.trouble = trouble
        self.course.seen.clear()
        self.course.tally.in_flight = 0
        self._chance = Random(trouble.seed)
        self._paces = {up: Pace(trouble, now_s) for up in (True, False)}
        self._narrow()
        for pair in self._pairs:
            self._doom(pair)

    def cut(self) -> None:
        for pair in list(self._pairs):
            self._break(pair)
        for end in [*self._held, *self._void]:
            reset(end)
            self._shut(end)
        self._held.clear()
        self._void.clear()
        self._stalled = self._swallows = False
        if not self._cut:
            self._cut = True
            self._selector.unregister(self._door.end)
            self._door.shut()

    def mend(self) -> None:
        self._listen()
        self._stalled = self._swallows = False
        for pair in list(self._pairs):
            self._watch(pair)
        for client in self._held:
            self._join(client)
        self._held.clear()

    def stall(self) -> None:
        self._listen()
        self._stalled = True
        for pair in self._pairs:
            self._watch(pair)

    def swallow(self) -> None:
        self.mend()
        self._swallows = True
        for pair in self._pairs:
            self._lose(pair.up.source)
            self._lose(pair.down.source)
            self._astray(pair.number)
        self._pairs.clear()

    def close(self) -> None:
        self.cut()
        self._door.close()
        self._selector.close()

    def _patience_s(self) -> float | None:
        """How long nothing has to be done unless a socket is ready."""
        if self._stalled:
            return None
        now_s = time.monotonic()
        due = [pair.dies_s - now_s for pair in self._pairs if pair.dies_s is not None]
        for up, pace in self._paces.items():
            if any((pair.up if up else pair.down).paced for pair in self._pairs):
                due.append(max(0.001, pace.wait_s(now_s)))
        return max(0.0, min(due)) if due else None

    def _on_time(self) -> None:
        """What is due: deaths, and bytes that had to wait."""
        if self._stalled:
            return
        now_s = time.monotonic()
        for pair in list(self._pairs):
            if pair.dies_s is not None and pair.dies_s <= now_s:
                self._done("connection died", f"connection {pair.number} died")
                self._break(pair)
            elif pair.up.paced or pair.down.paced:
                self._pass(pair, None)

    def _accept(self) -> None:
        try:
            client = self._door.accept()
        except OSError:
            self._done(*_TOO_MANY)
            return
        if client is None:
            return
        self.connections += 1
        if self._stalled:
            self._held.append(client)
        elif self._swallows:
            self._lose(client)
            self._astray(self.connections)
        else:
            self._join(client)

    def _join(self, client: socket.socket) -> None:
        """Connect `client` to the target; whether that works out is seen when bytes pass."""
        try:
            target = socket.socket()
        except OSError:
            turn_away(client)
            self._done(*_TOO_MANY)
            return
        for end in (client, target):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target.connect_ex(self._target)
        pair = Pair(self.connections, client, target, self.course)
        self._doom(pair)
        self._pairs.add(pair)
        self._watch(pair)

    def _doom(self, pair: Pair) -> None:
        life = life_s(self.course.trouble, self._chance)
        pair.dies_s = None if life is None else time.monotonic() + life

    def _pass(self, pair: Pair, ready: socket.socket | None) -> None:
        """Read from a side that is ready, and send on what can be sent on."""
        if pair not in self._pairs:
            return
        try:
            act = Act() if ready is None else pair.pull(ready)
            now_s = time.monotonic()
            self.bytes_up += pair.up.push(self._paces[True], now_s)
            self.bytes_down += pair.down.push(self._paces[False], now_s)
        except OSError:
            self._drop(pair)
            return
        for line in act.said:
            self._tell(f"{line}, connection {pair.number}")
        for pace in self._paces.values():
            if pace.met_stall():
                stall_s = self.course.trouble.stall_s
                self._done("stalled", f"stalled for {stall_s:g} s, connection {pair.number}")
        if act.taken_over:
            self._take_over(*act.taken_over)
        if pair.over and pair.doomed:
            self._break(pair)
        elif pair.over:
            self._drop(pair)
        else:
            self._watch(pair)

    def _take_over(self, client_id: str, v5: bool) -> None:
        """Connect to the target as somebody else with the same name, and stay."""
        try:
            rival = socket.create_connection(self._target, timeout=_LIMIT_S)
            rival.sendall(packets.connect(client_id, v5=v5))
        except OSError as error:
            self._tell(f"the session of {client_id} could not be taken over: {error}")
            return
        self._lose(rival)  # until the broker ends it: the next one with that name is one too many

    def _done(self, what: str, line: str) -> None:
        self.course.tally.done[what] += 1
        self._tell(line)

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
            self._shut(end)

    def _break(self, pair: Pair) -> None:
        for end in (pair.up.source, pair.down.source):
            reset(end)
        self._drop(pair)

    def _shut(self, end: socket.socket) -> None:
        if end in self._selector.get_map():
            self._selector.unregister(end)
        end.close()

    def _lose(self, end: socket.socket) -> None:
        """From now on nobody hears what this end says, and nobody tells it anything."""
        if end in self._selector.get_map():
            self._selector.unregister(end)
        end.setblocking(False)
        self._void.add(end)
        self._selector.register(end, _READ, None)

    def _astray(self, number: int) -> None:
        self._done("connection half-open", f"connection {number} is never answered again")

    def _forget(self, end: socket.socket) -> None:
        try:
            gone = not end.recv(65_536)
        except OSError:
            gone = True
        if gone:
            self._void.discard(end)
            self._shut(end)

    def _listen(self) -> None:
        if self._cut:
            self._cut = False
            self._door.open()
            self._narrow()
            self._selector.register(self._door.end, _READ)

    def _narrow(self) -> None:
        """Clients that come from now on have as little room as the trouble gives them."""
        if self.course.trouble.rate:
            self._door.end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RATED_BUFFER)
