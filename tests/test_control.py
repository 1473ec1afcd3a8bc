"""The socket at which commands speak with the agent: for its user only, and not to be upset."""

import errno
import json
import os
import queue
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.events import Asked, Event
from edge_agent.ports.control import DONE, REFUSED, Control, ask

PATIENCE_S = 10


class Desk:
    """A control socket, and what the spine would hear of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.control = Control(path, self.inbox)

    def __enter__(self) -> "Desk":
        self.control.start()
        return self

    def __exit__(self, *exc: object) -> None:
        began = time.monotonic()
        self.control.stop()
        assert time.monotonic() - began < 1
        assert "control" not in {thread.name for thread in threading.enumerate()}

    def next(self) -> Asked:
        event = self.inbox.get(timeout=PATIENCE_S)
        assert isinstance(event, Asked)
        return event

    def call(self) -> socket.socket:
        """A caller; waits for the socket to be there."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        until = time.monotonic() + PATIENCE_S
        while connection.connect_ex(str(self.path)) in (errno.ENOENT, errno.ECONNREFUSED):
            assert time.monotonic() < until
            threading.Event().wait(0.005)
        return connection


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk(tmp_path / "run" / "control") as one:
        yield one


def said(connection: socket.socket) -> list[tuple[str, str]]:
    """Everything that is answered until the agent hangs up."""
    with connection.makefile("rb") as lines:
        found = [json.loads(line) for line in lines]
    return [(one["text"], one["end"]) for one in found]


def hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_what_is_asked_arrives_and_what_is_answered_comes_back(desk: Desk) -> None:
    """A line there, lines back, and the last one ends the call."""
    with desk.call() as caller:
        caller.sendall(b'{"do": "card", "person": "p-1", "name": "La Od\\u00e9"}\n')
        asked = desk.next()
        assert asked.words == {"do": "card", "person": "p-1", "name": "La Odé"}
        desk.control.answer(asked.caller, "the card, please")
        desk.control.answer(asked.caller, "it is Odé's\nnow", DONE)
        assert said(caller) == [("the card, please", ""), ("it is Odé's\nnow", "done")]
    assert desk.next() == Asked(asked.caller, {})


def test_the_client_gives_each_answer_as_it_comes(desk: Desk) -> None:
    """Text and end; it stops at the last, whichever way it ends."""
    desk.call().close()
    assert desk.next().words == {}
    for end in (DONE, REFUSED):
        answers = ask(desk.path, {"do": "card", "person": "p-1"}, PATIENCE_S)
        heard: list[tuple[str, str]] = []
        client = threading.Thread(target=lambda into=heard, of=answers: into.extend(of))
        client.start()
        asked = desk.next()
        assert asked.words == {"do": "card", "person": "p-1"}
        desk.control.answer(asked.caller, "one")
        desk.control.answer(asked.caller, "two", end)
        client.join(PATIENCE_S)
        assert heard == [("one", ""), ("two", end)]
        assert desk.next() == Asked(asked.caller, {})


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_only_its_user_may_connect_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Read and write for the owner and nothing else, from the first moment on."""
    before = os.umask(umask)
    try:
        with Desk(tmp_path / "control") as desk:
            desk.call().close()
            mode = desk.path.stat().st_mode
    finally:
        os.umask(before)
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """What a killed agent left behind, three times over."""
    path = tmp_path / "control"
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as dead:
            path.unlink(missing_ok=True)
            dead.bind(str(path))
        with Desk(path) as desk, desk.call() as caller:
            caller.sendall(b'{"do": "x"}\n')
            assert desk.next().words == {"do": "x"}


GARBAGE = [
    b"\n",
    b"hello\n",
    b"{\n",
    b"null\n",
    b"7\n",
    b"[]\n",
    b'["do"]\n',
    b"{}\n",
    b'{"do": 7}\n',
    b'{"do": {"do": "card"}}\n',
    b'{"do": null}\n',
    b"\xff\xfe\x00\n",
    b"\x00" * 100 + b"\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"[" * 4000 + b"\n",
    b'{"a":' * 800 + b"\n",
    b"9" * 4090 + b"\n",
    b"1e999\n",
    b'{"do": "card", "do": 7}\n',
]


@pytest.mark.parametrize("line", GARBAGE, ids=range(len(GARBAGE)))
def test_a_line_that_is_no_question_is_passed_on_as_one_that_nobody_knows(
    desk: Desk, line: bytes
) -> None:
    """So the agent refuses it in words, and does not take it for a hang-up."""
    with desk.call() as caller:
        caller.sendall(line)
        asked = desk.next()
        assert asked.words == {"do": "?"}
        desk.control.answer(asked.caller, "what?", REFUSED)
        assert said(caller) == [("what?", "refused")]


@pytest.mark.parametrize("data", [b"x" * 4097, b"x" * 100_000, b"x" * 5000 + b"\n"])
def test_a_line_without_end_is_hung_up_on(desk: Desk, data: bytes) -> None:
    """Nobody's memory fills; whoever comes next is served."""
    with desk.call() as caller:
        try:
            caller.sendall(data)
        except OSError:
            assert len(data) > 10_000  # it was hung up on in the middle
        assert desk.next().words == {}
        assert hung_up(caller)
    with desk.call() as caller:
        caller.sendall(b'{"do": "x"}\n')
        assert desk.next().words == {"do": "x"}


