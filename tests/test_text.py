"""Readers that print one credential a line."""

import pytest

from edge_agent.devices.text import MAX_LINE, TextDecoder
from edge_agent.records import Counts, Scan


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
