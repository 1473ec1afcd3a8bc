"""An office day at Kantor Kecamatan Bungi, Baubau: who works there and when they tap.

The persons are invented and their names are of the kind met on Buton. The position is the centroid
of the kecamatan (Kemendagri code 74.72.04; cahyadsn/wilayah_boundaries), not the office's door.
Work begins at 07:30 local time (Perpres 21/2023).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from edge_agent.errors import EdgeAgentError


@dataclass(frozen=True, slots=True)
class Site:
    """A place of work: WGS 84 degrees and IANA zone."""

    name: str
    zone: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Staff:
    """A person on the office's roster and the card they carry.

    `card` is the ten hex digits of an EM4100 card, another credential such as
    ``14443a:04C63A63110189``, or "" for none.
    """

    id: str
    name: str
    card: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A card is presented: at `at_s` seconds of the local day, or into the play of it."""

    at_s: float
    card: str


SITE = Site("Kantor Kecamatan Bungi", "Asia/Makassar", -5.36944, 122.69396)

STRANGER = "3C00B1F04E"
"""A card that the roster does not know."""

APART_S = 0.35
"""Least time between two taps at one scanner when the day is compressed."""

SAME_APART_S = 1.5
"""Least time between two taps of one card: shorter is one presentation to a reader."""

_PEOPLE = (
    ("La Ode Muhammad Idris", "3C00CE1A07"),
    ("Wa Ode Sitti Hajrah", "3C00CE2B91"),
    ("La Ode Abdul Rahim", "3C00CE3344"),
    ("Wa Ode Nurhayati", "3C00CE47D2"),
    ("La Ode Safiuddin", "3C00CE5C18"),
    ("Wa Ode Rosmina", "3C00CE6E5F"),
    ("La Samiru", "3C00D10263"),
    ("Wa Nuria", "3C00D117AC"),
    ("La Ode Hasanuddin", "3C00D12938"),
    ("Wa Ode Marlina", "3C00D13D80"),
    ("Muhammad Arfan", "3C00D14E1B"),
    ("Siti Zubaedah", "3C00D15FF6"),
    ("La Ode Kamaluddin", "3C00D26A4D"),
    ("Wa Ode Fitriani", "3C00D27C02"),
    ("Hasrul Mahmud", "3C00D28E97"),
    ("Wa Ode Asmawati", "3C00D29335"),
    ("La Ode Jumadil", "3C00E0A4C9"),
    ("Andi Nurlina", "3C00E0B571"),
    ("La Hamzah", "3C00E0C68A"),
)

_MORNING = (7 * 3600 + 5 * 60, 7 * 3600 + 35 * 60)
_LATE = (7 * 3600 + 36 * 60, 8 * 3600 + 10 * 60)
_NOON = (12 * 3600, 12 * 3600 + 20 * 60)
_EVENING = (16 * 3600, 16 * 3600 + 25 * 60)


def staff() -> tuple[Staff, ...]:
    """The office's roster, P001 first."""
    return tuple(
        Staff(f"P{number:03d}", name, card) for number, (name, card) in enumerate(_PEOPLE, start=1)
    )


def taps(seed: int = 0) -> tuple[Tap, ...]:
    """The taps of one day in their order; the same seed gives the same day.

    Everybody comes, three of them after 07:35; one person, unsure of the green light, taps again;
    a card that the roster does not know is tried once; most tap at noon, all in the evening.
    """
    random = Random(seed)
    people = [person.card for person in staff()]
    random.shuffle(people)
    day = list(_arrivals(people, random))
    at_noon = [card for card in people if random.random() < 0.8]
    day += [_tap(card, _NOON, random) for card in at_noon]
    day += [_tap(card, _EVENING, random) for card in people]
    day.append(_tap(STRANGER, _MORNING, random))
    return tuple(sorted(day, key=lambda tap: (tap.at_s, tap.card)))


def compress(day: Sequence[Tap], seconds: float) -> tuple[Tap, ...]:
    """The same taps in the same order as offsets from 0 to `seconds`.

    Two taps are at least `APART_S` apart, two of one card `SAME_APART_S`; the time left over is
    divided as the day divides it.

    Raises:
        EdgeAgentError: the taps do not fit into so short a time.
    """
    least = _least_offsets(day)
    if not day:
        return ()
    spare = seconds - least[-1]
    if spare < 0:
        cause = f"{len(day)} taps need {least[-1]:.1f} s, not {seconds:g}"
        raise EdgeAgentError("compress", "the office day", cause, "give it more seconds")
    began, lasts = day[0].at_s, max(day[-1].at_s - day[0].at_s, 1)
    return tuple(
        replace(tap, at_s=offset + spare * (tap.at_s - began) / lasts)
        for tap, offset in zip(day, least, strict=True)
    )


def _arrivals(people: list[str], random: Random) -> Iterator[Tap]:
    for card in people[:3]:
        yield _tap(card, _LATE, random)
    for card in people[3:]:
        tap = _tap(card, _MORNING, random)
        yield tap
    yield replace(tap, at_s=tap.at_s + random.randint(4, 15))


def _tap(card: str, period: tuple[int, int], random: Random) -> Tap:
    return Tap(random.randint(*period), card)


def _least_offsets(day: Sequence[Tap]) -> list[float]:
    """The shortest play: each tap as early as the distances allow."""
    offsets: list[float] = []
    last_of: dict[str, float] = {}
    for tap in day:
        after_any = offsets[-1] + APART_S if offsets else 0.0
        after_same = last_of.get(tap.card, -SAME_APART_S) + SAME_APART_S
        offsets.append(max(after_any, after_same))
        last_of[tap.card] = offsets[-1]
    return offsets
