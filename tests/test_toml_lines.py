"""The line editor: what is set, and that every other byte stays."""

import tomllib

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.technician import toml_lines

NEW = {"latitude": "-5.1234567", "longitude": "122.7654321", "radius_m": "140"}
EXAMPLE = (ROOT / "firmware_configs" / "examples" / "agent.toml").read_text(encoding="utf-8")


def changed(before: str, after: str) -> list[str]:
    """The lines of `after` that are not as before, the others being the same in order."""
    old, fresh = before.splitlines(keepends=True), []
    for line in after.splitlines(keepends=True):
        if old and line == old[0]:
            old.pop(0)
        else:
            fresh.append(line)
            if old and line.partition("=")[0] == old[0].partition("=")[0]:
                old.pop(0)
    assert old == []
    return fresh


def test_the_example_keeps_all_but_the_lines_that_are_set() -> None:
    """The radius, which is a comment there, follows the longitude; its comment stays."""
    after = toml_lines.put(EXAMPLE, "site", NEW)
    assert changed(EXAMPLE, after) == [
        "latitude = -5.1234567\n",
        "longitude = 122.7654321\n",
        "radius_m = 140\n",
    ]
    assert "# radius_m = 100 " in after
    assert tomllib.loads(after)["site"]["radius_m"] == 140


def test_a_comment_is_woken_where_that_is_wanted() -> None:
    """And keeps its own comment, in its column."""
    after = toml_lines.put(EXAMPLE, "site", NEW, wake=True)
    (radius,) = [line for line in after.splitlines() if line.startswith("radius_m")]
    assert (
        radius
        == "radius_m = 140                         # of the geofence; `site survey` measures these"
    )


LAT, LON, RADIUS = "latitude = -5.1234567", "longitude = 122.7654321", "radius_m = 140"
ODD = {
    "comments": (
        "[site] # here\nlatitude = -5.0 # south\nlongitude=122.0# east\nradius_m\t=\t100\t# m\n",
        f"[site] # here\n{LAT} # south\nlongitude=122.7654321 # east\nradius_m\t=\t140 # m\n",
    ),
    "a comment in its column": (
        "[site]\nlatitude = 1           # c\nlongitude = 2\nradius_m = 1\n",
        f"[site]\n{LAT}  # c\n{LON}\n{RADIUS}\n",
    ),
    "CRLF": (
        "[site]\r\nlongitude = 1.0 # c\r\nlatitude = 2.0\r\n\r\n[x]\r\n",
        f"[site]\r\n{LON} # c\r\n{RADIUS}\r\n{LAT}\r\n\r\n[x]\r\n",
    ),
    "no last line end": (
        "[site]\nlatitude = 1\nlongitude = 2",
        f"[site]\n{LAT}\n{LON}\n{RADIUS}",
    ),
    "no last line end, CRLF": (
        "[site]\r\nlatitude = 1\r\nlongitude = 2",
        f"[site]\r\n{LAT}\r\n{LON}\r\n{RADIUS}",
    ),
    "quotes and blanks": (
        "  [ 'site' ]\n  \"latitude\" = +1.0\n'longitude'= 1_2.0\nradius_m = 1_00\n[[x]]\n",
        f"  [ 'site' ]\n  \"latitude\" = -5.1234567\n'longitude'= 122.7654321\n{RADIUS}\n[[x]]\n",
    ),
    "the same keys elsewhere": (
        "[a]\nlatitude = 1\n[site]\nlatitude = 1\nlongitude = 1\nradius_m = 1\n[b]\nradius_m = 1\n",
        f"[a]\nlatitude = 1\n[site]\n{LAT}\n{LON}\n{RADIUS}\n[b]\nradius_m = 1\n",
    ),
    "a separator that is not a line end": (
        '[site]\nname = "a\u2028[x]"\nlatitude = 1\nlongitude = 1\nradius_m = 1\n',
        f'[site]\nname = "a\u2028[x]"\n{LAT}\n{LON}\n{RADIUS}\n',
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_keep_their_ways(case: str) -> None:
    """Byte for byte."""
    before, after = ODD[case]
    assert toml_lines.put(before, "site", NEW) == after
    tomllib.loads(after)


_LINES = st.lists(
    st.sampled_from(["# c", "", 'name = "x # y"', "x = 'a'", "\t# [site]", "k = 1\r"])
)


@given(_LINES, _LINES, _LINES)
def test_what_stands_around_is_never_touched(
    before: list[str], between: list[str], after: list[str]
) -> None:
    """Lines of all kinds before, between and after: only three lines are others, one is new."""
    latitude, longitude = "latitude = 1  # c", "longitude = 2            # d"

    def file(first: str, *last: str) -> str:
        inside = ["[site]", *between, first, *between, *last, *after]
        return "\n".join([*before, *inside, "[z]", latitude, ""])

    fresh = toml_lines.put(file(latitude, longitude), "site", NEW)
    end = "\r" if "\r\n" in fresh else ""
    assert fresh == file(f"{LAT} # c", f"{LON}  # d", RADIUS + end)
    assert toml_lines.put(fresh, "site", NEW) == fresh


def test_a_table_that_is_not_there_is_said() -> None:
    """Written inline, or as dotted keys."""
    for text in ("site = { latitude = 1 }\n", "site.latitude = 1\n", "", "# [site]\n"):
        with pytest.raises(LookupError):
            toml_lines.put(text, "site", NEW)


def test_the_top_of_a_file_is_a_table_too() -> None:
    """Strings with blanks and signs in them, and a key that is not there yet."""
    text = 'terminal = "a # b" # c\n[site]\nterminal = "d"\n'
    assert toml_lines.put(text, "", {"terminal": '"e"'}).startswith(
        'terminal = "e"     # c\n[site]'
    )
    assert toml_lines.put("[a]\n", "", {"b": "1"}) == "b = 1\n[a]\n"


def test_a_table_is_replaced_with_its_header() -> None:
    """The empty line after it stays; only the first of a list goes."""
    text = "[[s]] # c\na = 1\n\n[[s]]\na = 2\n"
    assert toml_lines.replace(text, "s", ["# none"]) == "# none\n\n[[s]]\na = 2\n"
    assert toml_lines.table(text, "s") == ["[[s]] # c", "a = 1"]
