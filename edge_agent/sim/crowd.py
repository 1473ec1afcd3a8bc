"""People at every kind of scanner of one terminal at once: is each tap a punch, and how fast?

Six scanners hang on one agent: an RDM6300, an ID-12LA, a USB reader that prints decimals, a PN532,
an R503 with fingers and a GM65 with QR codes. Thirty people a minute come, some of them within a
second of each other at two scanners.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles

from edge_agent.sim import fingerprint_models
from edge_agent.sim.account import Account, render
from edge_agent.sim.cards import TypeA
from edge_agent.sim.day import Staff
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.office import Office
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.qr import QrModule
from edge_agent.sim.scanner import Id12la, Rdm6300, TextReader

SCANNERS = (
    ("id12", "id12la"),
    ("desk", "usb-dec10"),
    ("card", "pn532"),
    ("finger", "r503"),
    ("qr", "gm65"),
)
#: People of each scanner; they come in turn, so that nobody repeats within the duplicate period.
_EACH = 6
_TAP_EVERY_S = 2.0
#: More than half of the distance: some come within half a second of another.
_JITTER_S = 1.5
FEEDBACK_LIMIT_MS = 300.0
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, the scanner they use, what the roster has of them, and how they present it."""

    staff: Staff
    scanner: str
    present: Callable[[], object]


@dataclass
class Outcome:
    """What came of it. Times in milliseconds.

    Attributes:
        taps: presentations by scanner.
        punches: in the journal, by scanner.
        feedback_ms: from the first byte-complete reading of a credential to the panel.
        identification_ms: from a finger on the sensor to its slot being known.
        account: of the whole, against the central's database.
    """

    taps: Counter[str] = field(default_factory=Counter)
    punches: Counter[str] = field(default_factory=Counter)
    feedback_ms: list[float] = field(default_factory=list)
    identification_ms: list[float] = field(default_factory=list)
    account: Account | None = None

    @property
    def feedback_p95_ms(self) -> float:
        return percentile(self.feedback_ms, 95)

    @property
    def holds(self) -> bool:
        """Every tap is one punch, nothing is lost on the way, and the panel answered in time."""
        whole = self.account is not None and self.account.holds
        return whole and self.taps == self.punches and self.feedback_p95_ms <= FEEDBACK_LIMIT_MS


def play(minutes: float, say: Callable[[str], None], seed: int = 0) -> Outcome:
    """Play the crowd for so long. Raises EdgeAgentError if a part does not start or answer."""
    with tempfile.TemporaryDirectory(prefix="edge-agent-crowd-") as work, ExitStack() as stack:
        office = stack.enter_context(
            Office(Path(work), profile="rdm6300", scanners=SCANNERS, people=[])
        )
        people = _people(office, stack)
        office.start([one.staff for one in people])
        outcome = Outcome()
        _enrol_fingers(office, people, outcome)
        say(f"{len(people)} people at {len(SCANNERS) + 1} scanners, {minutes:g} minutes")
        began_s = _tap(people, round(minutes * 60 / _TAP_EVERY_S), Random(seed), outcome)
        office.wait_until(lambda: len(_answers(office)) >= sum(outcome.taps.values()), _PATIENCE_S)
        office.wait_delivered(30)
        _measure(office, began_s, outcome)
    return outcome


