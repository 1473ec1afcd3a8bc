"""One stream of sentences and frames: mixture, doubts, and what is remembered for a fix."""

import pytest
from builders import sentence
from gnss_words import WHERE, epoch, frame, gga, mon_hw, mon_rf, nav_status, rmc, sec_sig

from edge_agent.devices.gnss import GnssDecoder
from edge_agent.records import Counts, Doubt, Fix

GSA = "GNGSA,A,3,01,11,31,14,,,,,,,,,1.56,0.91,1.27,1"
GSV = "GPGSV,1,1,02,02,62,341,44,05,41,118,41,1"


def said(*parts: bytes, decoder: GnssDecoder | None = None, now_ms: int = 0) -> list[Fix | Doubt]:
    return list((decoder or GnssDecoder()).feed(b"".join(parts), now_ms))


def fixes(*parts: bytes, decoder: GnssDecoder | None = None, now_ms: int = 0) -> list[Fix]:
    given = said(*parts, decoder=decoder, now_ms=now_ms)
    return [one for one in given if isinstance(one, Fix)]


# --- mixture --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        bytes.fromhex("BACE10000103") + bytes(range(16)) + b"\x01\x02\x03\x04",  # CASIC
        bytes.fromhex("A0A20004") + b"$GPR" + bytes.fromhex("0100B0B3"),  # SiRF
        bytes.fromhex("D300133ED7D30202980EDEEF34B4BD62AC0941986F33360B98"),  # RTCM 3, 1005
        frame("0135", b"$GPGGA,1719" * 20),  # a long u-blox frame that is not ours
        b"\xb5\x62\x01\x03\x10\x00",  # the head of one of ours, and nothing behind it
        b"\xb5",
    ],
)
def test_other_binary_between_the_sentences_costs_nothing(other: bytes) -> None:
    """Nor does it hold anything up: the fix is there with the last byte of its sentence."""
    decoder = GnssDecoder()
    given = [fix for byte in other + epoch(26)[:-2] for fix in decoder.feed(bytes([byte]))]
    assert len(given) == 1


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_of_frames_within_a_frame_the_one_that_is_whole_first_is_true(chunk: int) -> None:
    """However it comes: a frame cut short claims the next ones as its payload."""
    inner = nav_status(2) + rmc("171926.00")[:30]
    outer = mon_hw(2)[:6] + inner + bytes(60 - len(inner))
    outer = frame("0A09", outer[6:66])
    for stream in (outer, outer[:20] + nav_status(2) + outer):
        decoder = GnssDecoder()
        parts = [stream[at : at + chunk] for at in range(0, len(stream), chunk)]
        given = [one for part in parts for one in decoder.feed(part)]
        assert set(given) == {Doubt("spoof", stands=True)}


# --- doubts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unreal", "of"),
    [
        (rmc("171926.00", "S"), "simulator"),
        (rmc("171926.00", "S", "V"), "simulator"),
        (gga("171926.00", 8), "simulator"),
        (rmc("171926.00", "M"), "manual"),
        (gga("171926.00", 7), "manual"),
    ],
)
def test_a_position_that_is_not_real_is_a_doubt_until_a_real_one(unreal: bytes, of: str) -> None:
    """It is no fix; the next fix takes the doubt back before it is given, and once."""
    decoder = GnssDecoder()
    assert said(unreal, decoder=decoder) == [Doubt(of, stands=True)]
    given = said(epoch(27), epoch(28), decoder=decoder)
    assert given[0] == Doubt(of, stands=False)
    assert [type(one) for one in given[1:]] == [Fix, Fix]


@pytest.mark.parametrize("mode", ["N", "E", ""])
def test_no_fix_and_dead_reckoning_are_no_doubt(mode: str) -> None:
    """Under a roof a receiver is honest and silent."""
    assert said(rmc("171926.00", mode, "V"), gga("171926.00", 0), gga("171927.00", 6)) == []


def test_mode_m_without_a_position_is_not_one_typed_in() -> None:
    """CASIC chips (Quectel L76K, ATGM336H) have it until their first fix, captured of several."""
    nothing = b"$GNRMC,,V,,,,,,,,,,M,V*34\r\n$GNRMC,174506.000,V,,,,,,,121025,,,M,V*2E\r\n"
    decoder = GnssDecoder()
    assert said(nothing, decoder=decoder) == []
    assert decoder.counts == Counts()
    assert said(rmc("171926.00", "M", "V")) == [Doubt("manual", stands=True)]


@pytest.mark.parametrize(
    "shifted",
    [
        f"GNGGA,171926.00,{WHERE},8,0.91,1147.2,M,-21.3,M,,",
        f"GNRMC,171926.00,A,{WHERE},,,180315,,S",
    ],
)
def test_a_shifted_field_is_no_doubt(shifted: str) -> None:
    """Lost bytes that leave the checksum right put another field where the quality stands."""
    decoder = GnssDecoder()
    assert said(sentence(shifted), decoder=decoder) == []
    assert decoder.counts == Counts(rejected=1)


