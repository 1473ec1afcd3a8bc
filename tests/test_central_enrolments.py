"""What terminals enrol is kept, names punches, and is told to the others unless doubtful."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from central_wall import (
    MORNING,
    NOW,
    ORGANISATION,
    ROSTER,
    SITI,
    Wall,
    full_wall,
    rows,
    stamp,
    take,
    wall_at,
)

from edge_agent.central import announce, roster
from edge_agent.central.bindings import Force, Verdict
from edge_agent.central.enrolments import enrolments
from edge_agent.central.reports import punches
from edge_agent.central.rollcall import Presence, rollcall
from edge_agent.central.store import Store
from edge_agent.contract import messages
from edge_agent.contract.credentials import conceal
from edge_agent.records import Enrolment, Grade, Person, Place, Punch, Stamp

NEW = "14443a:04C63A63110189"
SARI, TANPA = Person("p-3", "Wa Ode Sari"), Person("p-4", "Tanpa Kartu")


@pytest.fixture
def store():
    with Store(Path(":memory:")) as one:
        one.enlist(roster.parse(ROSTER, ORGANISATION, "roster.csv"), NOW)
        yield one


def enrol(
    wall: Wall,
    card: str,
    person: str,
    at_ms: int = MORNING,
    *,
    slot: int | None = None,
    scanner: str = "front",
) -> int:
    """An enrolment at this terminal, as its journal states it."""
    technology = card.partition(":")[0]
    record = Enrolment(conceal(card, ORGANISATION), technology, scanner, person, slot)
    return wall.add(record, stamp(at_ms))


def told(store: Store, terminal: str = "bungi-2") -> dict[str, Person]:
    """The roster that a terminal gets, less what the roster itself gives."""
    message = messages.decode_roster(announce.roster_message(store.db, terminal))
    given = {row[0] for row in rows(store, "holder")}
    return {key: who for key, who in message.people.items() if key not in given}


def version(store: Store) -> int:
    return messages.decode_roster(announce.roster_message(store.db, "bungi-2")).version


def test_what_one_terminal_enrols_all_terminals_are_told(store):
    """With the name of the roster, and as a newer roster than the one before."""
    wall, before = wall_at(), version(store)
    enrol(wall, NEW, "p-4")
    take(store, wall.batch())
    assert told(store) == {conceal(NEW, ORGANISATION): TANPA}
    assert version(store) > before
    take(store, wall.batch())
    assert len(rows(store, "enrolment")) == 1


def test_each_enrolment_makes_the_roster_newer_even_if_the_clock_was_set_back(store):
    """A terminal takes only a newer roster; a new import is newer still."""
    seen = [version(store)]
    for number in range(3):
        wall = wall_at(terminal=f"t-{number}")
        enrol(wall, f"14443a:0000000{number}", "p-4")
        store.take(wall.batch(), NOW - 1_000_000)
        seen.append(version(store))
    seen.append(store.enlist(roster.parse(ROSTER, ORGANISATION, "r"), NOW - 2_000_000))
    assert seen == sorted(set(seen))


def test_a_punch_is_named_by_the_roster_then_by_an_enrolment_then_by_itself(store):
    """Each only where the one before says nothing."""
    wall = wall_at()
    enrol(wall, SITI, "p-2")
    enrol(wall, NEW, "p-4")
    wall.punch(SITI, MORNING, person="p-2")
    wall.punch(NEW, MORNING + 1, person="p-9")
    wall.punch("14443a:FFFFFFFF", MORNING + 2, person="p-2")
    wall.punch("14443a:EEEEEEEE", MORNING + 3)
    take(store, wall.batch())
    assert [(line.person, line.name, line.named_by) for line in punches(store.db)] == [
        ("p-1", "Siti Rahma", "roster"),
        ("p-4", "Tanpa Kartu", "enrolment"),
        ("p-2", "La Ode Harun", "terminal"),
        (None, None, ""),
    ]


def test_who_was_enrolled_is_present_in_the_roll_call(store):
    """Also by a punch at another terminal, made before the card was enrolled."""
    here, there = wall_at(), wall_at("dinkes", "dinkes-1")
    there.punch(NEW, MORNING)
    enrol(here, NEW, "p-4", MORNING + 1)
    for wall in (here, there):
        take(store, wall.batch())
    office = rollcall(store.db, NOW, NOW, "dinkes").offices[0]
    (called,) = [one for one in office.people if one.person == "p-4"]
    assert called.presence is Presence.PRESENT
    assert len(office.people) == 2


def line_of(store: Store, person: str) -> tuple[Verdict, Force, bool]:
    (line,) = [one for one in enrolments(store.db) if one.person == person]
    return line.roster, line.force, line.told


@pytest.mark.parametrize(
    ("card", "person", "verdict", "is_told"),
    [
        (SITI, "p-1", Verdict.AGREES, True),
        (SITI, "p-2", Verdict.CONTRADICTS, False),
        (SITI, "p-77", Verdict.CONTRADICTS, False),
        ("em4100:0000A1", "p-2", Verdict.CONTRADICTS, False),
        (NEW, "p-4", Verdict.SILENT, True),
        (NEW, "p-77", Verdict.UNKNOWN, False),
        ("finger:f00d", "p-4", Verdict.SILENT, False),
    ],
)
def test_the_roster_agrees_contradicts_or_does_not_know(store, card, person, verdict, is_told):
    """Only what nothing speaks against is told to the terminals, and never a finger."""
    wall = wall_at()
    enrol(wall, card, person)
    take(store, wall.batch())
    assert line_of(store, person) == (verdict, Force.HOLDS, is_told)
    new = is_told and verdict is not Verdict.AGREES
    assert told(store) == ({conceal(card, ORGANISATION): TANPA} if new else {})


def test_one_card_for_two_persons_is_a_conflict_and_told_to_nobody(store):
    """Each terminal keeps its own; elsewhere it is nobody's, until one of them enrols it again."""
    one, two, three = wall_at(), wall_at(terminal="bungi-2"), wall_at(terminal="bungi-3")
    enrol(one, NEW, "p-3")
    enrol(two, NEW, "p-4")
    for wall in (one, two, three):
        wall.punch(NEW, MORNING + 1)
        take(store, wall.batch())
    assert line_of(store, "p-3") == line_of(store, "p-4") == (Verdict.SILENT, Force.CONFLICT, False)
    assert told(store) == {}
    assert {line.terminal: line.person for line in punches(store.db)} == {
        "bungi-1": "p-3",
        "bungi-2": "p-4",
        "bungi-3": None,
    }
    enrol(one, NEW, "p-4", MORNING + 2)
    take(store, one.batch())
    assert told(store) == {conceal(NEW, ORGANISATION): TANPA}
    assert line_of(store, "p-3")[1] is Force.REPLACED


