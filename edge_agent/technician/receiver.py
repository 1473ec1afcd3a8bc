"""What the receiver says, live: from its port, or beside a running agent, which holds the port.

An agent writes its last fix into its status file once a second, with its age. The difference of
`at.mono_ms` and `age_ms` is when the fix was read: as long as it stays, it is the same fix.
"""

import queue
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from edge_agent import profile, shape
from edge_agent.config import Gnss
from edge_agent.devices import gnss_decoder
from edge_agent.events import Event, PortLost
from edge_agent.ports import files
from edge_agent.ports.serial_port import SerialPort
from edge_agent.records import Doubt, Fix

#: Nothing is heard for so long, and it is said that nothing is heard.
_SILENCE_S = 1.0
_LOOK_EVERY_S = 0.2

Said = Fix | Doubt | PortLost | None


def at_port(gnss: Gnss) -> Generator[Said, None, None]:
    """Whatever is heard at the receiver's port, None each second that nothing is; without end.

    Raises ConfigError if the profile cannot be used.
    """
    model = profile.gnss(gnss.profile)
    inbox: queue.SimpleQueue[Fix | Doubt | Event] = queue.SimpleQueue()
    port: SerialPort[Fix | Doubt] = SerialPort(
        gnss.name,
        gnss.port,
        gnss.baud or model.baud,
        gnss_decoder(model),
        inbox.put,
        inbox.put,
        [bytes.fromhex(message) for message in model.init],
    )
    port.start()
    try:
        while True:
            try:
                said = inbox.get(timeout=_SILENCE_S)
            except queue.Empty:
                said = None
            if said is None or isinstance(said, Fix | Doubt | PortLost):
                yield said
    finally:
        port.stop()


def beside_agent(status: Path, name: str) -> Generator[Said, None, None]:
    """The same of the receiver `name` out of a running agent's status file.

    A fix that was there before does not count.
    """
    pause = threading.Event()
    standing: frozenset[str] = frozenset()
    newest_ms: int | None = None
    while True:
        last = files.read_status(status)
        doubts = _doubts(last)
        yield from (Doubt(of, stands=of in doubts) for of in sorted(doubts ^ standing))
        standing = doubts
        yield from _trouble(last, name)
        read_ms, fix = _fix(last)
        if newest_ms is None or fix is None or read_ms <= newest_ms:
            yield None
        else:
            yield fix
        newest_ms = max(newest_ms or 0, read_ms)
        pause.wait(_LOOK_EVERY_S)


def _doubts(last: dict[str, Any]) -> frozenset[str]:
    """What speaks against the position by the agent's own grade, the receiver's words and more."""
    place = last.get("place") or {}
    return frozenset((place["reasons"] or "").split() if place.get("grade") == "suspect" else ())


def _trouble(last: dict[str, Any], name: str) -> Iterator[PortLost]:
    for port in last.get("ports") or ():
        if port["name"] == name and port["state"] != "open":
            yield PortLost(name, f"the agent says: {port['state']}")


def _fix(last: dict[str, Any]) -> tuple[int, Fix | None]:
    """When the fix was read by the agent's monotonic clock, and the fix; None if there is none."""
    try:
        fix = last["fix"]
        read_ms = int(last["at"]["mono_ms"]) - int(fix["age_ms"])
        known = {key: fix[key] for key in Fix.__dataclass_fields__ if fix.get(key) is not None}
        return read_ms, shape.load(Fix, known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0, None
