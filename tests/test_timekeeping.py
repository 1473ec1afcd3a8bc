"""What the spine makes of its clocks: anchors, incidents, what is remembered, what staff see."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from builders import TERMINAL

from edge_agent import BUILT
from edge_agent.events import Located
from edge_agent.evidence.battery_clock import Known
from edge_agent.journal import Journal
from edge_agent.ports.clock import Clock, Reading
from edge_agent.records import Fix
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.timekeeping import Timekeeping, floor_ms

FLOOR = round(datetime.fromisoformat(BUILT).replace(tzinfo=UTC).timestamp()) * 1000
#: When this machine booted.
BOOTED = FLOOR + 20 * 86_400_000
DAY, HOUR = 86_400_000, 3_600_000


class Clocks(Clock):
    """The clocks of a machine, each where a test puts it.

    Attributes:
        off_ms: how far the system clock is ahead of the truth.
        error_ms: what the kernel says of it, None while it vouches for nothing.
        rtc_off_ms: how far the battery clock is ahead; None if there is none.
    """

    def __init__(self, boot: str = "0f" * 16) -> None:
        super().__init__()
        self.boot = boot
        self.now_ms = 5_000
        self.booted_ms = BOOTED
        self.off_ms = -BOOTED
        self.error_ms: int | None = None
        self.rtc_off_ms: int | None = None

    @property
    def true_ms(self) -> int:
        return self.booted_ms + self.now_ms

    def mono_ms(self) -> int:
        return self.now_ms

    def system_ms(self) -> int:
        return self.true_ms + self.off_ms

    def reading(self) -> Reading:
        return Reading(self.now_ms, self.system_ms() * 1_000_000, self.error_ms)

    def rtc_ms(self) -> int | None:
        return None if self.rtc_off_ms is None else (self.true_ms + self.rtc_off_ms) // 1000 * 1000


class Terminal:
    """Timekeeping on a journal, and what it wrote."""

    def __init__(self, folder: Path, clocks: Clocks) -> None:
        self.clocks = clocks
        self.journal = Journal(folder / "journal.db", TERMINAL)
        self.appended: list[int] = []
        self.incidents = Incidents(self.journal, {}, self.appended.append)
        self.time = Timekeeping(self.journal, clocks, self.incidents, self.appended.append, 1000)

    def turn(self, after_ms: int = 500) -> None:
        self.clocks.now_ms += after_ms
        self.time.settle()
        self.incidents.settle(self.clocks.now_ms, self.clocks.stamp)

    def receive(self, seconds: int = 6, off_ms: int = 0) -> None:
        """A receiver, 300 ms late."""
        for _ in range(seconds):
            said = Fix(0, 0, self.clocks.true_ms - 300 + off_ms)
            self.time.located(Located(said, self.clocks.now_ms))
            self.turn(1000)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        rows = self.journal.read(1, self.journal.last_seq, 10**9) if self.journal.last_seq else []
        return [json.loads(row.text) for row in rows if row.kind == kind]

    @property
    def anchors(self) -> list[tuple[str, str]]:
        return [(one["why"], one["at"]["source"]) for one in self.entries("clock")]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(one["state"], one["which"], one["cause"]) for one in self.entries("incident")]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(tmp_path, Clocks())
    with closing(one.journal):
        yield one


def again(terminal: Terminal, folder: Path, off_ms: int = 60_000) -> Terminal:
    """The same terminal after a power cut."""
    terminal.journal.close()
    clocks = Clocks("1e" * 16)
    clocks.booted_ms = terminal.clocks.true_ms + off_ms
    clocks.off_ms = -clocks.booted_ms
    clocks.rtc_off_ms = terminal.clocks.rtc_off_ms
    return Terminal(folder, clocks)


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
