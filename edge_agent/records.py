"""The words that rooms say to each other, as frozen dataclasses.

Units are in the names: `_ms` milliseconds, `_s` seconds, `_m` metres, `_e7` degrees times 10^7,
`_e2` hundredths. Instants are UTC milliseconds since 1970 with the site's IANA zone beside them.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scanner said, before anything was decided.

    Attributes:
        technology, value: the credential as read on the air, e.g. ``em4100`` and ``3C00CE754C``.
        card: what kind of card it says it is, e.g. ``ektp``; "" if the scanner cannot tell.
        slot: of a finger, its place in the module's library.
        score: of a finger, how well it matched, in the module's own measure.
    """

    technology: str
    value: str
    card: str = ""
    slot: int | None = None
    score: int | None = None

    @property
    def credential(self) -> str:
        """The credential in its one canonical form, e.g. ``em4100:3C00CE754C``."""
        return f"{self.technology}:{self.value}"


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a scanner that is asked answers as it should; `trouble` is "" when it does."""

    trouble: str


@dataclass(frozen=True, slots=True)
class Misread:
    """Somebody presented something that the scanner could not make out."""

    cause: str


@dataclass(frozen=True, slots=True)
class Library:
    """What a fingerprint module holds.

    Attributes:
        capacity: slots 0 to `capacity` - 1.
        count: slots that hold a template.
        slots: which ones, rising; None if the module cannot say.
    """

    capacity: int
    count: int
    slots: tuple[int, ...] | None


class Step(StrEnum):
    """How far the enrolment of a finger has come."""

    PLACE = "place"
    LIFT = "lift"
    AGAIN = "again"
    STORED = "stored"
    TAKEN = "taken"
    DIFFERENT = "different"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Enrolling:
    """The enrolment of a finger into `slot` went a step on.

    `detail` says why it failed; `found` is the slot that holds this finger already.
    """

    step: Step
    slot: int
    detail: str = ""
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """A position that the receiver vouches for. No fix is None, never 0, 0.

    Attributes:
        lat_e7, lon_e7: WGS 84 degrees times 10^7, south and west negative.
        utc_ms: the receiver's own date and time, unverified; None if it gave no date, and in a leap
            second, which UTC milliseconds cannot name.
        satellites: satellites used, None if the receiver did not say.
        hdop_e2: horizontal dilution of precision times 100, None if the receiver did not say.
        dimension: 2 or 3, None if the receiver did not say.
        error_m: horizontal error that the receiver itself admits (95 %, rounded up), None likewise.
        cn0: carrier to noise density of the strongest satellite, dB-Hz, None likewise.
    """

    lat_e7: int
    lon_e7: int
    utc_ms: int | None = None
    satellites: int | None = None
    hdop_e2: int | None = None
    dimension: int | None = None
    error_m: int | None = None
    cn0: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the receiver says against its own signals, or that it no longer does.

    Attributes:
        of: ``spoof`` (it sees false signals), ``jam`` (it is drowned), ``simulator`` (its position
            is a simulation), ``manual`` (somebody typed its position).
        stands: False takes it back.
    """

    of: str
    stands: bool


@dataclass(frozen=True, slots=True)
class Reception:
    """How well the network is heard here, by the modem or the Wi-Fi interface; None if not said.

    Attributes:
        bearer: ``modem`` or ``wifi``.
        registration: ``home``, ``roaming``, ``searching``, ``denied``, ``none`` or ``unknown``; of
            Wi-Fi ``home`` when associated, else ``none``.
        technology: ``gsm``, ``edge``, ``umts``, ``hspa``, ``lte``, ``nr``, ``nbiot``, ``wifi``.
        operator: as the modem names it, e.g. ``51010``.
        rssi_dbm, rsrp_dbm: power received, whole and of the reference signal.
        rsrq_e1, snr_e1: quality in tenths of a dB.
    """

    bearer: str
    registration: str
    technology: str | None = None
    operator: str | None = None
    rssi_dbm: int | None = None
    rsrp_dbm: int | None = None
    rsrq_e1: int | None = None
    snr_e1: int | None = None


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
        mono_ms: milliseconds since that boot; neither stepped nor slewed.
        utc_ms: UTC at that moment as far as it is known; the system clock, right or wrong, where
            nobody vouches.
        source: who vouches for `utc_ms`: ``gnss``, ``ntp``, ``rtc`` or ``none``.
        error_ms: largest error of `utc_ms`; None when nobody vouches.
    """

    boot: str
    mono_ms: int
    utc_ms: int
    source: str
    error_ms: int | None = None


class Grade(StrEnum):
    """How sure a punch's place is."""

    VERIFIED = "verified"
    HELD = "held"
    NO_SKY = "no_sky"
    OUTSIDE = "outside"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the terminal was at a punch, and how that is known.

    Attributes:
        grade: the conclusion; the rest is its evidence, None where there is none.
        age_ms: how old the fix was, by the monotonic clock.
        distance_m: from the site's position, rounded up to whole metres.
        cn0: carrier to noise density of the strongest satellite, dB-Hz.
        reasons: why it is not simply `verified`: words of `evidence.position`, a blank between.
    """

    grade: Grade
    lat_e7: int | None = None
    lon_e7: int | None = None
    age_ms: int | None = None
    distance_m: int | None = None
    satellites: int | None = None
    hdop_e2: int | None = None
    cn0: int | None = None
    reasons: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who holds a credential, by the roster or by an enrolment."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Punch:
    """One act of presenting a credential at this terminal.

    Attributes:
        credential: the concealed credential (HMAC-SHA-256, 64 hex digits), never a card number.
        technology: how it was read, e.g. ``em4100``.
        scanner: the scanner's name in the configuration.
        person: person id by roster or enrolment, None if neither knows the credential.
        repeat_of: seq of this person's punch that this one repeats within the duplicate period.
        card: what kind of card it said it is, None if the scanner cannot tell.
        slot, score: of a finger: its slot in the module, and how well it matched.
    """

    credential: str
    technology: str
    scanner: str
    place: Place
    person: str | None = None
    repeat_of: int | None = None
    card: str | None = None
    slot: int | None = None
    score: int | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A credential was bound to a person at this terminal.

    Attributes:
        credential: the concealed credential, as punches carry it.
        technology, scanner: as in a punch.
        person: person id.
        slot: of a finger, its slot in the module.
    """

    credential: str
    technology: str
    scanner: str
    person: str
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable line of the journal.

    Attributes:
        seq: 1, 2, 3 ... without a hole.
        kind: start, punch, enrolment, incident, clock, survey.
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
    MISREAD = "misread"
    ENROL = "enrol"
    ENROLLED = "enrolled"
    TAKEN = "taken"
    UNSTABLE = "unstable"
    CARRYING = "carrying"
    CARRIED = "carried"
    UNCARRIED = "uncarried"
