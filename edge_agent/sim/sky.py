"""The satellites over a place in Buton, as a receiver of four systems sees them.

Numbers are those of NMEA 4.10: GPS 1 to 32, GLONASS 65 to 96, Galileo 1 to 36, BeiDou 1 to 63; the
talkers are GP, GL, GA and GB, the system ids 1 to 4.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Satellite:
    """Number, elevation and azimuth in degrees, strength in dB-Hz: 0 if it is not heard."""

    number: int
    elevation: int
    azimuth: int
    strength: int


@dataclass(frozen=True, slots=True)
class System:
    """The satellites of one system: `talker` begins their GSV, `number` ends their GSA."""

    talker: str
    number: int
    seen: tuple[Satellite, ...]

    @property
    def heard(self) -> tuple[Satellite, ...]:
        return tuple(one for one in self.seen if one.strength)


_GPS = System(
    "GP",
    1,
    (
        Satellite(2, 62, 341, 44),
        Satellite(5, 41, 118, 41),
        Satellite(12, 28, 205, 38),
        Satellite(15, 71, 64, 46),
        Satellite(18, 9, 279, 0),
        Satellite(25, 35, 12, 40),
        Satellite(29, 17, 156, 33),
    ),
)
_GLONASS = System(
    "GL",
    2,
    (
        Satellite(67, 33, 83, 37),
        Satellite(68, 58, 21, 42),
        Satellite(78, 24, 301, 35),
        Satellite(79, 12, 247, 0),
    ),
)
_GALILEO = System(
    "GA",
    3,
    (
        Satellite(3, 44, 71, 40),
        Satellite(8, 66, 192, 45),
        Satellite(13, 22, 318, 36),
        Satellite(15, 15, 134, 34),
        Satellite(21, 8, 262, 0),
    ),
)
_BEIDOU = System(
    "GB",
    4,
    (
        Satellite(1, 51, 91, 39),
        Satellite(6, 73, 310, 43),
        Satellite(9, 61, 224, 42),
        Satellite(14, 30, 38, 37),
        Satellite(16, 68, 285, 43),
        Satellite(21, 19, 171, 33),
        Satellite(24, 40, 142, 40),
        Satellite(26, 11, 349, 31),
    ),
)

TWO_SYSTEMS = (_GPS, _GLONASS)
FOUR_SYSTEMS = (_GPS, _GLONASS, _GALILEO, _BEIDOU)
#: Three satellites through a window, and weak.
WEAK = (
    System(
        "GP",
        1,
        (
            Satellite(2, 62, 341, 24),
            Satellite(5, 41, 118, 21),
            Satellite(15, 71, 64, 22),
            Satellite(25, 35, 12, 0),
        ),
    ),
    System("GL", 2, (Satellite(68, 58, 21, 0),)),
)
