"""QR and barcode modules: codes in lines and frames, and binary answers that fall between them."""

import json
from binascii import crc_hqx
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest
from conftest import shared
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.devices.gm65 import SILENCE_MS, STALE_MS, Gm65Decoder
from edge_agent.profile import Text
from edge_agent.records import Counts, Scan

CODE = "8711218972875"
LINE = CODE.encode() + b"\r"
FRAME = bytes.fromhex("03000A30333231353633383430")
OK = bytes.fromhex("02000001003331")
BAUD = bytes.fromhex("020000023901C14C")
ZONE = bytes.fromhex("02000001012310")
HEARTBEAT = bytes.fromhex("03000001003331")
#: All settings of a GM861 at once (Tasmota xsns_107_gm861); line ends stand in it.
DUMP = bytes.fromhex(
    "02000062D6002000000A32012C00873C01A11C32030080000600000000000000000000000002803C0000"
    "00060000390105640D0D0D010D0104800904800504800104800108048008048008048008048008018000"
    "00000480010100000000048000000300010030FE"
)
UNCHECKED = bytes.fromhex("0200000100ABCD")
ANSWERS = [OK, BAUD, ZONE, HEARTBEAT, DUMP, UNCHECKED]


def answer_of(data: bytes, status: int = 0) -> bytes:
    """An answer as the module sends it."""
    body = bytes([status, len(data)]) + data
    return b"\x02\x00" + body + crc_hqx(body, 0).to_bytes(2, "big")


def decode(*parts: bytes, longest: int = 512) -> tuple[list[str], Counts]:
    """What the parts say, one right after the other, then silence."""
    decoder = Gm65Decoder("qr", Text(longest=longest))
    scans = [scan for part in parts for scan in decoder.feed(part, 1000)]
    scans += decoder.feed(b"", 1000 + STALE_MS)
    assert decoder.wake_ms is None
    assert {scan.technology for scan in scans} <= {"qr"}
    return [scan.value for scan in scans], decoder.counts


