"""A GNSS receiver on a pseudo-terminal, as a u-blox 8 with NMEA 4.10 speaks; it only talks.

Once a second: RMC, GGA, GSA per system, GSV per system, each `$`, body, `*`, XOR of the body as two
hex digits, CR LF. A real epoch (u-blox 8, gpsd's regression corpus) begins
``$GNRMC,000941.00,A,4404.13387,N,12118.85628,W,0.029,,100117,,,A*7D``. Since NMEA 4.10 RMC has a
thirteenth field, the navigational status, which is V ("not given") even with a perfect fix; GSA
ends with a system id and GSV with a signal id. Default 9600 baud 8N1.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from math import cos, radians, sqrt
from operator import xor
from random import Random

from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.wire import CLEAN, Line, Wire

_M_PER_DEGREE = 111_320.0
_STEADY = 0.98  # of one epoch's error is still there in the next: errors wander, they do not jump

_Satellite = tuple[int, int, int, int]
"""Number, elevation and azimuth in degrees, strength in dB-Hz: 0 if it is not heard."""

_GPS: tuple[_Satellite, ...] = (
    (2, 62, 341, 44),
    (5, 41, 118, 41),
    (12, 28, 205, 38),
    (15, 71, 64, 46),
    (18, 9, 279, 0),
    (25, 35, 12, 40),
    (29, 17, 156, 33),
)
_GLONASS: tuple[_Satellite, ...] = (
    (67, 33, 83, 37),
    (68, 58, 21, 42),
    (78, 24, 301, 35),
    (79, 12, 247, 0),
)
_SKY = (("GP", 1, _GPS), ("GL", 2, _GLONASS))  # talker, system id


class GnssReceiver:
    """A receiver at a position: what it says for an instant.

    Attributes:
        latitude, longitude: where the antenna is, degrees; change them to move it.
        sky: False when the antenna sees no satellite.
    """

    def __init__(
        self, latitude: float, longitude: float, seed: int = 0, sigma_m: float = 1.5
    ) -> None:
        """Put a receiver at a position; its error wanders with deviation `sigma_m` on each axis."""
        self.latitude = latitude
        self.longitude = longitude
        self.sky = True
        self._random = Random(seed)
        self._sigma_m = sigma_m
        self._north_m = self._east_m = 0.0
        self._knows_time = False

    def sentences(self, utc: datetime) -> bytes:
        """One epoch at `utc`; without sky the time is given only if it was known before."""
        utc = utc.astimezone(UTC)
        self._knows_time |= self.sky
        at = f"{utc:%H%M%S}.{utc.microsecond // 10_000:02d}" if self._knows_time else ""
        date = f"{utc:%d%m%y}" if self._knows_time else ""
        bodies = self._fixed(at, date) if self.sky else _lost(at, date)
        return b"".join(sentence(body) for body in bodies)

    def _fixed(self, at: str, date: str) -> list[str]:
        where = self._where()
        speed = abs(self._random.gauss(0, 0.02))
        used = sum(1 for _, _, seen in _SKY for satellite in seen if satellite[3])
        bodies = [
            f"GNRMC,{at},A,{where},{speed:.3f},,{date},,,A,V",
            f"GNGGA,{at},{where},1,{used:02d},0.92,31.4,M,56.2,M,,",
        ]
        for _, system, seen in _SKY:
            ids = [f"{satellite[0]:02d}" for satellite in seen if satellite[3]]
            slots = ",".join((ids + [""] * 12)[:12])
            bodies.append(f"GNGSA,A,3,{slots},1.71,0.92,1.44,{system}")
        for talker, _, seen in _SKY:
            bodies += self._in_view(talker, seen)
        return bodies

    def _where(self) -> str:
        self._north_m = self._wander(self._north_m)
        self._east_m = self._wander(self._east_m)
        latitude = self.latitude + self._north_m / _M_PER_DEGREE
        east = self._east_m / (_M_PER_DEGREE * cos(radians(self.latitude)))
        return f"{_degrees(latitude, 2, 'NS')},{_degrees(self.longitude + east, 3, 'EW')}"

    def _wander(self, error_m: float) -> float:
        fresh = self._random.gauss(0, self._sigma_m)
        return _STEADY * error_m + sqrt(1 - _STEADY**2) * fresh

    def _in_view(self, talker: str, seen: tuple[_Satellite, ...]) -> list[str]:
        total = -(-len(seen) // 4)
        return [
            f"{talker}GSV,{total},{part + 1},{len(seen):02d}"
            + "".join(self._satellite(*one) for one in seen[4 * part : 4 * part + 4])
            + ",1"
            for part in range(total)
        ]

    def _satellite(self, number: int, elevation: int, azimuth: int, strength: int) -> str:
        heard = f"{strength + self._random.randint(-1, 1):02d}" if strength else ""
        return f",{number:02d},{elevation:02d},{azimuth:03d},{heard}"


class GnssModule:
    """A receiver that sends an epoch each period to a port, from a thread, until stopped."""

    def __init__(
        self,
        port: PseudoPort,
        receiver: GnssReceiver,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        period_s: float = 1.0,
        wire: Wire = CLEAN,
        junk: bool = False,
    ) -> None:
        """Prepare a module.

        Args:
            port: where it sends; need not be plugged in.
            receiver: what it says.
            clock: the UTC that the satellites tell.
            period_s: between two epochs.
            wire: pace and faults of the serial line.
            junk: begin with what comes out of a module just after power-on.
        """
        self._receiver = receiver
        self._clock = clock
        self._period_s = period_s
        self._line = Line(port.write, wire, 0)
        self._junk = junk
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "GnssModule":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Power on; does nothing if it is on."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="sim-gnss", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Power off and wait for the thread to end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None

    def _run(self) -> None:
        if self._junk:
            self._line.send(startup_junk(), self._stop)
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            self._line.send(self._receiver.sentences(self._clock()), self._stop)
            due = max(due + self._period_s, time.monotonic())


def sentence(body: str) -> bytes:
    """`body` framed as NMEA 0183: `$`, body, `*`, checksum, CR LF."""
    text = body.encode("ascii")
    return b"$%s*%02X\r\n" % (text, reduce(xor, text))


def startup_junk(seed: int = 0) -> bytes:
    """What modules send after power-on: wrong-baud bytes, half a sentence, banners.

    The first `$` follows the garbage without a line end, as in gpsd's ublox-8 capture. The half
    sentence and the banners are of the kinds met in its corpus.
    """
    wrong_baud = bytes(value | 0x80 for value in Random(seed).randbytes(60))
    banners = (
        "GPTXT,01,01,02,u-blox ag - www.u-blox.com",
        "GNTXT,01,01,02,ROM CORE 3.01 (107888)",
        "GNTXT,01,01,02,ANTSTATUS=OK",
    )
    return (
        wrong_baud
        + sentence(banners[0])
        + b",1.7,-30.40,M,,*7D\r\n"
        + b"".join(sentence(banner) for banner in banners[1:])
    )


def _lost(at: str, date: str) -> list[str]:
    """The bodies of an epoch without a satellite."""
    return [
        f"GNRMC,{at},V,,,,,,,{date},,,N,V",
        f"GNGGA,{at},,,,,0,00,99.99,,,,,,",
        *(f"GNGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99,{system}" for _, system, _ in _SKY),
        *(f"{talker}GSV,1,1,00,1" for talker, _, _ in _SKY),
    ]


def _degrees(value: float, width: int, sides: str) -> str:
    """Degrees as ``ddmm.mmmmm,N``: degrees of `width` digits, then minutes."""
    degrees, minutes_e5 = divmod(round(abs(value) * 6_000_000), 6_000_000)
    whole, part = divmod(minutes_e5, 100_000)
    return f"{degrees:0{width}d}{whole:02d}.{part:05d},{sides[value < 0]}"
