"""The roster file: concealed as it is read, and one clear error for what is wrong in it."""

from pathlib import Path

import pytest
from central_wall import ORGANISATION, ROSTER, SITI, take, wall_at
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.central import announce, roster
from edge_agent.central.store import Store
from edge_agent.contract import messages
from edge_agent.contract.credentials import conceal, names, registered
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.text import TextDecoder
from edge_agent.errors import EdgeAgentError
from edge_agent.profile import Text


def test_a_roster_is_concealed_as_it_is_read():
    """Only the concealed form of a card leaves this function."""
    register = roster.parse(ROSTER, ORGANISATION, "roster.csv")
    assert len(register.people) == 4
    assert register.holders[conceal(SITI, ORGANISATION)] == "p-1"
    assert SITI not in repr(register)


def test_a_person_may_hold_two_cards_and_columns_may_stand_in_any_order():
    """A replaced card keeps working next to the new one."""
    text = "name,site,person,card\r\nSiti,x,p-1,em4100:00000000A1\r\nSiti,x,p-1,14443a:1EA68671\r\n"
    register = roster.parse(text, ORGANISATION, "r")
    assert len(register.people) == 1
    assert set(register.holders.values()) == {"p-1"}


GOOD = "em4100:00000000A1,p-1,Siti,x"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "it is empty"),
        ("card,person,name\n", 'no column "site"'),
        ("card,person,name,site,nip\n", 'an unknown column "nip"'),
        ("card,person,name,site,site\n", "a column twice"),
        ("card;person;name;site\n", "semicolons"),
        (f"card,person,name,site\n{GOOD},more\n", "line 2 has 5 columns"),
        (f"card,person,name,site\n{GOOD}\nem4100:00000000A1,p-2,Harun,x\n", "lines 2 and 3"),
        (f"card,person,name,site\n{GOOD}\nem4100:00000000A2,p-1,Siti R,x\n", "line 3 gives p"),
        ("card,person,name,site\n00000000A1,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nem4100:00000000a1,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nem4100:00000000A,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\n14443a:04C63A,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nem4100:0000000A1,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nem4100:00A1,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nqr:A\x9bB,p-1,Siti,x\n", "line 2: the card"),
        ("card,person,name,site\nfinger:17,p-1,Siti,x\n", "line 2: a finger"),
        (f"card,person,name,site\n{GOOD}\nem4100:000000A1,p-2,Harun,x\n", "lines 2 and 3"),
        (f"card,person,name,site\nem4100:0000A1,p-2,Harun,x\n{GOOD}\n", "lines 2 and 3"),
        ("card,person,name,site\nem4100:00000000A1,,Siti,x\n", "line 2: person"),
        (f"card,person,name,site\nem4100:00000000A1,p,{'x' * 81},x\n", "line 2: name"),
        ('card,person,name,site\nem4100:00000000A1,p,"Si\nti",x\n', "line 3: name"),
        ('card,person,name,site\nem4100:00000000A1,p,"Siti,x\n', "line 2:"),
    ],
)
def test_a_wrong_roster_is_one_error_with_its_line_and_its_cure(text, cause):
    """Whoever keeps the list finds the line without help."""
    with pytest.raises(EdgeAgentError) as failure:
        roster.parse(text, ORGANISATION, "roster.csv")
    assert cause in failure.value.cause
    assert failure.value.subject == "roster.csv"
    assert failure.value.hint
    assert "00000000A" not in str(failure.value), "a card number in an error"


def test_a_roster_file_saved_by_a_spreadsheet_is_read(tmp_path):
    """A byte order mark is no part of the first column's name; other encodings are an error."""
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8-sig")
    assert len(roster.read(path, ORGANISATION).people) == 4
    path.write_bytes("card,person,name,site\n,p,Renée,x\n".encode("latin-1"))
    with pytest.raises(EdgeAgentError, match="UTF-8"):
        roster.read(path, ORGANISATION)
    with pytest.raises(EdgeAgentError, match="No such file"):
        roster.read(tmp_path / "none.csv", ORGANISATION)


HEAD = "card,person,name,site\n"
CARD = "em4100:3C00CE754C"


def holder(register: roster.Register, credential: str) -> str | None:
    """Whom terminal and central take for the holder of what was read."""
    return register.holders.get(conceal(credential, ORGANISATION))


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("hex", b"3C00CE754C\r\n"),
        ("hex", b"\x023c 00 ce 75 4c\x03"),
        ("hex_rev", b"4C75CE003C\n"),
        ("dec13", b"0257711568204\r"),
        ("dec10", b"0013530444\r\n"),
        ("dec10_le", b"1282788864\r\n"),
        ("w34", b"00206,30028\r\n"),
        ("w34_rev", b"1282788864\r\n"),
        ("w26", b"206,30028\r\n"),
        ("w26", b"13530444\r\n"),
    ],
)
def test_one_card_is_one_person_at_every_reader(form, line):
    """From the bytes of the line to the person, though not one of these readers agrees on it."""
    register = roster.parse(
        f"{HEAD}{CARD},p-1,Siti,x\nem4100:3C00CE754D,p-2,H,x\n", ORGANISATION, ""
    )
    (scan,) = TextDecoder("em4100", Text(form)).feed(line)
    assert holder(register, scan.credential) == "p-1"
    (frame,) = Em4100Decoder().feed(b"\x023C00CE754CCB\x03")
    assert holder(register, frame.credential) == "p-1"


