"""Random lives of a terminal's clocks, lived by the real timekeeping on a real journal.

Every witness keeps its promise, but for at most one that lies: the receiver's sentences are at most
`LATE_MS` late, the kernel's bound is true, the oscillator is within 100 millionths, the battery
clock too, or the kernel has set it right. Seconds leap, or not, at the ends of half-years.

A lie begins where it cannot hide within what the clocks may have drifted. Who has heard the liar
alone in a boot cannot know better; such punches are marked, and nothing is asked of them.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from random import Random

from builders import start
from central_histories import DAY, HOUR, PUNCH, World
from central_wall import ms

from edge_agent.events import Located
from edge_agent.evidence.receiver_time import AGREEING
from edge_agent.evidence.timekeeper import GNSS, NTP, RTC
from edge_agent.journal import Journal
from edge_agent.ports.clock import Clock, Reading
from edge_agent.records import Fix, Stamp
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.timekeeping import Timekeeping

LATE_MS = 1000
TERMINAL = "bungi-1"


class Machine(Clock):
    """The clocks of one boot after the other, and the truth, in milliseconds."""

    def __init__(self, random: Random, world: World) -> None:
        super().__init__()
        self.random, self.world = random, world
        self.boots = 0
        self.rtc: Fraction | None = None
        if random.random() < 0.6:
            self.rtc = world.now + random.choice((0, 700, -90_000, 30 * DAY, -400 * DAY))
        self.rtc_rate = 1 + Fraction(random.choice((-95, 0, 95)), 1_000_000)
        self.power_on()

    def power_on(self) -> None:
        self.boots += 1
        self.boot = f"{self.boots:032x}"
        self.mono = Fraction(self.random.randint(0, 20_000))
        self.rate = 1 + Fraction(self.random.choice((-99, 0, 40, 99)), 1_000_000)
        self.off_ms: Fraction | None = None
        self.error_ms: int | None = None
        self.belief = None

    def pass_ms(self, true_ms: int) -> None:
        self.world.now += true_ms
        self.mono += true_ms * self.rate
        if self.rtc is not None:
            self.rtc += true_ms * self.rtc_rate

    @property
    def utc(self) -> Fraction:
        return self.world.utc(self.world.now)

    def mono_ms(self) -> int:
        return int(self.mono)

    def system_ms(self) -> int:
        return int(self.mono if self.off_ms is None else self.utc + self.off_ms)

    def reading(self) -> Reading:
        return Reading(self.mono_ms(), self.system_ms() * 1_000_000, self.error_ms)

    def rtc_ms(self) -> int | None:
        return None if self.rtc is None else int(self.rtc // 1000) * 1000


@dataclass(frozen=True)
class Made:
    """A punch: its true time, its stamp; whose word could be right where that stamp was made."""

    journal: str
    seq: int
    boot: str
    utc: Fraction
    at: Stamp
    claim_holds: bool


@dataclass
class Heard:
    """Who spoke in a boot.

    Attributes:
        truth: the truth was said by another than the battery clock or the liar, or before he lied.
        lie: the liar has lied.
        echo: the battery clock was last compared in a boot that knew nothing but lies.
    """

    truth: bool = False
    lie: bool = False
    echo: bool = False

    @property
    def led_astray(self) -> bool:
        return self.lie and not self.truth


@dataclass
class Life:
    """A terminal from its first boot to its last."""

    folder: Path
    random: Random
    machine: Machine
    liar: str
    lie_ms: int
    made: list[Made] = field(default_factory=list)
    heard: dict[str, Heard] = field(default_factory=dict)
    journals: list[Journal] = field(default_factory=list)
    lying: bool = False
    lied: bool = False
    true_ms: Fraction | None = None

    def begin(self) -> None:
        """Power on with the journal there is, or a new one."""
        self.lying, self.lied, self.true_ms = False, False, None
        before = self.heard.get(f"{self.machine.boots - 1:032x}")
        if not self.journals or self.random.random() < 0.1:
            path = self.folder / f"journal-{len(self.journals)}.db"
            old = self.journals[-1].journal if self.journals else None
            self.journals.append(Journal(path, TERMINAL, previous=old))
            before = None
        astray = before is not None and (before.led_astray or (before.echo and not before.truth))
        self.heard[self.machine.boot] = Heard(echo=astray)
        self.start()

    def start(self) -> None:
        """The agent starts, in a new boot or not."""
        self.journal = self.journals[-1]
        self.machine.belief = None
        self.incidents = Incidents(self.journal, {}, lambda _: None)
        self.time = Timekeeping(self.journal, self.machine, self.incidents, lambda _: None, LATE_MS)
        self.time.look()
        began = replace(start(), last_end="power", floor_ms=self.time.floor_ms)
        self.journal.append(began, self.machine.stamp())

    def turn(self, after_ms: int = 500) -> None:
        self.machine.pass_ms(after_ms)
        if self.machine.error_ms is not None:
            self.note(NTP)
        self.time.settle()
        self.incidents.settle(self.machine.mono_ms(), self.machine.stamp)

    def note(self, source: str) -> None:
        here = self.heard[self.machine.boot]
        self.lied = self.lying if source == self.liar else self.lied
        if self.lying and source == self.liar:
            here.lie = True
        else:
            here.truth |= source != self.liar or not here.lie
            self.true_ms = self.machine.world.now

    def dare(self) -> None:
        """A lie begins only if it is too big to hide."""
        recent = self.true_ms is not None and self.machine.world.now - self.true_ms < 10 * HOUR
        self.lying &= abs(self.lie_ms) >= HOUR or self.lied or recent

    def act(self) -> None:
        """Something happens, then some turns pass."""
        what = self.random.choice(("receive", "receive", "ntp", "lost", "wait", "lie", "restart"))
        if what == "receive":
            self.receive()
        elif what == "ntp":
            self.discipline()
        elif what == "lost":
            self.machine.error_ms = None
        elif what == "lie":
            self.lying = not self.lying
            if self.machine.error_ms is not None:
                self.discipline()
        elif what == "restart" and abs(self.lie_ms) >= HOUR:
            self.start()
        elif what == "wait":
            self.turn(self.random.choice((60_000, HOUR, 20 * HOUR, 3 * DAY, 9 * DAY)))
        for _ in range(8):
            self.turn()
        if self.random.random() < 0.6:
            self.punch()

    def receive(self) -> None:
        """A receiver for some seconds, each sentence as late as it may be."""
        self.dare()
        false_ms = self.lie_ms if self.lying and self.liar == GNSS else 0
        sent = 0
        for _ in range(self.random.choice((7, 12))):
            utc = self.machine.utc
            second = int(utc) // 1000 * 1000 - (1000 if utc % 1000 < 20 else 0)
            late_ms = utc - second
            assert 20 <= late_ms <= LATE_MS + 20
            if late_ms <= LATE_MS:
                sent += 1
                said = Fix(0, 0, second + false_ms)
                self.time.located(Located(said, self.machine.mono_ms()))
            self.turn(self.random.choice((980, 1000, 1015)))
        if sent >= AGREEING:
            self.note(GNSS)

    def discipline(self) -> None:
        """The kernel vouches, as closely as it says; it may set the battery clock."""
        self.dare()
        lies = self.lying and self.liar == NTP
        error_ms = self.random.choice((3, 30, 400, 3000))
        self.machine.error_ms = error_ms
        honest = Fraction(self.random.randint(-100, 100), 100) * (error_ms - 2)
        self.machine.off_ms = honest + (self.lie_ms if lies else 0)
        if self.machine.rtc is not None and not lies and self.random.random() < 0.4:
            self.machine.rtc = self.machine.utc + self.machine.off_ms

    def punch(self) -> None:
        at, here = self.machine.stamp(), self.heard[self.machine.boot]
        holds = here.truth or not (here.echo if at.source == RTC else here.lie)
        entry = self.journal.append(PUNCH, at)
        self.made.append(
            Made(self.journal.journal, entry.seq, at.boot, self.machine.utc, at, holds)
        )

    def live(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.begin()
            self.punch()
            for _ in range(self.random.randint(0, 8)):
                self.act()
            self.punch()
            self.machine.pass_ms(self.random.choice((20_000, 5 * HOUR, 12 * DAY)))
            self.machine.power_on()


def life(folder: Path, seed: int) -> Life:
    random = Random(seed)
    halves = [random.choice((0, 0, 1, -1)) for _ in range(4)]
    near = random.choice(("2026-12-28", "2026-12-10", "2027-06-20", "2027-03-01"))
    world = World(tuple(halves), Fraction(ms(near)))
    lie_ms = random.choice((-1, 1)) * random.choice((12_000, HOUR * 2, 500 * HOUR))
    one = Life(folder, random, Machine(random, world), random.choice((GNSS, NTP, "")), lie_ms)
    one.live()
    return one
