"""A captured log sent down a port as if it were live.

Logs of gpsd's corpus begin with lines of provenance, each with a `#` first; they are not what the
device said and stay here. Whatever follows goes out byte by byte as it was captured, wrong-baud
noise included.
"""

import os
import select
import stat
import termios
import threading
import tty
from functools import partial
from pathlib import Path

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.wire import Write, send

_PATIENCE_S = 10.0


def device_bytes(data: bytes) -> bytes:
    """`data` without the lines at its head that begin with `#`."""
    while data.startswith(b"#"):
        _, _, data = data.partition(b"\n")
    return data


def replay(data: bytes, write: Write, rate_baud: int | None, stop: threading.Event) -> int:
    """Send a log's device bytes through `write` at `rate_baud`, ten bits a byte.

    Gives the bytes that `write` took. None as rate is as fast as it takes them; `stop` ends early.
    """
    return send(device_bytes(data), write, stop, rate_baud)


def replay_file(path: Path, port: str, rate_baud: int, wait_s: float = 600.0) -> int:
    """Replay the log at `path` down `port`; gives the bytes that were taken.

    A serial port that exists is opened raw and written to. If there is nothing at `port`, a
    pseudo-terminal is made there, a reader is waited for up to `wait_s`, and after the last byte
    is read the port goes away again.

    Raises:
        EdgeAgentError: the log cannot be read, or the port cannot be made, opened or written.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        cause = error.strerror or str(error)
        raise EdgeAgentError("replay", str(path), cause, "name a log that you can read") from error
    try:
        mode = Path(port).stat().st_mode
    except FileNotFoundError:
        return _into_pseudo_port(data, port, rate_baud, wait_s)
    except OSError as error:
        raise _tty_error(port, error) from error
    if not stat.S_ISCHR(mode):
        hint = "name a serial port, or a path that does not exist yet for a pseudo-terminal"
        raise EdgeAgentError("replay to", port, "it is not a serial port", hint)
    return _into_tty(data, port, rate_baud)


def _into_pseudo_port(data: bytes, port: str, rate_baud: int, wait_s: float) -> int:
    with PseudoPort(port, patience_s=_PATIENCE_S) as pseudo:
        if not pseudo.wait_open(wait_s):
            hint = "start `edge-agent run` with this port in its configuration, then replay again"
            raise EdgeAgentError("replay to", port, f"no reader within {wait_s:g} s", hint)
        taken = replay(data, pseudo.write, rate_baud, threading.Event())
        pseudo.drain(_PATIENCE_S)
        return taken


def _into_tty(data: bytes, port: str, rate_baud: int) -> int:
    speed = getattr(termios, f"B{rate_baud}", None)
    if speed is None:
        raise EdgeAgentError("replay to", port, f"no such speed: {rate_baud}", "use --rate 9600")
    try:
        tty_fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            _configure(tty_fd, speed)
            write = partial(_write, port, tty_fd)
            taken = replay(data, write, rate_baud, threading.Event())
            termios.tcdrain(tty_fd)
        finally:
            os.close(tty_fd)
    except (OSError, termios.error) as error:
        raise _tty_error(port, error) from error
    return taken


def _tty_error(port: str, error: Exception) -> EdgeAgentError:
    cause = os.strerror(error.args[0])
    hint = "see that it is a serial port, plugged in, and that you are in the group dialout"
    return EdgeAgentError("replay to", port, cause, hint)


def _configure(tty_fd: int, speed: int) -> None:
    """Raw, 8N1, no flow control, at `speed` both ways."""
    tty.setraw(tty_fd)
    mode = termios.tcgetattr(tty_fd)
    mode[2] = (mode[2] & ~(termios.CSTOPB | termios.CRTSCTS)) | termios.CLOCAL | termios.CREAD
    mode[4] = mode[5] = speed
    termios.tcsetattr(tty_fd, termios.TCSANOW, mode)


def _write(port: str, tty_fd: int, data: bytes) -> int:
    sent = 0
    while sent < len(data):
        if not select.select([], [tty_fd], [], _PATIENCE_S)[1]:
            hint = "see that something reads at the other end"
            cause = f"nothing was taken for {_PATIENCE_S:g} s"
            raise EdgeAgentError("replay to", port, cause, hint)
        sent += os.write(tty_fd, data[sent:])
    return sent