def test_both_byte_orders_of_a_13_56_mhz_card_are_one_person():
    """Registered as read on the air; it has no shorter name that could be somebody else's."""
    register = roster.parse(f"{HEAD}14443a:1EA68671,p-1,Siti,x\n", ORGANISATION, "r")
    for form, line in (
        ("hex", b"1EA68671\r"),
        ("hex_rev", b"7186A61E\r"),
        ("w34_rev", b"29062,42526\r"),
    ):
        (scan,) = TextDecoder("14443a", Text(form)).feed(line)
        assert holder(register, scan.credential) == "p-1"
    assert len(register.holders) == register.cards == 1


def test_a_short_number_that_two_persons_share_is_nobodys():
    """Wiegand-26 drops the bytes in which these cards differ; a wrong name is worse than none."""
    text = (
        f"{HEAD}{CARD},p-1,Siti,x\nem4100:3C01CE754C,p-2,Harun,x\nem4100:1101CE754C,p-2,Harun,x\n"
    )
    register = roster.parse(text, ORGANISATION, "r")
    assert register.ambiguous == {conceal("em4100:CE754C", ORGANISATION)}
    assert holder(register, "em4100:CE754C") is None
    assert holder(register, "em4100:00CE754C") == "p-1"
    assert holder(register, "em4100:01CE754C") == "p-2"
    assert register.cards == 3


def test_a_person_may_register_a_card_and_its_short_number():
    """Both lines say the same; nothing is ambiguous about it."""
    text = f"{HEAD}em4100:CE754C,p-1,Siti,x\n{CARD},p-1,Siti,x\n"
    register = roster.parse(text, ORGANISATION, "r")
    assert (register.cards, len(register.holders), len(register.ambiguous)) == (2, 3, 0)


def test_a_code_may_have_blanks_and_letters_of_any_script():
    """As the QR module reads it."""
    register = roster.parse(f'{HEAD}"qr:La Ode, Harun — 17",p-1,H,x\n', ORGANISATION, "r")
    assert holder(register, "qr:La Ode, Harun — 17") == "p-1"


@pytest.mark.parametrize(
    ("credential", "known"),
    [
        (CARD, (CARD, "em4100:00CE754C", "em4100:CE754C")),
        (
            "em4100:00CE754C",
            ("em4100:00CE754C", "em4100:CE754C", "em4100printed:00CE754C"),
        ),
        ("em4100:CE754C", ("em4100:CE754C",)),
        ("em4100:3C00000000", ("em4100:3C00000000",)),
        ("em4100:3C01000000", ("em4100:3C01000000", "em4100:01000000")),
        ("14443a:1EA68671", ("14443a:1EA68671",)),
        ("14443a:04C63A63110189", ("14443a:04C63A63110189",)),
        ("text:3C00CE754C", ("text:3C00CE754C",)),
        ("qr:em4100:3C00CE754C", ("qr:em4100:3C00CE754C",)),
    ],
)
def test_the_names_of_a_card_are_its_own_and_the_shorter_ones(credential, known):
    """Only EM4100 cards are read in part in a way that is the same everywhere; 0 is no card."""
    assert names(credential) == known


few = st.tuples(*[st.integers(0, 2)] * 5).map(bytes)


@given(st.dictionaries(few, st.sampled_from("ABC"), max_size=12))
def test_no_reader_ever_takes_a_card_for_another_persons(cards):
    """Whatever cards there are: under each of its names a card is its holder's or nobody's."""
    lines = [f"em4100:{card.hex().upper()},{who},{who},x" for card, who in cards.items()]
    register = roster.parse(HEAD + "\n".join(lines), ORGANISATION, "r")
    persons: dict[str, set[str]] = {}
    for card, who in cards.items():
        for name in names(f"em4100:{card.hex().upper()}"):
            persons.setdefault(name, set()).add(who)
    expected = {name: who.pop() for name, who in persons.items() if len(who) == 1}
    assert register.holders == {conceal(n, ORGANISATION): who for n, who in expected.items()}
    assert len(register.ambiguous) == len(persons) - len(expected)


def test_a_card_registered_by_its_printed_number_is_known_where_it_is_read_in_full() -> None:
    """And another card that only ends like one registered in full is not taken for it."""
    text = "card,person,name,site\nem4100:00CE754C,p-1,Siti,a\nem4100:3C00D10263,p-2,Harun,a\n"
    holders = roster.parse(text, ORGANISATION, "roster.csv").holders

    def holder(read: str) -> str | None:
        found = (holders.get(conceal(one, ORGANISATION)) for one in registered(read))
        return next(filter(None, found), None)

    assert holder("em4100:3C00CE754C") == "p-1"
    assert holder("em4100:3C00D10263") == "p-2"
    assert holder("em4100:FF00D10263") is None
    assert holder("em4100:00D10263") == "p-2"


def test_a_roster_too_large_goes_without_short_names_of_people_elsewhere() -> None:
    """Those who work at the terminal's site keep theirs; the central knows everybody's."""
    lines = [f"em4100:3C{number:08X},p-{number},N{number},a" for number in range(1, 7001)]
    lines += [
        f"em4100:3D{number:08X},q-{number},N{number},kec-bungi" for number in range(8001, 8011)
    ]
    text = "card,person,name,site\n" + "\n".join(lines) + "\n"
    with Store(Path(":memory:")) as store:
        store.enlist(roster.parse(text, ORGANISATION, "roster.csv"), 1)
        take(store, wall_at().batch())
        sent = messages.decode_roster(announce.roster_message(store.db, "bungi-1"))
    assert len(sent.people) == 7000 + 3 * 10
    assert len({one.id for one in sent.people.values()}) == 7010