def test_a_card_that_was_passed_on_does_not_rename_old_punches(store):
    """The punch belongs to whom the terminal had bound the card to at that time."""
    wall = wall_at()
    enrol(wall, NEW, "p-3")
    wall.punch(NEW, MORNING)
    enrol(wall, NEW, "p-4")
    wall.punch(NEW, MORNING + 1)
    take(store, wall.batch())
    assert [line.name for line in punches(store.db)] == [SARI.name, TANPA.name]
    assert told(store) == {conceal(NEW, ORGANISATION): TANPA}


def test_a_finger_names_its_punches_and_stays_where_it_is(store):
    """Its credential is made for that module; slot and all stand in the list."""
    wall = wall_at()
    enrol(wall, "finger:f00d", "p-4", slot=17, scanner="sensor")
    concealed = conceal("finger:f00d", ORGANISATION)
    record = Punch(concealed, "finger", "sensor", Place(Grade.NO_SKY), None, None, None, 17, 98)
    wall.add(record, Stamp("0f" * 16, 0, MORNING, "ntp"))
    take(store, wall.batch())
    assert punches(store.db)[0].person == "p-4"
    (line,) = enrolments(store.db)
    assert (line.scanner, line.technology, line.slot) == ("sensor", "finger", 17)
    assert (line.local.date, line.local.time) == ("2026-11-23", "07:30:00")
    assert told(store) == {}


