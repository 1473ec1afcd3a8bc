"""Readers that print one credential a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.text import STALE_MS, TextDecoder
from edge_agent.profile import Text
from edge_agent.records import Counts, Scan

MAX_LINE = Text().longest
#: A reader that sends no line end, only silence.
SILENT = Text("dec10", end_ms=50)


def decode(data: bytes) -> tuple[list[str], Counts]:
    decoder = TextDecoder("text")
    return [scan.value for scan in decoder.feed(data)], decoder.counts


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\x03", b"\r\x03", b"\r\n\x03"])
@pytest.mark.parametrize("begin", [b"", b"\x02"])
def test_every_line_end_in_use_ends_a_line(begin: bytes, end: bytes) -> None:
    """CR, LF, both, ETX, and CR before ETX; an STX before the line is dropped."""
    line = begin + b"0013530444" + end
    assert decode(line + line) == (["0013530444"] * 2, Counts())


@pytest.mark.parametrize(
    "value", ["0013530444", "3C00CE754C", "04C63A63110189", "206,30028", "a1:b2:c3:d4", "7F_3-x"]
)
def test_what_readers_print_is_a_credential(value: str) -> None:
    """Decimal, hex, facility and card, with separators; kept as it is printed."""
    decoder = TextDecoder("w26")
    assert list(decoder.feed(f"{value}\r\n".encode())) == [Scan("w26", value)]


@pytest.mark.parametrize(
    "line", [b"123", b"00 13", b"0013\xe9", b"\x0200\x0213", b"12.34", b"\x02"]
)
def test_what_no_credential_looks_like_is_rejected(line: bytes) -> None:
    """Too short, with a blank, not ASCII, a start in the middle, other signs, only a start."""
    assert decode(line + b"\r\n") == ([], Counts(rejected=1))


def test_empty_lines_are_nothing() -> None:
    """A CR LF after an ETX is no line and no mistake."""
    assert decode(b"\r\n\r\n\x03\r\n") == ([], Counts())


def test_the_longest_line_is_taken_and_a_longer_one_is_not() -> None:
    """64 signs, with or without a start."""
    longest = b"A" * MAX_LINE
    assert decode(longest + b"\r") == (["A" * MAX_LINE], Counts())
    assert decode(b"\x02" + longest + b"\r") == (["A" * MAX_LINE], Counts())
    assert decode(b"A" + longest + b"\r") == ([], Counts(rejected=1))
    assert decode(b"AA" + longest + b"\r") == ([], Counts(noise=MAX_LINE + 2, rejected=1))


def test_the_end_of_an_overlong_line_is_no_credential() -> None:
    """What follows the cut is still the same line."""
    assert decode(b"A" * 500 + b"0013530444\r0013530445\r")[0] == ["0013530445"]


def test_a_line_without_an_end_is_not_given() -> None:
    """Half a number is another number; there is no checksum to tell."""
    assert decode(b"00135304") == ([], Counts())


def test_what_was_half_there_is_dropped_when_the_wire_was_cut() -> None:
    """Half a line before and a whole one after must not become one long number."""
    decoder = TextDecoder("text")
    assert list(decoder.feed(b"00135")) == []
    decoder.restart()
    assert list(decoder.feed(b"0013530444\r\n")) == [Scan("text", "0013530444")]
    assert decoder.counts == Counts(noise=5)


def test_an_overlong_line_ends_when_the_wire_was_cut() -> None:
    """The first line after it counts."""
    decoder = TextDecoder("text")
    list(decoder.feed(b"A" * 500))
    decoder.restart()
    assert list(decoder.feed(b"0013530444\r\n")) == [Scan("text", "0013530444")]


def test_a_line_is_read_as_the_profile_says() -> None:
    """Blanks around it are nothing; what has not the declared form is rejected."""
    decoder = TextDecoder("em4100", Text("dec10"))
    lines = b"0013530444\r\n  0013530444\t\n3C00CE754C\r0000000000\r"
    assert list(decoder.feed(lines)) == [Scan("em4100", "00CE754C")] * 2
    assert decoder.counts == Counts(rejected=2)


def test_a_reader_that_prints_more_than_the_number_is_read_by_a_pattern() -> None:
    """Banner lines and headings that the pattern does not fit are rejected one by one."""
    decoder = TextDecoder("14443a", Text("hex_rev", r"UID\W+(.*)", longest=40))
    said = b"\r\nCard found\r\nUID\xa3\xba 89 01 11 63 3A C6 04\r\nType 4\r\n"
    assert list(decoder.feed(said)) == [Scan("14443a", "04C63A63110189")]
    assert decoder.counts == Counts(rejected=2)


def test_the_profile_says_how_long_a_line_may_be() -> None:
    """One more sign and it is none."""
    decoder = TextDecoder("text", Text(longest=10))
    assert [one.value for one in decoder.feed(b"\x02" + b"A" * 10 + b"\r")] == ["A" * 10]
    assert list(decoder.feed(b"A" * 11 + b"\r" + b"A" * 12 + b"\r")) == []
    assert decoder.counts == Counts(noise=12, rejected=2)


def test_silence_ends_a_line_of_a_reader_that_sends_no_end() -> None:
    """Not before it has lasted, and counted from the last byte."""
    decoder = TextDecoder("em4100", SILENT)
    assert list(decoder.feed(b"00135", 1000)) == []
    assert list(decoder.feed(b"30444", 1040)) == []
    assert decoder.wake_ms == 1090
    assert list(decoder.feed(b"", 1089)) == []
    assert list(decoder.feed(b"", 1090)) == [Scan("em4100", "00CE754C")]
    assert decoder.wake_ms is None
    assert list(decoder.feed(b"", 9000)) == []
    assert decoder.counts == Counts()


def test_a_reader_with_line_ends_is_not_kept_waiting() -> None:
    """The silence is for those without; a line end still ends a line at once."""
    decoder = TextDecoder("em4100", SILENT)
    assert list(decoder.feed(b"0013530444\r\n", 1000)) == [Scan("em4100", "00CE754C")]
    assert decoder.wake_ms is None


def test_bytes_that_come_late_to_us_do_not_make_two_lines() -> None:
    """A busy machine reads late; only silence that was seen ends a line."""
    decoder = TextDecoder("em4100", Text("w34", end_ms=20))
    assert list(decoder.feed(b"00135", 1000)) == []
    assert list(decoder.feed(b"30444", 1400)) == []
    assert list(decoder.feed(b"", 1420)) == [Scan("em4100", "00CE754C")]


@pytest.mark.parametrize("settings", [Text(), SILENT])
@pytest.mark.parametrize("seen", [True, False])
def test_half_a_line_is_not_joined_to_the_next_one(settings: Text, seen: bool) -> None:
    """Whether the silence was seen or not: a cut number must not become a longer one."""
    decoder = TextDecoder("em4100", settings)
    assert list(decoder.feed(b"00135", 1000)) == []
    assert decoder.wake_ms == 1000 + (settings.end_ms or STALE_MS)
    if seen:
        assert list(decoder.feed(b"", 1000 + STALE_MS)) == []
        assert decoder.wake_ms is None
    assert len(list(decoder.feed(b"0013530444\r\n", 1000 + STALE_MS))) == 1
    assert decoder.counts in (Counts(noise=5), Counts(rejected=1))


def test_an_overlong_line_ends_with_silence() -> None:
    """Noise without a line end must not cost the next card, an hour later."""
    decoder = TextDecoder("text")
    assert list(decoder.feed(b"A" * 500, 1000)) == []
    assert list(decoder.feed(b"", 1000 + STALE_MS)) == []
    assert list(decoder.feed(b"0013530444\r", 3_600_000)) == [Scan("text", "0013530444")]


lines = st.lists(
    st.sampled_from([b"0013530444", b"4294967295", b"123", b"", b"\x02", b"A" * 90]), max_size=6
)


@given(lines, st.lists(st.integers(0, 9), min_size=1))
def test_lines_with_silence_between_them_are_the_same_in_any_chunks(
    said: list[bytes], sizes: list[int]
) -> None:
    """Chunks come a few milliseconds apart; between lines there is silence."""
    outcomes = []
    for cuts in ([1000], [1], sizes):
        decoder, now_ms, found = TextDecoder("em4100", SILENT), 0, []
        for line in said:
            rest, turn = line, 0
            while rest:
                size = max(1, cuts[turn % len(cuts)])
                found += decoder.feed(rest[:size], now_ms)
                rest, turn, now_ms = rest[size:], turn + 1, now_ms + 5
            now_ms += 50
            found += decoder.feed(b"", now_ms)
        outcomes.append((found, decoder.counts))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    good = [line for line in said if len(line) == 10]
    assert len(outcomes[0][0]) == len(good)


def test_the_rest_of_a_line_under_way_when_the_port_opens_is_no_credential() -> None:
    """Half of 206,30028 is another card; the next line is read."""
    decoder = TextDecoder("em4100", Text("w26"))
    decoder.restart()
    assert decoder.poll(1000) == b""
    assert list(decoder.feed(b"6,300", 1002)) == []
    assert list(decoder.feed(b"28\r\n206,30028\r\n", 1010)) == [Scan("em4100", "CE754C")]
    assert decoder.counts == Counts(len("6,30028\r"), 0)
    decoder.restart()
    decoder.poll(2000)
    assert list(decoder.feed(b"206,30028\r\n", 2020)) == [Scan("em4100", "CE754C")]
