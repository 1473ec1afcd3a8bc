"""Models that talk by themselves, recognised by their decoders: pure, from the bytes that came.

All decoders hear the same bytes; those that make records of them without much noise are candidates.

* EM4100 frames have a checksum of eight bits, and the cheap modules emit phantoms for which it is
  right. The same card twice is `certain`, once is `probable`.
* Sentences of a receiver add up whether or not it sees the sky; two are `certain`.
* A line of text says nothing of its format: `probable`, and shown as each profile reads it.

A profile without a question may say in `identify.answer` what the device's own words look like. For
lines of text that is required; elsewhere it only sorts, because clones differ in small things.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import reduce
from operator import xor

from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Fix, Scan
from edge_agent.technician.model import Finding, Model, Sure, candidate

#: Share of bytes that belong to no record; a decoder that drops more has found phantoms.
_MOST_NOISE, _MOST_NOISE_IN_TEXT = 0.5, 0.1
_SHOWN = 3
#: A line of text is no shorter, with its end; what else may stand in and around one.
_SHORTEST_LINE = 5
_TEXT = bytes([*range(0x20, 0x7F), *b"\x02\x03\t\r\n"])
_SENTENCE = re.compile(rb"\$([\x20-\x23\x25-\x29\x2b-\x7e]{5,250})\*([0-9A-Fa-f]{2})")


class Ear:
    """Everybody who might understand a port, at one speed.

    Attributes:
        heard: all bytes that came.
    """

    def __init__(self, models: Iterable[Model]) -> None:
        self.heard = bytearray()
        self._listeners = [_Listener(model) for model in models if model.talks]

    def hear(self, data: bytes, now_ms: int) -> None:
        """Bytes that came until `now_ms`; none if it was silent."""
        self.heard += data
        for one in self._listeners:
            one.hear(data, now_ms)

    def finding(self, baud: int | None, usb: str = "") -> Finding | None:
        """What has been understood so far; among equals, models with the id `usb` come first."""
        data = bytes(self.heard)
        verdicts = {one: one.verdict(data) for one in self._listeners}
        for sure in Sure:
            fit = [one for one, (how, _) in verdicts.items() if how is sure]
            if not fit:
                continue
            fit.sort(key=lambda one: (not one.model.has_usb(usb), one.strangeness(data, baud)))
            why = verdicts[fit[0]][1] + (f", at {baud} baud" if baud else "")
            return Finding(sure, why, tuple(candidate(one.model, baud, one.reads) for one in fit))
        return None


class _Listener:
    """One model's decoder, and what it made of the bytes."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._decoder = model.decoder()
        self._records: list[str] = []

    def hear(self, data: bytes, now_ms: int) -> None:
        for record in self._decoder.feed(data, now_ms):
            if isinstance(record, Scan | Fix):
                self._records.append(_shown(record))

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self._records))[-_SHOWN:]

    def verdict(self, data: bytes) -> tuple[Sure | None, str]:
        """How well these bytes, which are all that it heard, fit the model, and why."""
        if isinstance(self.model.profile, GnssProfile):
            return _receiver(data, bool(self._records))
        if not self._records:
            return None, ""
        counts = self._decoder.counts
        noise = counts.noise / len(data)
        if self.model.profile.decoder == "em4100":
            times = max(Counter(self._records).values())
            return (None, "") if noise > _MOST_NOISE else _checked(times)
        # A profile that picks its number out of a line is for readers that print others, too.
        refused = counts.rejected > len(self._records) and not self.model.profile.text.pattern
        if refused or self._is_described(data) is False:
            return None, ""
        if max(noise, _strange(data)) > _MOST_NOISE_IN_TEXT or len(data) < _SHORTEST_LINE:
            return None, ""
        return Sure.PROBABLE, "a line of text, which has no checksum"

    def strangeness(self, data: bytes, baud: int | None) -> tuple[bool | int | str, ...]:
        """Sorts models of the same sureness: what fits the model best is first."""
        profile = self.model.profile
        return (
            isinstance(profile, ScannerProfile) and profile.decoder in ("text", "gm65"),
            self._is_described(data) is not True,
            baud not in (None, profile.baud, *profile.identify.bauds),
            -self.model.exactness(data),
            self.model.name,
        )

    def _is_described(self, data: bytes) -> bool | None:
        """Whether these are the words that the profile describes; None if it describes none."""
        identify = self.model.profile.identify
        return None if identify.ask or not identify.answer else self.model.answers(data)


def speeds(models: Iterable[Model]) -> list[int]:
    """At which to listen: those that models which talk are made with, the commonest first."""
    talkers = [model.profile for model in models if model.talks]
    own = Counter(profile.baud for profile in talkers)
    others = {baud for profile in talkers for baud in profile.identify.bauds} - own.keys()
    return [*sorted(own, key=lambda baud: (-own[baud], baud)), *sorted(others)]


def _checked(times: int) -> tuple[Sure, str]:
    if times > 1:
        return Sure.CERTAIN, f"the same card {times} times, with the right checksum"
    return Sure.PROBABLE, "one frame with the right checksum; a phantom could be that"


def _strange(data: bytes) -> float:
    """The share of bytes that are no text: noise of a wrong speed is a line to some decoders."""
    return len(data.translate(None, _TEXT)) / len(data)


def _receiver(data: bytes, fix: bool) -> tuple[Sure | None, str]:
    right = sum(reduce(xor, body) == int(check, 16) for body, check in _SENTENCE.findall(data))
    if right < 2:
        return None, ""
    sky = "and a fix" if fix else "but no fix yet: its antenna must see the sky"
    return Sure.CERTAIN, f"{right} NMEA sentences with the right checksum, {sky}"


def _shown(record: Scan | Fix) -> str:
    if isinstance(record, Scan):
        return record.credential
    return f"{record.lat_e7 / 1e7:.5f}, {record.lon_e7 / 1e7:.5f}"
