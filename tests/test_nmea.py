"""What is a fix and what is not, with every checksum right; then ten captured receivers."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from builders import sentence
from conftest import shared
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.gnss import GnssDecoder
from edge_agent.records import Counts, Fix

RMC = "GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A"
GGA = "GNGGA,171926.00,4404.14063,N,12118.85478,W,1,12,0.91,1147.2,M,-21.3,M,,"
NEXT = "GNRMC,171927.00,V,,,,,,,,,,N"  # ends the epoch, states no fix
FIX = Fix(440_690_105, -1_213_142_463, 1_426_699_166_000, 12, 91)

DAY_MS = 86_400_000
ROLLOVER_DAYS = 7168  # 1024 weeks


def decode(*bodies: str) -> tuple[list[Fix], Counts]:
    decoder = GnssDecoder()
    return list(decoder.feed(b"".join(map(sentence, bodies)))), decoder.counts


def alone(body: str) -> tuple[list[Fix], Counts]:
    """What one sentence says when the other of its epoch never comes."""
    return decode(body, NEXT)


def test_rmc_and_gga_of_one_epoch_are_one_fix() -> None:
    """Given with the second of them, whichever comes first; captured from a NEO-M8N."""
    assert decode(RMC, GGA) == ([FIX], Counts())
    assert decode(GGA, RMC) == ([FIX], Counts())
    assert decode(RMC) == ([], Counts())


def test_one_of_them_alone_stands_once_the_next_epoch_begins() -> None:
    """RMC knows the date, GGA the satellites."""
    position = (FIX.lat_e7, FIX.lon_e7)
    assert alone(RMC)[0] == [Fix(*position, FIX.utc_ms)]
    assert alone(GGA)[0] == [Fix(*position, None, 12, 91)]


@pytest.mark.parametrize("mode", ["A", "D", "F", "R", "P", ""])
def test_modes_that_mean_satellites_are_a_fix(mode: str) -> None:
    """Also an empty mode, no mode (before NMEA 2.3), and a navStatus V after it (from 4.1)."""
    assert len(alone(RMC[:-1] + mode)[0]) == 1
    assert len(alone(RMC[:-1] + mode + ",V")[0]) == 1
    assert len(alone(RMC[:-2])[0]) == 1


@pytest.mark.parametrize("mode", ["E", "M", "N", "S", "X", "AA"])
def test_modes_that_mean_a_guess_are_none(mode: str) -> None:
    """Dead reckoning, typed in by hand, none, a simulator, anything unknown."""
    assert alone(RMC[:-1] + mode) == ([], Counts())


@pytest.mark.parametrize("status", ["V", "", "D", "a"])
def test_only_status_a_is_a_fix(status: str) -> None:
    """The coordinates of a V sentence are stale or absurd, whatever they look like."""
    assert alone(RMC.replace(",A,4404", f",{status},4404")) == ([], Counts())


@pytest.mark.parametrize("quality", ["1", "2", "3", "4", "5"])
def test_qualities_that_mean_satellites_are_a_fix(quality: str) -> None:
    """SPS, DGPS, PPS and both kinds of RTK."""
    assert len(alone(GGA.replace("W,1,12", f"W,{quality},12"))[0]) == 1


@pytest.mark.parametrize("quality", ["0", "6", "7", "8", "9", "", "A"])
def test_qualities_that_mean_a_guess_are_none(quality: str) -> None:
    """None, estimated, typed in, simulated; an empty one even with coordinates beside it."""
    assert alone(GGA.replace("W,1,12", f"W,{quality},12")) == ([], Counts())


def test_a_sentence_without_a_fix_silences_its_epoch() -> None:
    """RMC says A, GGA says 0: nobody vouches."""
    assert decode(RMC, GGA.replace("W,1,12", "W,0,12"), NEXT)[0] == []
    assert decode(RMC.replace(",A,4404", ",V,4404"), GGA, NEXT)[0] == []


#: Right checksum, wrong content: pynmea2 lets each of these through as text or as 0.0.
IMPOSSIBLE = [
    ("latitude 99", RMC.replace("4404", "9904")),
    ("latitude 90 and a bit", RMC.replace("4404.14063", "9000.00001")),
    ("longitude 181", RMC.replace("12118", "18118")),
    ("minute 60", RMC.replace("4404.14063", "4460.00000")),
    ("no latitude", RMC.replace("4404.14063", "")),
    ("no longitude", RMC.replace("12118.85478", "")),
    ("no hemisphere", RMC.replace(",N,", ",,")),
    ("hemisphere X", RMC.replace(",N,", ",X,")),
    ("hemisphere of the other axis", RMC.replace(",N,", ",E,")),
    ("both hemispheres", RMC.replace(",N,", ",NS,")),
    ("a sign", RMC.replace("4404", "-404")),
    ("too few digits", RMC.replace("4404.", "404.")),
    ("too many digits", RMC.replace("12118.", "0012118.")),
    ("an exponent", RMC.replace("4404.14063", "4404.1e3")),
    ("other digits", RMC.replace("4404.14063", "4404.")),
    ("hour 99", RMC.replace("171926.00", "999999.00")),
    ("a leap second", RMC.replace("171926.00", "235960.00")),
    ("day 0", RMC.replace("180315", "000000")),
    ("Telit's date after the rollover", RMC.replace("180315", "2208-1")),
]


@pytest.mark.parametrize("body", [one[1] for one in IMPOSSIBLE], ids=[one[0] for one in IMPOSSIBLE])
def test_an_impossible_field_costs_the_sentence(body: str) -> None:
    """Nothing of it is used, and it is counted."""
    assert alone(body) == ([], Counts(rejected=1))


def test_an_empty_date_or_time_says_nothing() -> None:
    """A position without a date is a fix without a date; without a time it is none."""
    assert alone(RMC.replace("180315", ""))[0] == [Fix(FIX.lat_e7, FIX.lon_e7)]
    assert alone(RMC.replace("171926.00", "")) == ([], Counts())


def test_hdop_and_satellites_that_say_nothing_are_none() -> None:
    """99.99 means "none"; what is no number is not guessed."""
    for hdop in ("99.99", "99", "", "x", "1e3", "-1.0"):
        assert alone(GGA.replace("0.91", hdop))[0][0].hdop_e2 is None
    for satellites in ("", "x", "1.5", "1000"):
        assert alone(GGA.replace("1,12,0.91", f"1,{satellites},0.91"))[0][0].satellites is None
    assert alone(GGA.replace("0.91", "2.7"))[0][0].hdop_e2 == 270


def test_sentences_that_disagree_are_refused() -> None:
    """20 m between RMC and GGA of one epoch is rounding; 40 m is damage that kept its checksum."""
    near, far = "4404.15143", "4404.16223"
    assert len(decode(RMC, GGA.replace("4404.14063", near))[0]) == 1
    assert decode(RMC, GGA.replace("4404.14063", far)) == ([], Counts(rejected=1))
    assert decode(RMC, GGA.replace("12118.85478", "12118.90000")) == ([], Counts(rejected=1))


def test_a_time_that_does_not_advance_is_no_fix() -> None:
    """Some receivers repeat their last sentence for ever after losing the sky."""
    later = (RMC.replace("171926", "171927"), GGA.replace("171926", "171927"))
    assert len(decode(RMC, GGA, *later)[0]) == 2
    assert decode(*later, RMC, GGA) == (decode(*later)[0], Counts(rejected=1))
    fixes, counts = decode(*([GGA, NEXT] * 3))
    assert len(fixes) == 1
    assert counts.rejected == 2


def test_midnight_advances() -> None:
    """From 23:59:59 to 00:00:00 of the next day."""
    before = RMC.replace("171926.00", "235959.00")
    after = RMC.replace("171926.00", "000000.00").replace("180315", "190315")
    fixes, counts = decode(before, after, NEXT)
    assert [one.utc_ms for one in fixes] == [1_426_723_199_000, 1_426_723_200_000]
    assert counts == Counts()


@pytest.mark.parametrize("talker", ["GP", "GN", "GL", "GA", "GB", "BD", "QZ", "GI", "II"])
def test_any_talker_is_taken(talker: str) -> None:
    """The constellation is not our business."""
    assert decode(talker + RMC[2:], talker + GGA[2:])[0] == [FIX]


@pytest.mark.parametrize("body", ["PGRMC,A,184.9,00,6378137.000,298.257", "PARMC,1", "PXGGA,1,2"])
def test_a_makers_own_sentence_is_nothing(body: str) -> None:
    """$PGRMC is how a Garmin is set up, although it ends in RMC."""
    assert decode(body, RMC, GGA) == ([FIX], Counts())


def test_a_sentence_needs_its_checksum() -> None:
    """Without one, with a wrong one, with half of one; lower case will do."""
    whole = sentence(RMC)
    after = sentence(NEXT)
    for damaged in (whole[:-5] + b"\r\n", whole[:-4] + b"00\r\n", whole[:-3] + b"\r\n"):
        assert list(GnssDecoder().feed(damaged + after)) == []
    assert len(list(GnssDecoder().feed(whole[:-4] + whole[-4:].lower() + after))) == 1


def test_a_sentence_needs_no_line_end_and_no_line_beginning() -> None:
    """A dollar sign anywhere begins one; longer sentences than the standard's are skipped over."""
    text = sentence("GPTXT," + "x" * 200)
    stream = b"\xb1b\x8a" + sentence(RMC).strip() + text.strip() + sentence(GGA).strip()
    assert list(GnssDecoder().feed(stream)) == [FIX]


