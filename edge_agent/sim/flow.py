"""One forwarded TCP connection: a flow of bytes each way, held only while the other side is slow.

Nothing is read while there is something to send on, so what is held is at most what one read
completes: 64 KiB, or one packet with its copy.
"""

import selectors
import socket

from edge_agent.sim.pace import Pace
from edge_agent.sim.trouble import DOWN, UP, Act, Course, Passage

_ROOM = 65_536
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Flow:
    """One direction of a connection.

    Attributes:
        paced: True while the link's pace, not the sink, holds bytes back.
    """

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.held = b""
        self.ended = self.paced = False
        self._shut = False

    def pull(self) -> bytes:
        """What the source has; nothing at its end.

        Raises:
            OSError: the connection is broken.
        """
        data = self.source.recv(_ROOM)
        self.ended = not data
        return data

    def push(self, pace: Pace, now_s: float) -> int:
        """Give the sink what it takes and the pace allows; gives the number of bytes.

        Raises:
            OSError: the connection is broken.
        """
        taken = 0
        room = pace.room(now_s) if self.held else 0
        self.paced = bool(self.held) and room < len(self.held)
        if room:
            try:
                taken = self.sink.send(self.held[:room])
            except BlockingIOError:
                self.paced = False
            pace.passed(taken)
            self.held = self.held[taken:]
        if self.ended and not self.held and not self._shut:
            self._shut = True
            self.sink.shutdown(socket.SHUT_WR)
        return taken


class Pair:
    """A client's connection and ours to the target, with a flow each way.

    Attributes:
        number: of the connection, from 1.
        dies_s: instant at which it breaks; None if it does not.
        doomed: it breaks as soon as what is held has been sent.
    """

    def __init__(
        self, number: int, client: socket.socket, target: socket.socket, course: Course
    ) -> None:
        self.number = number
        self.up = Flow(client, target)
        self.down = Flow(target, client)
        self.dies_s: float | None = None
        self.doomed = False
        self._passage = Passage(course)

    def pull(self, ready: socket.socket) -> Act:
        """Read from a side that is ready, and hold what is to be sent on.

        Raises:
            OSError: the connection is broken.
        """
        way = UP if ready is self.up.source else DOWN
        flow = self.up if way is UP else self.down
        if flow.held or flow.ended or self.doomed:
            return Act()
        data = flow.pull()
        act = self._passage.heard(way, data) if data else Act()
        if flow.ended:
            act.send(way, self._passage.ended(way))
        self.up.held += act.up
        self.down.held += act.down
        self.doomed = act.over
        return act

    def wanted(self) -> tuple[tuple[socket.socket, int], ...]:
        """What each socket has to be watched for."""
        up, down = self.up, self.down
        return (
            (up.source, self._interest(up, down)),
            (down.source, self._interest(down, up)),
        )

    @property
    def over(self) -> bool:
        """Nothing will pass any more."""
        held = self.up.held or self.down.held
        return not held and (self.doomed or (self.up.ended and self.down.ended))

    def _interest(self, outward: Flow, inward: Flow) -> int:
        """Read while nothing of it is held; write while something is held for it."""
        idle = not (outward.held or outward.ended or self.doomed or len(inward.held) > _ROOM)
        waits = inward.held and not inward.paced
        return (_READ if idle else 0) | (_WRITE if waits else 0)
