"""What may hang on a port, and how sure we are that it does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge_agent import devices, profile
from edge_agent.devices.conversation import Conversation
from edge_agent.errors import ConfigError
from edge_agent.ports.listing import Listed
from edge_agent.profile import GnssProfile, ScannerProfile


@dataclass(frozen=True, slots=True)
class Model:
    """A profile under its name."""

    name: str
    profile: ScannerProfile | GnssProfile

    def decoder(self) -> devices.Decoder[Any]:
        """A fresh decoder for it."""
        if isinstance(self.profile, GnssProfile):
            return devices.gnss_decoder(self.profile)
        return devices.scanner_decoder(self.profile)

    @property
    def talks(self) -> bool:
        """True if such a device talks by itself, False if it only answers."""
        return not isinstance(self.decoder(), Conversation)

    def has_usb(self, usb: str) -> bool:
        """True if its boards have this USB id."""
        return usb in self.profile.identify.usb

    def answers(self, heard: bytes) -> bool:
        """True if these bytes hold what such a device says to the question of its profile.

        A profile without a question describes what the device says by itself. The expression must
        match at a byte, not between the halves of two.
        """
        return self._said(heard.hex().upper()) is not None

    def exactness(self, heard: bytes) -> int:
        """How many hex digits of the answer in these bytes the expression insists on."""
        said = self._said(heard.hex().upper()) or ""
        spoilt = (
            f"{said[:at]}{15 - int(one, 16):X}{said[at + 1 :]}" for at, one in enumerate(said)
        )
        return sum(self._said(digits) is None for digits in spoilt)

    def _said(self, digits: str) -> str | None:
        expression = re.compile(self.profile.identify.answer)
        found = (expression.match(digits, at) for at in range(0, len(digits), 2))
        return next((one[0] for one in found if one), None)


class Sure(StrEnum):
    """How sure a finding is; the surest first.

    ``certain`` is what can be no accident: a checksum that was right more than once, or the right
    answer to our own question. ``probable`` has little or no checksum. ``possible`` is a USB id,
    which is the adapter's and says nothing of what hangs on it.
    """

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that fits.

    Attributes:
        baud: the speed at which it was found; None if that is the profile's own or is not known.
        reads: what it makes of the bytes, e.g. ``em4100:3C00CE754C``: to be compared with the
            number printed on the card.
    """

    model: Model
    baud: int | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What hangs on a port: how sure, why, and the models that fit, the best first."""

    sure: Sure
    why: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What was learned about one port.

    Attributes:
        place: the port.
        state: ``open`` if it can be looked at, else ``missing``, ``denied``, ``busy``, ``broken``.
        trouble, hint: why it could not be looked at, or why nothing was found, and what to do.
        finding: what hangs on it, None if that is not known.
        asked: how many questions were put to it.
    """

    place: Listed
    state: str = "open"
    trouble: str = ""
    hint: str = ""
    finding: Finding | None = None
    asked: int = 0


def models(left_out: Callable[[ConfigError], object]) -> list[Model]:
    """Every profile of a scanner or receiver, shipped or the site's own.

    One that cannot be used is handed to `left_out`: it must not hide what the others would find.
    """
    found: list[Model] = []
    kinds: list[tuple[str, Callable[[str], ScannerProfile | GnssProfile]]] = [
        ("scanners", profile.scanner),
        ("gnss", profile.gnss),
    ]
    for folder, load in kinds:
        for name in profile.known(folder):
            try:
                found.append(Model(name, load(name)))
            except ConfigError as error:
                left_out(error)
    return found


def candidate(model: Model, baud: int | None, reads: tuple[str, ...] = ()) -> Candidate:
    """A model found at a speed, which is named only if it is not the usual one."""
    return Candidate(model, None if baud == model.profile.baud else baud, reads)


def shown(data: bytes) -> str:
    """Bytes for a person to look at."""
    more = "..." if len(data) > 16 else ""
    return f"{len(data)} bytes, {data[:16].hex(' ').upper()}{more}"