def describe(outcome: Outcome) -> list[str]:
    """The outcome as lines for people."""
    feedback, fingers = outcome.feedback_ms, outcome.identification_ms
    return [
        f"{'scanner':10} {'taps':>6} {'punches':>8}",
        *(
            f"{name:10} {outcome.taps[name]:6} {outcome.punches[name]:8}"
            for name in sorted(outcome.taps)
        ),
        _line("credential known to panel", feedback),
        _line("finger placed to identified", fingers),
        *(render(outcome.account) if outcome.account else []),
    ]


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` percent lie; 0 for none."""
    if len(values) < 2:
        return max(values, default=0.0)
    return quantiles(values, n=100, method="inclusive")[share - 1]


def _line(what: str, values: Sequence[float]) -> str:
    p50, p95, most = percentile(values, 50), percentile(values, 95), max(values, default=0.0)
    return f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, longest {most:.0f} ms"


def _people(office: Office, stack: ExitStack) -> list[Person]:
    """Everybody, with the scanner's device behind each of them running."""
    ports = office.ports
    names = {slot: f"F{slot}" for slot in range(_EACH)}
    chip = stack.enter_context(Pn532(ports["card"]))
    sensor = stack.enter_context(
        FingerprintModule(ports["finger"], fingerprint_models.R503, slots=names)
    )
    codes = stack.enter_context(QrModule(ports["qr"], pause_s=0.5))
    front, id12, desk = Rdm6300(ports["front"]), Id12la(ports["id12"]), TextReader(ports["desk"])
    people: list[Person] = []

    def join(number: int, scanner: str, card: str, present: Callable[[], object]) -> None:
        staff = Staff(f"{scanner}-{number}", f"{scanner} {number}", card)
        people.append(Person(staff, scanner, present))

    for number in range(_EACH):
        held, once, printed = (f"3C{scanner:02X}00{number + 1:04X}" for scanner in (1, 2, 3))
        uid = bytes([0x04, 0xC6, 0x3A, 0x63, 0x11, 0x01, number + 1])
        code = f"19850101201001100{number}"
        join(number, "front", held, partial(front.present, held, 0.3))
        join(number, "id12", once, partial(id12.present, once))
        join(number, "desk", printed, partial(desk.present, f"{int(printed[2:], 16):010}"))
        join(number, "card", f"14443a:{uid.hex().upper()}", partial(chip.present, TypeA(uid), 0.5))
        join(number, "qr", f"qr:{code}", partial(codes.show, code, 0.6))
        join(number, "finger", "", partial(sensor.press, f"F{number}", 1.0))
    return people


def _enrol_fingers(office: Office, people: Sequence[Person], outcome: Outcome) -> None:
    """The module knows the fingers; the terminal learns whose they are, by one press of each."""
    for one in people:
        if one.scanner == "finger":
            words = ("enrol", "finger", "--person", one.staff.id, "--name", one.staff.name)
            asked = office.panel.count + 1
            with ThreadPoolExecutor(1) as other:
                done = other.submit(office.command, *words, config=office.agent_config)
                office.panel.wait(asked, _PATIENCE_S)
                one.present()
                done.result()
            outcome.taps["finger"] += 1


def _tap(
    people: Sequence[Person], times: int, random: Random, outcome: Outcome
) -> dict[str, list[float]]:
    """Let them come one by one; gives when each came, in seconds, by scanner."""
    pause, began = threading.Event(), time.monotonic()
    came_s: dict[str, list[float]] = {}
    with ThreadPoolExecutor(len(SCANNERS) + 1) as hands:
        for number in range(times):
            due_s = number * _TAP_EVERY_S + random.uniform(0, _JITTER_S)
            pause.wait(max(0.0, began + due_s - time.monotonic()))
            one = people[number % len(people)]
            outcome.taps[one.scanner] += 1
            came_s.setdefault(one.scanner, []).append(time.monotonic())
            hands.submit(one.present)
    return came_s


def _answers(office: Office) -> dict[int, float]:
    """When the panel answered a punch, in milliseconds, by its seq."""
    return {one["seq"]: one["at_ns"] / 1e6 for one in office.panel.notices if one["seq"]}


def _measure(office: Office, came_s: dict[str, list[float]], outcome: Outcome) -> None:
    shown_ms = _answers(office)
    # Entries are stamped by the clock that goes on in sleep, the panel by the one that does not.
    apart_ms = (time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()) * 1000
    fingers_ms: list[float] = []
    for punch in office.entries("punch"):
        read_ms = punch["at"]["mono_ms"] - apart_ms
        outcome.punches[punch["scanner"]] += 1
        outcome.feedback_ms.append(shown_ms[punch["seq"]] - read_ms)
        if punch["scanner"] == "finger":
            fingers_ms.append(read_ms)
    pressed_s = came_s.get("finger", [])
    outcome.identification_ms = [
        read_ms - at_s * 1000
        for read_ms, at_s in zip(reversed(fingers_ms), reversed(pressed_s), strict=False)
    ]
    outcome.account = office.account(sum(outcome.taps.values()), 0)
