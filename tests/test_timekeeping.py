"""What the spine makes of its clocks: anchors, incidents, what staff see."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clock_terminal import BOOTED, HOUR, Clocks, Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path, Clocks())
    with closing(one.journal):
        yield one


def test_an_unknown_time_is_stamped_as_unknown(terminal: Terminal) -> None:
    """Whatever the system clock says; nothing is written about it."""
    terminal.turn()
    at = terminal.clocks.stamp()
    assert (at.utc_ms, at.source, at.error_ms) == (terminal.clocks.system_ms(), "none", None)
    assert terminal.journal.last_seq == 0


def test_a_receiver_that_agrees_with_itself_makes_time_known(terminal: Terminal) -> None:
    """The anchor states it, with how far off the system clock is; stamps say it from then on."""
    terminal.receive()
    (anchor,) = terminal.entries("clock")
    assert (anchor["why"], anchor["at"]["source"]) == ("known", "gnss")
    truth = BOOTED + anchor["at"]["mono_ms"]
    assert abs(anchor["at"]["utc_ms"] - truth) <= anchor["at"]["error_ms"] <= 510
    assert abs(anchor["system_ms"] - terminal.clocks.off_ms) <= anchor["at"]["error_ms"]
    at = terminal.clocks.stamp()
    assert at.source == "gnss"
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= 510
    assert terminal.appended == [anchor["seq"]]


def test_a_disciplined_kernel_makes_time_known(terminal: Terminal) -> None:
    """At the first look, with the kernel's own bound."""
    terminal.clocks.off_ms, terminal.clocks.error_ms = 3, 40
    terminal.turn()
    (anchor,) = terminal.entries("clock")
    assert (anchor["at"]["source"], anchor["at"]["error_ms"]) == ("ntp", 40)
    assert terminal.told == []


def test_an_anchor_a_day_and_one_after_a_long_silence(terminal: Terminal) -> None:
    """While time is confirmed; one that only drifts says nothing new, and is better afterwards."""
    terminal.receive()
    for _ in range(30):
        terminal.turn(HOUR)
    assert terminal.anchors == [("known", "gnss")]
    terminal.receive(1)
    assert terminal.anchors == [("known", "gnss"), ("better", "gnss")]
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 400
    for _ in range(49):
        terminal.turn(HOUR)
    assert terminal.anchors[2:] == [("daily", "ntp")] * 2


def test_a_step_of_the_system_clock_is_an_incident_and_changes_no_stamp(
    terminal: Terminal,
) -> None:
    """Set back an hour by hand, which ends the kernel's vouching; mended half an hour later."""
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    terminal.turn()
    terminal.clocks.off_ms, terminal.clocks.error_ms = -HOUR, None
    terminal.turn()
    assert terminal.told == [("opened", "system", "stepped 3600.0 s behind")]
    at = terminal.clocks.stamp()
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0) < 100
    terminal.turn(HOUR // 2)
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    terminal.turn()
    assert [one[:2] for one in terminal.told] == [("opened", "system"), ("closed", "system")]


def test_a_kernel_that_vouches_for_a_step_is_contradicted(terminal: Terminal) -> None:
    """The error then reaches over both, and both are told."""
    terminal.receive()
    terminal.clocks.off_ms, terminal.clocks.error_ms = HOUR, 20
    terminal.turn()
    assert ("opened", "ntp", "ntp is 3600.0 s ahead of gnss") in [
        (state, which, cause.replace("3599.8", "3600.0")) for state, which, cause in terminal.told
    ]
    assert terminal.time.receiver_contradicted
    at = terminal.clocks.stamp()
    assert (at.error_ms or 0) > HOUR // 2 - 1000
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0)


def test_a_slow_drift_of_the_system_clock_is_an_incident(terminal: Terminal) -> None:
    """Once it was right, and is off by more than a second beyond all errors."""
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    terminal.turn()
    terminal.clocks.error_ms = None
    for _ in range(8):
        terminal.clocks.off_ms += 400
        terminal.turn(5_000)
        terminal.receive(1)
    terminal.receive(6)
    (incident,) = terminal.told
    assert incident[:2] == ("opened", "system")
    assert incident[2].startswith("is ")


def test_a_clock_that_was_never_right_is_no_incident(terminal: Terminal) -> None:
    """In a blank spot the system clock may say 1970 for years; the status shows it."""
    terminal.turn()
    terminal.receive()
    assert terminal.told == []


def test_two_that_overrule_the_belief_are_an_anchor(terminal: Terminal) -> None:
    """Its reason says that what was stamped before was contradicted."""
    terminal.receive(off_ms=-HOUR)
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    for _ in range(9):
        terminal.turn()
    doubted = terminal.entries("clock")[-1]["at"]
    assert doubted["error_ms"] >= HOUR // 2
    terminal.receive(8)
    assert [why for why, _ in terminal.anchors] == ["known", "doubted", "settled"]
    at = terminal.clocks.stamp()
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0) < 1000


def test_a_system_clock_that_hovers_at_the_limit_is_one_incident(terminal: Terminal) -> None:
    """It is right again when it is off by half of that."""
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    terminal.turn()
    terminal.clocks.error_ms = None
    for off_ms in (400, 800, *[1_100, 1_000] * 50):
        terminal.clocks.off_ms = off_ms
        terminal.turn()
    assert [state for state, _, _ in terminal.told] == ["opened"]
    terminal.clocks.off_ms = 300
    terminal.turn()
    assert [state for state, _, _ in terminal.told] == ["opened", "closed"]


@pytest.mark.parametrize("turns", [1, 9])
def test_a_clock_that_flaps_does_not_fill_the_journal(terminal: Terminal, turns: int) -> None:
    """A time server that is right and wrong in turn, beside a receiver or alone: ten minutes."""
    for receiver in (True, False):
        before = terminal.journal.last_seq
        for number in range(1200):
            terminal.clocks.off_ms = HOUR * (number // turns % 2)
            terminal.clocks.error_ms = 20
            terminal.turn()
            if receiver and number == 0:
                terminal.receive()
        assert 2 <= terminal.journal.last_seq - before <= 4 * 10 + 4


def test_a_network_that_leaves_what_both_had_confirmed_is_not_the_receivers_fault(
    terminal: Terminal,
) -> None:
    """The receiver still agrees with the belief: its place is not suspect, the network is told."""
    terminal.receive()
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 600
    terminal.turn()
    terminal.clocks.off_ms, terminal.clocks.error_ms = HOUR, 20
    for _ in range(9):
        terminal.receive(1)
    assert not terminal.time.receiver_contradicted
    assert "ntp" in [which for _, which, _ in terminal.told]
    assert "doubted" not in [why for why, _ in terminal.anchors]
    at = terminal.clocks.stamp()
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0) < 700


def test_a_receiver_that_learns_its_leap_seconds_settles_what_it_said_before(
    terminal: Terminal,
) -> None:
    """An old firmware is three seconds ahead until the satellites have told it: that is no lie."""
    terminal.receive(60, off_ms=3_000)
    terminal.turn(12 * 60_000)
    terminal.receive(8)
    assert [why for why, _ in terminal.anchors] == ["known", "settled"]
    assert terminal.told == []
    assert not terminal.time.receiver_contradicted
    at = terminal.clocks.stamp()
    assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0) <= 510
