"""One terminal, its broker and the central, as processes on this machine: the stage of a play.

Everything is real but the scanner, the sky and the network, which are simulated where they touch
the agent: a pseudo-terminal, a receiver, a TCP link that can be cut.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from edge_agent.errors import EdgeAgentError
from edge_agent.sim import day
from edge_agent.sim.account import Account, settle
from edge_agent.sim.broker import Broker
from edge_agent.sim.configuration import SITE_ID, TERMINAL, Rules, write_agent, write_central
from edge_agent.sim.link import Link
from edge_agent.sim.machine import Machine
from edge_agent.sim.panel import PanelReader
from edge_agent.sim.pty import PseudoPort

_READY_S = 20.0
_TICK_S = 0.05


class Office:
    """The stage in the directory `work`; nothing runs before `start`.

    Attributes:
        ports: of every scanner, by its name; `scanner` is the one that is always there.

    Args:
        work: where configurations, journal, database and logs go.
        broker: a broker of one's own; by default one that forgets nothing it has acknowledged.
        profile: of the scanner ``front``.
        scanners: more of them, name and profile; their names are paths in `work`.
        gnss_profile, gnss_baud: of the receiver, by default the configuration's.
        duplicate_s, receipt_wait_s, retry_s, keepalive_s: of the terminal.
        people: roster; by default the staff of `day`.
        machine: whose clocks the agent reads instead of this machine's.
    """

    def __init__(
        self,
        work: Path,
        broker: Broker | None = None,
        *,
        profile: str = "rdm6300",
        scanners: Sequence[tuple[str, str]] = (),
        gnss_profile: str | None = None,
        gnss_baud: int | None = None,
        duplicate_s: int = 5,
        receipt_wait_s: int = 3,
        retry_s: float = 0.2,
        people: Sequence[day.Staff] | None = None,
        machine: Machine | None = None,
        keepalive_s: int = 60,
    ) -> None:
        self.work = work
        self.broker = broker or Broker()
        self.link = Link(self.broker.port)
        self.scanner = PseudoPort(work / "front")
        more = {name: PseudoPort(work / name) for name, _ in scanners}
        self.ports = {"front": self.scanner, **more}
        self.gnss = PseudoPort(work / "gnss")
        self.panel = PanelReader(work / "panel.jsonl")
        self._people = day.staff() if people is None else people
        self._agent: subprocess.Popen[bytes] | None = None
        self._central: subprocess.Popen[bytes] | None = None
        self._pause = threading.Event()
        self._machine = machine
        rules = Rules(
            profile,
            duplicate_s,
            receipt_wait_s,
            retry_s,
            tuple(scanners),
            gnss_profile,
            gnss_baud,
            machine.path if machine else None,
            keepalive_s,
        )
        self.agent_config = write_agent(work, self.link.port, self.broker.protocol, rules)
        self.central_config = write_central(work, self.broker.port, self.broker.protocol)

    def __enter__(self) -> "Office":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop_agent()
        self.stop_central()
        for port in (*self.ports.values(), self.gnss):
            port.unplug()
        self.link.close()
        self.broker.close()

    def start(self, people: Sequence[day.Staff] | None = None) -> None:
        """Start everything and wait until the terminal is ready and has its roster.

        `people` replaces the roster. Raises EdgeAgentError if a part does not come up.
        """
        self._people = self._people if people is None else people
        self.broker.start()
        self.broker.wait_ready()
        for port in (*self.ports.values(), self.gnss):
            port.plug()
        roster = self.work / "roster.csv"
        lines = [f"{_credential(one.card)},{one.id},{one.name},{SITE_ID}" for one in self._people]
        roster.write_text("card,person,name,site\n" + "\n".join(lines) + "\n", encoding="utf-8")
        self.command("central", "roster", "import", str(roster), config=self.central_config)
        self.start_central()
        self.start_agent(wait=False)
        publish = ("central", "roster", "publish", TERMINAL)
        self.command(*publish, config=self.central_config)
        self._wait_agent()
        self._until(self._has_roster, "a roster")

    def start_central(self) -> None:
        self._central = self._spawn("central", "serve", config=self.central_config)

    def start_agent(self, *, wait: bool = True) -> None:
        """Start the agent; unless told otherwise wait until it listens to its scanner."""
        self._agent = self._spawn("run", config=self.agent_config)
        if wait:
            self._wait_agent()

    def kill_agent(self, *, wait: bool = True) -> None:
        """SIGKILL the agent, as a power cut would, and start it again."""
        self.stop_agent(kill=True)
        self.start_agent(wait=wait)

    def power_cut(self, off_s: float, system_ms: int = 0, *, from_rtc: bool = False) -> None:
        """Take power from the simulated machine for so long, then boot it: see `Machine`."""
        self.stop_agent(kill=True)
        if self._machine is not None:
            self._machine.power_cut(off_s, system_ms, from_rtc=from_rtc)
        self.start_agent()

    def kill_central(self) -> None:
        """SIGKILL the central and start it again."""
        self.stop_central(kill=True)
        self.start_central()

    def kill_broker(self) -> None:
        """SIGKILL the broker and start it again."""
        self.broker.kill()
        self.broker.start()
        self.broker.wait_ready()

    def stop_central(self, *, kill: bool = False) -> None:
        """End the central, in order or as a power cut would; `start_central` starts it again."""
        _end(self._central, kill=kill)

    def stop_agent(self, *, kill: bool = False) -> None:
        """End the agent, in order or as a power cut would; `start_agent` starts it again."""
        _end(self._agent, kill=kill)

    def cut(self) -> None:
        """Take the network away."""
        self.link.cut()

    def mend(self) -> None:
        """Give the network back."""
        self.link.mend()

    def status(self) -> dict[str, Any]:
        """What the agent last said of itself; empty before the first word."""
        try:
            found = json.loads((self.work / "status.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def stored(self) -> int:
        """Entries in the central's database."""
        try:
            with closing(sqlite3.connect(f"file:{self.work}/central.db?mode=ro", uri=True)) as db:
                return int(db.execute("SELECT count(*) FROM entry").fetchone()[0])
        except sqlite3.Error:
            return 0

    def punches(self) -> list[dict[str, Any]]:
        """The central's punches, as `edge-agent central punches --json` prints them."""
        printed = self.command("central", "punches", "--json", config=self.central_config)
        found: list[dict[str, Any]] = json.loads(printed)
        return found

    def appended(self) -> int:
        """Entries in the terminal's journal."""
        return self._number("SELECT coalesce(max(seq), 0) FROM entry")

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Entries of one kind in the terminal's journal, parsed, oldest first."""
        return [json.loads(text) for text in self.texts(kind)]

    def texts(self, kind: str) -> list[str]:
        """The same as they stand in the journal, whatever became of them."""
        with closing(sqlite3.connect(f"file:{self.work}/journal.db?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT text FROM entry WHERE kind = ? ORDER BY seq", (kind,))
            return [text for (text,) in rows]

    def wait_delivered(self, limit_s: float) -> bool:
        """Wait until the central has every entry of the journal and the terminal knows."""
        try:
            self._until(self._delivered, "delivery", limit_s)
        except EdgeAgentError:
            return False
        return True

    def wait_until(self, done: Callable[[], bool], limit_s: float = _READY_S) -> None:
        """Wait for something to come true. Raises EdgeAgentError if it takes too long."""
        self._until(done, "what was waited for", limit_s)

    def command(self, *words: str, config: Path | None = None) -> str:
        """Run ``edge-agent WORDS`` and give what it prints. Raises EdgeAgentError if it fails."""
        done = subprocess.run(
            _command(words, config), capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            raise self._failed(f"edge-agent {' '.join(words)}", done.stderr.strip())
        return done.stdout

    def account(self, taps: int, again: int) -> Account:
        """Hold what people saw against what the central has."""
        return settle(self.work, TERMINAL, self.panel.notices, taps, again)

    def _wait_agent(self) -> None:
        if not self.scanner.wait_open(_READY_S):
            raise self._failed("the agent", "it does not open its scanner")

    def _has_roster(self) -> bool:
        return self._number("SELECT version FROM roster_version") > 0

    def _delivered(self) -> bool:
        journal = self.status().get("journal", {})  # its database is told of receipts only later
        last = self.appended()
        return bool(journal.get("received") == last == self.stored())

    def _number(self, query: str) -> int:
        """One number out of the terminal's journal."""
        with closing(sqlite3.connect(f"file:{self.work}/journal.db?mode=ro", uri=True)) as db:
            return int(db.execute(query).fetchone()[0])

    def _spawn(self, *words: str, config: Path) -> subprocess.Popen[bytes]:
        with (self.work / f"{words[0]}.log").open("ab") as log:
            return subprocess.Popen(
                _command(words, config), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def _until(self, done: Callable[[], bool], what: str, limit_s: float = _READY_S) -> None:
        until = time.monotonic() + limit_s
        while not done():
            if time.monotonic() > until:
                raise self._failed(what, f"it did not come within {limit_s:g} s")
            self._pause.wait(_TICK_S)

    def _failed(self, what: str, cause: str) -> EdgeAgentError:
        return EdgeAgentError("start", what, cause, f"look at the logs in {self.work}")


def _credential(card: str) -> str:
    """As the roster writes it: an EM4100 card, unless a technology is named; "" for no card."""
    return card if ":" in card or not card else f"em4100:{card}"


def _command(words: Sequence[str], config: Path | None) -> list[str]:
    where = [] if config is None else ["--config", str(config)]
    return [sys.executable, "-m", "edge_agent", *words, *where]


def _end(process: subprocess.Popen[bytes] | None, *, kill: bool) -> None:
    if process is None:
        return
    if kill:
        process.kill()
    else:
        process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
