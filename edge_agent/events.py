"""What the threads at the edges put into the spine's inbox, and what the spine asks of a device.

All of them are frozen dataclasses; the words that they carry are in `records`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_agent.records import (
    Condition,
    Doubt,
    Enrolling,
    Fix,
    Library,
    Misread,
    Reception,
    Scan,
    Signal,
    Stamp,
)

# --- orders: what the spine asks of a device ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EnrolFinger:
    """Take a finger twice and store its template in `slot`."""

    slot: int


@dataclass(frozen=True, slots=True)
class CancelEnrolment:
    """Forget about it."""


@dataclass(frozen=True, slots=True)
class Show:
    """Show this with the scanner's own light, if it has one."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class Listen:
    """Say once how well the network is heard; of a modem."""


Order = EnrolFinger | CancelEnrolment | Show | Listen


# --- events: what the threads at the edges put into the inbox -------------------------------------


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scanner read something; stamped where it was read."""

    scanner: str
    scan: Scan
    at: Stamp


@dataclass(frozen=True, slots=True)
class Noted:
    """A scanner said something that is no scan."""

    scanner: str
    what: Condition | Misread | Library | Enrolling


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody on this machine asks something of the agent, number `caller`.

    `words` is what was asked, a flat JSON object; empty when the caller has hung up.
    """

    caller: int
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Located:
    """The GNSS receiver vouched for a fix at monotonic time `mono_ms`."""

    fix: Fix
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Doubted:
    """The GNSS receiver said something against its own signals at monotonic time `mono_ms`."""

    doubt: Doubt
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The modem or the Wi-Fi interface said how well it hears at monotonic time `mono_ms`."""

    reception: Reception
    mono_ms: int


@dataclass(frozen=True, slots=True)
class PortOpened:
    """A serial port is there and open."""

    name: str


@dataclass(frozen=True, slots=True)
class PortLost:
    """A serial port is missing, cannot be opened, or has gone away."""

    name: str
    cause: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted connection number `link`.

    Attributes:
        room: messages the broker lets us have in flight (MQTT 5 Receive Maximum).
        max_bytes: largest packet the broker takes.
    """

    link: int
    room: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """Connection number `link` is over, or never came about."""

    link: int
    cause: str


@dataclass(frozen=True, slots=True)
class PubAck:
    """The broker answered message `mid`. `refusal` is "" for an acceptance."""

    link: int
    mid: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message came from the broker."""

    link: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody asked the program to end."""


Event = (
    Scanned
    | Noted
    | Asked
    | Located
    | Doubted
    | Surveyed
    | PortOpened
    | PortLost
    | Connected
    | Disconnected
    | PubAck
    | Arrived
    | Stop
)
