"""What becomes of the receiver's words at the spine: grades of punches, incidents without a tap."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import stamp
from wall import Wall

from edge_agent.events import Doubted, Located, PortLost, Scanned
from edge_agent.records import Doubt, Fix, Scan

CARD = "3C00CE754C"


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    one = Wall(tmp_path)
    with closing(one.journal):
        yield one


def see(
    wall: Wall, north_m: float = 0.0, seconds: int = 1, *, behind_ms: int | None = None
) -> None:
    """A fix a second, so far north of the site, with a time so late if it has one."""
    site = wall.config.site
    for _ in range(seconds):
        wall.clock.now_ms += 1000
        jitter = wall.clock.now_ms // 1000 % 7
        utc_ms = None if behind_ms is None else stamp(wall.clock.now_ms).utc_ms - behind_ms
        fix = Fix(site.lat_e7 + round(north_m * 90) + jitter, site.lon_e7, utc_ms, 9, 91, 3)
        wall.turn(Located(fix, wall.clock.now_ms))


def punched(wall: Wall) -> tuple[str, str]:
    """Grade and reasons of the newest punch."""
    place = wall.entries("punch")[-1]["place"]
    return place["grade"], place.get("reasons", "")


def told(wall: Wall) -> list[tuple[str, str, str]]:
    return [
        (one["state"], one["what"], one["cause"])
        for one in wall.entries("incident")
        if one["what"] in ("moved", "suspect")
    ]


def test_a_terminal_that_is_elsewhere_is_an_incident_without_a_tap(wall: Wall) -> None:
    """Opened with its distance, closed when the place is verified again."""
    see(wall)
    wall.wait(5_000)  # a walk, no leap
    see(wall, 150, 5)
    assert [one[:2] for one in told(wall)] == [("opened", "moved")]
    assert told(wall)[0][2].endswith(" m from the site")
    wall.present(CARD)
    assert punched(wall) == ("outside", "")
    wall.wait(20_000)
    assert len(told(wall)) == 1  # no sky says nothing either way
    see(wall, 0, 3)
    assert [one[:2] for one in told(wall)] == [("opened", "moved"), ("closed", "moved")]


def test_a_doubt_of_the_receiver_is_an_incident_with_its_reasons(wall: Wall) -> None:
    """And every punch meanwhile carries them; none is refused."""
    see(wall, 0, 3)
    wall.turn(Doubted(Doubt("spoof", stands=True), wall.clock.now_ms))
    wall.present(CARD)
    assert punched(wall) == ("suspect", "spoof")
    assert told(wall) == [("opened", "suspect", "spoof")]
    wall.turn(Doubted(Doubt("spoof", stands=False), wall.clock.now_ms))
    see(wall, 0, 2)
    assert [one[:2] for one in told(wall)] == [("opened", "suspect"), ("closed", "suspect")]


def test_a_receiver_that_sees_false_signals_teaches_no_time(tmp_path: Path) -> None:
    """Whoever moves the place moves the time as well; what was known before is carried on."""
    wall = Wall(tmp_path, vouched=False)
    offset_ms = stamp(0).utc_ms
    for taken_back in (False, True):
        wall.turn(Doubted(Doubt("spoof", stands=not taken_back), wall.clock.now_ms))
        for _ in range(8):
            wall.clock.now_ms += 1000
            site, now_ms = wall.config.site, wall.clock.now_ms
            fix = Fix(site.lat_e7, site.lon_e7 + now_ms // 1000, offset_ms + now_ms, 9, 91, 3)
            wall.turn(Located(fix, now_ms))
        assert bool(wall.entries("clock")) is taken_back
    wall.journal.close()


def test_a_doubt_does_not_bring_a_terminal_back(wall: Wall) -> None:
    """What was elsewhere is elsewhere until a fix that can be trusted says otherwise."""
    see(wall, 150, 5)
    wall.turn(Doubted(Doubt("jam", stands=True), wall.clock.now_ms))
    assert [one[:2] for one in told(wall)] == [("opened", "moved"), ("opened", "suspect")]
    wall.turn(Doubted(Doubt("jam", stands=False), wall.clock.now_ms))
    see(wall, 150, 2)
    assert [one[:2] for one in told(wall)][2:] == [("closed", "suspect")]


def test_a_witness_that_comes_later_ends_what_a_recording_proved(tmp_path: Path) -> None:
    """Yesterday's sentences are believed while nobody knows better; then they hold nothing."""
    with closing((wall := Wall(tmp_path, vouched=False)).journal):
        see(wall, 0, 10, behind_ms=86_400_000)
        wall.wait(20_000)
        wall.present(CARD)
        assert punched(wall) == ("held", "stale")
        wall.clock.vouched = True
        wall.wait(1_000)
        wall.present(CARD)
        assert punched(wall) == ("suspect", "time")
        assert told(wall) == [("opened", "suspect", "time")]


def test_a_receiver_whose_time_is_certainly_past_is_suspect(wall: Wall) -> None:
    """An instant before the floor needs no other witness; a receiver that is right closes it."""
    wall.clock.vouched = False
    see(wall, 0, 3, behind_ms=60 * 86_400_000)
    wall.present(CARD)
    assert punched(wall) == ("suspect", "time")
    see(wall, 0, 3, behind_ms=0)
    assert [one[:2] for one in told(wall)] == [("opened", "suspect"), ("closed", "suspect")]


def test_a_punch_in_the_turn_of_the_contradiction_knows_of_it(wall: Wall) -> None:
    """A day behind NTP: the fifth epoch says so, and the card comes before the turn has ended."""
    see(wall, 0, 4, behind_ms=86_400_000)
    wall.present(CARD)
    assert punched(wall) == ("verified", "")
    site, at = wall.config.site, wall.clock.stamp()
    fix = Fix(site.lat_e7, site.lon_e7, at.utc_ms - 86_400_000, 9, 91, 3)
    wall.turn(Located(fix, at.mono_ms), Scanned("rear", Scan("em4100", CARD), at))
    assert punched(wall) == ("suspect", "time")


def test_a_verified_place_is_held_without_sky_and_no_incident(wall: Wall) -> None:
    """Until the receiver's cable is pulled: what it says next may be said somewhere else."""
    see(wall, 0, 3)
    wall.wait(20_000)
    wall.present(CARD)
    assert punched(wall) == ("held", "stale")
    wall.turn(PortLost("gnss", "unplugged"))
    wall.present(CARD)
    assert punched(wall) == ("no_sky", "none")
    assert told(wall) == []


def test_the_panel_shows_no_time_that_nobody_vouches_for(wall: Wall) -> None:
    """A wrong one would be remembered; the lamp is green all the same."""
    wall.roster(**{CARD: "p-1"})
    wall.clock.vouched = False
    wall.present(CARD)
    assert [(one.signal.value, one.lines[1]) for one in wall.shown] == [
        ("stored", "--:-- TERSIMPAN")
    ]
