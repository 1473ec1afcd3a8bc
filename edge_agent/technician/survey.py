"""Where the site is, from minutes of fixes: the average of those that agree, and how far they do.

Errors of a receiver come in two kinds. Some fixes are wild, off by a street: the median of both
coordinates does not care for them while they are the minority, and what lies farther from it than
three deviations is left out of the mean. All fixes wander together, over minutes, by some metres:
no average of minutes sees that, so the error that the receiver admits goes into the radius as well.

For a normal error of deviation s on both axes the distance from the middle has the median
s * sqrt(2 ln 2). Not for sites across the 180th meridian.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import median, median_low

from edge_agent.evidence.position import LEAST_SATELLITES, WORST_HDOP_E2, distance_m, error_m
from edge_agent.records import Fix

#: Fewer than these cannot show how far they spread; at one a second it is half a minute.
LEAST_FIXES = 30
#: A shorter survey has seen next to nothing of how its errors wander.
LEAST_S = 60
#: Under open sky 95 % lie within 5 m, beside a house within 15: beyond this it is under a roof.
MOST_SPREAD_M = 30
#: The middle of a still receiver wanders by less between the first third and the last.
STILL_M = 10
#: More than this share of wild fixes is no minority of accidents.
MOST_WILD = 1 / 3

_DEVIATIONS, _CLOSE_M = 3, 5
_MEDIAN_OF_DEVIATION = math.sqrt(2 * math.log(2))
_BUILDING_M = 40
LEAST_RADIUS_M = 50
#: The configuration's own default: no survey makes a fence narrower unasked.
DEFAULT_RADIUS_M = 100


@dataclass(frozen=True, slots=True)
class Point:
    """A place, WGS 84 degrees times 10^7."""

    lat_e7: int
    lon_e7: int

    def away_m(self, other: "Point | Fix") -> float:
        return distance_m(self.lat_e7, self.lon_e7, other.lat_e7, other.lon_e7)

    def __str__(self) -> str:
        return f"{self.lat_e7 / 1e7:.7f}, {self.lon_e7 / 1e7:.7f}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A fix at monotonic time `at_ms`, and what the receiver itself doubted then (`Doubt.of`)."""

    fix: Fix
    at_ms: int
    doubts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a survey should not be written, and what cures it."""

    cause: str
    hint: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of it.

    Attributes:
        centre: the site's position; None if no fix was good.
        used: fixes in the mean.
        rejected: of the others, how many for which reason, the commonest first.
        median_m, spread_m: half, and 95 %, of the used fixes lie so close to `centre`.
        error_m: how far off a fix may be, the median of the used ones, rounded up.
        moved_m: from the middle of the first third to that of the last.
        lasted_s: from the first fix to the last.
        radius_m: the smallest geofence that covers a building, the spread and the error.
        refusals: the gravest first; none for a survey that may be written.
    """

    centre: Point | None
    used: int
    rejected: tuple[tuple[str, int], ...]
    median_m: float
    spread_m: float
    error_m: int
    moved_m: float
    lasted_s: int
    radius_m: int
    refusals: tuple[Refusal, ...]


def average(samples: Sequence[Sample], standing: Collection[str] = ()) -> Survey:
    """The survey of `samples`, in order of time; `standing` is what the receiver doubts now."""
    flaws = [weakness(one) for one in samples]
    good = [one.fix for one, flaw in zip(samples, flaws, strict=True) if not flaw]
    rejected = Counter(filter(None, flaws))
    centre, used = agreeing(good) if good else (None, [])
    away_m = sorted(centre.away_m(fix) for fix in used) if centre else []
    if len(good) > len(used):
        rejected["far from the others"] = len(good) - len(used)
    spread_m, moved_m = _share(away_m, 0.95), _moved_m(good)
    off_m = math.ceil(median(map(error_m, used))) if used else 0
    return Survey(
        centre,
        len(used),
        tuple(rejected.most_common()),
        _share(away_m, 0.5),
        spread_m,
        off_m,
        moved_m,
        (samples[-1].at_ms - samples[0].at_ms) // 1000 if samples else 0,
        radius_m(spread_m, off_m),
        tuple(_refusals(standing, len(used), len(good), spread_m, moved_m)),
    )


def weakness(sample: Sample) -> str:
    """Why a fix is not used, "" if it is; what a receiver does not say is not held against it."""
    fix = sample.fix
    if sample.doubts:
        return f"while in doubt ({', '.join(sorted(sample.doubts))})"
    if fix.dimension is not None and fix.dimension < 3:
        return "without height (2D)"
    if fix.satellites is not None and fix.satellites < LEAST_SATELLITES:
        return f"fewer than {LEAST_SATELLITES} satellites"
    if fix.hdop_e2 is not None and fix.hdop_e2 >= WORST_HDOP_E2:
        return f"HDOP {WORST_HDOP_E2 // 100} or more"
    return ""


def agreeing(fixes: Sequence[Fix]) -> tuple[Point, list[Fix]]:
    """The mean of the fixes that agree, and which they are; at least one of `fixes` is needed."""
    middle = _middle(fixes)
    away_m = [middle.away_m(fix) for fix in fixes]
    far_m = max(_CLOSE_M, _DEVIATIONS * median_low(away_m) / _MEDIAN_OF_DEVIATION)
    used = [fix for fix, away in zip(fixes, away_m, strict=True) if away <= far_m]
    return Point(_mean(fix.lat_e7 for fix in used), _mean(fix.lon_e7 for fix in used)), used


def radius_m(spread_m: float, off_m: int) -> int:
    """The smallest sensible radius: a building, the spread and the error, in tens of metres."""
    return max(LEAST_RADIUS_M, 10 * math.ceil((spread_m + off_m + _BUILDING_M) / 10))


def _refusals(
    standing: Collection[str], used: int, good: int, spread_m: float, moved_m: float
) -> Iterable[Refusal]:
    if standing:
        cause = f"the receiver doubts its own position ({', '.join(sorted(standing))})"
        yield Refusal(cause, "find what disturbs it, or its settings, and survey again")
    if used < LEAST_FIXES:
        cause = f"{used} good fixes, at least {LEAST_FIXES} are needed"
        yield Refusal(cause, "put the antenna under open sky and survey for longer")
    elif moved_m > max(STILL_M, spread_m):
        cause = f"the position moved by {moved_m:.0f} m meanwhile"
        yield Refusal(cause, "keep the antenna where it will stay and survey again")
    elif good - used > MOST_WILD * good:
        cause = f"{good - used} of {good} fixes lie far from the others"
        yield Refusal(cause, "put the antenna away from walls and metal roofs")
    elif spread_m > MOST_SPREAD_M:
        cause = f"95 % lie within {spread_m:.0f} m, more than {MOST_SPREAD_M} m"
        yield Refusal(cause, "put the antenna under open sky: it is indoors, or under metal")


def _moved_m(fixes: Sequence[Fix]) -> float:
    """Medians: a wild fix in a third does not move it."""
    third = len(fixes) // 3
    return _middle(fixes[:third]).away_m(_middle(fixes[-third:])) if third else 0.0


def _middle(fixes: Sequence[Fix]) -> Point:
    return Point(
        round(median(fix.lat_e7 for fix in fixes)), round(median(fix.lon_e7 for fix in fixes))
    )


def _mean(values: Iterable[int]) -> int:
    found = list(values)
    return round(sum(found) / len(found))


def _share(rising: Sequence[float], share: float) -> float:
    """The value below or at which this share of `rising` lies; 0 of nothing."""
    return rising[math.ceil(share * len(rising)) - 1] if rising else 0.0
