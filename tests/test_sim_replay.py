"""Captured logs sent down a port as if they were live."""

import io
import os
import threading
from pathlib import Path

import pytest
import serial

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.replay import device_bytes, replay, replay_file

HEADER = b"# Name: Navika-100\r\n# Date: 2016-04-21\r\n#\r\n"
SAID = b"\x82\x8a#no line$GPTXT,x*00\r\n# not at the head\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n"


def test_the_header_of_a_log_is_not_device_output() -> None:
    """Only lines at the head that begin with `#` are left out."""
    assert device_bytes(HEADER + SAID) == SAID
    assert device_bytes(SAID) == SAID
    assert device_bytes(b"# only a header") == b""


def test_a_replay_stops_when_told() -> None:
    """What went out before is counted; the rest does not follow."""
    said = io.BytesIO()
    stop = threading.Event()
    assert replay(HEADER + SAID, said.write, None, stop) == len(SAID)
    stop.set()
    assert replay(HEADER + SAID, said.write, None, stop) == 0
    assert said.getvalue() == SAID


def test_a_log_is_replayed_into_a_port_that_did_not_exist(tmp_path: Path) -> None:
    """The port appears, a reader gets exactly the device's bytes, and then a hang-up."""
    log, where = tmp_path / "receiver.log", tmp_path / "port"
    log.write_bytes(HEADER + SAID * 100)
    taken: list[int] = []
    thread = threading.Thread(
        target=lambda: taken.append(replay_file(log, str(where), 1_000_000, wait_s=10.0))
    )
    thread.start()
    while not where.exists() and thread.is_alive():
        thread.join(0.005)
    with serial.Serial(str(where), timeout=10.0) as reader:
        assert reader.read(len(SAID) * 100) == SAID * 100
        with pytest.raises(serial.SerialException):
            reader.read(1)
    thread.join(10.0)
    assert taken == [len(SAID) * 100]
    assert not where.exists()


def test_a_log_is_replayed_into_a_serial_port_that_exists(tmp_path: Path) -> None:
    """Raw, whatever the port was set to before."""
    log = tmp_path / "receiver.log"
    log.write_bytes(HEADER + SAID)
    far, near = os.openpty()
    try:
        assert replay_file(log, os.ttyname(near), 115_200) == len(SAID)
        assert os.read(far, 4096) == SAID
    finally:
        os.close(near)
        os.close(far)


def test_replay_says_what_is_wrong_and_what_cures_it(tmp_path: Path) -> None:
    """No log, no serial port, no directory, no such speed, no reader: each is one sentence."""
    log = tmp_path / "receiver.log"
    log.write_bytes(SAID)
    far, near = os.openpty()
    wrong = [
        (tmp_path / "missing.log", str(tmp_path / "port"), 9600, "No such file"),
        (tmp_path, str(tmp_path / "port"), 9600, "Is a directory"),
        (log, str(log), 9600, "not a serial port"),
        (log, "/dev/null", 9600, "Inappropriate ioctl"),
        (log, str(tmp_path / "no" / "port"), 9600, "No such file"),
        (log, str(log / "port"), 9600, "Not a directory"),
        (log, os.ttyname(near), 12_345, "no such speed"),
        (log, str(tmp_path / "port"), 9600, "no reader"),
    ]
    for path, where, rate, cause in wrong:
        with pytest.raises(EdgeAgentError, match=cause) as caught:
            replay_file(path, where, rate, wait_s=0.02)
        assert caught.value.hint
    os.close(near)
    os.close(far)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_log_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    """The kernel's reason reaches the person."""
    log = tmp_path / "secret.log"
    log.write_bytes(SAID)
    log.chmod(0)
    with pytest.raises(EdgeAgentError, match="Permission denied"):
        replay_file(log, str(tmp_path / "port"), 9600)
