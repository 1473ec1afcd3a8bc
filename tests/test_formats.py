"""What readers print of one card is one credential, and nothing else is a credential."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.formats import Spelling, canonical
from edge_agent.profile import Text

FORMATS = ("hex", "hex_rev", "dec10", "dec10_le", "dec13", "w26", "w34", "w34_rev")


@pytest.mark.parametrize(
    ("form", "printed", "value"),
    [
        ("hex", "3C00CE754C", "3C00CE754C"),
        ("hex", "3c 00 ce 75 4c", "3C00CE754C"),
        ("hex", "3C:00:CE:75:4C", "3C00CE754C"),
        ("hex", "3C-00-CE-75-4C", "3C00CE754C"),
        ("hex", "00CE754C", "00CE754C"),
        ("hex_rev", "4C75CE003C", "3C00CE754C"),
        ("dec13", "0257711568204", "3C00CE754C"),
        ("dec10", "0013530444", "00CE754C"),
        ("dec10_le", "1282788864", "00CE754C"),
        ("w34", "00206,30028", "00CE754C"),
        ("w34", "13530444", "00CE754C"),
        ("w34", "0013530444", "00CE754C"),
        ("w34_rev", "19573,52736", "00CE754C"),
        ("w34_rev", "1282788864", "00CE754C"),
        ("w26", "206,30028", "CE754C"),
        ("w26", "206:30028", "CE754C"),
        ("w26", "206-30028", "CE754C"),
        ("w26", "206/30028", "CE754C"),
        ("w26", "206 30028", "CE754C"),
        ("w26", "13530444", "CE754C"),
        ("raw", "0013530444", "0013530444"),
    ],
)
def test_one_card_in_every_spelling(form: str, printed: str, value: str) -> None:
    """The card printed 0013530444 and 206,30028, whose frame says 3C00CE754C."""
    assert canonical(form, "em4100", printed) == value


@pytest.mark.parametrize(
    ("form", "printed"),
    [
        ("hex", "1EA68671"),
        ("hex_rev", "7186A61E"),
        ("w34_rev", "29062,42526"),
        ("w34_rev", str(0x7186A61E)),
        ("dec10_le", str(0x7186A61E)),
        ("dec10", "0514229873"),
    ],
)
def test_both_byte_orders_of_a_13_56_mhz_card_are_one_card(form: str, printed: str) -> None:
    """A Wiegand-34 reader says 7186A61E where an MFRC522 says 1EA68671."""
    assert canonical(form, "14443a", printed) == "1EA68671"


@pytest.mark.parametrize(
    ("form", "technology", "printed"),
    [
        ("hex", "em4100", "CE754C"),
        ("hex", "em4100", "013C00CE754C"),
        ("hex", "em4100", "3C00CE754"),
        ("hex", "em4100", "3C 00CE 754C"),
        ("hex", "em4100", "3C:00-CE:75-4C"),
        ("hex", "em4100", " 3C00CE754C"),
        ("hex", "em4100", "3C00CE754C\n"),
        ("hex", "em4100", "\N{FULLWIDTH DIGIT THREE}C00CE754C"),
        ("hex", "14443a", "04C63A6311"),
        ("hex", "14443a", "04C63A631101"),
        ("hex", "qr", "3C"),
        ("hex", "qr", "00112233445566778899AA"),
        ("dec10", "em4100", "13530444"),
        ("dec10", "em4100", "00013530444"),
        ("dec10", "em4100", "4294967296"),
        ("dec10", "em4100", "+013530444"),
        ("dec10", "em4100", "0_13530444"),
        ("dec13", "em4100", "257711568204"),
        ("dec13", "em4100", "1099511627776"),
        ("dec13", "14443a", "0257711568204"),
        ("w26", "em4100", "256,00001"),
        ("w26", "em4100", "206,65536"),
        ("w26", "em4100", "206,,30028"),
        ("w26", "em4100", "20630028"),
        ("w26", "em4100", "16777216"),
        ("w26", "em4100", "0013530444"),
        ("w26", "14443a", "206,30028"),
        ("w34", "em4100", "65536,00001"),
        ("w34", "em4100", "4294967296"),
        ("w34", "em4100", "00000000001"),
        ("raw", "text", ""),
    ],
)
def test_what_does_not_have_the_declared_form_is_no_credential(
    form: str, technology: str, printed: str
) -> None:
    """Too short, too long, too large, mixed separators, digits of other scripts, signs."""
    assert canonical(form, technology, printed) is None


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("zero", ["0", "00", "00000000", "0000000000", "0" * 13, "000,00000"])
def test_number_0_is_no_card(form: str, zero: str) -> None:
    """Readers say it when they have seen noise."""
    assert canonical(form, "em4100", zero) is None


cards = st.binary(min_size=5, max_size=5).filter(lambda card: any(card[2:]))


@given(cards, st.sampled_from(["", " ", ":", "-"]))
def test_every_card_is_the_same_in_every_spelling(card: bytes, between: str) -> None:
    """Each spelling gives the card's bytes, or the last four, or the last three of them."""
    number, short = card[1:], card[2:]
    facility, code = number[1], int.from_bytes(number[2:], "big")
    high = int.from_bytes(number[:2], "big")
    for form, printed, value in (
        ("hex", card.hex(between) if between else card.hex(), card),
        ("hex_rev", card[::-1].hex(), card),
        ("dec13", f"{int.from_bytes(card, 'big'):013}", card),
        ("dec10", f"{int.from_bytes(number, 'big'):010}", number),
        ("dec10_le", f"{int.from_bytes(number, 'little'):010}", number),
        ("w34", f"{high:05},{code:05}", number),
        ("w34", str(int.from_bytes(number, "big")), number),
        ("w34_rev", str(int.from_bytes(number, "little")), number),
        ("w26", f"{facility:03},{code:05}", short),
        ("w26", f"{int.from_bytes(short, 'big'):08}", short),
    ):
        assert canonical(form, "em4100", printed) == value.hex().upper(), (form, printed)


