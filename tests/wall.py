"""A terminal's spine with all its parts, in time that a test turns by hand.

Journal, books, incidents and rules are the program's own. Ports, panel, socket and broker are what
they look like from the spine: events that come in, and lists of what went out.
"""

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builders import TERMINAL, agent_toml, stamp, start

from edge_agent import config, profile
from edge_agent.contract import chain, credentials
from edge_agent.errors import ConfigError
from edge_agent.events import (
    Asked,
    CancelEnrolment,
    EnrolFinger,
    Event,
    Noted,
    Order,
    PortLost,
    PortOpened,
    Scanned,
)
from edge_agent.evidence.position import Fence
from edge_agent.evidence.track import Track
from edge_agent.journal import Journal
from edge_agent.panel.messages import Notice
from edge_agent.ports.clock import Clock, Reading
from edge_agent.ranges import Ranges
from edge_agent.records import Enrolling, Library, Person, Scan, Stamp, Step
from edge_agent.terminal.agent import Agent
from edge_agent.terminal.carrying import Carrying
from edge_agent.terminal.delivery import Delivery, Link
from edge_agent.terminal.enrolment import Enrolments
from edge_agent.terminal.fingers import Fingers
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.keeping import Keeping
from edge_agent.terminal.packing import Identity
from edge_agent.terminal.pipeline import Pipeline
from edge_agent.terminal.punching import Punching
from edge_agent.terminal.surveying import Surveying
from edge_agent.terminal.timekeeping import Timekeeping
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.window import Window

KEY = bytes.fromhex("5a" * 32)
#: Two card readers and a fingerprint module.
SCANNERS = {"front": "id12la", "rear": "id12la", "door": "r503"}
#: Long enough for any card to be gone and back.
LATER_MS = 3000


def concealed(credential: str) -> str:
    return credentials.conceal(credential, KEY)


