"""Which sentences are of one epoch, when its fix is given, and how late it may be."""

from collections.abc import Callable

import pytest
from builders import sentence
from gnss_words import epoch, gga, rmc

from edge_agent.devices.gnss import GnssDecoder
from edge_agent.records import Counts, Fix

SECOND_MS = 1_426_699_166_000


def fixes(*parts: bytes, decoder: GnssDecoder | None = None, now_ms: int = 0) -> list[Fix]:
    given = (decoder or GnssDecoder()).feed(b"".join(parts), now_ms)
    return [one for one in given if isinstance(one, Fix)]


@pytest.mark.parametrize(
    ("of_rmc", "of_gga", "ms"),
    [
        ("171926", "171926.00", 0),
        ("171926", "171926.487", 487),
        ("171926.48", "171926.487", 487),
        ("171926.487", "171926", 487),
        ("171926.4", "171926.40", 400),
    ],
)
def test_times_are_compared_as_the_coarser_is_printed(of_rmc: str, of_gga: str, ms: int) -> None:
    """Some print RMC in whole seconds and GGA in thousandths; the finer is the time of the fix."""
    for both in ((rmc(of_rmc), gga(of_gga)), (gga(of_gga), rmc(of_rmc))):
        (fix,) = fixes(*both)
        assert fix.utc_ms == SECOND_MS + ms


def test_ten_epochs_a_second_are_ten_fixes() -> None:
    """Each is given with its GGA, at its tenth."""
    times = [f"171926.{tenth}0" for tenth in range(10)]
    given = fixes(*[one for at in times for one in (rmc(at), gga(at))])
    assert [fix.utc_ms for fix in given] == [SECOND_MS + 100 * tenth for tenth in range(10)]


@pytest.mark.parametrize("alone", [rmc, gga])
def test_of_a_receiver_known_to_send_one_sentence_it_stands_at_once(
    alone: Callable[[str], bytes],
) -> None:
    """Three epochs with one sentence teach it; until then each is late, and its time not told."""
    decoder = GnssDecoder()
    given = [fixes(alone(f"1719{second}.00"), decoder=decoder) for second in range(20, 26)]
    assert [len(one) for one in given] == [0, 1, 1, 2, 1, 1]
    last = given[-1][0].utc_ms
    assert last == (SECOND_MS - 1000 if alone is rmc else None)
    assert [fix.utc_ms for one in given[:3] for fix in one] == [None, None]


def test_taking_turns_is_sending_one_sentence_an_epoch() -> None:
    """Marine receivers send RMC, GLL, RMC, GGA, a second apart (Humminbird GR16)."""
    times = enumerate(["194101", "194103", "194104", "194105", "194107", "194108"])
    given = fixes(*[gga(at) if turn in (2, 5) else rmc(at) for turn, at in times])
    assert len(given) == 6
    assert [fix.utc_ms is None for fix in given] == [True, True, True, False, False, True]


def test_a_receiver_that_sends_both_again_is_waited_for_again() -> None:
    """The second sentence is of use: it has a word against the first."""
    learnt = [rmc(f"1719{second}.00") for second in range(20, 25)]
    decoder = GnssDecoder()
    fixes(*learnt, epoch(26), decoder=decoder)
    assert fixes(rmc("171927.00"), decoder=decoder) == []
    assert fixes(gga("171927.00", 0), rmc("171928.00"), decoder=decoder) == []


def test_an_old_sentence_is_not_a_new_fix() -> None:
    """What stood alone when the receiver fell silent, or when the port was closed, stays there."""
    decoder = GnssDecoder()
    fixes(rmc("171926.00"), decoder=decoder)
    assert fixes(rmc("181926.00"), decoder=decoder, now_ms=3_600_000) == []
    assert len(fixes(gga("181926.00"), decoder=decoder, now_ms=3_600_500)) == 1
    decoder.restart()
    fixes(rmc("181927.00"), decoder=decoder, now_ms=3_601_000)
    decoder.restart()
    assert fixes(gga("181927.00"), decoder=decoder, now_ms=3_601_500) == []


def test_a_second_sentence_of_a_kind_changes_nothing() -> None:
    """Telit sends GPGGA and GAGGA, GPRMC and GARMC for each epoch."""
    decoder = GnssDecoder()
    both = gga("171926.00") * 2 + rmc("171926.00") * 2
    assert len(fixes(both, both, decoder=decoder)) == 1
    assert decoder.counts == Counts()
    assert len(fixes(rmc("171927.00"), rmc("171927.00", "N", "V"), gga("171927.00"))) == 1
    assert fixes(rmc("171928.00", "N", "V"), rmc("171928.00"), gga("171928.00")) == []


def test_either_side_of_the_date_line_is_near_the_other() -> None:
    """179.99999 east and 180 west are a metre apart."""
    where = "0012.00000,S,17959.99990,E", "0012.00000,S,18000.00000,W"
    given = fixes(
        sentence(f"GNRMC,171926.00,A,{where[0]},0.117,,180315,,,A"),
        sentence(f"GNGGA,171926.00,{where[1]},1,12,0.91,1147.2,M,-21.3,M,,"),
    )
    assert len(given) == 1
