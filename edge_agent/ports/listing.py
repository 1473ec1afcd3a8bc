"""Which serial ports this machine has, what USB says of them, and who has them open.

A port has several names. ``/dev/ttyUSB0`` is whoever was plugged in first; the links under
``/dev/serial/by-id`` follow the device and those under ``by-path`` the socket. The name that lasts
is what belongs into a configuration. Two adapters without serial numbers share one ``by-id`` name,
which then leads to either of them: such twins are named by their sockets.

A PC has ``ttyS0`` to ``ttyS31`` whether or not there is a chip behind; the kernel calls those of
type 0. On a Raspberry Pi ``/dev/serial0`` leads to the first UART, which is on the pins but for the
Pi 5, and ``/dev/serial1`` to the one that the Bluetooth chip has; that one is left out.
"""

import fcntl
import os
import re
import stat
import struct
import termios
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from edge_agent.errors import EdgeAgentError

_DEV, _SYS, _PROC = Path("/dev"), Path("/sys"), Path("/proc")
_ON_BOARD = re.compile(r"ttyS\d+|ttyAMA\d+")
_UNKNOWN_TYPE = 0  # PORT_UNKNOWN, linux/serial_core.h


@dataclass(frozen=True, slots=True)
class Listed:
    """A place where a device may be.

    Attributes:
        port: its lasting name, as it is written into the configuration.
        device: the file that the name leads to.
        usb: vendor and product id, ``1a86:7523``; "" if it is not on USB.
        product: what the USB device calls itself.
        captured: it is no port but a file of bytes that somebody captured.
    """

    port: str
    device: str
    usb: str = ""
    product: str = ""
    captured: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A program that has a port open."""

    pid: int
    command: str


def serial_ports() -> list[Listed]:
    """All serial ports of this machine, by name."""
    infos = _infos()
    bluetooth = str((_DEV / "serial1").resolve())
    for path in _DEV.glob("tty*"):
        if _ON_BOARD.fullmatch(path.name):  # pyserial hides those of a Pi
            infos.setdefault(str(path), ListPortInfo(str(path)))
    real = [
        info
        for info in infos.values()
        if info.vid is not None
        or (_ON_BOARD.fullmatch(info.name) and info.device != bluetooth and is_uart(info.name))
    ]
    return name_all(real)


def find(port: str) -> Listed:
    """The port, pseudo-terminal or captured file that somebody named.

    Raises:
        EdgeAgentError: there is nothing of the kind.
    """
    path = Path(port).absolute()
    hint = "`edge-agent probe` without a port looks at all that there are"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        cause = error.strerror or str(error)
        raise EdgeAgentError("look at", port, cause, hint) from None
    if stat.S_ISREG(mode):
        return Listed(str(path), str(path.resolve()), captured=True)
    if not stat.S_ISCHR(mode):
        raise EdgeAgentError("look at", port, "it is no serial port and no captured file", hint)
    infos = _infos()
    device = str(path.resolve())
    infos.setdefault(device, ListPortInfo(device))
    (found,) = (one for one in name_all(infos.values()) if one.device == device)
    if not path.is_symlink():
        return found
    return Listed(str(path), found.device, found.usb, found.product)  # as they wished to call it


def name_all(infos: Iterable[ListPortInfo], dev: Path = _DEV) -> list[Listed]:
    """Ports as pyserial describes them, each under its lasting name."""
    infos = sorted(infos, key=_natural)
    by_id, by_path = _links(dev / "serial/by-id"), _links(dev / "serial/by-path")
    first = {str((dev / "serial0").resolve()): str(dev / "serial0")}
    identities = [_identity(info) for info in infos]
    found = []
    for info, identity in zip(infos, identities, strict=True):
        names = by_path if identities.count(identity) > 1 else {**by_path, **by_id}
        port = {**names, **first}.get(info.device, info.device)
        usb = "" if info.vid is None else f"{info.vid:04x}:{info.pid:04x}"
        found.append(Listed(port, info.device, usb, _printable(info.product or "")))
    return found


def users(device: str) -> list[User]:
    """Programs that have `device` open, as far as we may look; not this one."""
    return [
        User(int(process.name), _command(process))
        for process in _PROC.iterdir()
        if process.name.isdecimal() and int(process.name) != os.getpid() and _has(process, device)
    ]


def is_console(device: str) -> bool:
    """True if the kernel writes its messages to this port."""
    try:
        lines = (_PROC / "consoles").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return Path(device).name in {line.split()[0] for line in lines if line}


def board_model() -> str:
    """What the device tree calls this computer; "" on a PC."""
    try:
        return (_PROC / "device-tree/model").read_text(encoding="utf-8").rstrip("\0")
    except (OSError, UnicodeDecodeError):
        return ""


def is_uart(name: str, sys: Path = _SYS, dev: Path = _DEV) -> bool:
    """True if there is a chip behind an on-board port, or if that cannot be learned."""
    try:
        return int((sys / "class/tty" / name / "type").read_text(encoding="ascii")) != _UNKNOWN_TYPE
    except (OSError, ValueError):  # older kernels show it to root only, or not at all
        return _opens_as_uart(dev / name)


def _infos() -> dict[str, ListPortInfo]:
    """What pyserial sees, by device."""
    return {info.device: info for info in list_ports.comports()}


def _opens_as_uart(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return True
    except OSError:
        return False
    try:  # struct serial_struct of linux/serial.h begins with the type
        answer = fcntl.ioctl(descriptor, termios.TIOCGSERIAL, bytes(128))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return bool(struct.unpack_from("i", answer)[0] != _UNKNOWN_TYPE)


def _links(folder: Path) -> dict[str, str]:
    """Device -> the first link in `folder` that leads to it."""
    links = sorted(folder.glob("*"), reverse=True)
    return {str(link.resolve()): str(link) for link in links if link.exists()}


def _identity(info: ListPortInfo) -> Sequence[object]:
    """What a name by id can be made of: not unique among adapters without serial numbers."""
    if info.vid is None:
        return (info.device,)
    interface = (info.location or "").rpartition(":")[2] if ":" in (info.location or "") else ""
    return (info.vid, info.pid, info.serial_number, interface)


def _natural(info: ListPortInfo) -> list[tuple[int, str]]:
    """ttyUSB2 before ttyUSB10."""
    parts = re.split(r"(\d+)", info.device)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:500]


def _has(process: Path, device: str) -> bool:
    try:
        return any(str(one.readlink()) == device for one in (process / "fd").iterdir())
    except OSError:  # it has ended, or it is somebody else's
        return False


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return "?"
    return _printable(" ".join(word.decode("utf-8", "replace") for word in words))