printed = (
    st.text(st.sampled_from("0123456789ABCDEFabcdef ,:/-\r\n\x00é\u0966"), max_size=16) | st.text()
)


@given(st.sampled_from(FORMATS), st.sampled_from(["em4100", "14443a", "text"]), printed)
def test_a_value_is_always_whole_bytes_of_a_possible_card(
    form: str, technology: str, text: str
) -> None:
    """Whatever is printed: nothing, or upper-case hex of as many bytes as such a card can have."""
    value = canonical(form, technology, text)
    sizes = {"em4100": {3, 4, 5}, "14443a": {4, 7, 10}, "text": set(range(3, 11))}[technology]
    if value is not None:
        assert re.fullmatch("([0-9A-F]{2})+", value)
        assert len(value) // 2 in sizes
        assert value.strip("0")


@pytest.mark.parametrize(
    ("pattern", "line", "value"),
    [
        (r"UID: (.*)", "UID: 04 C6 3A 63 11 01 89", "04C63A63110189"),
        (r".*?((?:[0-9A-F]{2} ?){7}).*", "[04 C6 3A 63 11 01 89 ]", "04C63A63110189"),
        (r"[0-9A-F ]+", "04C63A63110189", "04C63A63110189"),
        (r"UID: (.*)", "ATQ: 04 C6 3A 63", None),
        (r"UID: (.*)", "X UID: 04C63A63110189", None),
        (r"UID:(?: (.*))?", "UID:", None),
    ],
)
def test_the_pattern_of_the_profile_picks_the_credential(
    pattern: str, line: str, value: str | None
) -> None:
    """Its first group, else the whole; it must fit the whole line, and a group may be absent."""
    spelling = Spelling("14443a", Text("hex", pattern), "")
    assert spelling.value(line) == value


def test_a_line_longer_than_the_profile_says_is_none() -> None:
    """Even if the pattern would find something in it."""
    spelling = Spelling("text", Text("raw", ".*?([0-9]{4}).*", longest=8), "")
    assert spelling.value("ab1234cd") == "1234"
    assert spelling.value("ab1234cde") is None
