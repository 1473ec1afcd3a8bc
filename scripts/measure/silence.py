"""Months without a network, then a bad one: does all arrive, and how long does it take?

A journal is written as an office of two hundred would have written it in that time, by the agent's
own journal: punches, hourly surveys, anchors, starts after power cuts, incidents. Then a real agent
takes it up, behind a link of so many bytes a second whose connections die, and people go on
tapping. At the end every row is held against the journal, and against those of a second central
to which the same backlog was carried by hand.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from edge_agent.contract import credentials
from edge_agent.journal import Journal
from edge_agent.records import Person
from edge_agent.sim.account import Account
from edge_agent.sim.configuration import TERMINAL
from edge_agent.sim.office import Office
from edge_agent.sim.scanner import Id12la
from edge_agent.sim.trouble import Trouble
from measure.months import STAFF, Months, card

_ROWS = (
    "SELECT terminal, journal, seq, kind, at_ms, text, broken FROM entry"
    " JOIN stream ON stream.id = entry.stream ORDER BY terminal, journal, seq"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        lost, doubled: entries of the journal that the central has not, and rows that it has more.
        live_s: seconds from each tap in between to its row.
    """

    entries: int
    punches: int
    lost: int
    doubled: int
    link_s: float
    connections: int
    bytes_up: int
    live_s: list[float]
    account: Account
    same_times: bool
    same_by_hand: bool

    @property
    def holds(self) -> bool:
        account = self.account
        proven = account.ordered and account.same and account.chained and account.sealed
        whole = proven and self.lost == self.doubled == 0 and len(self.live_s) == account.green
        return whole and self.same_times and self.same_by_hand


def play(
    work: Path,
    days: int,
    rate: int,
    die_every_s: float,
    say: Callable[[str], None],
    tap_every_s: float = 15.0,
) -> Outcome:
    """Play it in the empty directory `work`; takes as long as the link does."""
    with Office(work, profile="id12la", duplicate_s=0) as office:
        key = bytes.fromhex((work / "credential.key").read_text(encoding="ascii").strip())
        with closing(Journal(work / "journal.db", TERMINAL)) as journal:
            Months(journal, key, days)
            people = {
                credentials.conceal(card(n), key): Person(f"P{n}", f"P{n}") for n in range(STAFF)
            }
            journal.roster.replace(1, people)
            silent = journal.last_seq
        say(f"{silent} entries of {days} days; now {rate} bytes a second")
        office.broker.start()
        office.broker.wait_ready()
        for port in (*office.ports.values(), office.gnss):
            port.plug()
        office.start_central()
        office.link.suffer(Trouble(rate=rate, die_every_s=die_every_s, seed=days))
        began = time.monotonic()
        office.start_agent()
        live = _tap_until(office, silent, say, tap_every_s)
        link_s = time.monotonic() - began
        tally = office.link
        outcome = Outcome(
            office.stored(),
            len(office.texts("punch")),
            max(0, office.appended() - office.stored()),
            max(0, office.stored() - office.appended()),
            link_s,
            tally.connections,
            tally.bytes_up,
            live,
            office.account(len(live), 0),
            _same_times(work),
            same_by_hand=False,
        )
        office.stop_agent()
    return replace(outcome, same_by_hand=_by_hand(office, work, say))


def _tap_until(
    office: Office, silent: int, say: Callable[[str], None], every_s: float
) -> list[float]:
    """Somebody taps every now and then until everything has its receipt."""
    scanner, live, pause = Id12la(office.scanner), [], threading.Event()
    until = time.monotonic() + 3600
    while time.monotonic() < until:
        scanner.present(f"3C{len(live) % STAFF:08X}")
        if not office.panel.wait(len(live) + 1, 10):
            raise TimeoutError("a tap has no answer")
        tapped, seq = time.monotonic(), office.appended()
        while not _has(office, seq) and time.monotonic() < tapped + 120:
            pause.wait(0.05)
        live.append(time.monotonic() - tapped)
        journal = office.status().get("journal", {})
        say(
            f"{office.stored():7} stored, {journal.get('backlog')} to go,"
            f" a tap took {live[-1]:.1f} s to its row"
        )
        if office.stored() > silent and office.wait_delivered(every_s):
            return live
        pause.wait(every_s if office.stored() <= silent else 0.1)
    raise TimeoutError("it does not end")


def _has(office: Office, seq: int) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{office.work}/central.db?mode=ro", uri=True)) as db:
            found = db.execute("SELECT 1 FROM entry WHERE seq = ?", (seq,)).fetchone()
    except sqlite3.Error:
        return False
    return found is not None


def _same_times(work: Path) -> bool:
    """Every entry is dated as it was when it was made."""
    with closing(sqlite3.connect(work / "central.db")) as db:
        rows = db.execute("SELECT at_ms, text FROM entry").fetchall()
    stamps = ((at_ms, json.loads(text)["at"]) for at_ms, text in rows)
    return all(at_ms == at["utc_ms"] for at_ms, at in stamps if at["source"] == "gnss")


def _by_hand(office: Office, work: Path, say: Callable[[str], None]) -> bool:
    """The same backlog as a bundle into a second central gives the same rows."""
    public = work / "organisation.pub"
    line = office.command("central", "new-organisation-key", str(work / "organisation.key"))
    public.write_text(line, encoding="ascii")
    agent, central = work / "carried-agent.toml", work / "carried-central.toml"
    text = office.agent_config.read_text(encoding="utf-8")
    agent.write_text(
        text.replace("[files]\n", f'[files]\norganisation_key = "{public}"\n'), encoding="utf-8"
    )
    text = office.central_config.read_text(encoding="utf-8").replace("central.db", "carried.db")
    central.write_text(f'organisation_key = "{work}/organisation.key"\n{text}', encoding="utf-8")
    stick = work / "stick"
    stick.mkdir()
    office.command("export", "--bundle", str(stick), "--all", config=agent)
    size = sum(one.stat().st_size for one in stick.iterdir())
    say(f"the same by hand: {size} bytes on the stick")
    office.command("central", "import", str(stick), config=central)
    with (
        closing(sqlite3.connect(work / "central.db")) as one,
        closing(sqlite3.connect(work / "carried.db")) as other,
    ):
        return one.execute(_ROWS).fetchall() == other.execute(_ROWS).fetchall()


def main() -> int:
    """Exit 0 only if everything arrived as it was written."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=90)
    arguments.add_argument("--rate", type=int, default=5000, help="bytes a second, each way")
    arguments.add_argument("--die-every", type=float, default=30.0, help="seconds, on average")
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-agent-silence-") as work:
        came = play(Path(work), wanted.days, wanted.rate, wanted.die_every, _say)
    print(f"entries                  {came.entries}, of them {came.punches} punches")
    print(f"lost, doubled            {came.lost}, {came.doubled}")
    print(f"the same, byte by byte   {_yes(came.account.same and came.account.ordered)}")
    print(f"chain, seal              {_yes(came.account.chained)}, {_yes(came.account.sealed)}")
    print(f"original times           {_yes(came.same_times)}")
    print(f"same rows by hand        {_yes(came.same_by_hand)}")
    print(f"link time                {came.link_s / 60:.1f} min, {came.connections} connections")
    print(f"bytes an entry           {came.bytes_up / came.entries:.1f}, all that went up")
    print(f"a tap to its row         {max(came.live_s):.1f} s at most, of {len(came.live_s)}")
    return 0 if came.holds else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _yes(word: object) -> str:
    return "yes" if word else "NO"


if __name__ == "__main__":
    sys.exit(main())
