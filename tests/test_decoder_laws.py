"""The laws that bind every decoder: chunking, noise, bounds, and no exception for any bytes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from builders import sentence
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.devices import Decoder, gnss_decoder, scanner_decoder
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.nmea import NmeaDecoder
from edge_agent.devices.text import TextDecoder
from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Fix, Scan

#: More than any decoder may hold between two calls.
MOST_HELD = 256


@dataclass(frozen=True)
class Case:
    """A decoder, good frames with what they say, and the bytes of which near-frames are made.

    `ahead` goes between noise and a frame: a line without a start mark needs the end of the line
    before it, because a number cut short is another number.
    """

    make: Callable[[], Decoder[Any]]
    frames: Sequence[bytes]
    records: Sequence[Any]
    alphabet: bytes
    ahead: bytes = b""


def epoch(second: int, minutes: str) -> bytes:
    """RMC and GGA of one second; only the latitude's minutes differ."""
    where = f"44{minutes},N,12118.85478,W"
    return sentence(f"GNRMC,1719{second:02}.00,A,{where},0.117,,180315,,,A") + sentence(
        f"GNGGA,1719{second:02}.00,{where},1,12,0.91,1147.2,M,-21.3,M,,"
    )


def fix(second: int, lat_e7: int) -> Fix:
    return Fix(lat_e7, -1_213_142_463, 1_426_699_160_000 + (second - 20) * 1000, 12, 91)


CASES = {
    "rdm6300": Case(
        Em4100Decoder,
        [b"\x0262E3086CED08\x03", b"\x0201000734E0D2\x03", b"\x023C00CE754CCB\x03"],
        [Scan("em4100", card) for card in ("62E3086CED", "01000734E0", "3C00CE754C")],
        b"\x02\x03\r\n0123456789ABCDEFabcdefG",
    ),
    "id12la": Case(
        Em4100Decoder,
        [b"\x0262E3086CED08\r\n\x03", b"\x023C00CE754CCB\r\n\x03"],
        [Scan("em4100", card) for card in ("62E3086CED", "3C00CE754C")],
        b"\x02\x03\r\n0123456789ABCDEF",
    ),
    "text": Case(
        lambda: TextDecoder("text"),
        [b"0013530444\r\n", b"\x023C00CE754C\x03", b"206,30028\n", b"04C63A63110189\r"],
        [Scan("text", card) for card in ("0013530444", "3C00CE754C", "206,30028")]
        + [Scan("text", "04C63A63110189")],
        b"\x02\x03\r\n0123456789ABCDEF :_-",
        ahead=b"\r",
    ),
    "nmea": Case(
        NmeaDecoder,
        [epoch(26, "04.14063"), epoch(27, "04.14070"), epoch(28, "04.14090")],
        [fix(26, 440_690_105), fix(27, 440_690_117), fix(28, 440_690_150)],
        b"$*,.\r\nGPNRMCGAWEAV0123456789ABCDEF",
    ),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def feed(decoder: Decoder[Any], parts: Sequence[bytes]) -> list[Any]:
    return [record for part in parts for record in decoder.feed(part)]


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def streams(case: Case) -> st.SearchStrategy[bytes]:
    """Good frames, frames cut short, near-frames and plain noise, in any order."""
    frame = st.sampled_from(case.frames)
    cut = st.tuples(frame, st.integers(0, 30)).map(lambda pair: pair[0][: pair[1]])
    near = st.lists(st.sampled_from(case.alphabet), max_size=30).map(bytes)
    pieces = st.one_of(frame, cut, near, st.binary(max_size=20))
    return st.lists(pieces, max_size=8).map(b"".join)


@every_case
@given(data=st.data())
def test_any_chunking_gives_the_same_records_and_counts(case: Case, data: st.DataObject) -> None:
    """Whole, byte by byte, and cut anywhere."""
    stream = data.draw(streams(case))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    ends = [0, *cuts, len(stream)]
    anyhow = [stream[first:last] for first, last in pairwise(ends)]
    outcomes = []
    for parts in ([stream], one_by_one(stream), anyhow):
        decoder = case.make()
        outcomes.append((feed(decoder, parts), decoder.counts))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@every_case
def test_all_good_frames_come_out_in_order(case: Case) -> None:
    """Nothing between them is needed, and nothing is counted against them."""
    decoder = case.make()
    assert feed(decoder, [b"".join(case.frames)]) == case.records
    assert (decoder.counts.noise, decoder.counts.rejected) == (0, 0)


@every_case
@given(data=st.data())
def test_noise_before_a_good_frame_costs_nothing(case: Case, data: st.DataObject) -> None:
    """Behind 1 to 40 random bytes the frame says what it says."""
    near = st.lists(st.sampled_from(case.alphabet), min_size=1, max_size=40).map(bytes)
    noise = data.draw(st.binary(min_size=1, max_size=40) | near)
    records = feed(case.make(), [noise + case.ahead + case.frames[0]])
    assert records[-1:] == [case.records[0]]


@every_case
def test_a_frame_cut_short_anywhere_does_not_cost_the_next(case: Case) -> None:
    """Truncated at every position, then a whole one."""
    for first, second in pairwise(case.frames):
        for cut in range(len(first)):
            stream = first[:cut] + case.ahead + second
            records = feed(case.make(), one_by_one(stream))
            assert records[-1] == case.records[case.frames.index(second)], stream


def flipped(frame: bytes) -> Iterator[bytes]:
    for at in range(len(frame)):
        for bit in range(8):
            yield frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]


