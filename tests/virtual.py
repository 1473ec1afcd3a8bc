"""A device under a decoder in virtual time: no port, no thread, no waiting.

The device is any function from what it was told to what it says, or a chip of `sim`, whose own time
then is virtual, too. What may never be said to a fingerprint module fails the test that says it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from typing import Any

from edge_agent import profile
from edge_agent.devices.decoder import Decoder
from edge_agent.devices.fingerprint import FingerprintDecoder
from edge_agent.devices.pn532 import Pn532Decoder
from edge_agent.records import Scan
from edge_agent.sim import cards, ef01
from edge_agent.sim.chip import Chip, Job
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import (
    AURA_LED,
    GEN_IMG,
    IMG_2_TZ,
    R503,
    READ_INDEX_TABLE,
    READ_SYS_PARA,
    REG_MODEL,
    SEARCH,
    STORE,
    TEMPLETE_NUM,
    VFY_PWD,
    Model,
)
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort

#: What a device says to what it was told: milliseconds after what it said before, and bytes; none
#: for time that passes. It is asked for the next when the last was said.
Answer = Callable[[bytes], Iterable[tuple[int, bytes]]]

#: All that a fingerprint module is ever asked; nothing here reads a template out, deletes one or
#: changes a setting.
FINGER_COMMANDS = frozenset(
    {GEN_IMG, IMG_2_TZ, SEARCH, REG_MODEL, STORE, READ_SYS_PARA, VFY_PWD}
    | {TEMPLETE_NUM, READ_INDEX_TABLE, AURA_LED}
)
RINGED = profile.Fingerprint(ring="r503")
#: Turns without any time passing: a decoder that needs more takes the whole processor.
_MOST_TURNS = 2000


class Virtual:
    """Plays decoder and device against each other.

    Attributes:
        now_ms: virtual time.
        heard: all that the device was told; the port thread's `init` is not played.
        said: how many messages it has answered, lost ones and empty ones left out.
        fed: bytes that the decoder has heard.
        records, at_ms: all that the decoder gave, and when.
    """

    def __init__(self, decoder: Decoder[Any], answer: Answer) -> None:
        self.now_ms = 0
        self.heard: list[bytes] = []
        self.said = self.fed = 0
        self.records: list[Any] = []
        self.at_ms: list[int] = []
        self.decoder = decoder
        self._answer = answer
        self._number = count()
        self._coming: list[tuple[int, int, bytes, Iterator[tuple[int, bytes]]]] = []

    def say(self, data: bytes, in_ms: int = 0) -> None:
        """The device says something unasked."""
        self.begin(iter([(in_ms, data)]))

    def begin(self, steps: Iterator[tuple[int, bytes]]) -> None:
        """The device does something by itself; steps as of an `Answer`."""
        step = next(steps, None)
        if step is not None:
            heappush(self._coming, (self.now_ms + step[0], next(self._number), step[1], steps))

    def unplug(self, away_ms: int = 0) -> None:
        """The port goes away, with all that was under way, and comes back."""
        for *_, rest in list(self._coming):
            for _ in rest:
                pass  # the device does what it was told, but nobody hears it
        self._coming.clear()
        self.now_ms += away_ms
        self.decoder.restart()

    def run(self, for_ms: int, until: Callable[[], bool] = lambda: False) -> list[Any]:
        """Let time pass, or less once `until` holds; gives the records that came meanwhile."""
        before, end_ms = len(self.records), self.now_ms + for_ms
        turns, turned_ms = 0, self.now_ms
        while not until():
            turns = turns + 1 if turned_ms == self.now_ms else 0
            turned_ms = self.now_ms
            assert turns < _MOST_TURNS, f"it turns in circles at {self.now_ms} ms"
            self._tell(self.decoder.poll(self.now_ms))
            wake_ms = self.decoder.wake_ms
            due_ms = [end_ms + 1 if wake_ms is None else wake_ms]
            due_ms += [self._coming[0][0]] if self._coming else []
            if min(due_ms) > end_ms:
                self.now_ms = end_ms
                break
            self.now_ms = max(self.now_ms, min(due_ms))
            data = b""
            if self._coming and self._coming[0][0] <= self.now_ms:
                *_, data, rest = heappop(self._coming)
                self.begin(rest)
                self.said += bool(data)
                self.fed += len(data)
            if data or (wake_ms is not None and wake_ms <= self.now_ms):
                self.records += self.decoder.feed(data, self.now_ms)
                self.at_ms += [self.now_ms] * (len(self.records) - len(self.at_ms))
        return self.records[before:]

    def _tell(self, told: bytes) -> None:
        if told:
            asked = asked_of_a_module(told)
            assert asked <= FINGER_COMMANDS, f"it said {told.hex()} to a fingerprint module"
            self.heard.append(told)
            self.begin(iter(self._answer(told)))


def asked_of_a_module(told: bytes) -> set[int]:
    """The codes of the EF01 commands in these bytes."""
    buffer, codes = bytearray(told), set()
    while (packet := ef01.take(buffer)) is not None:
        if packet.pid == ef01.COMMAND:
            codes.add(packet.content[0])
    return codes


class Played:
    """A chip of `sim` as the `Answer` of a `Virtual`.

    Attributes:
        chip: what is played.
        asked: how often each command came.
    """

    def __init__(self, chip: Chip) -> None:
        self.asked: Counter[int] = Counter()
        self.chip = chip
        self._jobs: list[Job] = []

    def power(self) -> Iterator[tuple[int, bytes]]:
        """Power comes, also after it was away; steps for `Virtual.begin`."""
        self._jobs.clear()
        return map(_step, self.chip.power_on())

    def __call__(self, told: bytes) -> Iterator[tuple[int, bytes]]:
        doing = self._jobs[0] if self._jobs else None
        for job in self.chip.hear(told):
            if job.code is not None:
                self.asked[job.code] += 1
            if job.at_once:
                self._jobs.clear()
            self._jobs.append(job)
        begins = self._jobs and self._jobs[0] is not doing
        return self._work() if begins else iter(())

    def _work(self) -> Iterator[tuple[int, bytes]]:
        """Do one job after the other; one that was ended says no more."""
        while self._jobs:
            job = self._jobs[0]
            for step in job.work:
                yield _step(step)
                if not self._jobs or self._jobs[0] is not job:
                    return  # another took its place, and has its own run
            self._jobs.pop(0)


def _step(step: bytes | float) -> tuple[int, bytes]:
    return (0, step) if isinstance(step, bytes) else (round(step * 1000), b"")


class Wire:
    """What happens to the messages of a device on their way; at first nothing.

    Attributes:
        change: a message -> what arrives of it, and how many milliseconds after it was said. What
            comes late does not hold up what is said next.
    """

    def __init__(self, device: Answer) -> None:
        self.change: Callable[[bytes], Iterable[tuple[int, bytes]]] = lambda message: [(0, message)]
        self.virtual: Virtual | None = None
        self._device = device

    def __call__(self, told: bytes) -> Iterator[tuple[int, bytes]]:
        for in_ms, message in self._device(told):
            yield in_ms, b""
            if message and self.virtual is not None:
                for late_ms, part in self.change(message):
                    self.virtual.say(part, late_ms)


@dataclass
class Station:
    """A device of `sim` under its decoder, with two things that it can tell apart.

    Attributes:
        show, lift: put one of the things there, take away what is there.
        scans: what each of the things is scanned as.
    """

    virtual: Virtual
    played: Played
    wire: Wire
    show: Callable[[int], None]
    lift: Callable[[], None]
    scans: tuple[str, str]

    def unplug(self, away_ms: int = 0, power: bool = True) -> None:
        """Pull the plug and put it back; with `power`, the device's own power is in it."""
        self.virtual.unplug(away_ms)
        if power:
            self.virtual.begin(self.played.power())

    def read(self, records: list[Any]) -> list[str]:
        """The credentials among these records."""
        return [one.credential for one in records if isinstance(one, Scan)]