def one_by_one(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def flipped(data: bytes) -> Iterator[bytes]:
    for at in range(len(data)):
        for bit in range(8):
            yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def test_every_captured_code_and_answer_says_what_it_says() -> None:
    """The vectors of these modules, whole and byte by byte."""
    vectors = json.loads(shared("devices/vectors.json").read_text(encoding="utf-8"))
    mine = [one for one in vectors if one["dev"] == "gm65" and not one["hex"].startswith("7E")]
    assert len(mine) >= 6
    for one in mine:
        data, code = bytes.fromhex(one["hex"]), one["expect"].get("code")
        for parts in ([data], one_by_one(data)):
            assert decode(*parts) == ([code] if code else [], Counts()), one["name"]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
def test_a_line_is_a_code(end: bytes) -> None:
    """With each tail that the module can be set to; empty lines are nothing."""
    line = CODE.encode() + end
    assert decode(line + end + line) == ([CODE, CODE], Counts())


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("at", range(len(LINE) + 1))
def test_an_answer_costs_no_code_wherever_it_falls(answer: bytes, at: int) -> None:
    """Before the code, anywhere in it, and behind it; in one chunk and byte by byte."""
    stream = LINE[:at] + answer + LINE[at:]
    for parts in ([stream], one_by_one(stream)):
        assert decode(*parts) == ([CODE], Counts())


@pytest.mark.parametrize("at", range(len(FRAME) + 1))
@pytest.mark.parametrize("answer", [OK, answer_of(b"\r\n\r")], ids=["ok", "line ends"])
def test_an_answer_costs_no_frame_wherever_it_falls(answer: bytes, at: int) -> None:
    """Protocol mode has the same answers."""
    if 0 < at < 3:
        return  # not between 03, 00 and the length: the module sends these together
    assert decode(FRAME[:at] + answer + FRAME[at:]) == (["0321563840"], Counts())


def test_codes_and_frames_and_answers_follow_each_other_without_a_gap() -> None:
    """Everything in one chunk."""
    said = [CODE, "0321563840", "0321563840", CODE, "0321563840"]
    stream = OK + LINE + FRAME + FRAME + BAUD + LINE + HEARTBEAT + FRAME
    assert decode(stream) == (said, Counts())
    assert decode(*one_by_one(stream)) == (said, Counts())


@pytest.mark.parametrize("answer", [one for one in ANSWERS if one != DUMP])
def test_a_damaged_answer_never_becomes_a_code(answer: bytes) -> None:
    """One bit wrong, anywhere: no byte of it comes out, and the next line is read.

    If it is a line end that came of it, half a code may stand before it.
    """
    for damaged in flipped(answer):
        assert set(decode(damaged + LINE)[0]) <= {CODE}, damaged.hex()
        assert set(decode(LINE[:5] + damaged + LINE[5:])[0]) <= {CODE, CODE[:5]}, damaged.hex()
        assert decode(damaged + b"\r" + LINE)[0][-1:] == [CODE], damaged.hex()


def test_an_answer_with_a_wrong_crc_is_counted_and_spoils_its_line() -> None:
    """The last bytes of it could be digits: what stands with it in one line is no code."""
    wrong = OK[:-1] + b"0"
    assert decode(wrong + LINE) == ([], Counts(noise=len(wrong + LINE) - 1, rejected=2))
    assert decode(wrong + b"\r" + LINE) == ([CODE], Counts(noise=len(wrong), rejected=2))
    assert decode(b"\x02\x00\x00\x03\x0031" + b"A" * 99 + b"\r")[0] == []  # 03 00 is no frame


HALVES = [whole[:cut] for whole in (OK, HEARTBEAT, FRAME) for cut in range(1, len(whole))]


@pytest.mark.parametrize("half", [*HALVES, b"\x02\x00\x00\xff"])
def test_half_an_answer_or_frame_is_given_up_after_silence(half: bytes) -> None:
    """Cut anywhere, or with a length that is not true; the next code says what it says."""
    decoder = Gm65Decoder()
    assert list(decoder.feed(half, 1000)) == []
    assert decoder.wake_ms == 1000 + SILENCE_MS
    assert list(decoder.feed(b"", 999 + SILENCE_MS)) == []
    assert list(decoder.feed(b"", 1000 + SILENCE_MS)) == []
    assert decoder.wake_ms is None
    assert list(decoder.feed(LINE, 1000 + SILENCE_MS)) == [Scan("qr", CODE)]


@pytest.mark.parametrize("half", [b"\x02\x00\x00\xff", b"\x03\x00\xff", FRAME[:7] + b"\x02\x00"])
def test_codes_that_half_a_frame_has_swallowed_come_out_after_silence(half: bytes) -> None:
    """A length that is not true holds the codes behind it up for a moment, and no longer."""
    decoder = Gm65Decoder()
    early = list(decoder.feed(half + b"\r" + LINE + FRAME, 1000))
    late = list(decoder.feed(b"", 1000 + SILENCE_MS))
    assert early + late == [Scan("qr", CODE), Scan("qr", "0321563840")]


def test_half_a_line_waits_longer_but_not_for_ever() -> None:
    """A busy machine may be the reason; after a second it is none, seen or not."""
    decoder = Gm65Decoder()
    assert list(decoder.feed(LINE[:5], 1000)) == []
    assert list(decoder.feed(b"", 1000 + 5 * SILENCE_MS)) == []
    assert list(decoder.feed(LINE[5:] + LINE[:5], 1500)) == [Scan("qr", CODE)]
    assert decoder.wake_ms == 1500 + STALE_MS
    assert list(decoder.feed(LINE, 1500 + STALE_MS)) == [Scan("qr", CODE)]
    assert decoder.counts == Counts(noise=5)


def test_silence_ends_a_line_of_a_module_without_a_tail() -> None:
    """If the profile says so; half of an answer in it still makes it none."""
    decoder = Gm65Decoder("qr", Text(end_ms=40, longest=512))
    assert list(decoder.feed(LINE[:-1] + OK, 1000)) == []
    assert decoder.wake_ms == 1040
    assert list(decoder.feed(b"", 1040)) == [Scan("qr", CODE)]
    assert list(decoder.feed(LINE[:-1] + OK[:-1], 2000)) == []
    assert list(decoder.feed(b"", 2000 + SILENCE_MS)) == []
    assert decoder.counts == Counts(noise=len(LINE) - 1 + len(OK) - 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"]E0" + CODE.encode(), CODE),
        (b" ]Q1 PEGAWAI 17 ", "PEGAWAI 17"),
        (b"]d2\x1d0104012345678901\x1d10AB", "010401234567890110AB"),
        (b"A]E0B", "A]E0B"),
        (b"]E", "]E"),
        ("Wa Ode Sari \u2014 é".encode(), "Wa Ode Sari \u2014 é"),
        (b"\xef\xbb\xbfNIP\t1985\x7f", "NIP1985"),
        (b"Ren\xe9e", "Renée"),
        (b"\xc2\x85A", "A"),
        (b"A\x85", "A"),
    ],
)
def test_a_code_is_text_without_identifier_controls_and_blanks_around(
    data: bytes, code: str
) -> None:
    """UTF-8, else latin-1; in a line and in a frame."""
    assert decode(data + b"\r") == ([code], Counts())
    assert decode(bytes([3, 0, len(data)]) + data) == ([code], Counts())


def test_what_is_empty_is_dropped_and_no_mistake() -> None:
    """Nothing was shown."""
    assert decode(b"\r  \r\t\x1d\r]E0\r\xef\xbb\xbf\r") == ([], Counts())


@pytest.mark.parametrize("binary", [b"\x00", b"\x01", b"\x02", b"\x03", b"\x1b", b"\x08"])
def test_a_line_with_binary_in_it_is_no_code(binary: bytes) -> None:
    """Half of something else stands in it; the next line counts."""
    codes, counts = decode(b"87" + binary + LINE + LINE)
    assert (codes, counts.rejected) == ([CODE], 1)


def test_several_lines_in_one_frame_are_no_code() -> None:
    """A line end in the middle says that the length is not true; one at its end is a tail."""
    assert decode(b"\x03\x00\x09BEGIN\r\nEND")[0] == []
    assert decode(b"\x03\x00\x07BEGIN\r\n") == (["BEGIN"], Counts())


