"""A control socket that cannot be made, and an agent that is not there: one line each."""

import logging
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.errors import EdgeAgentError
from edge_agent.ports.control import DONE, Control, ask

PATIENCE_S = 10


@contextmanager
def without_a_socket(path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """A control that cannot listen at `path`; gives its one line in the log."""
    caplog.set_level(logging.INFO)
    control = Control(path, queue.SimpleQueue())
    control.start()
    control._thread.join(PATIENCE_S)
    assert not control._thread.is_alive()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    yield record.getMessage()
    control.answer(1, "hello", DONE)
    control.stop()


@pytest.mark.parametrize("where", ["too long", "no folder", "a folder"])
def test_a_socket_that_cannot_be_made_is_one_line_and_done_without(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, where: str
) -> None:
    """Taps matter more: the agent runs, and only enrolment is not possible."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    paths = {
        "too long": (tmp_path / ("x" * 200), "too long"),
        "no folder": (tmp_path / "file" / "control", "File exists"),
        "a folder": (tmp_path / "folder", "something else has this path"),
    }
    path, cause = paths[where]
    with without_a_socket(path, caplog) as line:
        assert line.startswith(f"no control socket at {path}: ")
        assert cause in line
        assert line.endswith("; enrolment is not possible")


def test_no_agent_is_one_line_that_says_how_to_start_it(tmp_path: Path) -> None:
    """No socket, a stale one, a file in its place."""
    stale, file = tmp_path / "stale", tmp_path / "file"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(stale))
    file.touch()
    for path in (tmp_path / "nowhere", stale, file):
        with pytest.raises(EdgeAgentError, match="no agent is running") as caught:
            list(ask(path, {"do": "card"}, 1))
        assert str(path) in str(caught.value)
        assert "sudo systemctl restart edge-agent" in caught.value.hint
        assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (None, "it does not answer"),
        (b"", "it hung up"),
        (b'{"text": "one", "end": ""}\n', "it hung up"),
        (b"hello\n", "Expecting value"),
        (b"[]\n", ""),
        (b'{"end": ""}\n', ""),
        (b"\xff\n", ""),
    ],
)
def test_who_does_not_answer_as_an_agent_does_is_one_line(
    tmp_path: Path, answer: bytes | None, cause: str
) -> None:
    """Silence, a hang-up before the end, and something else that listens there."""
    path = tmp_path / "control"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def play() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                if answer is None:
                    connection.recv(1)  # until the other gives up
                else:
                    connection.sendall(answer)

        player = threading.Thread(target=play)
        player.start()
        with pytest.raises(EdgeAgentError) as caught:
            list(ask(path, {"do": "card"}, 0.3))
        player.join(PATIENCE_S)
    assert cause in caught.value.cause
    assert str(caught.value).isprintable()


def test_a_file_that_is_no_socket_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A slip in the configuration must not cost a journal."""
    path = tmp_path / "journal.db"
    path.write_text("every punch of the year")
    with without_a_socket(path, caplog) as line:
        assert "something else has this path" in line
    assert path.read_text() == "every punch of the year"


def test_a_question_too_long_is_not_asked(tmp_path: Path) -> None:
    """Nothing is wrong with the agent, so nobody is told to start it again."""
    with pytest.raises(EdgeAgentError, match="more than it listens to") as caught:
        list(ask(tmp_path / "control", {"do": "card", "person": "x" * 5000}, PATIENCE_S))
    assert "restart" not in caught.value.hint
