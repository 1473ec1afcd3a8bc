"""What is known of one model of scanner or receiver: TOML in ``firmware_configs``.

A site may add its own, or replace one, in ``/etc/edge-agent/firmware_configs``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edge_agent import shape, toml_file
from edge_agent.errors import ConfigError

SITE_DIRECTORY = Path("/etc/edge-agent/firmware_configs")
_HERE = Path(__file__).parent
#: Installed, the profiles lie in the package; in a checkout, beside it.
_DIRECTORIES = (
    SITE_DIRECTORY,
    _HERE / "firmware_configs",
    _HERE.parent / "firmware_configs",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ScannerProfile:
    """One model of scanner.

    Attributes:
        decoder: ``em4100`` or ``text``.
        baud: bits per second, 8N1.
        confirm: reads of one credential, each within `confirm_ms` of the one before, until it is
            believed. 2 or more for models that repeat while a card is held, which also emit
            phantoms; 1 for the others.
        gone_ms: silence after which a card that comes again is a new presentation.
        technology: what a text reader's lines are, e.g. ``em4100``.
    """

    decoder: str = shape.field(choices=("em4100", "text"))
    baud: int = shape.field(low=1200, high=921_600)
    confirm: int = shape.field(1, low=1, high=5)
    confirm_ms: int = shape.field(200, low=50, high=2000)
    gone_ms: int = shape.field(500, low=100, high=10_000)
    technology: str = shape.field("text", pattern=r"[a-z0-9]{1,16}")
    title: str = shape.field("", pattern=r".{0,120}")
    wiring: str = ""
    verified: str = ""


@dataclass(frozen=True, slots=True)
class GnssProfile:
    """One family of receivers. `baud` in bits per second, 8N1."""

    decoder: str = shape.field(choices=("nmea",))
    baud: int = shape.field(9600, low=1200, high=921_600)
    title: str = shape.field("", pattern=r".{0,120}")
    wiring: str = ""
    verified: str = ""


def scanner(name: str) -> ScannerProfile:
    """The profile of a scanner model. Raises ConfigError if there is none or it does not parse."""
    return _load("scanners", name, ScannerProfile)


def gnss(name: str) -> GnssProfile:
    """The profile of a receiver family. Raises ConfigError likewise."""
    return _load("gnss", name, GnssProfile)


def known(folder: str) -> list[str]:
    """Names of all profiles in ``scanners`` or ``gnss``."""
    return sorted({path.stem for one in _DIRECTORIES for path in (one / folder).glob("*.toml")})


def _load(folder: str, name: str, kind: type[T]) -> T:
    for directory in _DIRECTORIES:
        path = directory / folder / f"{name}.toml"
        if path.is_file():
            return toml_file.read(path, kind, "read the profile")
    hint = f"known: {', '.join(known(folder))}; or add {SITE_DIRECTORY / folder / name}.toml"
    raise ConfigError("find the profile", f"{folder}/{name}", "there is no such file", hint)