def test_of_several_voices_one_is_enough() -> None:
    """NAV-STATUS sees nothing, SEC-SIG does: the doubt stands until it, too, sees nothing."""
    given = said(nav_status(1), sec_sig(1, 1, 2), nav_status(1), mon_rf(1), sec_sig(1, 1, 1))
    spoof = [one.stands for one in given if isinstance(one, Doubt) and one.of == "spoof"]
    assert spoof == [False, True, True, False]


def test_a_voice_that_fell_silent_is_forgotten() -> None:
    """After ten seconds, or when the port was opened again."""
    decoder = GnssDecoder()
    said(mon_hw(3), decoder=decoder)
    assert said(mon_rf(1), decoder=decoder, now_ms=10_000) == [Doubt("jam", stands=True)]
    assert said(mon_rf(1), decoder=decoder, now_ms=10_001) == [Doubt("jam", stands=False)]
    said(mon_hw(3), decoder=decoder, now_ms=10_001)
    decoder.restart()
    assert said(mon_rf(1), decoder=decoder, now_ms=10_002) == [Doubt("jam", stands=False)]


def test_quectel_speaks_of_jamming_in_a_sentence_of_its_own() -> None:
    """0 unknown, 1 none, 2 warning, 3 critical; the checksum of state 2 is from its manual."""
    assert sentence("PQTMJAMMINGSTATUS,1,2") == b"$PQTMJAMMINGSTATUS,1,2*44\r\n"
    states = [sentence(f"PQTMJAMMINGSTATUS,1,{state}") for state in range(5)]
    assert [said(one) for one in states] == [
        [],
        [Doubt("jam", stands=False)],
        [Doubt("jam", stands=True)],
        [Doubt("jam", stands=True)],
        [],
    ]


# --- what is remembered ---------------------------------------------------------------------------


def test_a_fix_has_what_came_before_it() -> None:
    """Dimension of GSA, twice the deviations of GST, the strongest of GSV; each may be missing."""
    gst = sentence("GNGST,171926.00,25,,,,1.2,1.6,3.0")
    (fix,) = fixes(sentence(GSA), sentence(GSV), gst, epoch(26))
    assert (fix.dimension, fix.error_m, fix.cn0) == (3, 4, 44)
    (fix,) = fixes(epoch(26))
    assert (fix.dimension, fix.error_m, fix.cn0) == (None, None, None)


def test_a_fix_does_not_wait_for_what_comes_after_it() -> None:
    """It is given with the second of RMC and GGA; what follows is for the next one."""
    decoder = GnssDecoder()
    assert fixes(epoch(26), decoder=decoder)[0].dimension is None
    assert fixes(sentence(GSA), sentence(GSV), decoder=decoder) == []
    (fix,) = fixes(epoch(27), decoder=decoder)
    assert (fix.dimension, fix.cn0) == (3, 44)


def test_between_the_two_is_before() -> None:
    """MediaTek sends GGA, GSA, RMC."""
    (fix,) = fixes(gga("171926.00"), sentence(GSA), rmc("171926.00"))
    assert fix.dimension == 3


def test_what_was_said_is_remembered_for_ten_seconds_and_not_over_a_cut_wire() -> None:
    """A receiver may send GSV every fifth epoch; older than that it says nothing of a fix."""
    aside = sentence(GSA) + sentence(GSV) + sentence("GNGST,171926.00,25,,,,1.2,1.6,3.0")
    for now_ms, known in ((10_000, (3, 4, 44)), (10_001, (None, None, None))):
        decoder = GnssDecoder()
        said(aside, decoder=decoder)
        (fix,) = fixes(epoch(26), decoder=decoder, now_ms=now_ms)
        assert (fix.dimension, fix.error_m, fix.cn0) == known
    decoder = GnssDecoder()
    said(aside, decoder=decoder)
    decoder.restart()
    (fix,) = fixes(epoch(26), decoder=decoder)
    assert (fix.dimension, fix.error_m, fix.cn0) == (None, None, None)
    said(aside, rmc("171927.00"), decoder=decoder)
    decoder.restart()
    (fix,) = fixes(epoch(28), decoder=decoder)
    assert fix.dimension is None


def test_the_best_system_in_use_counts_and_only_of_one_epoch() -> None:
    """GPS in three dimensions and GLONASS with none is three; the next second it may be two."""
    third, none = sentence(GSA), sentence("GNGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99,2")
    second = sentence(GSA.replace("A,3", "A,2"))
    decoder = GnssDecoder()
    given = fixes(third, none, epoch(26), second, none, epoch(27), none, none, epoch(28),
                  decoder=decoder)  # fmt: skip
    assert [fix.dimension for fix in given] == [3, 2, None]


