"""How far, and how sure: distances against another formula, and the bounds of the grades."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.evidence.position import EARTH_M, METRES_PER_HDOP, distance_m, grade
from edge_agent.records import Fix, Grade, Place

LATITUDES = st.integers(-900_000_000, 900_000_000)
LONGITUDES = st.integers(-1_800_000_000, 1_800_000_000)

#: Kantor Kecamatan Bungi, as far as the tests are concerned.
LAT, LON = -53_694_400, 1_226_939_600
RADIUS_M = 100
FENCE = (LAT, LON, RADIUS_M)
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


def test_the_fix_with_its_error_must_be_inside_the_fence() -> None:
    """HDOP 1.0 allows 5 m: 94 m away is inside a circle of 100 m, 96 m is not."""
    for metres, expected in ((0, "verified"), (94, "verified"), (96, "outside"), (500, "outside")):
        fix = Fix(north(metres), LON, None, 9, 100)
        place = grade(fix, 0, FENCE, 10_000)
        assert place.grade == Grade(expected)
        assert place.distance_m == math.ceil(distance_m(fix.lat_e7, LON, LAT, LON))


def test_a_worse_fix_must_be_further_inside() -> None:
    """Each unit of HDOP costs as many metres; a receiver that says none is taken for 1.0."""
    for hdop_e2 in (50, 100, 250, 1900):
        room_m = RADIUS_M - METRES_PER_HDOP * hdop_e2 / 100
        for metres, expected in ((room_m - 0.5, Grade.VERIFIED), (room_m + 0.5, Grade.OUTSIDE)):
            fix = Fix(north(metres), LON, None, None, hdop_e2)
            assert grade(fix, 0, FENCE, 10_000).grade == expected
    assert grade(Fix(north(94.5), LON), 0, FENCE, 10_000).grade == Grade.VERIFIED
    assert grade(Fix(north(95.5), LON), 0, FENCE, 10_000).grade == Grade.OUTSIDE


def test_a_fix_proves_nothing_once_it_is_old() -> None:
    """At the limit it still counts; a millisecond later there are no coordinates at all."""
    fix = Fix(LAT, LON, None, 9, 91)
    assert grade(fix, 10_000, FENCE, 10_000).grade == Grade.VERIFIED
    assert grade(fix, 10_001, FENCE, 10_000) == Place(Grade.NO_SKY)
    assert grade(None, 0, FENCE, 10_000) == Place(Grade.NO_SKY)


def test_the_evidence_stands_beside_the_grade() -> None:
    """Position, age, distance rounded up, satellites and HDOP as they were."""
    fix = Fix(north(10.2), LON, 1_795_389_000_000, 9, 91)
    expected = Place(Grade.VERIFIED, north(10.2), LON, 3_000, 11, 9, 91)
    assert grade(fix, 3_000, FENCE, 10_000) == expected