def pn532_station() -> Station:
    """A PN532 and two cards."""
    chip, things = Pn532(PseudoPort("unused")), (cards.E_KTP, cards.MIFARE_1K)
    scans = (f"14443a:{things[0].uid.hex().upper()}", f"14443a:{things[1].uid.hex().upper()}")
    decoder = Pn532Decoder(profile.Pn532())
    return _station(decoder, chip, lambda one: chip.place(things[one]), chip.lift, scans)


def module_station(
    model: Model = R503,
    settings: profile.Fingerprint = RINGED,
    **module: Any,
) -> Station:
    """A fingerprint module that knows two fingers, in slots 17 and 3, unless told otherwise."""
    module = {"slots": {17: "anna", 3: "budi"}, **module}
    chip = FingerprintModule(PseudoPort("unused"), model, **module)
    decoder = FingerprintDecoder(settings)
    scans = ("finger:17", "finger:3")
    return _station(decoder, chip, lambda one: chip.place(("anna", "budi")[one]), chip.lift, scans)


def _station(decoder: Decoder[Any], chip: Chip, show: Any, lift: Any, scans: Any) -> Station:
    played = Played(chip)
    wire = Wire(played)
    virtual = wire.virtual = Virtual(decoder, wire)
    virtual.begin(played.power())
    return Station(virtual, played, wire, show, lift, scans)


def on_pn532(answer: Answer, **settings: int) -> Virtual:
    """A PN532's decoder over a device that need not be a chip of `sim`."""
    return Virtual(Pn532Decoder(profile.Pn532(**settings)), answer)


def scans(records: list[Any]) -> list[str]:
    """The values of the scans among these records."""
    return [one.value for one in records if isinstance(one, Scan)]


STATIONS: dict[str, Callable[[], Station]] = {"pn532": pn532_station, "fingerprint": module_station}
