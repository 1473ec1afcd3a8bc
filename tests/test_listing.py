"""Which serial ports there are, under which names, and who has them open."""

import os
import pty
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from edge_agent.errors import EdgeAgentError
from edge_agent.ports import listing
from edge_agent.ports.listing import Listed

CH340 = (0x1A86, 0x7523)


def usb(device: Path, serial: str | None = None, location: str = "1-1.2") -> ListPortInfo:
    """A USB adapter as pyserial describes it."""
    info = ListPortInfo(str(device))
    info.vid, info.pid = CH340
    info.serial_number, info.location = serial, location
    info.product = "USB Serial"
    return info


class Dev:
    """A folder like /dev, with devices and the links that udev makes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def device(self, name: str) -> Path:
        one = self.path / name
        one.touch()
        return one

    def link(self, name: str, device: Path) -> str:
        link = self.path / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(device)
        return str(link)


@pytest.fixture
def dev(tmp_path: Path) -> Dev:
    """An empty one."""
    return Dev(tmp_path.resolve())


@pytest.fixture
def slave() -> Iterator[str]:
    """The name of a pseudo-terminal."""
    master, end = pty.openpty()
    tty.setraw(end)
    yield os.ttyname(end)
    os.close(end)
    os.close(master)


def test_the_name_by_id_is_the_one_that_lasts(dev: Dev) -> None:
    """It follows the adapter into any socket; USB id and product are what it says of itself."""
    device = dev.device("ttyUSB0")
    dev.link("serial/by-path/platform-usb-0:1.2:1.0-port0", device)
    by_id = dev.link("serial/by-id/usb-1a86_USB_Serial-if00-port0", device)
    (found,) = listing.name_all([usb(device)], dev.path)
    assert found == Listed(by_id, str(device), "1a86:7523", "USB Serial")


def test_two_adapters_that_share_one_name_by_id_are_named_by_their_sockets(dev: Dev) -> None:
    """Without serial numbers udev's name leads to whichever was plugged in last."""
    one, other = dev.device("ttyUSB0"), dev.device("ttyUSB1")
    dev.link("serial/by-id/usb-1a86_USB_Serial-if00-port0", other)
    first = dev.link("serial/by-path/platform-usb-0:1.2:1.0-port0", one)
    second = dev.link("serial/by-path/platform-usb-0:1.3:1.0-port0", other)
    found = listing.name_all([usb(one), usb(other, location="1-1.3")], dev.path)
    assert [place.port for place in found] == [first, second]


def test_adapters_with_serial_numbers_or_ports_of_their_own_are_named_by_id(dev: Dev) -> None:
    """Equal models are told apart by number, the ports of one adapter by interface."""
    devices = [dev.device(f"ttyUSB{number}") for number in range(4)]
    names = [dev.link(f"serial/by-id/usb-{number}", one) for number, one in enumerate(devices)]
    for number, one in enumerate(devices):
        dev.link(f"serial/by-path/platform-{number}", one)
    infos = [
        usb(devices[0], "A1"),
        usb(devices[1], "A2", "1-1.3"),
        usb(devices[2], "B", "1-1.4:1.0"),
        usb(devices[3], "B", "1-1.4:1.1"),
    ]
    assert [place.port for place in listing.name_all(infos, dev.path)] == names


def test_a_port_without_links_goes_by_its_own_name_and_ten_comes_after_two(dev: Dev) -> None:
    """A machine without udev still has ports."""
    names = ["ttyUSB10", "ttyUSB2", "ttyAMA0"]
    infos = [usb(dev.device(name), name) for name in names]
    found = [Path(place.port).name for place in listing.name_all(infos, dev.path)]
    assert found == ["ttyAMA0", "ttyUSB2", "ttyUSB10"]


def test_of_two_links_by_path_the_plain_one_is_taken(dev: Dev) -> None:
    """Newer udev adds one with the version of the bus, which an update may change."""
    device = dev.device("ttyUSB0")
    dev.link("serial/by-path/platform-xhci-usbv2-0:1.2:1.0-port0", device)
    plain = dev.link("serial/by-path/platform-xhci-usb-0:1.2:1.0-port0", device)
    assert listing.name_all([usb(device)], dev.path)[0].port == plain


def test_the_first_uart_of_a_board_is_serial0(dev: Dev) -> None:
    """The link outlives the renaming of the UARTs between kernels."""
    device = dev.device("ttyAMA0")
    link = dev.link("serial0", device)
    (found,) = listing.name_all([ListPortInfo(str(device))], dev.path)
    assert found == Listed(link, str(device))


@pytest.mark.parametrize(("kind", "real"), [("0", False), ("4", True), ("32", True)])
def test_a_port_without_a_chip_is_none(tmp_path: Path, kind: str, real: bool) -> None:
    """The kernel gives the phantoms of a PC the type 0, a 16550A 4 and a PL011 32."""
    folder = tmp_path / "class/tty/ttyS0"
    folder.mkdir(parents=True)
    (folder / "type").write_text(f"{kind}\n")
    assert listing.is_uart("ttyS0", tmp_path) is real


def test_what_the_kernel_does_not_say_is_asked_of_the_port(tmp_path: Path, slave: str) -> None:
    """Older kernels show the type to root only: no serial port, no pseudo-terminal is a UART."""
    for missing in ("nothing", "file"):
        assert not listing.is_uart(missing, tmp_path, tmp_path)
        (tmp_path / "file").touch()
    assert not listing.is_uart(Path(slave).name, tmp_path, Path(slave).parent)


def test_the_ports_of_this_machine_are_listed_whatever_they_are() -> None:
    """On any machine: each exists and is there once; the kernel's phantoms are not."""
    found = listing.serial_ports()
    assert len({place.device for place in found}) == len(found)
    for place in found:
        assert Path(place.port).exists()
        assert place.usb or listing.is_uart(Path(place.device).name)


def test_a_pseudo_terminal_can_be_named(slave: str) -> None:
    """As a port without USB."""
    assert listing.find(slave) == Listed(slave, slave)


def test_a_link_that_somebody_named_keeps_its_name(tmp_path: Path, slave: str) -> None:
    """Whoever made a link with udev wants to see it in the configuration."""
    link = tmp_path / "door"
    link.symlink_to(slave)
    assert listing.find(str(link)) == Listed(str(link), slave)


def test_a_file_is_a_capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By any name; the whole path is shown."""
    (tmp_path / "reader.bin").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    found = listing.find("reader.bin")
    assert found.captured
    assert found.port == str(tmp_path / "reader.bin")


@pytest.mark.parametrize("name", ["nowhere", "folder", "folder/in/none"])
def test_what_is_no_port_and_no_file_is_refused(tmp_path: Path, name: str) -> None:
    """With the name as it was given, and what else to do."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(EdgeAgentError) as error:
        listing.find(str(tmp_path / name))
    assert error.value.subject == str(tmp_path / name)
    assert "edge-agent probe" in error.value.hint


def test_who_has_a_port_open_is_seen(slave: str) -> None:
    """Another program that does not lock it; this one does not count."""
    assert listing.users(slave) == []
    program = (
        "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, slave], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        (user,) = listing.users(slave)
        assert user.pid == other.pid
        assert user.command.startswith(sys.executable)
        other.communicate(b"\n")
    assert listing.users(slave) == []
