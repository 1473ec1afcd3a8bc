"""Both real conversations over a wire that fails: no false record, none doubled, and it ends.

The devices are chips of `sim`, which do as their data sheets say; time is virtual, so that each
message of a conversation can be the one at which something happens.
"""

from collections.abc import Callable

import pytest
from decoder_cases import MOST_HELD, held
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import TROUBLES, Arrives
from virtual import STATIONS, Station

from edge_agent.records import Condition, Misread, Scan

#: A thing that was not seen for so long is presented anew; so long it may take to read again.
SAME_MS, AGAIN_AT_MOST_MS = 3000, 3000


def is_sound(station: Station) -> bool:
    """Only the two things, and none of them twice without a pause in which it was not seen."""
    virtual, last_ms = station.virtual, dict.fromkeys(station.scans, -SAME_MS)
    for record, at_ms in zip(virtual.records, virtual.at_ms, strict=True):
        assert not isinstance(record, Misread)
        if isinstance(record, Scan):
            assert at_ms - last_ms[record.credential] >= SAME_MS
            last_ms[record.credential] = at_ms
    return held(virtual.decoder) <= MOST_HELD


@pytest.mark.parametrize("kind", STATIONS)
@settings(max_examples=60)
@given(
    troubles=st.lists(TROUBLES, max_size=30),
    unasked=st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=40)), max_size=5),
    begins_ms=st.sampled_from([0, 800, 1500]),
)
def test_trouble_on_the_wire_makes_no_false_scan_and_ends(
    kind: str,
    troubles: list[Callable[[bytes], Arrives]],
    unasked: list[tuple[int, bytes]],
    begins_ms: int,
) -> None:
    """A thing is held while messages are lost, damaged, late and doubled; then another is shown."""
    station = STATIONS[kind]()
    virtual, coming = station.virtual, list(troubles)
    virtual.run(begins_ms)
    station.wire.change = lambda message: coming.pop(0)(message) if coming else [(0, message)]
    for in_ms, noise in unasked:
        virtual.say(noise, in_ms)
    station.show(0)
    virtual.run(20_000, until=lambda: not coming)
    virtual.run(SAME_MS + AGAIN_AT_MOST_MS)
    assert station.scans[0] in station.read(virtual.records)
    assert is_sound(station)
    station.lift()
    virtual.run(1000)
    station.show(1)
    assert station.read(virtual.run(AGAIN_AT_MOST_MS)) == [station.scans[1]]
    assert is_sound(station)


# --- the cable ------------------------------------------------------------------------------------


def messages(station: Station) -> int:
    """How many have passed, both ways together."""
    return len(station.virtual.heard) + station.virtual.said


def run_messages(station: Station, count: int) -> None:
    """Until so many more have passed."""
    before = messages(station)
    station.virtual.run(5000, until=lambda: messages(station) - before >= count)


def until_messages(kind: str, count: int, shown: bool) -> Station:
    """A station, and a thing that is held if `shown`, after so many messages."""
    station = STATIONS[kind]()
    station.virtual.run(2000)
    if shown:
        station.show(0)
    run_messages(station, count)
    return station


@pytest.mark.parametrize("power", [True, False], ids=["power", "cable"])
@pytest.mark.parametrize("kind", STATIONS)
def test_a_cable_pulled_in_the_introduction_costs_nothing(kind: str, power: bool) -> None:
    """After each message of it, with the device's power or without; a thing is held throughout."""
    for count in range(16):
        station = STATIONS[kind]()
        station.show(0)
        run_messages(station, count)
        before = len(station.virtual.records)
        station.unplug(power=power)
        station.virtual.run(AGAIN_AT_MOST_MS)
        assert station.read(station.virtual.records) == [station.scans[0]], count
        assert Condition("") in station.virtual.records[before:]


@pytest.mark.parametrize("away_ms", [0, 1000])
@pytest.mark.parametrize("power", [True, False], ids=["power", "cable"])
@pytest.mark.parametrize("kind", STATIONS)
def test_a_cable_pulled_while_a_thing_is_held_doubles_nothing(
    kind: str, power: bool, away_ms: int
) -> None:
    """After each message of a presentation and of the looks behind it: one scan, within 3 s."""
    for count in range(1, 40):
        station = until_messages(kind, count, shown=True)
        station.unplug(away_ms, power)
        station.virtual.run(AGAIN_AT_MOST_MS)
        assert station.read(station.virtual.records) == [station.scans[0]], count
        assert not [one for one in station.virtual.records if isinstance(one, Misread)]


@pytest.mark.parametrize("kind", STATIONS)
def test_a_cable_pulled_while_nothing_is_there_makes_no_phantom(kind: str) -> None:
    """After each message of the looks; what is shown when the cable is back is read within 3 s."""
    for count in range(1, 30):
        station = until_messages(kind, count, shown=False)
        station.unplug()
        assert station.read(station.virtual.run(AGAIN_AT_MOST_MS)) == []
        station.unplug()
        station.show(1)
        assert station.read(station.virtual.run(AGAIN_AT_MOST_MS)) == [station.scans[1]]


@pytest.mark.parametrize("kind", STATIONS)
def test_another_thing_after_the_cable_was_away_is_read(kind: str) -> None:
    """Two people, one before and one after: two scans, wherever it was pulled."""
    for count in range(12, 40):
        station = until_messages(kind, count, shown=True)
        if station.scans[0] not in station.read(station.virtual.records):
            continue
        station.unplug(500)
        station.show(1) if kind == "fingerprint" else (station.lift(), station.show(1))
        station.virtual.run(AGAIN_AT_MOST_MS)
        assert station.read(station.virtual.records) == list(station.scans), count
