"""Bytes into records: pure decoders that do no I/O, know no clock and never raise on input.

Three laws bind each of them. Any chunking of the same bytes gives the same records. Noise before a
good frame costs nothing: a bad frame costs one byte, then the search resumes. No buffer grows
without bound.
"""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.nmea import NmeaDecoder
from edge_agent.devices.text import TextDecoder
from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Counts, Fix, Scan

R_co = TypeVar("R_co", covariant=True)


class Decoder(Protocol[R_co]):
    """What a port's thread asks of a decoder."""

    @property
    def counts(self) -> Counts:
        """What was thrown away so far."""

    def feed(self, data: bytes) -> Iterator[R_co]:
        """Take the next bytes, give the records that they complete."""

    def restart(self) -> None:
        """The wire was cut: what is half there will never be whole."""


_SCANNERS: dict[str, Callable[[ScannerProfile], Decoder[Scan]]] = {
    "em4100": lambda profile: Em4100Decoder(),
    "text": lambda profile: TextDecoder(profile.technology),
}


def scanner_decoder(profile: ScannerProfile) -> Decoder[Scan]:
    """A fresh decoder for a scanner of this profile."""
    return _SCANNERS[profile.decoder](profile)


def gnss_decoder(profile: GnssProfile) -> Decoder[Fix]:
    """A fresh decoder for a receiver of this profile."""
    return {"nmea": NmeaDecoder}[profile.decoder]()
