"""Telling systemd that we are ready and alive: sd_notify(3), one datagram each."""

import os
import socket


class Notifier:
    """Sends to ``$NOTIFY_SOCKET``; does nothing where systemd did not start us.

    `alive` is called once a turn by the thread that does the work, so a watchdog bite means that
    the work has stopped, not that some timer has.
    """

    #: WatchdogSec is 30 s; a datagram every 5 s is plenty, one a turn would be a flood.
    ALIVE_EVERY_MS = 5000

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._next_ms = 0

    def ready(self) -> None:
        self._send("READY=1")

    def alive(self, mono_ms: int) -> None:
        if mono_ms >= self._next_ms:
            self._next_ms = mono_ms + self.ALIVE_EVERY_MS
            self._send("WATCHDOG=1")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def _send(self, state: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as sock:
                sock.sendto(state.encode(), self._address)
        except OSError:
            return  # a systemd that is deaf, or too busy to read, must not hold up a tap
