"""How far, and how sure: distances against another formula, and the bounds of the grades."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.evidence.position import (
    EARTH_M,
    METRES_PER_HDOP,
    Fence,
    Sight,
    distance_m,
    grade,
)
from edge_agent.records import Fix, Grade, Place

LATITUDES = st.integers(-900_000_000, 900_000_000)
LONGITUDES = st.integers(-1_800_000_000, 1_800_000_000)

#: Kantor Kecamatan Bungi, as far as the tests are concerned.
LAT, LON = -53_694_400, 1_226_939_600
RADIUS_M = 100
FENCE = Fence(LAT, LON, RADIUS_M)
#: Degrees times 10^7 of a metre along a meridian.
METRE_E7 = math.degrees(1 / EARTH_M) * 1e7


def north(metres: float) -> int:
    """Latitude of the point so far north of the site."""
    return LAT + round(metres * METRE_E7)


def by_vectors(lat: int, lon: int, other_lat: int, other_lon: int) -> float:
    """The angle between two unit vectors, by atan2 of their products: exact at every distance."""

    def unit(lat_e7: int, lon_e7: int) -> tuple[float, float, float]:
        phi, theta = math.radians(lat_e7 / 1e7), math.radians(lon_e7 / 1e7)
        return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)

    (ax, ay, az), (bx, by, bz) = unit(lat, lon), unit(other_lat, other_lon)
    cross = math.hypot(ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
    return EARTH_M * math.atan2(cross, ax * bx + ay * by + az * bz)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_the_distance_is_that_of_the_spherical_vectors(
    lat: int, lon: int, other_lat: int, other_lon: int
) -> None:
    """To a metre even at the other end of the earth, where haversine is weak."""
    found = distance_m(lat, lon, other_lat, other_lon)
    assert found == pytest.approx(by_vectors(lat, lon, other_lat, other_lon), abs=1.0)


@given(LATITUDES, LONGITUDES, st.integers(-20_000, 20_000), st.integers(-20_000, 20_000))
def test_a_fence_is_measured_to_a_millimetre(lat: int, lon: int, up: int, right: int) -> None:
    """Within some 200 m, at any place on earth."""
    other_lat = max(-900_000_000, min(900_000_000, lat + up))
    found = distance_m(lat, lon, other_lat, lon + right)
    assert found == pytest.approx(by_vectors(lat, lon, other_lat, lon + right), abs=1e-3)
    assert found == distance_m(other_lat, lon + right, lat, lon)


@pytest.mark.parametrize(
    ("there", "metres"),
    [
        ((0, 0, 0, 0), 0.0),
        ((0, 0, 10_000_000, 0), 111_195.08),  # a degree of a circle of 6,371,009 m
        ((0, 0, 0, 10_000_000), 111_195.08),
        ((600_000_000, 0, 600_000_000, 10_000_000), 55_597.01),
        ((0, 1_799_999_500, 0, -1_799_999_500), 11.12),  # across the date line
        ((900_000_000, 0, 900_000_000, 900_000_000), 0.0),  # the pole has no longitude
        ((0, 0, 0, 1_800_000_000), math.pi * EARTH_M),
        ((900_000_000, 0, -900_000_000, 0), math.pi * EARTH_M),
    ],
)
def test_known_distances(there: tuple[int, int, int, int], metres: float) -> None:
    """Worked out by hand on the sphere of the IUGG's mean radius."""
    assert distance_m(*there) == pytest.approx(metres, abs=0.01)


def seen(fix: Fix | None, age_ms: int = 0, **more: Any) -> Place:
    return grade(Sight(fix, age_ms, **more), FENCE, 10_000)


def test_the_fence_is_judged_with_the_error_of_the_fix() -> None:
    """HDOP 1.0 allows 5 m: surely inside, surely outside, and a ring that is neither."""
    for metres, expected, reasons in (
        (0, Grade.VERIFIED, None),
        (94, Grade.VERIFIED, None),
        (96, Grade.NO_SKY, "coarse"),
        (104, Grade.NO_SKY, "coarse"),
        (106, Grade.OUTSIDE, None),
        (500, Grade.OUTSIDE, None),
    ):
        fix = Fix(north(metres), LON, None, 9, 100)
        place = seen(fix)
        assert (place.grade, place.reasons) == (expected, reasons)
        assert place.distance_m == math.ceil(distance_m(fix.lat_e7, LON, LAT, LON))