def test_a_code_may_be_so_long_and_no_longer() -> None:
    """Characters, not bytes; what is longer is counted, and not kept until its end comes."""
    for sign in ("A", "é", "\u2014"):
        assert decode((sign * 512 + "\r").encode())[0] == [sign * 512]
        assert decode((sign * 513 + "\r").encode() + LINE) == ([CODE], Counts(rejected=1))
    assert decode(b"\x03\x00\x0a" + b"A" * 10 + FRAME, longest=9)[1] == Counts(rejected=2)
    codes, counts = decode(b"A" * 100_000 + b"\r" + LINE)
    assert (codes, counts) == ([CODE], Counts(noise=100_000, rejected=1))


def test_the_profile_may_pick_the_credential_out_of_a_code() -> None:
    """A staff pass with more than the number on it."""
    decoder = Gm65Decoder("em4100", Text("hex", r"KARTU:([0-9A-F]+);.*", longest=100))
    found = list(decoder.feed(b"KARTU:3C00CE754C;SITI\rKARTU 3C00CE754C\r"))
    assert found == [Scan("em4100", "3C00CE754C")]
    assert decoder.counts == Counts(rejected=1)


def test_a_cut_wire_leaves_nothing_half_there() -> None:
    """After half a line, a spoilt one, half an answer and half a frame."""
    for half in (LINE[:5], b"\x00" + LINE[:5], OK[:4], FRAME[:5], b"A" * 9000):
        decoder = Gm65Decoder()
        list(decoder.feed(half))
        decoder.restart()
        assert held(decoder) == 0
        assert decoder.wake_ms is None
        assert list(decoder.feed(LINE)) == [Scan("qr", CODE)]


def held(decoder: Gm65Decoder) -> int:
    return sum(len(value) for value in vars(decoder).values() if isinstance(value, bytes))


near = st.lists(
    st.sampled_from(b"\x00\x01\x02\x03\x0a\x0d\xab\xcd\xe9]E0318"), min_size=1, max_size=40
).map(bytes)
noise = st.binary(min_size=1, max_size=40) | near
answers = st.builds(answer_of, st.binary(max_size=20) | near, st.integers(0, 255))
whole = st.one_of(st.sampled_from([LINE, FRAME, *ANSWERS]), answers)
cut = st.tuples(whole, st.integers(0, 40)).map(lambda pair: pair[0][: pair[1]])
streams = st.lists(st.one_of(whole, cut, noise), max_size=8).map(b"".join)


def run(parts: Sequence[bytes]) -> tuple[list[Scan], list[Scan], Counts]:
    decoder = Gm65Decoder("qr", Text(longest=20))
    early = [scan for part in parts for scan in decoder.feed(part, 50)]
    return early, list(decoder.feed(b"", 50 + STALE_MS)), decoder.counts


@settings(max_examples=400)
@given(streams, st.lists(st.integers(0, 300), max_size=10))
def test_any_chunking_gives_the_same_codes_and_counts(stream: bytes, cuts: list[int]) -> None:
    """Whole, byte by byte, and cut anywhere; before silence and after it."""
    ends = [0, *sorted(min(one, len(stream)) for one in cuts), len(stream)]
    anyhow = [stream[first:last] for first, last in pairwise(ends)]
    assert run([stream]) == run(one_by_one(stream)) == run([part for part in anyhow if part])


@settings(max_examples=400)
@given(noise, st.sampled_from([(LINE, CODE), (FRAME, "0321563840"), (OK + LINE, CODE)]))
def test_noise_before_a_code_costs_nothing(before: bytes, good: tuple[bytes, str]) -> None:
    """Behind random bytes and a line end it says what it says, at the latest after silence."""
    assert decode(before + b"\r" + good[0])[0][-1:] == [good[1]]


@settings(max_examples=300)
@given(st.lists(streams, max_size=5), st.integers(0, 2 * STALE_MS))
def test_no_bytes_raise_and_no_buffer_grows(chunks: list[bytes], pause_ms: int) -> None:
    """Any bytes at any time; afterwards a code is still a code."""
    decoder, now_ms = Gm65Decoder("qr", Text(longest=20, end_ms=30)), 0
    for chunk in chunks:
        now_ms += pause_ms
        list(decoder.feed(chunk, now_ms))
        assert held(decoder) <= 4 * 20 + 8 + 3 + 255 + 261
    list(decoder.feed(b"", now_ms + STALE_MS))
    assert list(decoder.feed(LINE, now_ms + STALE_MS)) == [Scan("qr", CODE)]


def test_no_buffer_grows_under_a_megabyte_of_anything() -> None:
    """Of each byte, of half answers, half frames and endless lines."""
    for garbage in (
        *(bytes([one]) for one in range(256)),
        OK[:-1],
        b"\x02\x00\x00\xff",
        FRAME[:-1],
    ):
        decoder = Gm65Decoder()
        for _ in range(4):
            list(decoder.feed(garbage * (4096 // len(garbage))))
        assert held(decoder) <= 4 * 512 + 8 + 3 + 255 + 261, garbage
