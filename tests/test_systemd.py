"""What systemd hears: sd_notify(3) on a real socket."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.ports.systemd import Notifier


@pytest.fixture(params=["path", "abstract"])
def ear(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """Systemd's end, in the file system or in the abstract namespace."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(path if request.param == "path" else "\0" + path)
        sock.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", path if request.param == "path" else "@" + path)
        yield sock


def test_systemd_hears_that_we_are_ready_alive_and_stopping(ear: socket.socket) -> None:
    """One datagram each; alive no more often than every five seconds, however fast the turns."""
    notifier = Notifier()
    notifier.ready()
    for mono_ms in (100, 101, 5099, 5100, 5101):
        notifier.alive(mono_ms)
    notifier.stopping()
    heard = [ear.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]
    ear.setblocking(False)
    with pytest.raises(BlockingIOError):
        ear.recv(100)


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Started by hand."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().ready()


def test_a_deaf_systemd_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog bites by itself; the work goes on until then."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notifier = Notifier()
    notifier.ready()
    notifier.alive(0)


@pytest.mark.timeout(20)
def test_a_systemd_that_does_not_read_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its queue is full after a few datagrams; the spine, which sends them, also takes the taps."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notifier = Notifier()
        for number in range(1000):
            notifier.alive(number * Notifier.ALIVE_EVERY_MS)
        assert ear.recv(100) == b"WATCHDOG=1"