def test_a_worse_fix_must_be_further_inside() -> None:
    """Each unit of HDOP costs as many metres; a receiver that says none is taken for 1.0."""
    for hdop_e2 in (None, 50, 100, 250, 499):
        room_m = RADIUS_M - METRES_PER_HDOP * (hdop_e2 or 100) / 100
        for metres, expected in ((room_m - 0.5, Grade.VERIFIED), (room_m + 0.5, Grade.NO_SKY)):
            assert seen(Fix(north(metres), LON, None, None, hdop_e2)).grade == expected


def test_what_the_receiver_admits_counts_if_it_is_more() -> None:
    """GST's error against the geometry's, whichever is larger."""
    assert seen(Fix(north(80), LON, None, 9, 100, 3, error_m=2)).grade == Grade.VERIFIED
    assert seen(Fix(north(80), LON, None, 9, 100, 3, error_m=30)).reasons == "coarse"
    assert seen(Fix(north(94), LON, None, 9, 100, 3, error_m=2)).grade == Grade.VERIFIED
    assert seen(Fix(north(96), LON, None, 9, 100, 3, error_m=2)).reasons == "coarse"


@pytest.mark.parametrize(
    "weak",
    [
        {"dimension": 2},
        {"satellites": 3},
        {"hdop_e2": 500},
    ],
)
def test_a_weak_fix_proves_nothing_either_way(weak: dict[str, int]) -> None:
    """Inside or far outside, it is no proof; its evidence stands there all the same."""
    for metres in (0, 900):
        fix = Fix(north(metres), LON, **{"dimension": 3, "satellites": 9, "hdop_e2": 91, **weak})
        place = seen(fix, 700)
        assert (place.grade, place.reasons) == (Grade.NO_SKY, "weak")
        assert (place.lat_e7, place.age_ms, place.hdop_e2) == (north(metres), 700, fix.hdop_e2)


def test_the_least_that_is_not_weak() -> None:
    """Four satellites, three dimensions, a HDOP below 5."""
    assert seen(Fix(LAT, LON, None, 4, 499, 3)).grade == Grade.VERIFIED


def test_a_fix_proves_nothing_once_it_is_old() -> None:
    """At the limit it still counts; a millisecond later there are no coordinates at all."""
    fix = Fix(LAT, LON, None, 9, 91)
    assert seen(fix, 10_000).grade == Grade.VERIFIED
    assert seen(fix, 10_001) == Place(Grade.NO_SKY, reasons="stale")
    assert seen(None) == Place(Grade.NO_SKY, reasons="none")


def test_what_was_verified_holds_while_nothing_is_seen() -> None:
    """With the coordinates and the age of that fix, and the reason why there is no newer one."""
    held = Fix(north(7.2), LON, None, 9, 91, 3, cn0=44)
    since = {"held": held, "held_age_ms": 90_000}
    evidence = (north(7.2), LON, 90_000, 8, 9, 91, 44)
    assert seen(None, **since) == Place(Grade.HELD, *evidence, "none")
    assert seen(Fix(north(900), LON), 10_001, **since) == Place(Grade.HELD, *evidence, "stale")
    assert seen(Fix(north(900), LON, dimension=2), **since) == Place(Grade.HELD, *evidence, "weak")
    assert seen(Fix(north(101), LON), **since) == Place(Grade.HELD, *evidence, "coarse")


def test_a_fix_outside_is_stronger_than_what_was_held() -> None:
    """And one inside is its own proof."""
    since = {"held": Fix(LAT, LON), "held_age_ms": 90_000}
    assert seen(Fix(north(300), LON), **since).grade == Grade.OUTSIDE
    assert seen(Fix(LAT, LON), 3, **since) == Place(Grade.VERIFIED, LAT, LON, 3, 0)


def test_a_doubt_is_stronger_than_everything() -> None:
    """All of them, in alphabetical order; coordinates only of a fresh fix."""
    doubts = frozenset({"spoof", "jam", "time"})
    fix, since = Fix(LAT, LON, None, 9, 91), {"held": Fix(LAT, LON), "held_age_ms": 1}
    expected = Place(Grade.SUSPECT, LAT, LON, 5, 0, 9, 91, None, "jam spoof time")
    assert seen(fix, 5, doubts=doubts, **since) == expected
    bare = Place(Grade.SUSPECT, reasons="jam spoof time")
    assert seen(fix, 10_001, doubts=doubts, **since) == bare
    assert seen(None, doubts=doubts) == bare


def test_the_evidence_stands_beside_the_grade() -> None:
    """Position, age, distance rounded up, satellites, HDOP and strongest signal, as given."""
    fix = Fix(north(10.2), LON, 1_795_389_000_000, 9, 91, 3, 4, 46)
    assert seen(fix, 3_000) == Place(Grade.VERIFIED, north(10.2), LON, 3_000, 11, 9, 91, 46)
