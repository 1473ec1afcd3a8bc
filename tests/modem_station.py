"""A modem of `sim` under its decoder in virtual time, as a station among those of `virtual`."""

from virtual import Played, Station, Virtual, Wire

from edge_agent.devices.modem import ModemDecoder
from edge_agent.sim.modem import RECEPTIONS, Conditions, Modem
from edge_agent.sim.pty import PseudoPort


def modem(
    model: str = "sim7600", here: Conditions = RECEPTIONS["good"], urcs: float = 0.0
) -> tuple[Modem, Station]:
    """The modem, and the station; what it has here is changed by `show` and `lift`."""
    chip = Modem(PseudoPort("unused"), model, here, urcs=urcs)
    played = Played(chip)
    wire = Wire(played)
    virtual = wire.virtual = Virtual(ModemDecoder(), wire)
    virtual.begin(played.power())

    def come(to: str) -> None:
        chip.here = RECEPTIONS[to]

    things = ("good", "weak")
    station = Station(
        virtual, played, wire, lambda one: come(things[one]), lambda: come("none"), ("", "")
    )
    return chip, station


def modem_station() -> Station:
    """One that speaks up when nobody asked, for what must hold under any damage."""
    return modem(urcs=0.1)[1]
