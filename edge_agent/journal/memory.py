"""What the journal remembers beside its entries: faults that are open, how the last run ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """A fault that has begun and not yet ended: the entry that opened it, and when it began."""

    what: str
    which: str
    seq: int
    cause: str
    boot: str
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Run:
    """How an earlier run of the agent stands in the journal."""

    boot: str
    stopped: bool
