"""How sure the place of a punch is. Evidence, never a reason to refuse."""

import math

from edge_agent.records import Fix, Grade, Place

#: Mean radius of the earth, IUGG. A sphere is at most 0.56 % wrong: 1.1 m on a fence of 200 m.
EARTH_M = 6_371_009

#: Error of a fix per unit of HDOP. The GPS SPS performance standard of 2020 promises about 3 m
#: horizontally at 95 %; cheap antennas get more room.
METRES_PER_HDOP = 5


def distance_m(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Great-circle distance in metres (haversine) between two points in degrees times 10^7."""
    lat, other_lat = math.radians(lat_e7 / 1e7), math.radians(other_lat_e7 / 1e7)
    half_lat = (other_lat - lat) / 2
    half_lon = math.radians((other_lon_e7 - lon_e7) / 1e7) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(chord)))


def grade(
    fix: Fix | None,
    age_ms: int,
    fence: tuple[int, int, int],
    max_age_ms: int,
) -> Place:
    """The place of something that happens now.

    Args:
        fix: the last fix, None if there never was one.
        age_ms: its age by the monotonic clock.
        fence: the site's lat_e7, lon_e7 and radius in metres.
        max_age_ms: an older fix proves nothing.

    Returns:
        ``verified`` if the fix is fresh and, with its error added, inside the fence; ``outside`` if
        it is fresh and not; ``no_sky`` otherwise, without coordinates.
    """
    if fix is None or age_ms > max_age_ms:
        return Place(Grade.NO_SKY)
    away_m = distance_m(fix.lat_e7, fix.lon_e7, fence[0], fence[1])
    error_m = METRES_PER_HDOP * (100 if fix.hdop_e2 is None else fix.hdop_e2) / 100
    return Place(
        Grade.VERIFIED if away_m + error_m <= fence[2] else Grade.OUTSIDE,
        fix.lat_e7,
        fix.lon_e7,
        age_ms,
        math.ceil(away_m),
        fix.satellites,
        fix.hdop_e2,
    )
