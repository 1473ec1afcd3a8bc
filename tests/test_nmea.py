"""What is a fix and what is not, with every checksum right."""

import pytest
from builders import sentence
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.gnss import GnssDecoder
from edge_agent.evidence.position import is_weak
from edge_agent.records import Counts, Doubt, Fix

RMC = "GNRMC,171926.00,A,4404.14063,N,12118.85478,W,0.117,,180315,,,A"
GGA = "GNGGA,171926.00,4404.14063,N,12118.85478,W,1,12,0.91,1147.2,M,-21.3,M,,"
NEXT = "GNRMC,171927.00,V,,,,,,,,,,N"  # ends the epoch, states no fix
FIX = Fix(440_690_105, -1_213_142_463, 1_426_699_166_000, 12, 91)


def decode(*bodies: str) -> tuple[list[Fix], Counts]:
    """The fixes, and what was refused; `test_gnss` is about doubts."""
    decoder = GnssDecoder()
    said = decoder.feed(b"".join(map(sentence, bodies)))
    return [one for one in said if not isinstance(one, Doubt)], decoder.counts


def alone(body: str) -> tuple[list[Fix], Counts]:
    """What one sentence says when the other of its epoch never comes."""
    return decode(body, NEXT)


def test_rmc_and_gga_of_one_epoch_are_one_fix() -> None:
    """Given with the second of them, whichever comes first; captured from a NEO-M8N."""
    assert decode(RMC, GGA) == ([FIX], Counts())
    assert decode(GGA, RMC) == ([FIX], Counts())
    assert decode(RMC) == ([], Counts())


def test_one_of_them_alone_stands_once_the_next_epoch_begins() -> None:
    """GGA knows the satellites; RMC knows the date, but it is too late to tell the time by it."""
    position = (FIX.lat_e7, FIX.lon_e7)
    assert alone(RMC)[0] == [Fix(*position)]
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
    """RMC says A, GGA says 0: nobody vouches, and nothing was wrong."""
    assert decode(RMC, GGA.replace("W,1,12", "W,0,12"), NEXT) == ([], Counts())
    assert decode(RMC.replace(",A,4404", ",V,4404"), GGA, NEXT) == ([], Counts())


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
    ("minute 60 of an hour", RMC.replace("171926.00", "176026.00")),
    ("second 60 at noon", RMC.replace("171926.00", "115960.00")),
    ("second 61", RMC.replace("171926.00", "235961.00")),
    ("hour 24", RMC.replace("171926.00", "240000.00")),
    ("a time cut short", RMC.replace("171926.00", "17192")),
    ("day 0", RMC.replace("180315", "000000")),
    ("day 31 of February", RMC.replace("180315", "310215")),
    ("Telit's date after the rollover", RMC.replace("180315", "2208-1")),
    ("0, 0", RMC.replace("4404.14063", "0000.00000").replace("12118.85478", "00000.00000")),
    ("two commas lost", RMC.replace(",,180315,,,A", ",180315,,A")),
    ("two fields too many", f"{RMC},V,,"),
    ("a letter for a number", RMC.replace("0.117", "A")),
    ("GGA with two commas lost", GGA.replace("M,,", "M")),
    ("GGA with a number for its unit", GGA.replace(",M,-21.3", ",7,-21.3")),
    ("GGA of a fix without quality's neighbours", GGA.replace(",12,0.91,1147.2", "")),
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
    """No fix has a HDOP or satellites of 0; what is no number is not guessed."""
    for hdop in ("", "x", "1e3", "-1.0", "0.0"):
        assert alone(GGA.replace("0.91", hdop))[0][0].hdop_e2 is None
    for satellites in ("", "x", "1.5", "1000", "00"):
        assert alone(GGA.replace("1,12,0.91", f"1,{satellites},0.91"))[0][0].satellites is None
    for hdop, hdop_e2 in (("2.7", 270), ("7.123456", 712), ("01.", 100), ("1024.5", 102450)):
        assert alone(GGA.replace("0.91", hdop))[0][0].hdop_e2 == hdop_e2


def test_a_fix_with_the_worst_hdop_that_can_be_printed_has_it() -> None:
    """It is no silence: an error of 5 m would be made of it."""
    (fix,), _ = alone(GGA.replace("0.91", "99.99"))
    assert fix.hdop_e2 == 9999
    assert is_weak(fix)


def test_a_mode_in_the_place_of_the_direction_is_a_fix() -> None:
    """Motorola's T805, captured; an E there is the east, and estimated for nobody."""
    date = ",181207,0,"
    for last, count in (("A", 1), ("D", 1), ("E", 1), ("N", 0), ("S", 0), ("M", 0), ("A,", 0)):
        body = RMC.replace(",180315,,,A", f"{date}{last}")
        assert len(alone(body)[0]) == count


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
    before = RMC.replace("171926.00", "235959.00"), GGA.replace("171926.00", "235959.00")
    after = RMC.replace("171926.00", "000000.00"), GGA.replace("171926.00", "000000.00")
    fixes, counts = decode(*before, after[0].replace("180315", "190315"), after[1])
    assert [one.utc_ms for one in fixes] == [1_426_723_199_000, 1_426_723_200_000]
    assert counts == Counts()


def test_a_leap_second_is_a_position_without_a_name() -> None:
    """23:59:60 comes after 23:59:59 and before 00:00:00, also in tenths; UTC ms cannot name it."""
    times = ("235959.50", "235960.00", "235960.50", "000000.00")
    bodies = [one.replace("171926.00", at) for at in times for one in (RMC, GGA)]
    fixes, counts = decode(*bodies)
    assert [one.utc_ms is None for one in fixes] == [False, True, True, False]
    assert counts == Counts()


@pytest.mark.parametrize(
    ("digits", "utc_ms"),
    [
        ("060180", 316_027_166_000),
        ("220899", 935_342_366_000),
        ("311279", 3_471_268_766_000),
        ("290200", 951_844_766_000),
    ],
)
def test_a_year_of_two_digits_is_1980_to_2079(digits: str, utc_ms: int) -> None:
    """A receiver that forgot the week gives its own first day; whose it is, evidence decides."""
    assert decode(RMC.replace("180315", digits), GGA)[0][0].utc_ms == utc_ms


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


KINDS = ["RMC", "GGA", "GSA", "GSV", "GST"]
FIELDS = st.one_of(
    st.sampled_from(["", "A", "V", "N", "S", "E", "W", "1", "0", "171926.00", "180315", "-1"]),
    st.sampled_from(["4404.14063", "12118.85478", "9999.99", "0.91", "235960", "nan", "1e9"]),
    st.text("0123456789.ANSEW-+ ", max_size=12),
)


@given(
    st.lists(
        st.tuples(st.text("GPNLABQZX", min_size=2, max_size=2), st.sampled_from(KINDS)),
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
