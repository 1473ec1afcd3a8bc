"""What is read of a Wi-Fi interface, from files as the kernel writes them."""

import queue
from pathlib import Path

import pytest

from edge_agent.ports.wireless import Wireless, reception
from edge_agent.records import Reception

HEAD = (
    "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
    " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
)


def kernel(folder: Path, state: str, line: str, carrier: str | None = None) -> Reception | None:
    """What ``wlan0`` hears in such a kernel."""
    here = folder / "net" / "wlan0"
    here.mkdir(parents=True, exist_ok=True)
    (here / "operstate").write_text(state + "\n")
    if carrier is not None:
        (here / "carrier").write_text(carrier + "\n")
    (folder / "wireless").write_text(HEAD + line)
    return reception("wlan0", folder / "wireless", folder / "net")


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (" wlan0: 0000   54.  -56.  -256        0      0      0      0     23        0\n", -56),
        (" wlan1: 0000   54.  -80.  -256        0      0      0      0     23        0\n", None),
        (" wlan1: 0000 1. -80. -256 0 0 0 0 0 0\n wlan0: 0000 54 -61 -256 0 0 0 0 0 0\n", -61),
        (" wlan0: 0000   54.  200.  0        0      0      0      0     23        0\n", None),
        (" wlan0: 0000   70.  -256.  -256        0      0      0      0     23        0\n", None),
        (" wlan0:\n", None),
        ("", None),
    ],
)
def test_the_level_is_that_of_the_interface_in_dbm(
    tmp_path: Path, line: str, level: int | None
) -> None:
    """Not another's, not the noise, and not a driver's own units."""
    wanted = Reception("wifi", "home", "wifi", rssi_dbm=level)
    assert kernel(tmp_path, "up", line, "1") == wanted


def test_an_interface_that_is_not_associated_hears_nothing(tmp_path: Path) -> None:
    """Down, or looking; what the table may still hold is of before."""
    line = " wlan0: 0000   54.  -56.  -256        0      0      0      0     23        0\n"
    for state in ("down", "dormant", "lowerlayerdown"):
        assert kernel(tmp_path, state, line, "0") == Reception("wifi", "none", "wifi")
    assert kernel(tmp_path, "unknown", line, "1") == Reception("wifi", "home", "wifi", rssi_dbm=-56)


def test_an_interface_that_is_not_there_is_none(tmp_path: Path) -> None:
    """Also on this very machine, and without the table of a kernel that makes none."""
    assert reception("wlan0", tmp_path / "no", tmp_path) is None
    (tmp_path / "wlan0").mkdir()
    assert reception("wlan0", tmp_path / "no", tmp_path) == Reception("wifi", "none", "wifi")
    assert reception("no-such-wlan") is None


def test_it_is_asked_in_a_thread_of_its_own() -> None:
    """The loopback is an interface of every machine, and no Wi-Fi; its answer comes by itself."""
    said: queue.SimpleQueue[Reception | None] = queue.SimpleQueue()
    wireless = Wireless("lo", said.put)
    wireless.ask()
    found = said.get(timeout=5)
    assert found is not None
    assert (found.bearer, found.rssi_dbm) == ("wifi", None)
