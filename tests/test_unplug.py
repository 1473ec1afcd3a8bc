"""Pulled and plugged in every state of every conversation: it reads again, and nobody is doubled.

The port is cut after each number of bytes that pass between a device and the agent's side of the
port, from the first byte of the introduction to well behind the answer that names a card or finger.
By default each thirteenth place is tried, beginning where the seed says; EDGE_AGENT_EVERY_BYTE=1
tries all of them.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from reading import PATIENCE_S, Reader, quick

from edge_agent import profile
from edge_agent.events import PortLost, PortOpened
from edge_agent.profile import ScannerProfile
from edge_agent.sim import cards
from edge_agent.sim.device import FAST, Faults
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.qr import QrModule

AGAIN_S = 3.0
EVERY = 1 if os.environ.get("EDGE_AGENT_EVERY_BYTE") else 13
SEED = random.SystemRandom().randrange(10**6)


@dataclass(frozen=True)
class Kind:
    """A device with two credentials, `things` as the device takes them and as they are scanned."""

    profile: str
    make: Callable[[PseudoPort, Faults, float], AbstractContextManager[Any]]
    things: tuple[Any, Any]
    scanned: tuple[str, str]
    traffic: int


KINDS = {
    "pn532": Kind(
        "pn532",
        lambda port, faults, speed: Pn532(port, faults=faults, speed=speed),
        (cards.E_KTP, cards.MIFARE_1K),
        (f"14443a:{cards.E_KTP.uid.hex().upper()}", f"14443a:{cards.MIFARE_1K.uid.hex().upper()}"),
        330,
    ),
    "fingerprint": Kind(
        "r307",
        lambda port, faults, speed: FingerprintModule(
            port, slots={17: "anna", 400: "budi"}, faults=faults, speed=speed
        ),
        ("anna", "budi"),
        ("finger:17", "finger:400"),
        520,
    ),
    "qr": Kind(
        "gm65",
        lambda port, faults, speed: QrModule(port, faults=faults, speed=speed, pause_s=0.1),
        ("198501012010011001", "198702022011012002"),
        ("qr:198501012010011001", "qr:198702022011012002"),
        40,
    ),
}


@contextmanager
def cut_once(
    work: Path, kind: Kind, at: int, speed: float, wanted: ScannerProfile
) -> Iterator[tuple[PseudoPort, Any, Reader]]:
    """The first thing lies there from the start, and the cable was cut after `at` bytes."""
    with (
        PseudoPort(work / f"port-{at}") as port,
        kind.make(port, Faults(cut_after=at), speed) as device,
    ):
        device.place(kind.things[0])
        with Reader(port.path, wanted) as reader:
            assert reader.wait(lambda event: isinstance(event, PortOpened))
            assert reader.wait(lambda event: isinstance(event, PortLost)), f"not cut at {at}"
            yield port, device, reader


def places(kind: Kind) -> range:
    return range(1 + random.Random(SEED).randrange(EVERY), kind.traffic, EVERY)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", KINDS)
def test_a_cable_pulled_at_any_byte_costs_no_reading_and_doubles_none(
    tmp_path: Path, name: str
) -> None:
    """The next person is read soon after the cable is back; before it, one scan at the most."""
    kind = KINDS[name]
    for at in places(kind):
        with cut_once(tmp_path, kind, at, FAST, quick(kind.profile)) as (port, device, reader):
            device.lift()
            device.place(kind.things[1])
            began = time.monotonic()
            port.plug()
            assert reader.wait_scan(kind.scanned[1], PATIENCE_S), f"seed {SEED}, byte {at}"
            assert time.monotonic() - began <= AGAIN_S, f"seed {SEED}, byte {at}"
            first, second = (reader.scans.count(one) for one in kind.scanned)
            assert (first <= 1, second, len(reader.scans)) == (True, 1, first + 1), at


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["pn532", "fingerprint"])
def test_what_lies_there_all_the_while_is_one_scan(tmp_path: Path, name: str) -> None:
    """The cable wobbles while a card or a finger rests: the same presentation still."""
    kind = KINDS[name]
    for at in places(kind)[::3]:
        with cut_once(tmp_path, kind, at, FAST, quick(kind.profile)) as (port, _, reader):
            port.plug()
            reader.wait_scan(kind.scanned[0], PATIENCE_S)
            reader.wait(lambda event: False, 0.3)  # it rests on
            assert reader.scans == [kind.scanned[0]], f"seed {SEED}, byte {at}"
            assert reader.misreads == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", KINDS)
def test_at_a_devices_own_pace_it_reads_within_three_seconds(tmp_path: Path, name: str) -> None:
    """Start-up of the module, introduction and reading included, with the profile that ships."""
    kind = KINDS[name]
    for at in (kind.traffic // 5, kind.traffic // 2, kind.traffic - 10):
        with cut_once(tmp_path, kind, at, 1.0, profile.scanner(kind.profile)) as cut:
            port, device, reader = cut
            device.lift()
            device.place(kind.things[1])
            began = time.monotonic()
            port.plug()
            assert reader.wait_scan(kind.scanned[1], PATIENCE_S)
            assert time.monotonic() - began <= AGAIN_S
