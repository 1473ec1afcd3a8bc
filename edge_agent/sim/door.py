"""The listener of a simulated network: open, or shut and nobody else's all the same."""

import errno
import socket
import struct
from contextlib import suppress


class Door:
    """At `host` and `port`, 0 for a free one; open from the start.

    Attributes:
        port: where it is.
        end: the socket to watch; another one after `shut`.

    Raises:
        OSError: the port is taken, or `host` is none of ours.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self.end = self._bound(port)
        self.port: int = self.end.getsockname()[1]
        self._spare = socket.socket()
        self.open()

    def open(self) -> None:
        """Let clients in, or in again."""
        self.end.listen()

    def shut(self) -> None:
        """Refuse whoever comes."""
        self.end.close()
        self.end = self._bound(self.port)  # kept from others, but refuses: not listening

    def close(self) -> None:
        """Leave the port."""
        self.end.close()
        self._spare.close()

    def accept(self) -> socket.socket | None:
        """Who waits there; None if it has given up already.

        Raises:
            OSError: there are more than we may have open, and it was turned away.
        """
        try:
            return self.end.accept()[0]
        except OSError as error:
            if error.errno != errno.EMFILE:
                return None
            self._spare.close()  # it would wait, and wake us, for ever
            with suppress(OSError):  # it has given up already
                turn_away(self.end.accept()[0])
            self._spare = socket.socket()
            raise

    def _bound(self, port: int) -> socket.socket:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((self._host, port))
        except OSError:
            one.close()
            raise
        one.setblocking(False)
        return one


def reset(end: socket.socket) -> None:
    """Make closing `end` a reset, as a broken path is; there is no orderly good-bye."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def turn_away(client: socket.socket) -> None:
    """Reset it."""
    reset(client)
    client.close()
