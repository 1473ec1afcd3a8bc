"""The roster file: concealed as it is read, and one clear error for what is wrong in it."""

import pytest
from central_wall import ORGANISATION, ROSTER, SITI

from edge_agent.central import roster
from edge_agent.contract.credentials import conceal
from edge_agent.errors import EdgeAgentError


def test_a_roster_is_concealed_as_it_is_read():
    """Only the concealed form of a card leaves this function."""
    register = roster.parse(ROSTER, ORGANISATION, "roster.csv")
    assert len(register.people) == 4
    assert register.holders[conceal(SITI, ORGANISATION)] == "p-1"
    assert SITI not in repr(register)


def test_a_person_may_hold_two_cards_and_columns_may_stand_in_any_order():
    """A replaced card keeps working next to the new one."""
    text = "name,site,person,card\r\nSiti,x,p-1,em4100:00000000A1\r\nSiti,x,p-1,finger:17\r\n"
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