class Hands(Clock):
    """A clock whose hands are turned; the kernel vouches for it, as `builders.stamp` says."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.boot = stamp().boot
        self.vouched = True

    def mono_ms(self) -> int:
        return self.now_ms

    def stamp(self) -> Stamp:
        at = stamp(self.now_ms)
        return at if self.vouched else Stamp(at.boot, at.mono_ms, 5_000, "none")

    def reading(self) -> Reading:
        at = stamp(self.now_ms)
        return Reading(at.mono_ms, at.utc_ms * 1_000_000, at.error_ms if self.vouched else None)

    def rtc_ms(self) -> int | None:
        return None


class Lamps(list[Notice]):
    """A panel that keeps what it showed."""

    def signal(self, notice: Notice) -> None:
        self.append(notice)

    def close(self) -> None:
        """Nothing to put out."""


class Wall:
    """The terminal.

    Attributes:
        shown: notices, oldest first.
        ordered: orders by scanner.
        booked: the slots in the books when each finger was asked for.
        theirs: slots that a test has given to people.
        answered: text and end by caller.
    """

    def __init__(
        self, folder: Path, scanners: Mapping[str, str] = SCANNERS, *, vouched: bool = True
    ) -> None:
        each = "\n[[scanner]]\n".join(
            f'name = "{name}"\nport = "/dev/{name}"\nprofile = "{model}"'
            for name, model in scanners.items()
        )
        rules = "broker_grace_s = 3600\nduplicate_s = 60"
        gnss = 'port = "/dev/gnss"'
        path = agent_toml(folder, **{"rules": rules, "[scanner]": each, "gnss": gnss})
        self.config = config.load(path)
        self.clock = Hands()
        self.clock.vouched = vouched
        self.shown = Lamps()
        self.ordered: list[tuple[str, Order]] = []
        self.booked: list[set[int]] = []
        self.theirs: tuple[int, ...] = ()
        self.answered: dict[int, list[tuple[str, str]]] = {}
        self.journal = Journal(Path(self.config.files.journal), TERMINAL)
        self.window = Window(self.journal.last_seq, 0, 4, 20_000)
        self.agent = self._agent({n: profile.scanner(m) for n, m in scanners.items()})
        self.agent.begin(start())

    def _agent(self, profiles: Mapping[str, profile.ScannerProfile]) -> Agent:
        incidents = Incidents(self.journal, {"broker": 3_600_000}, self.window.appended)
        pipeline = Pipeline(profiles, self.config.rules.duplicate_s * 1000)
        delivery = Delivery(
            self.journal,
            Identity(TERMINAL, "attendance", chain.Sealer.new()),
            self.window,
            _no_broker,
            lambda state: b"{}",
            incidents,
            Backoff(1000, 2000, random.Random(1)),
            3_600_000,
            self.clock.stamp,
            Ranges,
        )
        self.fingers = Fingers(self.journal, incidents, KEY)
        enrolments = Enrolments(
            self.journal,
            self.fingers,
            profiles,
            KEY,
            self.shown,
            self._order,
            self._answer,
            self.clock.stamp,
            self.window.appended,
        )
        site, rules = self.config.site, self.config.rules
        fence = Fence(site.lat_e7, site.lon_e7, site.radius_m)
        track = Track(fence, rules.fix_age_s * 1000)
        punching = Punching(
            self.config,
            self.journal,
            self.clock,
            pipeline,
            delivery,
            incidents,
            self.fingers,
            track,
            KEY,
        )
        return Agent(
            self.config,
            self.journal,
            self.clock,
            self.shown,
            pipeline,
            delivery,
            incidents,
            self.fingers,
            enrolments,
            punching,
            track,
            Timekeeping(self.journal, self.clock, incidents, self.window.appended, 1000),
            Keeping(
                self.journal, self.window, 400, self.clock.stamp, self.journal.front.room_bytes
            ),
            Surveying(self.journal, delivery, self.clock.stamp, 3_600_000, {}, {}),
            Carrying(delivery.receiving, self.shown, self._answer),
        )

    # --- what happens -----------------------------------------------------------------------------

    def turn(self, *events: Event) -> None:
        self.agent.turn(list(events))

    def wait(self, for_ms: int = LATER_MS) -> None:
        self.clock.now_ms += for_ms
        self.turn()

    def present(
        self, value: str, scanner: str = "front", technology: str = "em4100", card: str = ""
    ) -> Stamp:
        """A card, a while after whatever was before; gives when that was."""
        self.clock.now_ms += LATER_MS
        at = self.clock.stamp()
        self.turn(Scanned(scanner, Scan(technology, value, card), at))
        return at

    def press(self, slot: int, score: int = 111, scanner: str = "door") -> None:
        """The module finds a finger in `slot`."""
        self.clock.now_ms += LATER_MS
        scan = Scan("finger", str(slot), slot=slot, score=score)
        self.turn(Scanned(scanner, scan, self.clock.stamp()))

    def says(self, what: Any, scanner: str = "door") -> None:
        """The module says what is no scan."""
        self.turn(Noted(scanner, what))

    def holds(self, *slots: int, capacity: int = 200, scanner: str = "door") -> None:
        """The module introduces itself."""
        self.says(Library(capacity, len(slots), tuple(sorted(slots))), scanner)

    def ask(self, do: str, caller: int = 1, **words: str) -> None:
        self.turn(Asked(caller, {"do": do, **words}))

    def hang_up(self, caller: int = 1) -> None:
        self.turn(Asked(caller, {}))

    def unplug(self, scanner: str) -> None:
        self.turn(PortLost(scanner, "unplugged"))

    def plug(self, scanner: str) -> None:
        self.turn(PortOpened(scanner))

    def roster(self, **people: str) -> None:
        """Who holds which card of em4100, by its digits."""
        known = {concealed(f"em4100:{card}"): Person(p, f"Name {p}") for card, p in people.items()}
        self.journal.roster.replace(self.journal.roster.version + 1, known)

    # --- what came of it --------------------------------------------------------------------------

    def entries(self, kind: str) -> list[dict[str, Any]]:
        whole = self.journal.read(1, self.journal.last_seq, 10**9) if self.journal.last_seq else []
        return [json.loads(one.text) for one in whole if one.kind == kind]

    @property
    def signals(self) -> list[str]:
        """What was shown since this was last asked."""
        found = [notice.signal.value for notice in self.shown]
        self.shown.clear()
        return found

    def said(self, caller: int = 1) -> list[tuple[str, str]]:
        """What the caller was told since this was last asked."""
        return self.answered.pop(caller, [])

    @property
    def slot(self) -> int:
        """The slot for which a finger was last asked."""
        return [order.slot for _, order in self.ordered if isinstance(order, EnrolFinger)][-1]

    def finger(self, person: str, *held: int, capacity: int = 200, scanner: str = "door") -> int:
        """A finger of `person` is enrolled in a module that holds `held` already; the slot."""
        self.ask("finger", person=person, scanner=scanner)
        slot = self.slot
        for step in (Step.PLACE, Step.LIFT, Step.AGAIN):
            self.says(Enrolling(step, slot), scanner)
        self.holds(*held, slot, capacity=capacity, scanner=scanner)
        self.says(Enrolling(Step.STORED, slot), scanner)
        return slot

    @property
    def cancels(self) -> int:
        return sum(isinstance(order, CancelEnrolment) for _, order in self.ordered)

    def _order(self, scanner: str, order: Order) -> None:
        self.ordered.append((scanner, order))
        if isinstance(order, EnrolFinger):
            self.booked.append(set(self.journal.enrolled.fingers(scanner)))

    def _answer(self, caller: int, text: str, end: str = "") -> None:
        self.answered.setdefault(caller, []).append((text, end))


def _no_broker(_link: int) -> Link:
    raise ConfigError("connect", "to the broker", "there is none", "none is needed")
