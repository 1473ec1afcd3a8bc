"""The laws that bind every decoder: chunking, noise, bounds, and no exception for any bytes."""

from itertools import pairwise

import pytest
from decoder_cases import CASES, Case, Framed, feed, flipped, held, one_by_one, outcome, silence
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.devices import gnss_decoder, scanner_decoder
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.fingerprint import FingerprintDecoder
from edge_agent.devices.gm65 import Gm65Decoder
from edge_agent.devices.gnss import GnssDecoder
from edge_agent.devices.pn532 import Pn532Decoder
from edge_agent.devices.text import TextDecoder
from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Fix

few = settings(max_examples=50)  # of each decoder; scripts/fuzz tries millions
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def streams(case: Case) -> st.SearchStrategy[bytes]:
    """Good frames, frames cut short, near-frames and plain noise, in any order."""
    frame = st.sampled_from(case.frames)
    cut = st.tuples(frame, st.integers(0, 30)).map(lambda pair: pair[0][: pair[1]])
    near = st.lists(st.sampled_from(case.alphabet), max_size=30).map(bytes)
    pieces = st.one_of(frame, cut, near, st.binary(max_size=20))
    return st.lists(pieces, max_size=8).map(b"".join)


@every_case
@few
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
        heard = [part for part in parts if part]  # to hear nothing is to hear silence
        outcomes.append((outcome(decoder, heard), decoder.counts))
    assert outcomes[0] == outcomes[1] == outcomes[2]


@every_case
def test_all_good_frames_come_out_in_order(case: Case) -> None:
    """Nothing between them is needed, and nothing is counted against them."""
    decoder = case.make()
    assert feed(decoder, [b"".join(case.frames)]) == case.records
    assert (decoder.counts.noise, decoder.counts.rejected) == (0, 0)


@every_case
@few
@given(data=st.data())
def test_noise_before_a_good_frame_costs_nothing(case: Case, data: st.DataObject) -> None:
    """Behind 1 to 40 random bytes the frame says what it says."""
    near = st.lists(st.sampled_from(case.alphabet), min_size=1, max_size=40).map(bytes)
    noise = data.draw(st.binary(min_size=1, max_size=40) | near)
    records = outcome(case.make(), [noise + case.ahead + case.frames[0]])
    assert records[-1:] == [case.records[0]]


@every_case
def test_a_frame_cut_short_anywhere_does_not_cost_the_next(case: Case) -> None:
    """Truncated at every position, then a whole one."""
    for first, second in pairwise(case.frames):
        for cut in range(len(first)):
            stream = first[:cut] + case.ahead + second
            records = outcome(case.make(), one_by_one(stream))
            assert records[-1] == case.records[case.frames.index(second)], stream


@pytest.mark.parametrize("name", ["rdm6300", "id12la", "hsu", "ef01", "ubx"])
def test_one_flipped_bit_is_never_another_frame(name: str) -> None:
    """Where there is a checksum, the frame says the same (the case of a digit) or nothing."""
    case = CASES[name]
    for frame, record in zip(case.frames, case.records, strict=True):
        for damaged in flipped(frame):
            assert outcome(case.make(), [damaged]) in ([], [record]), damaged


def test_one_flipped_bit_is_never_another_place() -> None:
    """Each bit of an epoch, then a good epoch: only the two true places are ever given."""
    case = CASES["gnss"]
    places = {(one.lat_e7, one.lon_e7) for one in case.records if isinstance(one, Fix)}
    for damaged in flipped(case.frames[0]):
        fixes = feed(case.make(), [damaged + case.frames[2]])
        assert {(one.lat_e7, one.lon_e7) for one in fixes} <= places, damaged
        assert fixes[-1] == case.records[2], damaged


@every_case
def test_no_buffer_grows_under_garbage(case: Case) -> None:
    """32 kB of each sign, and of the signs that begin a frame and never end it."""
    for sign in (*case.alphabet, 0, 255):
        decoder = case.make()
        for _ in range(8):
            feed(decoder, [bytes([sign]) * 4096])
        assert held(decoder) <= case.most_held
    decoder = case.make()
    feed(decoder, [case.frames[0][:-1] * 1000, case.alphabet * 1000])
    assert held(decoder) <= case.most_held


@every_case
@few
@given(data=st.data())
def test_no_bytes_raise(case: Case, data: st.DataObject) -> None:
    """Any bytes are decoded or counted, and the decoder still works after them."""
    decoder = case.make()
    feed(decoder, data.draw(st.lists(st.binary(max_size=100) | streams(case), max_size=5)))
    assert held(decoder) <= case.most_held
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


@every_case
def test_silence_ends_all_waiting(case: Case) -> None:
    """What is half there never spoils what comes after a silence; who must wait says until when.

    Decoders whose frames begin with a sign of their own need not count the time: at that sign the
    half frame before it is over.
    """
    for cut in range(1, len(case.frames[0])):
        decoder = case.make()
        feed(decoder, [case.frames[0][:cut]])
        if decoder.wake_ms is not None or isinstance(decoder, Framed):
            silence(decoder)
            assert held(decoder) == 0
            assert decoder.wake_ms is None
        assert outcome(decoder, [case.frames[-1]])[-1:] == [case.records[-1]]


SCANNERS = {
    "em4100": Em4100Decoder,
    "text": TextDecoder,
    "gm65": Gm65Decoder,
    "pn532": Pn532Decoder,
    "fingerprint": FingerprintDecoder,
}


@pytest.mark.parametrize("decoder", SCANNERS)
def test_a_profile_names_its_decoder(decoder: str) -> None:
    """A scanner of each kind can be read, by a decoder of its own."""
    wanted = ScannerProfile(decoder, 9600, technology="w26")
    first, second = scanner_decoder(wanted), scanner_decoder(wanted)
    assert first is not second
    assert type(first) is SCANNERS[decoder]
    assert type(gnss_decoder(GnssProfile())) is GnssDecoder