FIELDS = st.one_of(
    st.sampled_from(["", "A", "V", "N", "S", "E", "W", "1", "0", "171926.00", "180315", "-1"]),
    st.sampled_from(["4404.14063", "12118.85478", "9999.99", "0.91", "235960", "nan", "1e9"]),
    st.text("0123456789.ANSEW-+ ", max_size=12),
)


@given(
    st.lists(
        st.tuples(st.text("GPNLABQZX", min_size=2, max_size=2), st.sampled_from(["RMC", "GGA"])),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_no_sentence_with_a_right_checksum_raises(
    heads: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Whatever its fields: a fix within the globe, or none."""
    bodies = [
        ",".join([talker + kind, *data.draw(st.lists(FIELDS, max_size=16))])
        for talker, kind in heads
    ]
    for fix in decode(*bodies, NEXT)[0]:
        assert abs(fix.lat_e7) <= 900_000_000
        assert abs(fix.lon_e7) <= 1_800_000_000


# --- captured receivers ---------------------------------------------------------------------------

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


def capture(name: str) -> tuple[list[Fix], list[dict[str, Any]]]:
    """Our fixes of a log, and what the reference daemon made of it (its TPV reports with a fix)."""
    log = shared(f"devices/nmea/{name}.log")
    lines = Path(f"{log}.chk").read_text(encoding="utf-8", errors="replace").splitlines()
    reports = [json.loads(line) for line in lines if line.startswith('{"class":"TPV"')]
    fixes = list(GnssDecoder().feed(log.read_bytes()))
    return fixes, [one for one in reports if one["mode"] >= 2 and "lat" in one]


def utc_ms(report: dict[str, Any]) -> int | None:
    if "time" not in report:
        return None
    return round(datetime.fromisoformat(report["time"]).timestamp() * 1000)


@pytest.mark.parametrize("name", CAPTURES)
def test_every_fix_is_where_the_reference_daemon_says(name: str) -> None:
    """Within 1e-4 degree of its report of the same second; dates equal but for a week rollover."""
    fixes, reports = capture(name)
    assert len(fixes) == CAPTURES[name]
    for fix in fixes:
        of_day = None if fix.utc_ms is None else fix.utc_ms % DAY_MS
        same = [one for one in reports if (utc_ms(one) or -1) % DAY_MS == of_day] or reports
        assert any(
            abs(fix.lat_e7 / 1e7 - one["lat"]) <= 1e-4
            and abs(fix.lon_e7 / 1e7 - one["lon"]) <= 1e-4
            for one in same
        )
        for one in same if same is not reports else []:
            assert ((utc_ms(one) or 0) - (fix.utc_ms or 0)) % (ROLLOVER_DAYS * DAY_MS) == 0


@pytest.mark.parametrize("name", [name for name, count in CAPTURES.items() if count])
def test_no_second_that_the_reference_daemon_has_is_missed(name: str) -> None:
    """Each time of day that it reports with a fix has one of ours."""
    fixes, reports = capture(name)
    ours = {fix.utc_ms % DAY_MS for fix in fixes if fix.utc_ms is not None}
    theirs = {at % DAY_MS for at in map(utc_ms, reports) if at is not None}
    assert theirs
    assert theirs <= ours
