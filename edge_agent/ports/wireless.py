"""How well a Wi-Fi interface hears: what the kernel tells everybody, without root or a program.

`/proc/net/wireless` has a line for each interface that a driver reports for; its fourth word is the
level in dBm, if it is negative (a driver of old may count in units of its own):

    Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
     face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
     wlan0: 0000   54.  -56.  -256        0      0      0      0     23        0

Whether it is associated stands in `/sys/class/net/wlan0/operstate` and `carrier`. A kernel without
CONFIG_CFG80211_WEXT has no such file in /proc; then the level is not known. Reading it asks the
driver, and one whose firmware has died answers seconds late: so it is read in a thread.
"""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge_agent.records import Reception

_LEVELS = Path("/proc/net/wireless")
_INTERFACES = Path("/sys/class/net")
_LEVEL = re.compile(r"\s*(?P<name>\S+):\s+\S+\s+\S+\s+(?P<level>-?\d+)\.?\s")


def reception(
    interface: str, levels: Path = _LEVELS, interfaces: Path = _INTERFACES
) -> Reception | None:
    """What `interface` hears now; None if there is no such interface."""
    here = interfaces / interface
    if not here.is_dir():
        return None
    up = _read(here / "operstate") == "up" or _read(here / "carrier") == "1"
    level = _level(_read(levels), interface) if up else None
    return Reception("wifi", "home" if up else "none", "wifi", rssi_dbm=level)


def _level(table: str, interface: str) -> int | None:
    for line in table.splitlines():
        found = _LEVEL.match(line)
        if found and found["name"] == interface and -120 <= int(found["level"]) < 0:
            return int(found["level"])
    return None


def _read(path: Path) -> str:
    """The text of one of the kernel's files; "" if it has none: `carrier` of one that is down."""
    with suppress(OSError, UnicodeDecodeError):  # "" says that it could not be read
        return path.read_text(encoding="ascii").strip()
    return ""


class Wireless:
    """Asks in a thread of its own, one at a time."""

    def __init__(self, interface: str, say: Callable[[Reception | None], None]) -> None:
        """`say` is called in that thread."""
        self._interface = interface
        self._say = say
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Look, and say what was seen; if the driver has not answered the last time, nothing."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._look, name="wireless", daemon=True)
            self._thread.start()

    def _look(self) -> None:
        self._say(reception(self._interface))
