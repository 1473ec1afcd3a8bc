"""Small files: whole or not at all, keys for their owner, one agent a journal."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from limits import no_file_larger_than

from edge_agent.errors import ConfigError, JournalError
from edge_agent.ports import files

NOBODY = 65534


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def user(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_reader_sees_the_old_or_the_new(tmp_path: Path) -> None:
    """Two hundred replacements under a reader that never rests."""
    path = tmp_path / "status.json"
    contents = [bytes([sign]) * 50_000 for sign in b"ab"]
    files.write_whole(path, contents[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        files.write_whole(path, contents[number % 2])
    done.set()
    reader.join()
    assert seen <= set(contents)
    assert [one.name for one in tmp_path.iterdir()] == ["status.json"]


def test_a_write_that_fails_leaves_the_old(tmp_path: Path) -> None:
    """The disk is full in the middle of the new one."""
    path = tmp_path / "seal.key"
    files.write_whole(path, b"old", durable=True)
    with no_file_larger_than(1000), pytest.raises(OSError, match="File too large"):
        files.write_whole(path, b"n" * 5000, durable=True)
    assert path.read_bytes() == b"old"
    files.write_whole(path, b"new", durable=True)
    assert path.read_bytes() == b"new"


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    """The first start of a fresh machine."""
    files.write_whole(tmp_path / "a" / "b" / "c", b"x", durable=True)
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_a_key_is_for_its_owner_only(tmp_path: Path) -> None:
    """Whatever the umask, and whatever an interrupted start left beside it."""
    path = tmp_path / "seal.key"
    leftover = tmp_path / "seal.key.new"
    leftover.write_bytes(b"half")
    leftover.chmod(0o666)
    with umask(0):
        files.write_whole(path, b"5a" * 32, 0o600, durable=True)
    assert mode(path) == 0o600
    assert path.read_bytes() == b"5a" * 32
    assert not leftover.exists()


def test_a_link_where_the_new_file_goes_is_not_followed(tmp_path: Path) -> None:
    """Another user of a shared directory must not choose which file we overwrite."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    (tmp_path / "status.json.new").symlink_to(victim)
    files.write_whole(tmp_path / "status.json", b"{}")
    assert victim.read_bytes() == b"mine"
    assert (tmp_path / "status.json").read_bytes() == b"{}"


def test_a_status_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """False, and the old one stays."""
    path = tmp_path / "status.json"
    assert files.write_status(path, {"a": "\u00e9"})
    assert json.loads(path.read_text()) == {"a": "\u00e9"}
    with no_file_larger_than(10):
        assert not files.write_status(path, {"a": "b" * 100})
    assert json.loads(path.read_text()) == {"a": "\u00e9"}
    assert not files.write_status(path / "below", {})


def test_a_key_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    """As editors and `echo` write it."""
    path = tmp_path / "credential.key"
    path.write_bytes(b" 5a5a \r\n")
    assert files.read_key(path, "credential key", str, "make one") == "5a5a"


@pytest.mark.parametrize(
    ("data", "cause"), [(None, "No such file"), (b"\xff", "not text"), (b"5a\xe9", "not text")]
)
def test_a_key_file_that_cannot_be_read_says_so(
    tmp_path: Path, data: bytes | None, cause: str
) -> None:
    """Which key, which file, why, and the cure that the caller knows."""
    path = tmp_path / "credential.key"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError, match=cause) as caught:
        files.read_key(path, "credential key", str, "make one")
    assert caught.value.operation == "read the credential key"
    assert (caught.value.subject, caught.value.hint) == (str(path), "make one")


HOLDER = (
    "import sys; from pathlib import Path; from edge_agent.ports import files;"
    "files.lock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


@contextmanager
def held_elsewhere(path: Path) -> Iterator[None]:
    """Another process has the lock while the block lasts; then it is killed."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.kill()


def test_one_agent_a_journal(tmp_path: Path) -> None:
    """While another process has it we do not; killing it is enough to free it."""
    path = tmp_path / "run" / "journal.db.lock"
    assert not files.is_locked(path)
    with held_elsewhere(path):
        assert files.is_locked(path)
        with pytest.raises(JournalError, match="another agent is running") as caught:
            files.lock(path)
        assert "systemctl stop edge-agent" in caught.value.hint
    assert not files.is_locked(path)
    os.close(files.lock(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
def test_anybody_may_ask_whether_an_agent_is_running() -> None:
    """A technician without root is told the truth about a lock that root holds."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "journal.db.lock"
        with held_elsewhere(path), user(NOBODY):
            assert files.is_locked(path)


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    """A file where the directory should be, a directory where the lock should be."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "journal.db.lock", tmp_path):
        with pytest.raises(JournalError, match="lock the journal") as caught:
            files.lock(path)
        assert caught.value.hint == "check the directory"