def test_a_line_may_come_in_pieces(desk: Desk) -> None:
    """A byte at a time; a second line is a second question of the same caller."""
    with desk.call() as caller:
        for byte in b'{"do": "card"}\n':
            caller.sendall(bytes([byte]))
        first = desk.next()
        caller.sendall(b'{"do": "forget"}\n')
        second = desk.next()
    assert (first.words, second.words) == ({"do": "card"}, {"do": "forget"})
    assert first.caller == second.caller
    assert desk.next() == Asked(first.caller, {})


def test_each_caller_hears_only_what_is_meant_for_it(desk: Desk) -> None:
    """Numbers are never used again, not even after a hang-up."""
    numbers = []
    for _ in range(20):
        with desk.call() as caller, desk.call() as other:
            caller.sendall(b'{"do": "a"}\n')
            numbers.append(desk.next().caller)
            other.sendall(b'{"do": "b"}\n')
            numbers.append(desk.next().caller)
            desk.control.answer(numbers[-1], "to b", DONE)
            desk.control.answer(numbers[-2], "to a", DONE)
            assert (said(caller), said(other)) == ([("to a", "done")], [("to b", "done")])
        assert {desk.next().words == {} for _ in range(2)} == {True}
    assert len(set(numbers)) == 40


def test_callers_that_do_not_read_cost_nothing(desk: Desk) -> None:
    """The spine never waits for them, and a call that is over frees its place: there are eight."""
    deaf = [desk.call() for _ in range(8)]
    for one in deaf:
        one.sendall(b'{"do": "card"}\n')
        caller = desk.next().caller
        began = time.monotonic()
        for _ in range(2000):
            desk.control.answer(caller, "x" * 500)
        desk.control.answer(caller, "over", REFUSED)
        assert time.monotonic() - began < 2
        assert desk.next() == Asked(caller, {})
    with desk.call() as other:
        other.sendall(b'{"do": "b"}\n')
        desk.control.answer(desk.next().caller, "yes", DONE)
        assert said(other) == [("yes", "done")]
    for one in deaf:
        one.close()


def test_an_answer_to_who_has_hung_up_is_lost(desk: Desk) -> None:
    """Before and after the agent noticed; and to a number that never was."""
    caller = desk.call()
    caller.sendall(b'{"do": "card"}\n')
    number = desk.next().caller
    caller.close()
    desk.control.answer(number, "hello")
    assert desk.next() == Asked(number, {})
    desk.control.answer(number, "hello", DONE)
    desk.control.answer(99, "hello", DONE)


def test_the_ninth_caller_is_refused_and_the_eight_go_on(desk: Desk) -> None:
    """When one of them has gone there is room again."""
    callers = [desk.call() for _ in range(8)]
    callers[0].sendall(b'{"do": "a"}\n')
    desk.next()
    with desk.call() as ninth:
        assert hung_up(ninth)
    callers[7].sendall(b'{"do": "h"}\n')
    assert desk.next().words == {"do": "h"}
    callers[0].close()
    assert desk.next().words == {}
    with desk.call() as another:
        another.sendall(b'{"do": "i"}\n')
        assert desk.next().words == {"do": "i"}
    for one in callers:
        one.close()