def test_only_a_round_of_gsv_that_came_whole_counts() -> None:
    """The strongest over all systems; one that lost a sentence says what it said before."""
    whole = [
        "GPGSV,2,1,05,02,62,341,44,05,41,118,41,12,28,205,38,15,71,064,",
        "GPGSV,2,2,05,25,35,012,46",
    ]
    other = "GLGSV,1,1,01,67,33,083,37"
    assert fixes(*map(sentence, (*whole, other)), epoch(26))[0].cn0 == 46
    assert fixes(sentence(whole[0]), sentence(other), epoch(26))[0].cn0 == 37
    assert fixes(sentence(whole[1]), epoch(26))[0].cn0 is None
    weaker = [
        one.replace("46", "30").replace("44", "31").replace("41,12", "22,12") for one in whole
    ]
    assert fixes(*map(sentence, (*whole, *weaker)), epoch(26))[0].cn0 == 38
    assert fixes(*map(sentence, (*whole, weaker[0], weaker[0])), epoch(26))[0].cn0 == 46
    three = [f"GPGSV,3,{number},09,25,35,012,46" for number in (1, 3, 2, 3)]
    assert fixes(*map(sentence, three), epoch(26))[0].cn0 is None


def test_signals_of_one_system_may_be_counted_together_or_apart() -> None:
    """Quectel LC79D has one round for L1 and L5; u-blox F9 has a round for each."""
    together = ["GPGSV,2,1,02,01,38,160,35,03,80,057,29,1", "GPGSV,2,2,02,01,38,160,38,8"]
    assert fixes(*map(sentence, together), epoch(26))[0].cn0 == 38
    apart = ["GPGSV,1,1,02,01,38,160,45,03,80,057,29,1", "GPGSV,1,1,01,01,38,160,38,6"]
    assert fixes(*map(sentence, apart), epoch(26))[0].cn0 == 45


@pytest.mark.parametrize(
    "aside",
    [
        GSA.replace(",,,", ",", 1),
        GSA + ",1",
        GSA.replace("A,3", "A,4"),
        GSV.replace("62,341,", ""),
        GSV + ",1",
        "GPGSV,1,1,02,02,62,341,44,A5,41,118,41,1",
        "GNGST,171926.00,25,,,1.2,1.6,3.0",
        "GNGST,171926.00,25,,,,1e2,1.6,3.0",
        "GNGST,171926.00,25,,,,-,1.6,3.0",
    ],
)
def test_an_aside_of_another_form_is_refused(aside: str) -> None:
    """The fields may have shifted; the fix stands without it."""
    decoder = GnssDecoder()
    (fix,) = fixes(sentence(aside), epoch(26), decoder=decoder)
    assert (fix.dimension, fix.error_m, fix.cn0) == (None, None, None)
    assert decoder.counts == Counts(rejected=1)


def test_satellites_that_are_not_tracked_have_no_strength() -> None:
    """Garmin sends 00 for them and pads the last sentence; zeros of GST are no error of 0 m."""
    unheard = "GPGSV,1,1,02,25,20,108,00,26,20,108,-5,,,,,,,,"
    gst = "GNGST,171926.00,0.0,,,,0.0,0.0,0.0"
    (fix,) = fixes(sentence(unheard), sentence(gst), epoch(26))
    assert (fix.cn0, fix.error_m) == (None, None)


@pytest.mark.parametrize("aside", [GSA, GSV, "GNGST,171926.00,25,,,,1.2,1.6,3.0"])
def test_an_aside_needs_its_checksum(aside: str) -> None:
    """Not only positions do; it is refused, and is no noise."""
    decoder = GnssDecoder()
    damaged = sentence(aside).replace(b",1", b",2", 1)
    (fix,) = fixes(damaged, epoch(26), decoder=decoder)
    assert (fix.dimension, fix.error_m, fix.cn0) == (None, None, None)
    assert decoder.counts == Counts(rejected=1)


def test_no_more_systems_are_remembered_than_there_can_be() -> None:
    """There are eight or so, with a few signals each; inventing more does not fill the memory."""
    talkers = [f"{first}{second}" for first in "ABCDEFGH" for second in "ABCD"]
    others = [f"{talker}GSV,1,1,01,02,62,341,30" for talker in talkers]
    assert fixes(*map(sentence, (GSV, *others[:-1])), epoch(26))[0].cn0 == 44
    assert fixes(*map(sentence, (GSV, *others)), epoch(26))[0].cn0 == 30
    assert fixes(*map(sentence, (GSV, *others[:-1], GSV, others[-1])), epoch(26))[0].cn0 == 44
