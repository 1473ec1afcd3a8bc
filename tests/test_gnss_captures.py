"""Ten captured receivers against what the reference daemon made of them."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from edge_agent.devices.gnss import GnssDecoder
from edge_agent.evidence.rollover import unrolled
from edge_agent.records import Doubt, Fix
from edge_agent.terminal.timekeeping import floor_ms

DAY_MS = 86_400_000
ROLLOVER_MS = 7168 * DAY_MS  # 1024 weeks
#: Log of the gpsd project, and how many fixes it holds by our rules.
CAPTURES = {
    "april6_2019": 0,  # one position has a date that is none, the other is the last sentence
    "gp-320fw-2019-04-07-coldboot": 2,
    "mt3339": 30,
    "mtk-3301": 4,
    "navika-100-fix": 20,
    "neo-m8n": 23,
    "quectel-L70": 16,
    "quectel-eg25-g-2": 3,
    "tn200": 0,  # never had one; gave 36000 degrees
    "ublox-8": 72,
}


def decoded(name: str) -> list[Fix]:
    """Our fixes of a log, as it came, and nothing against them."""
    said = list(GnssDecoder().feed(shared(f"devices/nmea/{name}.log").read_bytes()))
    assert not [one for one in said if isinstance(one, Doubt)]
    return [one for one in said if isinstance(one, Fix)]


def reports(name: str) -> list[dict[str, Any]]:
    """Every position report of the reference daemon, those without a fix too."""
    path = Path(f"{shared(f'devices/nmea/{name}.log')}.chk")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"class":"TPV"')]


def with_fix(name: str) -> list[dict[str, Any]]:
    return [one for one in reports(name) if one["mode"] >= 2 and "lat" in one]


def utc_ms(report: dict[str, Any]) -> int | None:
    if "time" not in report:
        return None
    return round(datetime.fromisoformat(report["time"]).timestamp() * 1000)


@pytest.mark.parametrize("name", CAPTURES)
def test_every_fix_is_where_the_reference_daemon_says(name: str) -> None:
    """Within 1e-4 degree of its report of the same second, and none where it has none.

    It reports a second when that is over, so the last of a log has no report.
    """
    fixes, theirs = decoded(name), with_fix(name)
    assert len(fixes) == CAPTURES[name]
    for fix in fixes:
        of_day = None if fix.utc_ms is None else fix.utc_ms % DAY_MS
        same = [one for one in reports(name) if (utc_ms(one) or -1) % DAY_MS == of_day]
        assert not same or any(one["mode"] >= 2 for one in same)
        same = [one for one in theirs if one in same]
        assert any(
            abs(fix.lat_e7 / 1e7 - one["lat"]) <= 1e-4
            and abs(fix.lon_e7 / 1e7 - one["lon"]) <= 1e-4
            for one in same or theirs
        )
        for one in same:
            assert ((utc_ms(one) or 0) - (fix.utc_ms or 0)) % ROLLOVER_MS == 0


@pytest.mark.parametrize("name", CAPTURES)
def test_no_date_is_in_the_past_of_the_floor(name: str) -> None:
    """Of receivers from 2005 to 2022: each moves over the build date by whole counts of weeks."""
    floor = floor_ms(None)
    for fix in decoded(name):
        meant = None if fix.utc_ms is None else unrolled(fix.utc_ms, floor)
        if fix.utc_ms is not None:
            assert meant is not None
            assert floor <= meant < floor + ROLLOVER_MS
            assert (meant - fix.utc_ms) % ROLLOVER_MS == 0


@pytest.mark.parametrize("name", [name for name, count in CAPTURES.items() if count])
def test_no_second_that_the_reference_daemon_has_is_missed(name: str) -> None:
    """Each time of day that it reports with a fix has one of ours."""
    ours = {fix.utc_ms % DAY_MS for fix in decoded(name) if fix.utc_ms is not None}
    theirs = {at % DAY_MS for at in map(utc_ms, with_fix(name)) if at is not None}
    assert theirs
    assert theirs <= ours


@pytest.mark.parametrize("name", CAPTURES)
def test_a_log_has_a_fix_only_if_the_reference_daemon_ever_had_one(name: str) -> None:
    """A receiver that never had one is never given one."""
    assert bool(decoded(name)) <= bool(with_fix(name))


@pytest.mark.parametrize("name", [name for name, count in CAPTURES.items() if count > 2])
def test_the_dimension_is_one_that_the_reference_daemon_has(name: str) -> None:
    """Of the sky, only what it also says of this log; a dimension once there was a GSA."""
    theirs = {one["mode"] for one in with_fix(name)}
    ours = [fix.dimension for fix in decoded(name)]
    assert {one for one in ours if one} <= theirs
    assert ours[-1] is not None


@pytest.mark.parametrize("name", [name for name, count in CAPTURES.items() if count > 2])
def test_what_lost_pairs_of_commas_moves_is_no_fix(name: str) -> None:
    """Each pair of neighbouring commas taken out, which leaves the checksum right: no new place."""
    log = shared(f"devices/nmea/{name}.log").read_bytes()
    places = {(fix.lat_e7, fix.lon_e7) for fix in decoded(name)}
    times = {fix.utc_ms for fix in decoded(name)}
    for sentence in list(re.finditer(rb"\$..(?:RMC|GGA),[^*]*\*..", log))[:8]:
        for at in range(sentence.start(), sentence.end() - 1):
            if log[at : at + 2] == b",,":
                damaged = log[:at] + log[at + 2 :]
                fixes = [one for one in GnssDecoder().feed(damaged) if isinstance(one, Fix)]
                assert {(fix.lat_e7, fix.lon_e7) for fix in fixes} <= places
                assert {fix.utc_ms for fix in fixes} <= times | {None}
