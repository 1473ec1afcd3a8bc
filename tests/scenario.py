"""A terminal with a sky and clocks that a test sets, and what became of every tap at its central.

Agent, central and broker are processes, ports are pseudo-terminals. Receiver and machine clock are
simulated, and the truth stands beside them: for each tap it is known when it was made.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tapping import CARDS, STAFF

from edge_agent import BUILT
from edge_agent.sim import day
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.machine import Machine
from edge_agent.sim.office import Office
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.scanner import Id12la

#: True time at which a scene begins: after the program was made, and before now by the central's
#: own clock, which is this machine's.
MORNING = datetime.fromisoformat(BUILT).replace(tzinfo=UTC) + timedelta(minutes=25)

_PERIOD_S = 0.05
_LIMIT_S = 20.0
#: Of every scenario, for `pytest_terminal_summary`.
HEAD = ("scenario", "tap", "grade", "reasons", "source", "error ms", "bound ms")
ROWS = pytest.StashKey[list[tuple[str, ...]]]()


@dataclass(frozen=True, slots=True)
class Tap:
    """A card was presented between two instants of true time, UTC milliseconds."""

    name: str
    before_ms: int
    after_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the central says of a tap.

    Attributes:
        error_ms: the resolved time minus the true one.
        low_ms, high_ms: how far, by its own statement, it can be early and late at most; None where
            it sets no bound.
        claimed_wrong_ms: what the terminal claimed at the tap, minus the true time.
        local: date and time on the site's wall.
    """

    grade: str
    reasons: str
    source: str
    error_ms: int
    low_ms: int | None
    high_ms: int | None
    claimed_wrong_ms: int
    local: str

    @property
    def bound_ms(self) -> int | None:
        """The largest error that the central admits."""
        if self.low_ms is None or self.high_ms is None:
            return None
        return max(self.low_ms, self.high_ms)


class Scene:
    """One scenario; the office stands from `__enter__` on, its receiver is silent until `listen`.

    Attributes:
        machine, receiver: to be changed as the scenario wants.
    """

    def __init__(
        self,
        name: str,
        work: Path,
        utc: datetime,
        rows: list[tuple[str, ...]],
        late_s: float = 0.0,
        **clocks: Any,
    ) -> None:
        """Set it at the true time `utc`.

        `rows` are of the table, `late_s` is of `GnssModule`, `clocks` are of `Machine`.
        """
        self.machine = Machine(work / "clock.json", utc, **clocks)
        self.receiver = GnssReceiver(day.SITE.latitude, day.SITE.longitude)
        self.office = Office(
            work,
            profile="id12la",
            gnss_profile="ublox-m8",
            receipt_wait_s=1,
            people=STAFF[:12],
            machine=self.machine,
        )
        self.module = GnssModule(
            self.office.gnss,
            self.receiver,
            clock=self.machine.utc,
            period_s=_PERIOD_S,
            late_s=late_s,
        )
        self._name = name
        self._rows = rows
        self._taps: list[Tap] = []
        self._stack = ExitStack()

    def __enter__(self) -> "Scene":
        with ExitStack() as stack:  # what has started is ended if the rest does not
            stack.enter_context(self.office)
            stack.callback(self.module.stop)
            self.office.start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def tap(self, name: str) -> None:
        """Present a card that was not presented before, and wait for the panel."""
        seen = len(self._taps)
        before_ms = self.machine.utc_ms()
        Id12la(self.office.scanner).present(CARDS[seen])
        assert self.office.panel.wait(seen + 1, 5), name
        self._taps.append(Tap(name, before_ms, self.machine.utc_ms()))

    def listen(self, epochs: int = 5) -> None:
        """Until the agent has read so many more epochs of the receiver."""
        self.module.start()
        assert self.office.gnss.wait_open(_LIMIT_S)
        enough = self.module.epochs + epochs + 1  # the first may have begun before
        self.until(lambda: self.module.epochs >= enough)
        with self.module.silent():
            assert self.office.gnss.drain(_LIMIT_S)

    def believe(self) -> None:
        """Until what the receiver says is believed."""
        self.listen()
        self.knows("gnss")

    def pass_s(self, seconds: float) -> None:
        """So much time goes by while the receiver is silent."""
        with self.module.silent():
            self.office.gnss.drain(_LIMIT_S)
            self.machine.pass_s(seconds)

    def pass_listening(self, seconds: float, step_s: float = 10, epochs: int = 2) -> None:
        """The same, with a few epochs after each step."""
        for _ in range(round(seconds / step_s)):
            self.pass_s(step_s)
            self.listen(epochs)

    def pass_until(self, utc: datetime) -> None:
        """Until that true time; the last seconds of it pass by themselves."""
        left_s = (utc - self.machine.utc()).total_seconds() - 1
        if left_s > 3:
            self.pass_s(left_s)
        self.until(lambda: self.machine.utc() >= utc)

    def knows(self, source: str) -> None:
        """Until an anchor of this boot has this source."""
        boot = self.machine.boot
        self.until(lambda: (boot, source) in self._anchors())

    def until(self, done: Callable[[], bool]) -> None:
        self.office.wait_until(done, _LIMIT_S)

    def incidents(self, what: str) -> list[str]:
        """``opened`` and ``closed`` of this kind, in the terminal's journal."""
        return [one["state"] for one in self.office.entries("incident") if one["what"] == what]

    def _anchors(self) -> set[tuple[str, str]]:
        """Boot and source of each."""
        return {(one["at"]["boot"], one["at"]["source"]) for one in self.office.entries("clock")}

    def outcomes(self) -> dict[str, Outcome]:
        """Deliver everything; what the central says of each tap, by its name.

        Every one is put into the table, and whatever the scenario: each resolved time must lie
        within its stated bounds of the true one.
        """
        self.office.mend()
        assert self.office.wait_delivered(_LIMIT_S), self.office.status()
        punches = sorted(self.office.punches(), key=lambda punch: int(punch["seq"]))
        assert len(punches) == len(self._taps)
        pairs = list(zip(self._taps, punches, strict=True))
        found = {tap.name: _outcome(tap, punch) for tap, punch in pairs}
        self._rows += [_row(self._name, name, one) for name, one in found.items()]
        for tap, punch in pairs:
            low_ms, high_ms = punch["not_before_ms"], punch["not_after_ms"]
            assert low_ms is None or low_ms <= tap.after_ms, (tap, punch)
            assert high_ms is None or tap.before_ms <= high_ms, (tap, punch)
        return found


def _outcome(tap: Tap, punch: dict[str, Any]) -> Outcome:
    at_ms, low_ms, high_ms = punch["at_ms"], punch["not_before_ms"], punch["not_after_ms"]
    return Outcome(
        grade=punch["grade"],
        reasons=punch["reasons"] or "",
        source=punch["source"],
        error_ms=at_ms - tap.before_ms,
        low_ms=None if low_ms is None else at_ms - low_ms,
        high_ms=None if high_ms is None else high_ms - at_ms,
        claimed_wrong_ms=punch["claimed_ms"] - tap.before_ms,
        local=f"{punch['local']['date']} {punch['local']['time']}",
    )


def _row(scenario: str, tap: str, one: Outcome) -> tuple[str, ...]:
    bound = "none" if one.bound_ms is None else f"{one.bound_ms:,}"
    return (scenario, tap, one.grade, one.reasons, one.source, f"{one.error_ms:,}", bound)


MakeScene = Callable[..., Scene]
"""Name of the scenario, true time at its beginning, `late_s`, and the clocks of `Machine`."""