def test_a_short_number_of_two_cards_stays_nobodys_whoever_enrols_it(store):
    """Enrolled at a Wiegand-26 reader it would make one person of two everywhere."""
    text = "card,person,name,site\nem4100:3C00CE754C,p-3,Sari,x\nem4100:3C01CE754C,p-4,Kartu,x\n"
    store.enlist(roster.parse(text, ORGANISATION, "r"), NOW)
    wall, other = wall_at(), wall_at(terminal="bungi-2")
    enrol(wall, "em4100:CE754C", "p-3")
    other.punch("em4100:CE754C", MORNING)
    for one in (wall, other):
        take(store, one.batch())
    assert line_of(store, "p-3") == (Verdict.SHARED, Force.HOLDS, False)
    assert told(store) == {}
    assert punches(store.db)[0].person is None
    store.enlist(roster.parse(ROSTER, ORGANISATION, "r"), NOW)
    assert line_of(store, "p-3") == (Verdict.SILENT, Force.HOLDS, True)


def test_an_enrolment_that_the_chain_does_not_bear_out_gives_nobody_a_name(store):
    """Somebody with the SD card in his laptop must not make a card his at every terminal."""
    wall = wall_at()
    enrol(wall, NEW, "p-3")
    wall.texts[1] = wall.texts[1].replace("p-3", "p-4")
    wall.punch(NEW, MORNING)
    take(store, wall.batch())
    assert line_of(store, "p-4") == (Verdict.SILENT, Force.BROKEN, False)
    assert told(store) == {}
    assert punches(store.db)[0].person is None


def test_a_new_journal_of_a_terminal_replaces_what_the_old_one_bound(store):
    """A re-imaged terminal begins at entry 1 again; what it says now counts."""
    old, new = wall_at(), Wall(journal="ab" * 16)
    enrol(old, NEW, "p-3")
    new.start(MORNING)
    enrol(new, NEW, "p-4")
    for wall in (old, new):
        take(store, wall.batch())
    assert told(store) == {conceal(NEW, ORGANISATION): TANPA}


#: What an older central may have stored as entries of a kind that it did not know.
STRANGE = {"credential": "ab", "technology": "x", "scanner": "s", "person": "p", "slot": "five"}
AT = {"boot": "0f" * 16, "mono_ms": 0, "utc_ms": NOW, "source": "none"}


def make_old(path: Path) -> None:
    """Bring a database back to the shape before enrolments, and put strange ones into it."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            "DROP TABLE enrolment; DROP TABLE shared; DROP TABLE loose; DROP TABLE clock;"
            "DROP TABLE boot; ALTER TABLE posting ADD COLUMN at_ms INTEGER;"
            "DELETE FROM _sqlite_migrations WHERE name IN ('enrolments', 'resolved_times')"
        )
        for seq, key in enumerate([*STRANGE, "other"], 90):
            for change in ({key: 7}, {key: None}):
                number = 2 * seq + bool(change[key])
                every = {"kind": "enrolment", "seq": number, "at": AT}
                text = json.dumps(STRANGE | change | every)
                entry = (1, number, "enrolment", NOW, text, NOW, 0)
                db.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", entry)


def test_enrolments_that_came_before_the_central_knew_them_are_found(tmp_path):
    """An older central stored them, as entries of a kind it did not know, in whatever form."""
    path = tmp_path / "central.db"
    wall = wall_at()
    enrol(wall, NEW, "p-4")
    enrol(wall, "finger:f00d", "p-3", slot=5)
    with Store(path) as store:
        store.enlist(roster.parse(ROSTER, ORGANISATION, "r"), NOW)
        take(store, wall.batch())
        expected, before = rows(store, "enrolment"), version(store)
    make_old(path)
    with Store(path) as store:
        found = rows(store, "enrolment")
        assert found[:2] == expected
        slots = [None, 7, None, None]
        assert [row[2:] for row in found[2:]] == [("ab", "x", "s", "p", slot) for slot in slots]
        assert told(store) == {conceal(NEW, ORGANISATION): TANPA}
        assert version(store) == before + 1


def test_entries_that_are_no_enrolment_cost_no_statement_of_their_own(store):
    """The batch path: as many statements for 200 punches as for two."""
    counts = []
    for size in (3, 201):
        said: list[str] = []
        store.db.conn.set_trace_callback(said.append)
        store.take(full_wall(size, f"t-{size}").batch(), NOW)
        store.db.conn.set_trace_callback(None)
        counts.append(sum("INTO entry" not in text for text in said))
    assert counts[0] == counts[1]
