"""The troubles of a receiver by name, for somebody who wants to see what an agent makes of one."""

from collections.abc import Callable

from edge_agent.sim.receiver import GnssReceiver

#: What each name does to a receiver; `GnssReceiver` says what it means.
FAULTS: dict[str, Callable[[GnssReceiver], None]] = {
    "no-sky": lambda receiver: _set(receiver, sky=False),
    "antenna-cut": lambda receiver: _set(receiver, antenna=False),
    "frozen": lambda receiver: _set(receiver, frozen=True),
    "latched": lambda receiver: _set(receiver, latched=True),
    "simulator": lambda receiver: _set(receiver, mode="S"),
    "manual": lambda receiver: _set(receiver, mode="M"),
    "weak": lambda receiver: _set(receiver, weak=True),
    "rollover": lambda receiver: _set(receiver, weeks=-1024),
    "wrong-time": lambda receiver: _set(receiver, wrong_s=3600.0),
    "pivot": lambda receiver: _set(receiver, pivot_epochs=10),
    "dragged": lambda receiver: _set(receiver, dragged=(45.0, 8.0)),
    "spoofed": lambda receiver: _set(receiver, spoofing=2),
    "jammed": lambda receiver: _set(receiver, jamming=3),
}


def _set(receiver: GnssReceiver, **attributes: object) -> None:
    for name, value in attributes.items():
        setattr(receiver, name, value)