@pytest.mark.parametrize("name", ["rdm6300", "id12la"])
def test_one_flipped_bit_is_never_another_card(name: str) -> None:
    """The frame says the same card (the case of a digit) or nothing."""
    case = CASES[name]
    for frame, record in zip(case.frames, case.records, strict=True):
        for damaged in flipped(frame):
            assert feed(case.make(), [damaged]) in ([], [record]), damaged


def test_one_flipped_bit_is_never_another_place() -> None:
    """Each bit of an epoch, then a good epoch: only the two true places are ever given."""
    case = CASES["nmea"]
    places = {(one.lat_e7, one.lon_e7) for one in case.records}
    for damaged in flipped(case.frames[0]):
        fixes = feed(case.make(), [damaged + case.frames[1]])
        assert {(one.lat_e7, one.lon_e7) for one in fixes} <= places, damaged
        assert fixes[-1] == case.records[1], damaged


@every_case
def test_no_buffer_grows_under_garbage(case: Case) -> None:
    """A megabyte of each sign, and of the signs that begin a frame and never end it."""
    for sign in (*case.alphabet, 0, 255):
        decoder = case.make()
        for _ in range(16):
            feed(decoder, [bytes([sign]) * 4096])
        assert held(decoder) <= MOST_HELD
    decoder = case.make()
    feed(decoder, [case.frames[0][:-1] * 1000, case.alphabet * 1000])
    assert held(decoder) <= MOST_HELD


def held(decoder: Any) -> int:
    """Bytes that a decoder keeps between two calls."""
    return sum(len(value) for value in vars(decoder).values() if isinstance(value, bytes))


@every_case
@settings(max_examples=300)
@given(data=st.data())
def test_no_bytes_raise(case: Case, data: st.DataObject) -> None:
    """Any bytes are decoded or counted, and the decoder still works after them."""
    decoder = case.make()
    feed(decoder, data.draw(st.lists(st.binary(max_size=100) | streams(case), max_size=5)))
    assert held(decoder) <= MOST_HELD
    decoder.restart()
    assert held(decoder) == 0
    assert feed(decoder, case.frames)[-1] == case.records[-1]


@every_case
def test_a_cut_wire_leaves_nothing_half_there(case: Case) -> None:
    """After half a frame and a new beginning, the next frame says what it says."""
    frame = case.frames[1]
    for cut in range(1, len(frame) - 1):
        decoder = case.make()
        feed(decoder, [frame[:cut]])
        decoder.restart()
        assert held(decoder) == 0
        assert feed(decoder, [case.frames[-1]])[-1:] == [case.records[-1]]


@pytest.mark.parametrize("decoder", ["em4100", "text"])
def test_a_profile_names_its_decoder(decoder: str) -> None:
    """A scanner of each kind can be read, by a decoder of its own."""
    wanted = ScannerProfile(decoder, 9600, technology="w26")
    first, second = scanner_decoder(wanted), scanner_decoder(wanted)
    assert first is not second
    assert type(first) is {"em4100": Em4100Decoder, "text": TextDecoder}[decoder]
    assert type(gnss_decoder(GnssProfile("nmea"))) is NmeaDecoder
