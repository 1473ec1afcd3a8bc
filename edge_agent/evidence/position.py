"""How sure the place of a punch is. Evidence, never a reason to refuse.

    verified  a fresh fix inside the fence, its error included
    held      no such fix now, but there was one in this boot and nothing since speaks of a move
    no_sky    no fix that proves anything
    outside   a fresh fix outside the fence, its error taken off
    suspect   the signals contradict themselves or what else is known

The reasons for anything but a plain `verified` stand beside it:

    spoof, jam, simulator, manual    said by the receiver itself
    frozen, jump, time               seen by us, see `track`
    none, stale                      there is no fix; an old one
    weak                             too few satellites, two dimensions or a poor geometry
    coarse                           the fence's edge lies within the fix's error
"""

import math
from dataclasses import dataclass

from edge_agent.records import Fix, Grade, Place

#: Mean radius of the earth, IUGG. A sphere is at most 0.56 % wrong: 1.1 m on a fence of 200 m.
EARTH_M = 6_371_009

#: Error of a fix per unit of HDOP. The GPS SPS performance standard of 2020 promises about 3 m
#: horizontally at 95 %; cheap antennas get more room.
METRES_PER_HDOP = 5

#: A fix that is worth trusting has at least so many satellites, three dimensions and this geometry.
LEAST_SATELLITES, WORST_HDOP_E2 = 4, 500


@dataclass(frozen=True, slots=True)
class Fence:
    """The circle around a site: degrees times 10^7, and metres."""

    lat_e7: int
    lon_e7: int
    radius_m: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known about the antenna's place at one moment.

    Attributes:
        fix: the last one, None if there was none since the port was opened.
        age_ms: its age by the monotonic clock.
        doubts: what speaks against it.
        held: the last verified fix of this boot, None if there was none or it may have moved since.
        held_age_ms: the age of that one.
    """

    fix: Fix | None
    age_ms: int = 0
    doubts: frozenset[str] = frozenset()
    held: Fix | None = None
    held_age_ms: int = 0


def distance_m(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Great-circle distance in metres (haversine) between two points in degrees times 10^7."""
    lat, other_lat = math.radians(lat_e7 / 1e7), math.radians(other_lat_e7 / 1e7)
    half_lat = (other_lat - lat) / 2
    half_lon = math.radians((other_lon_e7 - lon_e7) / 1e7) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(chord)))


def error_m(fix: Fix) -> float:
    """How far off a fix may be: by its geometry, or what the receiver admits if that is more."""
    by_geometry = METRES_PER_HDOP * (100 if fix.hdop_e2 is None else fix.hdop_e2) / 100
    return max(by_geometry, fix.error_m or 0)


def is_weak(fix: Fix) -> bool:
    """Whether a fix is too poor to prove anything; what the receiver does not say is not held."""
    return (
        fix.dimension == 2
        or (fix.satellites is not None and fix.satellites < LEAST_SATELLITES)
        or (fix.hdop_e2 is not None and fix.hdop_e2 >= WORST_HDOP_E2)
    )


def grade(sight: Sight, fence: Fence, max_age_ms: int) -> Place:
    """The place of something that happens at the moment of `sight`.

    Args:
        sight: what is known then.
        fence: of the site.
        max_age_ms: an older fix proves nothing.
    """
    fix = sight.fix
    fresh = fix is not None and sight.age_ms <= max_age_ms
    if sight.doubts:
        shown = fix if fresh else None
        return _place(Grade.SUSPECT, shown, sight.age_ms, fence, " ".join(sorted(sight.doubts)))
    if fix is None or not fresh:
        return _unproven(sight, None, fence, "none" if fix is None else "stale")
    if is_weak(fix):
        return _unproven(sight, fix, fence, "weak")
    away_m, off_m = distance_m(fix.lat_e7, fix.lon_e7, fence.lat_e7, fence.lon_e7), error_m(fix)
    if away_m + off_m <= fence.radius_m:
        return _place(Grade.VERIFIED, fix, sight.age_ms, fence, None)
    if away_m - off_m > fence.radius_m:
        return _place(Grade.OUTSIDE, fix, sight.age_ms, fence, None)
    return _unproven(sight, fix, fence, "coarse")


def _unproven(sight: Sight, fix: Fix | None, fence: Fence, reason: str) -> Place:
    """`held` by the verified fix of this boot if nothing has moved since, else `no_sky`."""
    if sight.held is not None:
        return _place(Grade.HELD, sight.held, sight.held_age_ms, fence, reason)
    return _place(Grade.NO_SKY, fix, sight.age_ms, fence, reason)


def _place(grade: Grade, fix: Fix | None, age_ms: int, fence: Fence, reasons: str | None) -> Place:
    if fix is None:
        return Place(grade, reasons=reasons)
    return Place(
        grade,
        fix.lat_e7,
        fix.lon_e7,
        age_ms,
        math.ceil(distance_m(fix.lat_e7, fix.lon_e7, fence.lat_e7, fence.lon_e7)),
        fix.satellites,
        fix.hdop_e2,
        fix.cn0,
        reasons,
    )
