"""One forwarded TCP connection: a flow of bytes each way, with at most one read's worth held."""

import selectors
import socket

_ROOM = 65_536
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Flow:
    """One direction of a connection: at most one read's worth of bytes is held."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.held = b""
        self.ended = False

    def pull(self) -> None:
        """Take what the source has, or its end.

        Raises:
            OSError: the connection is broken.
        """
        self.held = self.source.recv(_ROOM)
        self.ended = not self.held
        if self.ended:
            self.sink.shutdown(socket.SHUT_WR)

    def push(self) -> int:
        """Give the sink what it takes; gives the number of bytes.

        Raises:
            OSError: the connection is broken.
        """
        try:
            taken = self.sink.send(self.held)
        except BlockingIOError:
            return 0
        self.held = self.held[taken:]
        return taken


class Pair:
    """A client's connection and ours to the target, with a flow each way."""

    def __init__(self, client: socket.socket, target: socket.socket) -> None:
        self.up = Flow(client, target)
        self.down = Flow(target, client)

    def wanted(self) -> tuple[tuple[socket.socket, int], ...]:
        """What each socket has to be watched for."""
        up, down = self.up, self.down
        return (
            (up.source, _interest(up, down)),
            (down.source, _interest(down, up)),
        )

    @property
    def over(self) -> bool:
        return self.up.ended and self.down.ended


def _interest(outward: Flow, inward: Flow) -> int:
    """Read while nothing of it is held; write while something is held for it."""
    read = 0 if outward.held or outward.ended else _READ
    return read | (_WRITE if inward.held else 0)
