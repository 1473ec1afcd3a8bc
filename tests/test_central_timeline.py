"""The arithmetic of resolved times, where an understated bound would hide."""

import pytest
from central_wall import ms

from edge_agent.central.timeline import (
    BETWEEN,
    NONE,
    Claim,
    Edge,
    Resolved,
    anchored,
    between,
    own,
)

DAY = 86_400_000
AUTUMN, LATE = ms("2026-09-15"), ms("2026-12-31T23:59:30")
UNKNOWN = Claim(0, 7, "none", None)


def anchor(mono_ms: int, utc_ms: int, error_ms: int = 10, source: str = "ntp") -> Claim:
    return Claim(mono_ms, utc_ms, source, error_ms)


def said(found: Resolved) -> tuple[int | None, int | None, str]:
    return found.low_ms, found.high_ms, found.source


@pytest.mark.parametrize(
    ("source", "error_ms", "vouched"),
    [
        ("ntp", 5, True),
        ("sundial", 5, True),
        ("sundial", None, False),
        ("ntp", None, False),
        ("none", 5, False),
        ("none", None, False),
    ],
)
def test_a_source_vouches_if_it_says_how_closely(source, error_ms, vouched):
    """Also one that is not known here; `none` never does."""
    claim = Claim(0, AUTUMN, source, error_ms)
    assert claim.vouched == vouched
    assert said(own(claim)) == ((AUTUMN - 5, AUTUMN + 5, source) if vouched else (None, None, NONE))


def test_an_anchor_dates_a_stamp_of_its_boot_before_and_after_it():
    """The error of the anchor and the drift over the distance, rounded up."""
    found = anchored(UNKNOWN, [], [anchor(DAY + 1, AUTUMN)])
    assert said(found) == (AUTUMN - DAY - 1 - 8651, AUTUMN - DAY - 1 + 8651, "ntp")
    later = Claim(2 * DAY + 1, 7, "none", None)
    found = anchored(later, [anchor(DAY + 1, AUTUMN)], [])
    assert said(found) == (AUTUMN + DAY - 8651, AUTUMN + DAY + 8651, "ntp")


def test_a_second_more_where_an_end_of_december_may_lie_between():
    """Nobody here knows whether a leap second came."""
    found = anchored(UNKNOWN, [], [anchor(40_000, LATE + 40_000, 0)])
    assert said(found) == (LATE - 1005, LATE + 1005, "ntp")
    found = anchored(UNKNOWN, [], [anchor(0, LATE + 30_500, 0)])
    assert said(found) == (LATE + 30_500, LATE + 30_500, "ntp")
    # A second taken out carries the far end over the midnight that the sum does not reach.
    near = anchored(Claim(29_500, 7, "none", None), [anchor(0, LATE, 0)], [])
    assert said(near) == (LATE + 29_500 - 1003, LATE + 29_500 + 1003, "ntp")


def test_both_neighbours_are_met_and_the_narrower_one_named():
    """What both say holds."""
    wide = anchor(-1000, AUTUMN - 1000 + 60, 100, "gnss")
    found = anchored(UNKNOWN, [wide], [anchor(1000, AUTUMN + 1000, 50)])
    assert said(found) == (AUTUMN + 60 - 101, AUTUMN + 51, "ntp")


def test_neighbours_that_exclude_each_other_are_joined_unless_the_stamp_has_its_own_word():
    """One of them is wrong, and nobody knows which."""
    sides = [anchor(0, AUTUMN)], [anchor(0, AUTUMN + 3_600_000)]
    assert said(anchored(UNKNOWN, *sides)) == (AUTUMN - 10, AUTUMN + 3_600_010, "ntp")
    mine = Claim(0, AUTUMN + 1_000_000, "rtc", 2_000)
    assert anchored(mine, *sides) == own(mine)


def test_a_rough_word_of_its_own_is_met_with_its_neighbours():
    """A clock chip within a minute, and then the network."""
    mine = Claim(0, AUTUMN + 30_000, "rtc", 60_000)
    assert said(anchored(mine, [], [anchor(0, AUTUMN)])) == (AUTUMN - 10, AUTUMN + 10, "ntp")
    assert anchored(mine, [], [anchor(0, AUTUMN - DAY)]) == own(mine)


def test_the_nearer_anchor_is_believed_where_a_farther_one_excludes_it():
    """What was believed may have been contradicted in between."""
    after = [anchor(1000, AUTUMN + 1000), anchor(2000, AUTUMN - DAY, 1)]
    assert said(anchored(UNKNOWN, [], after)) == (AUTUMN - 11, AUTUMN + 11, "ntp")


def test_a_boot_without_time_lies_between_what_is_certain_around_it():
    """Not before the edge below, not after the edge above nor after it was received."""
    stamp = Claim(1_000_000, 7, "none", None)
    lower, upper = [Edge(AUTUMN, 0)], [Edge(AUTUMN + DAY, 3_000_000)]
    found = between(stamp, lower, upper, AUTUMN + 2 * DAY)
    assert said(found) == (AUTUMN + 1_000_000 - 101, AUTUMN + DAY - 2_000_000 + 201, BETWEEN)
    assert between(stamp, lower, upper, AUTUMN + 2_000_000).high_ms == AUTUMN + 2_000_000
    assert between(stamp, lower, [], AUTUMN + DAY).high_ms == AUTUMN + DAY
    assert said(between(stamp, [], [], AUTUMN)) == (None, AUTUMN, NONE)


def test_a_central_whose_clock_is_wrong_bounds_nothing():
    """Received before it can have been made: the bound of the terminal stands."""
    stamp = Claim(0, 7, "none", None)
    found = between(stamp, [Edge(AUTUMN, 0)], [Edge(AUTUMN + DAY, 0)], AUTUMN - 1)
    assert said(found) == (AUTUMN, AUTUMN + DAY, BETWEEN)
    assert said(between(stamp, [Edge(AUTUMN, 0)], [], 0)) == (AUTUMN, None, BETWEEN)


def test_what_comes_late_keeps_its_place_among_what_was_made_after_it():
    """When something was received is no statement about when it was made, only a bound."""
    for lower, upper in (([], []), ([Edge(AUTUMN, 0)], []), ([Edge(AUTUMN, 0)], [Edge(LATE, 9)])):
        late = between(Claim(1000, AUTUMN + 1000, "none", None), lower, upper, LATE)
        live = between(Claim(2000, AUTUMN + 2000, "none", None), lower, upper, LATE - DAY)
        assert late.best_ms < live.best_ms <= live.high_ms < late.high_ms
    assert between(Claim(0, LATE, "none", None), [], [], AUTUMN).best_ms == AUTUMN


def test_edges_that_exclude_each_other_bound_nothing():
    """One terminal said both; nothing is certain then."""
    found = between(UNKNOWN, [Edge(AUTUMN, 0)], [Edge(AUTUMN - 1, 0)], AUTUMN + DAY)
    assert said(found) == (None, None, NONE)


@pytest.mark.parametrize("near_ms", [30_500, 29_500])
def test_edges_know_leap_seconds_too(near_ms):
    """Also one whose midnight is less than a second beyond the sum."""
    assert Edge(LATE, 0).lower(near_ms) == LATE + near_ms - 1000 - 4 + (near_ms < 30_000)
    assert Edge(LATE + near_ms, near_ms).upper(0) == LATE + 1000 + 4 - (near_ms < 30_000)
