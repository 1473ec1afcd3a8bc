"""Random histories of a terminal's clocks, with the truth beside them.

A history is some boots one after the other. In each, time is counted by an oscillator that is a
constant bit fast or slow; some stamps are vouched for, with an error that is honest, the others
claim anything. Leap seconds come, or do not, at the ends of June and December.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from builders import start
from central_wall import Wall, ms
from hypothesis import strategies as st

from edge_agent.contract import entries
from edge_agent.records import Grade, Place, Punch, Stamp

SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
#: Ends of half-years, as the first instant after them.
HALVES = tuple(ms(day) for day in ("2026-07-01", "2027-01-01", "2027-07-01", "2028-01-01"))
PUNCH = Punch("ab" * 32, "em4100", "front", Place(Grade.NO_SKY))


@dataclass
class World:
    """What really happens: time that only goes on, and what UTC makes of it.

    Attributes:
        leaps: seconds put in (1) or taken out (-1) at each of `HALVES`.
        now: true milliseconds, that know no leaps.
    """

    leaps: tuple[int, ...]
    now: Fraction

    def utc(self, true: Fraction) -> Fraction:
        """UTC as milliseconds since 1970."""
        found = true
        for end, leap in zip(HALVES, self.leaps, strict=True):
            if found >= end + SECOND * max(leap, 0):
                found -= SECOND * leap
        return found


@dataclass
class History:
    """A journal, and the true UTC of each of its entries by seq."""

    wall: Wall
    world: World
    truth: dict[int, Fraction] = field(default_factory=dict)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to five boots of up to eight entries."""
    leaps = draw(st.tuples(*[st.sampled_from((0, 0, 1, -1))] * len(HALVES)))
    near = draw(st.sampled_from(HALVES)) if draw(st.booleans()) else ms("2026-09-15")
    began = near - draw(gaps)
    history = History(Wall(), World(leaps, Fraction(began)))
    for number in range(draw(st.integers(1, 5))):
        run(draw, history, f"{number + 1:032x}")
    return history


#: Milliseconds that something lasts: seconds, hours or weeks.
gaps = st.one_of(st.integers(0, 5 * SECOND), st.integers(0, 9 * HOUR), st.integers(0, 40 * DAY))


def run(draw: st.DrawFn, history: History, boot: str) -> None:
    """One boot, from power on to the last entry before it goes off."""
    world = history.world
    ppm = draw(st.sampled_from((-100, 100)) | st.integers(-100, 100))
    world.now += draw(gaps)
    on, mono_ms, known_before = world.now, 0, draw(st.booleans())
    ever = draw(st.booleans())
    floor_ms = None
    if draw(st.booleans()):
        floor_ms = int(world.utc(on)) - draw(gaps) - 1
    for number in range(draw(st.integers(1, 8))):
        mono_ms += draw(gaps)
        world.now = on + mono_ms * (1 + Fraction(ppm, 1_000_000))
        utc = world.utc(world.now)
        vouched = ever and (draw(st.booleans()) or (known_before and number == 0))
        record: entries.Record = PUNCH
        if number == 0:
            record = replace(start(), last_end="power", floor_ms=floor_ms)
        elif vouched and draw(st.booleans()):
            record = entries.Clock("better")
        seq = history.wall.add(record, stamp(draw, boot, mono_ms, utc, vouched))
        history.truth[seq] = utc


def stamp(draw: st.DrawFn, boot: str, mono_ms: int, utc: Fraction, vouched: bool) -> Stamp:
    if not vouched:
        return Stamp(boot, mono_ms, draw(st.integers(0, 2**42)), "none")
    error_ms = draw(st.sampled_from((1, 12, 500, 1001, 60_000)))
    off = draw(st.sampled_from((-1, 1)) | st.fractions(-1, 1)) * (error_ms - Fraction(1, 2))
    return Stamp(boot, mono_ms, round(utc + off), draw(st.sampled_from(("gnss", "ntp"))), error_ms)
