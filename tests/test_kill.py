"""SIGKILL at any moment of agent, broker or central: every green tap arrives exactly once."""

import os
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from edge_agent.sim.account import render
from edge_agent.sim.day import Staff
from edge_agent.sim.office import Office
from edge_agent.sim.scanner import Id12la

#: The promise is shown with at least 200; a longer proof asks for more.
KILLS = int(os.environ.get("EDGE_AGENT_KILLS", "210"))
SEED = int(os.environ.get("EDGE_AGENT_SEED", "0")) or random.randrange(1, 10**9)
#: A start takes about 0.4 s here: kills fall into it, and into the work after it.
LONGEST_LIFE_S = 0.9


class People(threading.Thread):
    """Taps card after card; who sees no light within a second taps again."""

    def __init__(self, office: Office, cards: list[str]) -> None:
        super().__init__(name="people", daemon=True)
        self.taps = self.again = 0
        self._office = office
        self._cards = cards
        self._scanner = Id12la(office.scanner)
        self._home = threading.Event()

    def run(self) -> None:
        for card in self._cards:
            if self._home.is_set():
                return
            self._present(card)

    def go_home(self) -> None:
        self._home.set()
        self.join(30)

    def _present(self, card: str) -> None:
        for attempt in range(100):
            seen = self._office.panel.count
            self.taps += 1
            self.again += attempt > 0
            self._scanner.present(card)
            if self._office.panel.wait(seen + 1, 1.0):
                return
        raise AssertionError(f"the card {card} was never answered")


@pytest.mark.timeout(900)
def test_nothing_is_lost_or_doubled_by_kills_at_random_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is killed and when, what people saw is in the central once, in order, sealed."""
    chance = random.Random(SEED)
    cards = [f"3C{number:08X}" for number in range(1, 20_000)]
    staff = [Staff(f"P{number}", f"P{number}", card) for number, card in enumerate(cards[:4000])]
    killed: Counter[str] = Counter()
    with Office(tmp_path, profile="id12la", retry_s=0.05, people=staff) as office:
        office.start()
        kills = {
            "agent": lambda: office.kill_agent(wait=False),
            "broker": office.kill_broker,
            "central": office.kill_central,
        }
        people = People(office, cards)
        people.start()
        began = time.monotonic()
        for _ in range(KILLS):
            victim = chance.choice(("agent", "agent", "broker", "central"))
            kills[victim]()
            killed[victim] += 1
            people.join(chance.uniform(0, LONGEST_LIFE_S))
        people.go_home()
        delivered = office.wait_delivered(60)
        account = office.account(people.taps, people.again)
        log = (tmp_path / "run.log").read_text(encoding="utf-8")
        log += (tmp_path / "central.log").read_text(encoding="utf-8")
    with capsys.disabled():
        print(f"\n{KILLS} kills ({dict(killed)}) in {time.monotonic() - began:.0f} s, seed {SEED}")
        print("\n".join(render(account)))
    assert account.holds, f"seed {SEED}"
    assert delivered, f"seed {SEED}"
    assert account.answered > KILLS
    assert "Traceback" not in log
