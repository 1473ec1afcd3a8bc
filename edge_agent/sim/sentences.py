"""One epoch of a receiver as NMEA 0183 4.10 sentences, in the order of a u-blox 8.

Each is `$`, body, `*`, XOR of the body as two hex digits, CR LF. Since NMEA 4.10 RMC has a
thirteenth field, the navigational status, which is V ("not given") even with a perfect fix; GSA
ends with a system id and GSV with a signal id. GGA names no more than 12 satellites.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import xor

from edge_agent.sim.sky import Satellite, System


@dataclass(frozen=True, slots=True)
class Epoch:
    """What a receiver states of one instant.

    Attributes:
        utc: as it believes, None if it knows no time; `fold` is 1 in a leap second, 23:59:60.
        where: as ``ddmm.mmmmm,N,dddmm.mmmmm,E``; "" without a fix.
        mode: of RMC: A satellites, S simulator, M manual.
        quality: of GGA: 1 satellites, 8 simulator, 7 manual.
        dimension: 2 or 3.
        hdop: horizontal dilution of precision.
        sigma_m: one-sigma error of each axis that it admits.
        speed: over ground, knots.
        sky: the satellites, with the strengths of this instant.
    """

    utc: datetime | None
    where: str
    sky: tuple[System, ...]
    mode: str = "A"
    quality: int = 1
    dimension: int = 3
    hdop: float = 0.92
    sigma_m: float = 1.5
    speed: float = 0.0

    @property
    def at(self) -> str:
        """Time of day as ``hhmmss.ss``; "" if it knows no time."""
        if self.utc is None:
            return ""
        seconds = self.utc.second + self.utc.fold
        return f"{self.utc:%H%M}{seconds:02d}.{self.utc.microsecond // 10_000:02d}"

    @property
    def used(self) -> int:
        """How many satellites are used."""
        return sum(len(system.heard) for system in self.sky)


def sentence(body: str) -> bytes:
    """`body` framed as NMEA 0183: `$`, body, `*`, checksum, CR LF."""
    text = body.encode("ascii")
    return b"$%s*%02X\r\n" % (text, reduce(xor, text))


def said(epoch: Epoch, wanted: Collection[str]) -> bytes:
    """The sentences of the `wanted` types, e.g. ``RMC``."""
    bodies = [body for kind, says in _KINDS.items() if kind in wanted for body in says(epoch)]
    return b"".join(sentence(body) for body in bodies)


def degrees(value: float, width: int, sides: str) -> str:
    """Degrees as ``ddmm.mmmmm,N``: degrees of `width` digits, then minutes."""
    whole_degrees, minutes_e5 = divmod(round(abs(value) * 6_000_000), 6_000_000)
    whole, part = divmod(minutes_e5, 100_000)
    return f"{whole_degrees:0{width}d}{whole:02d}.{part:05d},{sides[value < 0]}"


# --- one function a type --------------------------------------------------------------------------


def _rmc(epoch: Epoch) -> list[str]:
    day = "" if epoch.utc is None else f"{epoch.utc:%d%m%y}"
    if not epoch.where:
        return [f"GNRMC,{epoch.at},V,,,,,,,{day},,,N,V"]
    return [f"GNRMC,{epoch.at},A,{epoch.where},{epoch.speed:.3f},,{day},,,{epoch.mode},V"]


def _vtg(epoch: Epoch) -> list[str]:
    if not epoch.where:
        return ["GNVTG,,,,,,,,,N"]
    return [f"GNVTG,,T,,M,{epoch.speed:.3f},N,{epoch.speed * 1.852:.3f},K,{epoch.mode}"]


def _gga(epoch: Epoch) -> list[str]:
    if not epoch.where:
        return [f"GNGGA,{epoch.at},,,,,0,00,99.99,,,,,,"]
    used = f"{min(epoch.used, 12):02d}"
    fix = f"{epoch.quality},{used},{epoch.hdop:.2f}"
    return [f"GNGGA,{epoch.at},{epoch.where},{fix},31.4,M,56.2,M,,"]


def _gsa(epoch: Epoch) -> list[str]:
    bodies = []
    for system in epoch.sky:
        ids = [f"{one.number:02d}" for one in system.heard] if epoch.where else []
        slots = ",".join((ids + [""] * 12)[:12])
        dimension, dops = 1, "99.99,99.99,99.99"
        if epoch.where:
            dimension = epoch.dimension
            dops = f"{epoch.hdop * 1.86:.2f},{epoch.hdop:.2f},{epoch.hdop * 1.57:.2f}"
        bodies.append(f"GNGSA,A,{dimension},{slots},{dops},{system.number}")
    return bodies


def _gsv(epoch: Epoch) -> list[str]:
    return [body for system in epoch.sky for body in _in_view(system)]


def _in_view(system: System) -> list[str]:
    total = -(-len(system.seen) // 4)
    return [
        f"{system.talker}GSV,{total},{part + 1},{len(system.seen):02d}"
        + "".join(_satellite(one) for one in system.seen[4 * part : 4 * part + 4])
        + ",1"
        for part in range(total)
    ] or [f"{system.talker}GSV,1,1,00,1"]


def _satellite(one: Satellite) -> str:
    heard = f"{one.strength:02d}" if one.strength else ""
    return f",{one.number:02d},{one.elevation:02d},{one.azimuth:03d},{heard}"


def _gll(epoch: Epoch) -> list[str]:
    if not epoch.where:
        return [f"GNGLL,,,,,{epoch.at},V,N"]
    return [f"GNGLL,{epoch.where},{epoch.at},A,{epoch.mode}"]


def _gst(epoch: Epoch) -> list[str]:
    if not epoch.where:
        return [f"GNGST,{epoch.at},,,,,,,"]
    sigma = f"{epoch.sigma_m:.1f}"
    return [f"GNGST,{epoch.at},{epoch.sigma_m * 6:.1f},,,,{sigma},{sigma},{epoch.sigma_m * 2:.1f}"]


def _zda(epoch: Epoch) -> list[str]:
    day = ",," if epoch.utc is None else f"{epoch.utc:%d,%m,%Y}"
    return [f"GNZDA,{epoch.at},{day},00,00"]


def _gbs(epoch: Epoch) -> list[str]:
    if not epoch.where:
        return [f"GNGBS,{epoch.at},,,,,,,,,"]
    sigma = f"{epoch.sigma_m:.1f}"
    return [f"GNGBS,{epoch.at},{sigma},{sigma},{epoch.sigma_m * 2:.1f},,,,,,"]


_KINDS: dict[str, Callable[[Epoch], list[str]]] = {
    "RMC": _rmc,
    "VTG": _vtg,
    "GGA": _gga,
    "GSA": _gsa,
    "GSV": _gsv,
    "GLL": _gll,
    "GST": _gst,
    "ZDA": _zda,
    "GBS": _gbs,
}
USUAL = frozenset({"RMC", "GGA", "GSA", "GSV"})
EVERY = frozenset(_KINDS)
