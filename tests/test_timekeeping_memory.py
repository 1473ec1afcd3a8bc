"""What timekeeping remembers: of earlier boots, and of earlier agents in this one."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from clock_terminal import DAY, FLOOR, HOUR, Clocks, Terminal, again

from edge_agent.evidence.battery_clock import Known
from edge_agent.terminal.timekeeping import floor_ms


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path, Clocks())
    with closing(one.journal):
        yield one


def test_what_two_have_known_is_the_floor_of_the_next_boot(
    tmp_path: Path, terminal: Terminal
) -> None:
    """Dates before it are moved or refused; without a memory it is the program's date."""
    assert floor_ms(None) == FLOOR == terminal.time.floor_ms
    terminal.receive(4)
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 30
    terminal.receive()
    assert terminal.anchors == [("known", "ntp")]
    terminal.turn(25 * HOUR)
    assert terminal.anchors[-1] == ("daily", "ntp")
    known_ms = terminal.entries("clock")[-1]["at"]["utc_ms"]
    second = again(terminal, tmp_path)
    with closing(second.journal):
        assert 0 <= known_ms - second.time.floor_ms <= 1_000
        second.receive(off_ms=-DAY)  # it was a day ahead of that when the power went
        assert second.clocks.belief is None
        second.receive()
        assert second.clocks.belief is not None


def test_one_false_witness_does_not_move_the_floor_by_years(
    tmp_path: Path, terminal: Terminal
) -> None:
    """A receiver that lies in 2033 is believed for lack of another; its lie is not inherited."""
    terminal.receive(off_ms=7 * 365 * DAY)
    assert terminal.clocks.belief is not None
    second = again(terminal, tmp_path)
    with closing(second.journal):
        assert second.time.floor_ms == FLOOR
        second.receive()
        at = second.clocks.stamp()
        assert abs(at.utc_ms - second.clocks.true_ms) <= 510


@pytest.mark.parametrize("days", [390, 500, 790])
def test_one_false_witness_does_not_move_the_floor_at_all(
    tmp_path: Path, terminal: Terminal, days: int
) -> None:
    """Else an honest receiver, and NTP, would be refused until that day."""
    terminal.receive(off_ms=days * DAY)
    second = again(terminal, tmp_path)
    with closing(second.journal):
        second.receive()
        assert second.clocks.belief is not None
        assert abs(second.clocks.stamp().utc_ms - second.clocks.true_ms) <= 510


def restarted(terminal: Terminal, folder: Path) -> Terminal:
    """Another agent in the same boot."""
    terminal.journal.close()
    terminal.clocks.belief = None
    return Terminal(folder, terminal.clocks)


def test_an_agent_that_is_restarted_knows_what_its_boot_knew(
    tmp_path: Path, terminal: Terminal
) -> None:
    """At once and without another anchor, however often; what contradicts it is seen."""
    terminal.receive(off_ms=HOUR)
    for _ in range(3):
        terminal = restarted(terminal, tmp_path)
        terminal.turn()
        assert terminal.clocks.stamp().source == "gnss"
    assert terminal.anchors == [("known", "gnss")]
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    for _ in range(9):
        terminal.turn()
    assert terminal.anchors[1:] == [("doubted", "gnss")]
    terminal.journal.close()


def test_a_doubt_outlives_the_agent_and_ends_with_two_that_agree(
    tmp_path: Path, terminal: Terminal
) -> None:
    """One alone, heard by an agent that was not there, may be the one that lied."""
    terminal.receive(off_ms=HOUR)
    terminal.clocks.off_ms, terminal.clocks.error_ms = 0, 20
    for _ in range(9):
        terminal.turn()
    terminal.clocks.error_ms = None
    terminal = restarted(terminal, tmp_path)
    for off_ms in (HOUR, None, 0):
        if off_ms is not None:
            terminal.receive(12, off_ms)
        at = terminal.clocks.stamp()
        assert abs(at.utc_ms - terminal.clocks.true_ms) <= (at.error_ms or 0)
        assert [why for why, _ in terminal.anchors][:2] == ["known", "doubted"]
        assert "settled" not in [why for why, _ in terminal.anchors]
    terminal.clocks.error_ms = 20
    terminal.turn()
    assert terminal.anchors[-1][0] == "settled"
    assert (terminal.clocks.stamp().error_ms or 0) < 600
    terminal.journal.close()


def test_what_the_battery_clock_stamped_before_the_first_anchor_is_judged(
    tmp_path: Path, terminal: Terminal
) -> None:
    """It had been taught a lie; the first turn hears the truth, after the start entry."""
    terminal.clocks.rtc_off_ms = 0
    terminal.receive(off_ms=HOUR)
    second = again(terminal, tmp_path)
    with closing(second.journal):
        second.clocks.off_ms, second.clocks.error_ms = 0, 20
        second.turn()
        second.turn()
        assert [why for why, _ in second.anchors][-2:] == ["known", "settled"]


def test_a_battery_clock_is_believed_after_it_was_compared(
    tmp_path: Path, terminal: Terminal
) -> None:
    """Two minutes wrong when time was known, and still after a cut of a week."""
    terminal.clocks.rtc_off_ms = 120_000
    terminal.turn()
    assert terminal.clocks.belief is None
    terminal.receive()
    second = again(terminal, tmp_path, 7 * DAY)
    with closing(second.journal):
        second.turn()
        at = second.clocks.stamp()
        assert second.anchors[-1] == ("known", "rtc")
        assert abs(at.utc_ms - second.clocks.true_ms) <= (at.error_ms or 0) < 200_000
        second.receive()
        assert second.anchors[-1] == ("better", "gnss")


def test_a_memory_survives_as_it_was_written(tmp_path: Path, terminal: Terminal) -> None:
    """With a battery clock's distance and without."""
    terminal.clocks.rtc_off_ms = 1_500
    terminal.receive()
    known = terminal.journal.known_time()
    assert known is not None
    assert known.rtc_ahead is not None
    assert known.rtc_ahead.low_ms <= 1_500 <= known.rtc_ahead.high_ms
    assert isinstance(known, Known)
    assert known.utc_ms <= terminal.clocks.true_ms
