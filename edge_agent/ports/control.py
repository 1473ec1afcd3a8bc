"""A socket at which commands on this machine speak with the running agent.

One line of JSON in, a flat object of strings; lines of JSON out, each ``{"text": ..., "end": ...}``
with `end` "" until the last: ``done`` or ``refused``. Only the agent's user and root may connect.
"""

import contextlib
import errno
import json
import logging
import os
import queue
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge_agent.errors import EdgeAgentError
from edge_agent.events import Asked, Event

log = logging.getLogger("edge_agent.ports")

_MOST_CALLERS = 8
_MOST_BYTES = 4096
DONE, REFUSED = "done", "refused"


class Control:
    """Listens in a thread of its own; `answer` may be called from any other.

    A socket that cannot be made is logged and done without: taps matter more.
    """

    def __init__(self, path: Path, inbox: "queue.SimpleQueue[Event]") -> None:
        self._path = path
        self._inbox = inbox
        self._callers: dict[int, socket.socket] = {}
        self._heard: dict[int, bytes] = {}
        self._next = 0
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Returns when callers are heard, or never will be: whoever reads `ready` may call."""
        self._thread.start()
        self._settled.wait(timeout=2)

    def stop(self) -> None:
        os.write(self._waker, b"x")
        self._thread.join(timeout=2)

    def answer(self, caller: int, text: str, end: str = "") -> None:
        """Say something to a caller who may have hung up; `end` ends the call."""
        line = json.dumps({"text": text, "end": end}) + "\n"
        with self._lock:
            connection = self._callers.get(caller)
            if connection is not None:
                with contextlib.suppress(OSError):  # it hung up, or does not read: its loss
                    connection.send(line.encode())
            if connection is not None and end:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            with selectors.DefaultSelector() as selector, _listener(self._path) as listener:
                selector.register(listener, selectors.EVENT_READ)
                selector.register(self._wake, selectors.EVENT_READ)
                self._settled.set()
                self._serve(selector, listener)
        except OSError as error:
            cause = error.strerror or str(error)
            log.warning("no control socket at %s: %s; enrolment is not possible", self._path, cause)
        except Exception:  # the thread's outermost frame: say it; taps go on without
            log.exception("control: fault of the program")
        finally:
            self._settled.set()
            for caller in list(self._callers):
                self._hang_up(caller)

    def _serve(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    self._accept(selector, listener)
                elif key.fileobj == self._wake:
                    return
                else:
                    self._listen(selector, key.data)

    def _accept(self, selector: selectors.BaseSelector, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        if len(self._callers) >= _MOST_CALLERS:
            connection.close()
            return
        connection.setblocking(False)
        self._next += 1
        with self._lock:
            self._callers[self._next] = connection
        self._heard[self._next] = b""
        selector.register(connection, selectors.EVENT_READ, self._next)

    def _listen(self, selector: selectors.BaseSelector, caller: int) -> None:
        connection = self._callers[caller]
        try:
            data = connection.recv(_MOST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard[caller] += data
        line, ended, _ = self._heard[caller].partition(b"\n")
        if not data or len(line) > _MOST_BYTES:
            selector.unregister(connection)
            self._hang_up(caller)
            self._inbox.put(Asked(caller, {}))
        elif ended:
            self._heard[caller] = b""
            self._inbox.put(Asked(caller, _words(line)))

    def _hang_up(self, caller: int) -> None:
        with self._lock:
            self._callers.pop(caller).close()
        del self._heard[caller]


def ask(path: Path, words: Mapping[str, str], patience_s: float) -> Iterator[tuple[str, str]]:
    """Ask the running agent; gives its answers, text and end, until the last.

    Raises EdgeAgentError if no agent is listening, or it falls silent.
    """
    operation, hint = "ask the agent", "start it: sudo systemctl restart edge-agent"
    message = json.dumps(dict(words)).encode() + b"\n"
    if len(message) > _MOST_BYTES:
        cause = f"{len(message)} bytes are more than it listens to"
        raise EdgeAgentError(operation, f"at {path}", cause, "say it shorter")
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(patience_s)
            connection.connect(str(path))
            connection.sendall(message)
            for line in connection.makefile("rb"):
                found = json.loads(line)
                yield found["text"], found["end"]
                if found["end"]:
                    return
        raise EdgeAgentError(operation, f"at {path}", "it hung up", hint)
    except PermissionError:
        hint = "run it with sudo, or as the agent's user"
        raise EdgeAgentError(operation, f"at {path}", "permission denied", hint) from None
    except (FileNotFoundError, ConnectionRefusedError):
        raise EdgeAgentError(operation, f"at {path}", "no agent is running", hint) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        cause = "it does not answer" if isinstance(error, TimeoutError) else str(error)
        raise EdgeAgentError(operation, f"at {path}", cause, hint) from None


def _listener(path: Path) -> socket.socket:
    """The listening socket; a stale one is replaced: the journal's lock says that we are alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket():
        path.unlink()
    elif path.exists():  # a slip in the configuration must not cost a journal
        raise FileExistsError(errno.EEXIST, "something else has this path")
    listener = socket.socket(socket.AF_UNIX)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before there is anything to connect to
        listener.bind(str(path))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener


def _words(line: bytes) -> dict[str, str]:
    """What was asked; a word that nobody knows if it is no flat object of strings."""
    try:
        found = json.loads(line)
        if found and all(isinstance(one, str) for one in found.values()):
            return dict(found)
    except (ValueError, AttributeError, RecursionError):
        pass
    return {"do": "?"}
