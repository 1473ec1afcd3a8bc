"""The words that rooms say to each other, as frozen dataclasses.

Units are in the names: `_ms` milliseconds, `_s` seconds, `_m` metres, `_e7` degrees times 10^7,
`_e2` hundredths. Instants are UTC milliseconds since 1970 with the site's IANA zone beside them.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner said, before anything was decided.

    `technology` and `value` are the credential as read on the air, e.g. ``em4100`` and
    ``3C00CE754C``.
    """

    technology: str
    value: str

    @property
    def credential(self) -> str:
        """The credential in its one canonical form, e.g. ``em4100:3C00CE754C``."""
        return f"{self.technology}:{self.value}"


@dataclass(frozen=True, slots=True)
class Fix:
    """A position that the receiver vouches for. No fix is None, never 0, 0.

    Attributes:
        lat_e7, lon_e7: WGS 84 degrees times 10^7, south and west negative.
        utc_ms: the receiver's own date and time, unverified; None if it gave no date.
        satellites: satellites used, None if the receiver did not say.
        hdop_e2: horizontal dilution of precision times 100, None if the receiver did not say.
    """

    lat_e7: int
    lon_e7: int
    utc_ms: int | None = None
    satellites: int | None = None
    hdop_e2: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a decoder or a receiver of messages threw away, and why."""

    noise: int = 0
    rejected: int = 0


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something happened, as far as this machine can honestly say.

    Attributes:
        boot: the kernel's boot id, 32 hex digits.
        mono_ms: milliseconds since that boot (CLOCK_BOOTTIME); never steps.
        utc_ms: the system clock at that moment, right or wrong.
        source: who vouches for `utc_ms`: ``ntp`` or ``none``.
        error_ms: largest error of `utc_ms` that the source admits; None when nobody vouches.
    """

    boot: str
    mono_ms: int
    utc_ms: int
    source: str
    error_ms: int | None = None


class Grade(StrEnum):
    """How sure a punch's place is."""

    VERIFIED = "verified"
    OUTSIDE = "outside"
    NO_SKY = "no_sky"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the terminal was at a punch, and how that is known.

    Attributes:
        grade: the conclusion; the rest is its evidence, None where there is none.
        age_ms: how old the fix was, by the monotonic clock.
        distance_m: from the site's position, rounded up to whole metres.
    """

    grade: Grade
    lat_e7: int | None = None
    lon_e7: int | None = None
    age_ms: int | None = None
    distance_m: int | None = None
    satellites: int | None = None
    hdop_e2: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who the roster says holds a credential."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Punch:
    """One act of presenting a credential at this terminal.

    Attributes:
        credential: the concealed credential (HMAC-SHA-256, 64 hex digits), never a card number.
        technology: how it was read, e.g. ``em4100``.
        scanner: the scanner's name in the configuration.
        person: the roster's person id, None if the roster does not know the credential.
        repeat_of: seq of this person's punch that this one repeats within the duplicate period.
    """

    credential: str
    technology: str
    scanner: str
    place: Place
    person: str | None = None
    repeat_of: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable line of the journal.

    Attributes:
        seq: 1, 2, 3 ... without a hole.
        kind: start, punch, incident.
        text: canonical JSON, frozen when it was appended.
        head: SHA-256 of the previous head and this text, 32 bytes.
    """

    seq: int
    kind: str
    text: str
    head: bytes


class Signal(StrEnum):
    """What the panel tells the person in front of it."""

    STORED = "stored"
    REPEAT = "repeat"
    UNKNOWN = "unknown"
    FAULT = "fault"


# --- events: what the threads at the edges put into the inbox -------------------------------------


@dataclass(frozen=True, slots=True)
class Scanned:
    """A scanner read something; stamped where it was read."""

    scanner: str
    scan: Scan
    at: Stamp


@dataclass(frozen=True, slots=True)
class Located:
    """The GNSS receiver vouched for a fix at monotonic time `mono_ms`."""

    fix: Fix
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
    Scanned | Located | PortOpened | PortLost | Connected | Disconnected | PubAck | Arrived | Stop
)
