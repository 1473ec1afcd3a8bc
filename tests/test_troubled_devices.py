"""Real conversations over a bad wire with a bad device: late, in pieces, lost, repeated, reset.

The devices are those of `sim`, which do not know our decoders. Everybody comes in turn and stays
until they are read; nobody may be read twice, and nobody who was not there.
"""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from reading import Reader, quick

from edge_agent.sim.cards import TypeA
from edge_agent.sim.device import FAST, Faults
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort

SEED = random.SystemRandom().randrange(10**6)
TROUBLE = {
    "noise before every message": Faults(noise=40, seed=SEED),
    "byte by byte": Faults(piece=1, seed=SEED),
    "late": Faults(delay_s=0.05, seed=SEED),
    "bytes lost": Faults(drop=0.004, seed=SEED),
    "answers lost": Faults(lose=0.05, seed=SEED),
    "resets in the middle": Faults(reset=0.05, seed=SEED),
    "both talk at once": Faults(talk_over=0.1, seed=SEED),
    "all of it": Faults(8, 0.01, 0.001, 0.01, 3, 0.01, 0.02, None, SEED),
}
MANY = 4
PATIENCE_S = 30.0

Made = tuple[AbstractContextManager[Any], list[tuple[Any, str]]]


def pn532(port: PseudoPort, faults: Faults) -> Made:
    uids = [bytes([0x04, 0xA0 + number, 1, 2, 3, 4, 0x80]) for number in range(MANY)]
    people = [(TypeA(uid), f"14443a:{uid.hex().upper()}") for uid in uids]
    return Pn532(port, faults=faults, speed=FAST), people


def fingerprint(port: PseudoPort, faults: Faults) -> Made:
    slots = {number * 7: f"finger {number}" for number in range(MANY)}
    people = [(name, f"finger:{slot}") for slot, name in slots.items()]
    return FingerprintModule(port, slots=slots, faults=faults, speed=FAST), people


@pytest.mark.timeout(300)
@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize(("model", "make"), [("pn532", pn532), ("r307", fingerprint)])
def test_everybody_is_read_once_through_any_trouble(
    tmp_path: Path, model: str, make: Callable[[PseudoPort, Faults], Made], trouble: str
) -> None:
    """Some people, one after the other, each until they are read."""
    with PseudoPort(tmp_path / "port") as port:
        device, people = make(port, TROUBLE[trouble])
        with device as there, Reader(port.path, quick(model)) as reader:
            for number, (thing, credential) in enumerate(people, start=1):
                there.place(thing)
                assert reader.wait_scan(credential, PATIENCE_S), f"seed {SEED}: {reader.scans}"
                reader.wait(lambda _: False, 0.05)  # it rests there a little
                there.lift()
                reader.wait(lambda _: False, 0.2)
                assert reader.scans == [one for _, one in people[:number]], f"seed {SEED}"
