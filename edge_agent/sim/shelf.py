"""The simulated scanners by name, and somebody who holds things at one of them, one by one.

What is held is said in words: ten hex digits for rdm6300 and id12la; the text itself for text and
qr; for pn532 a UID of 8, 14 or 20 hex digits or the name of a card; for fingerprint the name of a
finger, `budi=17` if it is enrolled in slot 17.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, repeat
from pathlib import Path

from edge_agent.errors import EdgeAgentError
from edge_agent.sim import cards
from edge_agent.sim.cards import Card, TypeA
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import R503
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.qr import QrModule
from edge_agent.sim.scanner import Id12la, Rdm6300, TextReader, id12la_frame
from edge_agent.sim.wire import Wire

CARDS: dict[str, Card] = {
    "e-ktp": cards.E_KTP,
    "sim": cards.SIM,
    "mifare-1k": cards.MIFARE_1K,
    "ntag": cards.NTAG,
    "desfire": cards.DESFIRE,
    "phone": cards.PHONE,
}
#: What is held when nothing is named.
USUAL = {
    "rdm6300": "3C00CE754C",
    "id12la": "3C00CE754C",
    "text": "0013530444",
    "pn532": "e-ktp",
    "fingerprint": "budi=17",
    "qr": "8711218972875",
}
KINDS = tuple(USUAL)

_WIRE = Wire(rate_baud=9600)
_PATIENCE_S = 2.0

#: Holds one thing for so many seconds.
Hold = Callable[[str, float], object]


def present(
    kind: str,
    path: Path | str,
    what: Sequence[str] = (),
    *,
    every_s: float = 3.0,
    held_s: float = 1.0,
    times: int = 1,
    wait_s: float = 600.0,
) -> list[str]:
    """Make a scanner of `kind` at `path` and hold `what` at it, one after the other, `times` over.

    Waits for a host first. One is held for `held_s`, the next begins `every_s` after it began, and
    after the last the port stays as long. Gives what was held.

    Raises:
        EdgeAgentError: no such kind, nothing of the kind can be held, the port cannot be made, or
            no host came within `wait_s`.
    """
    if kind not in USUAL:
        raise EdgeAgentError("simulate", kind, "no such scanner", f"name one of {', '.join(KINDS)}")
    things = list(what) or [USUAL[kind]]
    for thing in things:
        _check(kind, thing)
    held = list(chain.from_iterable(repeat(things, times)))
    with PseudoPort(path, patience_s=_PATIENCE_S) as port, _SHELF[kind](port, things) as hold:
        if not port.wait_open(wait_s):
            hint = "start a reader of this port, e.g. `edge-agent run`, then try again"
            raise EdgeAgentError("present at", str(path), f"no reader within {wait_s:g} s", hint)
        for thing in held:
            due = time.monotonic() + every_s
            hold(thing, held_s)
            time.sleep(max(0.0, due - time.monotonic()))
        port.drain(_PATIENCE_S)
    return held


def _check(kind: str, thing: str) -> None:
    """Refuse what cannot be held at a scanner of `kind`."""
    try:
        if kind in ("rdm6300", "id12la"):
            id12la_frame(thing)
        elif kind == "text":
            thing.encode("ascii")
        elif kind == "pn532":
            _card(thing)
        elif kind == "fingerprint":
            _slot(thing)
    except ValueError as error:
        hint = f"try e.g. {USUAL[kind]}"
        raise EdgeAgentError(f"hold at {kind}", thing, str(error), hint) from error


def _card(thing: str) -> Card:
    return CARDS.get(thing) or TypeA(bytes.fromhex(thing))


def _slot(thing: str) -> int | None:
    """The slot of a finger that is enrolled."""
    _, enrolled, slot = thing.partition("=")
    if enrolled and not (slot.isdecimal() and int(slot) < R503.capacity):
        raise ValueError(f"an {R503.name} has slots 0 to {R503.capacity - 1}")
    return int(slot) if enrolled else None


# --- one function a kind, in the order of USUAL ---------------------------------------------------


@contextmanager
def _rdm6300(port: PseudoPort, _things: Sequence[str]) -> Iterator[Hold]:
    yield Rdm6300(port, _WIRE).present


@contextmanager
def _id12la(port: PseudoPort, _things: Sequence[str]) -> Iterator[Hold]:
    yield partial(_once, Id12la(port, _WIRE).present)


@contextmanager
def _text(port: PseudoPort, _things: Sequence[str]) -> Iterator[Hold]:
    yield partial(_once, TextReader(port, wire=_WIRE).present)


def _once(send: Callable[[str], None], thing: str, held_s: float) -> None:
    """A reader that says a card when it comes near, however long it stays."""
    send(thing)
    time.sleep(held_s)


@contextmanager
def _pn532(port: PseudoPort, _things: Sequence[str]) -> Iterator[Hold]:
    with Pn532(port) as reader:
        yield lambda thing, held_s: reader.present(_card(thing), held_s)


@contextmanager
def _fingerprint(port: PseudoPort, things: Sequence[str]) -> Iterator[Hold]:
    slots = {slot: _finger(thing) for thing in things if (slot := _slot(thing)) is not None}
    with FingerprintModule(port, R503, slots) as module:
        yield lambda thing, held_s: module.press(_finger(thing), held_s)


def _finger(thing: str) -> str:
    return thing.partition("=")[0]


@contextmanager
def _qr(port: PseudoPort, _things: Sequence[str]) -> Iterator[Hold]:
    with QrModule(port) as module:
        yield module.show


_SHELF = dict(zip(KINDS, (_rdm6300, _id12la, _text, _pn532, _fingerprint, _qr), strict=True))
