"""An office day with an outage in the middle, played on this machine with real parts.

A broker, the central and one terminal run as processes of their own; a scanner and a GNSS receiver
speak on pseudo-terminals. In the middle of the day the network goes away, and during the outage the
agent is killed with SIGKILL. People behave as people do: who sees no light taps again.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.errors import EdgeAgentError
from edge_agent.sim import day
from edge_agent.sim.account import render
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.office import Office
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.scanner import Rdm6300

#: Shares of the day at which the network goes, the agent is killed, and the network returns.
_CUT, _KILL, _MEND = 0.3, 0.5, 0.65
_PATIENCE_S = 1.5
#: The reader's first frame is out by then, the second, which makes it a punch, is not.
_MID_TAP_S = 0.05
_DELIVERY_LIMIT_S = 30.0

Say = Callable[[str], None]


@dataclass
class _Play:
    """What has happened so far."""

    taps: int = 0
    again: int = 0
    network: str = "up"
    events: list[str] = field(default_factory=list)

    def tell(self, event: str, *, network: str) -> None:
        """Note what has just happened, and how the network is now."""
        self.network = network
        self.events.append(event)


def play(seconds: int, keep: Path | None, say: Say) -> bool:
    """Play the day in so many seconds and give its account; True if nothing is lost or doubled.

    Args:
        seconds: length of the play.
        keep: directory for journal and database, None for a temporary one.
        say: takes lines of text for the person who watches.

    Raises:
        EdgeAgentError: there is no broker, or a part does not start.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        return _play_in(keep, seconds, say)
    with tempfile.TemporaryDirectory(prefix="edge-agent-demo-") as work:
        return _play_in(Path(work), seconds, say)


def _play_in(work: Path, seconds: int, say: Say) -> bool:
    with Office(work) as office:
        say(f"{day.SITE.name} ({day.SITE.zone}): {len(day.staff())} staff, one stranger's card")
        say(f"broker {office.broker.name}, MQTT {office.broker.protocol}, on 127.0.0.1")
        office.start()
        say("broker, central and terminal are running, the roster has arrived; the day begins\n")
        state = _Play()
        with _Watcher(office, state, say):
            _play_day(office, state, seconds)
            delivered = office.wait_delivered(_DELIVERY_LIMIT_S)
        if not delivered:
            say("the backlog was not delivered in time")
        account = office.account(state.taps, state.again)
    for line in render(account):
        say(line)
    return account.holds


def _play_day(office: Office, state: _Play, seconds: int) -> None:
    taps = day.compress(day.taps(seed=7), seconds)
    receiver = GnssReceiver(day.SITE.latitude, day.SITE.longitude)
    scanner = Rdm6300(office.scanner)
    pause = threading.Event()
    began = time.monotonic()
    with GnssModule(office.gnss, receiver, period_s=0.5):
        for number, tap in enumerate(taps):
            pause.wait(max(0.0, began + tap.at_s - time.monotonic()))
            if number == round(len(taps) * _CUT):
                office.cut()
                state.tell("network lost", network="down")
            elif number == round(len(taps) * _MEND):
                office.mend()
                state.tell("network back", network="up")
            if number == round(len(taps) * _KILL):
                _tap_while_killed(office, scanner, tap.card, state)
            else:
                _tap(office, scanner, tap.card, state)


def _tap(office: Office, scanner: Rdm6300, card: str, state: _Play) -> None:
    """Hold a card until the panel answers; without an answer, tap again."""
    for attempt in range(10):
        seen = office.panel.count
        state.taps += 1
        state.again += attempt > 0
        scanner.present(card, held_s=0.2)
        if office.panel.wait(seen + 1, _PATIENCE_S):
            return
    raise EdgeAgentError("tap", card, "the panel never answered", "look at the agent's log")


def _tap_while_killed(office: Office, scanner: Rdm6300, card: str, state: _Play) -> None:
    """The agent dies while the card is at the reader; who saw no light taps again."""
    seen = office.panel.count
    state.taps += 1
    hand = threading.Thread(target=scanner.present, args=(card, 0.3), daemon=True)
    hand.start()
    hand.join(_MID_TAP_S)
    office.stop_agent(kill=True)
    state.tell("agent killed with SIGKILL in the middle of a tap", network=state.network)
    hand.join()
    office.start_agent()
    if office.panel.count == seen:
        state.again += 1
        _tap(office, scanner, card, state)


class _Watcher:
    """Says once a second what is tapped, stored, in flight and received."""

    def __init__(self, office: Office, state: _Play, say: Say) -> None:
        self._office = office
        self._state = state
        self._say = say
        self._told = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def __enter__(self) -> "_Watcher":
        self._say("  time   tapped  answered  entries  in flight  received   network")
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        self._tell(live=False)

    def _run(self) -> None:
        began = time.monotonic()
        with suppress(BrokenPipeError):  # nobody watches any more; the play itself will notice
            while not self._stop.wait(1.0):
                self._tell(live=sys.stdout.isatty(), seconds=time.monotonic() - began)

    def _tell(self, *, live: bool, seconds: float | None = None) -> None:
        while self._told < len(self._state.events):
            self._say(f"{'':8}*** {self._state.events[self._told]} ***")
            self._told += 1
        status = self._office.status()
        journal = status.get("journal", {})
        at = "   end" if seconds is None else f"{seconds:5.0f}s"
        line = (
            f"{at}  {self._state.taps:7}  {self._office.panel.count:8}"
            f"  {self._office.appended():7}  {journal.get('in_flight', 0):9}"
            f"  {journal.get('received', 0):8}   {self._state.network}"
        )
        if live:
            sys.stdout.write(f"\r{line}")
            sys.stdout.flush()
        else:
            self._say(line)
