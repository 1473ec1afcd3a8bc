"""Coordinates that were typed: what is taken, and what is asked back with the cure."""

import pytest

from edge_agent.errors import ConfigError
from edge_agent.technician import coordinates
from edge_agent.technician.survey import Point

BUNGI = Point(-53_694_400, 1_226_939_600)

#: Places all over the country; the last ones are outermost islands north of the equator. From
#: general knowledge, to a tenth of a degree.
PLACES = {
    "Bungi": (-5.36944, 122.69396),
    "Blora": (-7.07444, 111.38744),
    "Jambi": (-1.61818, 103.59979),
    "Pangkal Pinang": (-2.11051, 106.1132),
    "Medan": (3.6, 98.7),
    "Banda Aceh": (5.5, 95.3),
    "Lhokseumawe": (5.2, 97.1),
    "Sabang": (5.9, 95.3),
    "Tanjung Pinang": (0.9, 104.4),
    "Natuna": (3.9, 108.4),
    "Sambas": (1.4, 109.3),
    "Nunukan": (4.1, 117.7),
    "Manado": (1.5, 124.8),
    "Miangas": (5.6, 126.6),
    "Ternate": (0.8, 127.4),
    "Sorong": (-0.9, 131.3),
    "Merauke": (-8.5, 140.4),
    "Rote": (-10.9, 122.8),
}


def refused(latitude: str, longitude: str, **how: bool) -> str:
    with pytest.raises(ConfigError) as caught:
        coordinates.typed(latitude, longitude, **how)
    return str(caught.value)


@pytest.mark.parametrize("place", PLACES)
def test_places_in_indonesia_are_taken(place: str) -> None:
    """As they are, seven decimals of them."""
    latitude, longitude = PLACES[place]
    found = coordinates.typed(str(latitude), str(longitude))
    assert (found.lat_e7, found.lon_e7) == (round(latitude * 1e7), round(longitude * 1e7))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("122.69396", "-5.36944"),
        ("5.36944", "122.69396"),
        ("122.69396", "5.36944"),
        ("-5.36944", "-122.69396"),
        ("5.36944", "-122.69396"),
    ],
    ids=["swapped", "no minus", "swapped, no minus", "one minus more", "the other one"],
)
def test_a_known_mistake_is_asked_back_with_what_to_type(latitude: str, longitude: str) -> None:
    """It is not corrected silently: there may be two ways to mean it."""
    said = refused(latitude, longitude)
    assert said.endswith("did you mean --latitude -5.36944 --longitude 122.69396?")


def test_where_two_places_can_be_meant_both_are_said() -> None:
    """Medan swapped: north or south of the equator."""
    said = refused("98.7", "3.6")
    assert "--latitude 3.6 --longitude 98.7 or --latitude -3.6 --longitude 98.7?" in said


def test_a_place_elsewhere_needs_a_word() -> None:
    """Greenwich is nobody's mistake; but 0, 0 is, and latitude 99 is nowhere."""
    assert "--anyway" in refused("51.47738", "-0.00148")
    assert coordinates.typed("51.5", "0.0", anyway=True) == Point(515_000_000, 0)
    assert coordinates.typed("5.36944", "122.69396", anyway=True).lat_e7 == -BUNGI.lat_e7
    assert "Gulf of Guinea" in refused("0", "-0.0", anyway=True)
    assert "nowhere on earth" in refused("99", "0", anyway=True)
    assert "nowhere on earth" in refused("9", "181", anyway=True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("-5,36944", "-5.36944"),
        ("\N{MINUS SIGN}5.36944", "-5.36944"),
        ("5.36944 S", "-5.36944"),
        ("5,36944° LS", "-5.36944"),
        ("122.69396 BT", "122.69396"),
        (" -5.36944 ", "-5.36944"),
    ],
)
def test_a_number_written_otherwise_is_shown_as_it_must_be(text: str, meant: str) -> None:
    """Comma, a printed minus, degrees and sides in two languages, blanks."""
    with pytest.raises(ConfigError) as caught:
        coordinates.number(text, "latitude")
    assert str(caught.value).endswith(f"; write {meant}")


@pytest.mark.parametrize(
    "text", ["", "x", "5°22'10\"", "1e1", "nan", "inf", "-5.36944, 122.69396", "1_0", "\u0661"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ConfigError, match=r"decimal degrees with a dot.*-5\.36944"):
        coordinates.number(text, "latitude")


def test_few_decimals_are_coarse() -> None:
    """Two are half a kilometre either way."""
    assert [round(coordinates.coarseness_m(text)) for text in ("-5", "-5.37", "-5.36944")] == [
        55_660,
        557,
        1,
    ]


def test_a_zone_of_another_island_is_doubted() -> None:
    """Local dates would be an hour off; of zones elsewhere nothing is known."""
    assert "usual there: Asia/Makassar" in coordinates.zone_doubt("Asia/Jakarta", 122.69)
    for zone, longitude in (
        ("Asia/Makassar", 122.69),
        ("Asia/Jakarta", 111.4),
        ("Asia/Jayapura", 140.4),
        ("Europe/Paris", 122.69),
    ):
        assert coordinates.zone_doubt(zone, longitude) == ""
