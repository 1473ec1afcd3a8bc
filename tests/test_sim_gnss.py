"""What the simulated GNSS receiver says, judged by a parser that is not ours."""

import re
from datetime import UTC, datetime, timedelta
from functools import reduce
from math import cos, hypot, radians
from operator import xor

import pynmea2
import pytest

from edge_agent.sim import day, gnss
from edge_agent.sim.receiver import GnssReceiver

MORNING = datetime(2026, 11, 22, 23, 30, 0, tzinfo=UTC)


def parsed(data: bytes) -> list[pynmea2.NMEASentence]:
    """Every line of `data` by an independent parser that insists on the checksum."""
    assert data.endswith(b"\r\n")
    lines = data.decode("ascii").removesuffix("\r\n").split("\r\n")
    return [pynmea2.parse(line, check=True) for line in lines]


def test_an_epoch_is_valid_nmea_4_10() -> None:
    """RMC has 13 fields and ends in V, GSA has a system, GSV a signal; nothing over 82 bytes."""
    data = GnssReceiver(day.SITE.latitude, day.SITE.longitude).sentences(MORNING)
    said = parsed(data)
    assert [one.sentence_type for one in said] == ["RMC", "GGA", "GSA", "GSA"] + ["GSV"] * 3
    rmc, gga, gsa = said[:3]
    assert (len(rmc.data), rmc.status, rmc.data[11], rmc.data[12]) == (13, "A", "A", "V")
    assert rmc.datetime == MORNING
    assert (len(gga.data), gga.gps_qual, gga.timestamp) == (14, 1, MORNING.timetz())
    assert int(gga.num_sats) == sum(len([i for i in one.data[2:14] if i]) for one in said[2:4]) == 9
    assert (len(gsa.data), gsa.data[1], gsa.data[17]) == (18, "3", "1")
    assert max(len(line) for line in data.splitlines(keepends=True)) <= 82


def test_the_position_wanders_about_the_place() -> None:
    """Errors of metres, not of hemispheres, and never twice the same."""
    receiver = GnssReceiver(-5.36944, 122.69396, seed=1)
    seen = []
    for second in range(300):
        rmc, gga = parsed(receiver.sentences(MORNING + timedelta(seconds=second)))[:2]
        assert (rmc.latitude, rmc.longitude) == (gga.latitude, gga.longitude)
        seen.append((rmc.latitude, rmc.longitude))
    away_m = [
        111_320 * hypot(lat + 5.36944, (lon - 122.69396) * cos(radians(5.4))) for lat, lon in seen
    ]
    assert max(away_m) < 15
    assert len(set(seen)) > 250


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(-5.99999999, 122.99999999), (0.0, -0.5), (51.5, -179.9999999)]
)
def test_minutes_never_reach_sixty(latitude: float, longitude: float) -> None:
    """Rounding carries into the degrees; signs become letters."""
    receiver = GnssReceiver(latitude, longitude, sigma_m=0.0)
    rmc = parsed(receiver.sentences(MORNING))[0]
    assert (rmc.latitude, rmc.longitude) == pytest.approx((latitude, longitude), abs=1e-6)
    assert float(rmc.lat[2:]) < 60
    assert float(rmc.lon[3:]) < 60


def test_without_sky_nothing_is_vouched_for() -> None:
    """RMC says V, GGA quality 0, GSA no fix, and there is no position; the time was known."""
    receiver = GnssReceiver(-5.36944, 122.69396)
    receiver.sentences(MORNING)
    receiver.sky = False
    said = parsed(receiver.sentences(MORNING))
    rmc, gga, gsa = said[:3]
    assert (rmc.status, gga.gps_qual, gsa.data[1]) == ("V", 0, "1")
    assert (rmc.lat, rmc.lon, gga.lat, gga.lon) == ("", "", "", "")
    assert (len(rmc.data), len(gga.data)) == (13, 14)
    assert rmc.datetime == MORNING


def test_a_receiver_that_never_saw_sky_knows_no_time() -> None:
    """Date and time are empty too."""
    receiver = GnssReceiver(-5.36944, 122.69396)
    receiver.sky = False
    assert receiver.sentences(MORNING).startswith(b"$GNRMC,,V,,,,,,,,,,N,V*")


def test_startup_junk_hides_the_first_sentence_in_a_line() -> None:
    """Wrong-baud bytes, then `$` without a line end before it; the banners are valid."""
    junk = gnss.startup_junk()
    first = junk.index(b"$")
    assert first > 0
    assert b"\n" not in junk[:first]
    banners = re.findall(rb"\$(G[NP]TXT,[^*]*)\*([0-9A-F]{2})\r\n", junk)
    assert len(banners) == 3
    assert all(reduce(xor, body) == int(checksum, 16) for body, checksum in banners)
