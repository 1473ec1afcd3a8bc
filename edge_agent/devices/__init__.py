"""Bytes into records: pure decoders that do no I/O, know no clock and never raise on input.

Three laws bind each of them. Any chunking of the same bytes gives the same records. Noise before a
good frame costs nothing: a bad frame costs one byte, then the search resumes. No buffer grows
without bound.
"""

from collections.abc import Callable
from typing import Any

from edge_agent.devices.decoder import Decoder
from edge_agent.devices.em4100 import Em4100Decoder
from edge_agent.devices.fingerprint import FingerprintDecoder
from edge_agent.devices.gm65 import Gm65Decoder
from edge_agent.devices.gnss import GnssDecoder
from edge_agent.devices.pn532 import Pn532Decoder
from edge_agent.devices.text import TextDecoder
from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Doubt, Fix

__all__ = ["Decoder", "gnss_decoder", "scanner_decoder"]

_SCANNERS: dict[str, Callable[[ScannerProfile], Decoder[Any]]] = {
    "em4100": lambda profile: Em4100Decoder(),
    "text": lambda profile: TextDecoder(profile.technology, profile.text),
    "gm65": lambda profile: Gm65Decoder(profile.technology, profile.text),
    "pn532": lambda profile: Pn532Decoder(profile.pn532),
    "fingerprint": lambda profile: FingerprintDecoder(profile.fingerprint),
}


def scanner_decoder(profile: ScannerProfile) -> Decoder[Any]:
    """A fresh decoder for a scanner of this profile: gives `Scan`, and what `Noted` can hold."""
    return _SCANNERS[profile.decoder](profile)


def gnss_decoder(profile: GnssProfile) -> Decoder[Fix | Doubt]:
    """A fresh decoder for a receiver of this profile: one for all of them."""
    return GnssDecoder()
