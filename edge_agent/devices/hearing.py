"""What a modem's answers say of its hearing, one by one, and all of them together.

Numbers of registration and technology: 3GPP TS 27.007 sections 7.2 and 7.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from edge_agent.records import Reception

#: Registered for SMS alone (6, 7) or without preference (9, 10) is registered; with leave to call
#: for help (8, 11) is not.
_STATES = {
    0: "none",
    1: "home",
    2: "searching",
    3: "denied",
    4: "unknown",
    5: "roaming",
    6: "home",
    7: "roaming",
    8: "none",
    9: "home",
    10: "roaming",
    11: "none",
}
#: 10 is a 4G cell on a 5G core; 13 is a 4G cell with a 5G one beside it.
_TECHNOLOGIES = {
    **dict.fromkeys((0, 1, 8), "gsm"),
    2: "umts",
    3: "edge",
    **dict.fromkeys((4, 5, 6), "hspa"),
    **dict.fromkeys((7, 10), "lte"),
    9: "nbiot",
    **dict.fromkeys((11, 12, 13), "nr"),
}
REGISTERED = ("home", "roaming")
_TELLING = (*REGISTERED, "denied", "searching", "none", "unknown", None)


@dataclass(frozen=True, slots=True)
class Heard:
    """Part of a `Reception`: what one answer tells; None is what it does not."""

    registration: str | None = None
    technology: str | None = None
    operator: str | None = None
    rssi_dbm: int | None = None
    rsrp_dbm: int | None = None
    rsrq_e1: int | None = None
    snr_e1: int | None = None

    @classmethod
    def of(cls, state: int | None, technology: int | None, operator: str | None = None) -> "Heard":
        """By the numbers of the standard."""
        known = None if state is None else _STATES.get(state)
        return cls(known, None if technology is None else _TECHNOLOGIES.get(technology), operator)


def most_telling(said: Sequence[Heard]) -> Heard:
    """Registered somewhere is registered; a refusal says more than a search, a search than none."""
    return min(said, key=lambda one: _TELLING.index(one.registration))


def combined(parts: Sequence[Heard]) -> Reception:
    """All together; what two of them tell is the earlier one's."""
    whole = Heard()
    for part in parts:
        missing = {
            field.name: getattr(part, field.name)
            for field in fields(Heard)
            if getattr(whole, field.name) is None
        }
        whole = replace(whole, **missing)
    return Reception(
        "modem",
        whole.registration or "unknown",
        whole.technology,
        whole.operator,
        whole.rssi_dbm,
        whole.rsrp_dbm,
        whole.rsrq_e1,
        whole.snr_e1,
    )
