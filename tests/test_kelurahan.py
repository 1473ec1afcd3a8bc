"""A site and its kelurahan: codes, boxes and circles."""

import pytest
from conftest import shared

from edge_agent.errors import ConfigError
from edge_agent.technician import kelurahan
from edge_agent.technician.survey import Point

HEAD = (
    "kode_kemendagri,kecamatan,kelurahan,lat_centroid,lon_centroid,"
    "lat_min,lat_max,lon_min,lon_max,max_km_centroid_to_boundary"
)
#: Three rows computed from cahyadsn/wilayah_boundaries (MIT), commit 3c5a796.
ROWS = """
74.72.04.1003,Bungi,Kampeonaho,-5.34109,122.70914,-5.354,-5.3286,122.6849,122.7278,2.69
74.72.04.1002,Bungi,Ngkaring Karing,-5.35641,122.70338,-5.3852,-5.3161,122.6742,122.7389,4.64
74.72.03.1003,Sorawolio,Gonda Baru,-5.43715,122.7424,-5.4966,-5.3608,122.7142,122.7703,8.52
"""
CSV = HEAD + ROWS
TABLE = kelurahan.parse(CSV, "rows.csv")
KAMPEONAHO = "74.72.04.1003"


def at(latitude: float, longitude: float) -> Point:
    return Point(round(latitude * 1e7), round(longitude * 1e7))


def test_a_site_in_its_kelurahan_is_no_news() -> None:
    """In the middle, and 400 m beyond the southern side of the box."""
    assert kelurahan.misplaced(TABLE, KAMPEONAHO, at(-5.34109, 122.70914)) == ""
    assert kelurahan.misplaced(TABLE, KAMPEONAHO, at(-5.3576, 122.70914)) == ""


def test_a_site_far_outside_is_told_how_far_and_what_fits() -> None:
    """600 m south of the box, which still is in the circle; then in another district."""
    said = kelurahan.misplaced(TABLE, KAMPEONAHO, at(-5.3594, 122.70914))
    assert said == (
        "the site lies 600 m outside kelurahan 74.72.04.1003 (Kampeonaho, Bungi);"
        " it fits 74.72.04.1002 (Ngkaring Karing, Bungi)"
    )
    said = kelurahan.misplaced(TABLE, KAMPEONAHO, at(-5.43715, 122.7424))
    assert "9.4 km outside" in said
    assert said.endswith("it fits 74.72.03.1003 (Gonda Baru, Sorawolio)")


def test_the_circle_counts_where_the_box_is_wider() -> None:
    """A corner of a box of 20 km about a circle of 1 km."""
    row = "1.2.3.4,A,B,-5.0,122.0,-5.1,-4.9,121.9,122.1,1.0"
    table = kelurahan.parse(f"{HEAD}\n{row}\n", "x")
    assert "14.7 km outside" in kelurahan.misplaced(table, "1.2.3.4", at(-5.1, 122.1))


def test_a_site_that_fits_nowhere_is_told_so() -> None:
    """Swapped digits: another island."""
    said = kelurahan.misplaced(TABLE, KAMPEONAHO, at(-3.56944, 122.69396))
    assert said.endswith("it fits none in the table")


def test_an_unknown_code_lists_near_ones_and_a_name_is_none() -> None:
    """Codes are typed by hand; names are spelt in three ways."""
    with pytest.raises(ConfigError, match=r"near ones: 74\.72\.04\.1003 \(Kampeonaho, Bungi\)"):
        kelurahan.find(TABLE, "7472041003")
    with pytest.raises(ConfigError, match=r"a code is like 74\.72\.04\.1003, not a name"):
        kelurahan.find(TABLE, "Kampeonaho")


_NAMES_LAST = ",".join([*HEAD.split(",")[3:], *HEAD.split(",")[:3]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column kode_kemendagri"),
        (HEAD.replace(",", ";"), "no column kode_kemendagri"),
        (HEAD.replace(",lon_max", ""), "no column lon_max"),
        (f"{HEAD}\n1.2,A,B,-5.0\n", "line 2 is no row of numbers"),
        (f"{CSV}1.2,A,B,-5,0,122,0,1,2,3,x\n", "line 5 is no row"),
        (f"{HEAD}\n1.2,A,B,1,2,nan,4,5,6,7\n", "line 2"),
        (f"{HEAD}\n1.2,A,B,1,2,3,4,5,6,0\n", "line 2"),
        (f'{HEAD}\n1.2,A,B,"1,5",2,3,4,5,6,7\n', "line 2"),
        (f"{_NAMES_LAST}\n1,2,3,4,5,6,7\n", "line 2 is no row of numbers"),
        (f"{_NAMES_LAST}\n1,2,3,4,5,6,7,1.2,A\n", "line 2"),
        (f"{HEAD}\n{'x' * 200_000}\n", "field larger than field limit"),
    ],
)
def test_a_table_that_is_none_is_one_line(text: str, said: str) -> None:
    """What a spreadsheet makes of it, rows cut off, decimal commas, no extent."""
    with pytest.raises(ConfigError) as caught:
        kelurahan.parse(text, "table.csv")
    assert said in str(caught.value)
    assert "read the table of kelurahan table.csv" in str(caught.value)


def test_the_table_of_baubau_knows_its_own_middles() -> None:
    """All 43: each middle lies in its kelurahan and, seen from the farthest other one, outside."""
    table = kelurahan.read(shared("domain/baubau_kelurahan.csv"))
    assert len(table) == len({one.code for one in table}) == 43
    for one in table:
        assert kelurahan.misplaced(table, one.code, one.centre) == ""
        other = max(table, key=lambda far, one=one: far.centre.away_m(one.centre))
        assert one.name in kelurahan.misplaced(table, other.code, one.centre)


def test_the_point_of_a_public_file_for_kampeonaho_is_in_no_kelurahan() -> None:
    """domain.md 4.2: -5.2901, 122.7801 is outside of all of them."""
    table = kelurahan.read(shared("domain/baubau_kelurahan.csv"))
    said = kelurahan.misplaced(table, KAMPEONAHO, at(-5.2901, 122.7801))
    assert said.endswith("it fits none in the table")
