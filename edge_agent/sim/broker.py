"""A real MQTT broker as a child process on 127.0.0.1, to be stopped and killed at will.

mosquitto if it is installed (Debian puts it in /usr/sbin, which is not on everybody's PATH), else
the iotcore package. By default neither keeps anything over a kill. mosquitto as Debian configures
it acknowledges more than it keeps for an absent subscriber (1,000 messages); `max_queued` is that
limit. iotcore keeps everything in memory and cannot be asked otherwise; MQTT 5 it speaks only on a
port of its own, so its clients use 3.1.1 here. Its own default address is every interface.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path

from edge_agent.errors import EdgeAgentError

_HOST = "127.0.0.1"
_LIMIT_S = 5.0
_TICK_S = 0.02
_MAX_PAYLOAD = 1_048_576
_HINT = "install one: `sudo apt install mosquitto`, or `pip install 'edge-agent[demo]'`"

# MQTT 3.1.1 CONNECT, clean session, keep-alive 60 s, client id "ready"; and the acceptance.
_CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05ready"
_CONNACK = b"\x20\x02\x00\x00"

# The broker inside logs every packet as an error, hence no logging.
_IOTCORE = """
import logging, sys
from iotcore import IotCoreBroker
logging.disable(logging.CRITICAL)
port, room = map(int, sys.argv[1:])
IotCoreBroker(listen="127.0.0.1", port=port, max_payload_size=room).run_forever()
"""


class Broker:
    """One broker with its own directory; the port stays the same over stop, kill and start.

    Attributes:
        name: ``mosquitto`` or ``iotcore``.
        port: where it listens, on 127.0.0.1 only.
        protocol: the MQTT version that clients should use, ``5`` or ``3.1.1``.
        log: file with what it said.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        persistence: bool = False,
        max_queued: int | None = None,
        max_message: int | None = None,
        name: str = "",
    ) -> None:
        """Choose a broker and a port; nothing is started.

        Args:
            port: 0 for a free one.
            persistence: keep sessions and messages in files, saved within a second of a change.
            max_queued: messages kept for one absent subscriber, 0 for all; None is the broker's
                own default.
            max_message: largest payload in bytes, which mosquitto enforces without announcing it.
            name: insist on ``mosquitto`` or ``iotcore``.

        Raises:
            EdgeAgentError: there is no broker, or not one that can do what is asked.
        """
        self.name, self._program = _choose(name)
        self.protocol = "5" if self.name == "mosquitto" else "3.1.1"
        if self.name == "iotcore" and (persistence or max_queued or max_message):
            cause = "it can neither keep messages in files nor limit them for one subscriber"
            hint = "install mosquitto for that: `sudo apt install mosquitto`"
            raise EdgeAgentError("configure", "iotcore", cause, hint)
        self.port = port or free_port()
        self._persistence = persistence
        self._max_queued = max_queued
        self._max_message = max_message
        self._directory = tempfile.TemporaryDirectory(prefix="edge-agent-broker-")
        self.log = Path(self._directory.name) / "broker.log"
        self.log.touch()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def __enter__(self) -> "Broker":
        try:
            self.start()
            self.wait_ready()
        except EdgeAgentError:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, or start it again; does nothing while it runs.

        Raises:
            EdgeAgentError: something else listens on its port.
        """
        if self._runs():
            return
        if not _is_free(self.port):
            hint = "end that program, or choose another port"
            raise self._error("something else listens there", hint)
        command = self._command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Wait until it accepts an MQTT connection.

        Raises:
            EdgeAgentError: it has ended, or is not ready in time.
        """
        until = time.monotonic() + timeout_s
        pause = threading.Event()
        while not self._accepts():
            runs = self._runs()
            if not runs or time.monotonic() >= until:
                cause = f"it is not ready after {timeout_s:g} s" if runs else "it has ended"
                raise self._error(cause, f"it said: {self._last_line()}")
            pause.wait(_TICK_S)

    def stop(self) -> None:
        """End it in order (SIGTERM), by force if it does not end; it can be started again."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does (SIGKILL); it can be started again."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """Stop it and remove its directory; happens by itself when the interpreter ends."""
        atexit.unregister(self.close)
        self.stop()
        self._directory.cleanup()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_LIMIT_S)

    def _command(self) -> list[str]:
        if self.name == "iotcore":
            return [self._program, "-P", "-c", _IOTCORE, str(self.port), str(_MAX_PAYLOAD)]
        directory = Path(self._directory.name)
        lines = [
            f"listener {self.port} {_HOST}",
            "allow_anonymous true",
            # Started as root it would become another user, who may not write here.
            f"user {pwd.getpwuid(os.getuid()).pw_name}",
            "log_dest stderr",
            f"persistence {str(self._persistence).lower()}",
        ]
        if self._persistence:
            lines += [f"persistence_location {directory}/", "autosave_on_changes true"]
            lines += ["autosave_interval 1"]
        if self._max_queued is not None:
            lines += [f"max_queued_messages {self._max_queued}"]
        if self._max_message is not None:
            lines += [f"message_size_limit {self._max_message}"]
        config = directory / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [self._program, "-c", str(config)]

    def _runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _accepts(self) -> bool:
        """True if an MQTT connection is accepted, by the process that we started."""
        try:
            with socket.create_connection((_HOST, self.port), timeout=1.0) as probe:
                probe.sendall(_CONNECT)
                accepted = probe.recv(len(_CONNACK)) == _CONNACK
        except OSError:
            return False
        return accepted and self._runs()

    def _error(self, cause: str, hint: str) -> EdgeAgentError:
        return EdgeAgentError("start", f"{self.name} on port {self.port}", cause, hint)

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "nothing"


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody has at this moment."""
    with socket.socket() as one:
        one.bind((_HOST, 0))
        port: int = one.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((_HOST, port))
        except OSError:
            return False
        return True


def _choose(name: str) -> tuple[str, str]:
    """The broker's name and the program to run."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    mosquitto = shutil.which("mosquitto", path=path)
    if mosquitto and name in ("", "mosquitto"):
        return "mosquitto", mosquitto
    if find_spec("iotcore") and name in ("", "iotcore"):
        return "iotcore", sys.executable
    wanted = name or "mosquitto, iotcore"
    raise EdgeAgentError("find", "an MQTT broker", f"there is none of: {wanted}", _HINT)
