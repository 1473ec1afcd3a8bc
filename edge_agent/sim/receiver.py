"""A GNSS receiver as a u-blox 8 speaks: what it says for an instant, in health and in trouble.

Every epoch: RMC, GGA, GSA per system, GSV per system (`sentences`), and what a host has switched on
by CFG-MSG or CFG-VALSET (`ubx`). A real epoch (u-blox 8, gpsd's regression corpus) begins
``$GNRMC,000941.00,A,4404.13387,N,12118.85628,W,0.029,,100117,,,A*7D``.

Trouble is what is reported of receivers: gpsd's "latch mode", an M8 that gives its pivot date
2013-09-01 until it knows the week (oXs issue 71), dates 1024 weeks back after a rollover.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin, sqrt
from random import Random

from edge_agent.sim import ubx
from edge_agent.sim.sentences import EVERY, USUAL, Epoch, degrees, said, sentence
from edge_agent.sim.sky import FOUR_SYSTEMS, TWO_SYSTEMS, WEAK, System

PIVOT = datetime(2013, 9, 1, tzinfo=UTC)
_M_PER_DEGREE = 111_320.0
_KNOT_MPS = 0.514444
_STEADY = 0.98  # of one epoch's error is still there in the next: errors wander, they do not jump
_QUALITY = {"A": 1, "S": 8, "M": 7}
_GPS_EPOCH = datetime(1980, 1, 6, tzinfo=UTC)
_LEAPS = timedelta(seconds=18)  # by which GPS time is ahead of UTC since 2017
_WEEK = timedelta(weeks=1)


class GnssReceiver:
    """A receiver at a position; every attribute may be changed while it runs.

    Attributes:
        latitude, longitude: where the antenna is, or is made believe to be, degrees.
        sky: False when the antenna sees no satellite.
        antenna: False when its cable is cut: no sky, and the receiver says so.
        frozen: the coordinates stay as they are, time goes on.
        latched: the last epoch is said again and again, time included.
        mode: A satellites, S simulator, M manual. By the standard status is V with S and M; here it
            stays A, as careless receivers have it.
        weak: three satellites, 2D, HDOP 9.
        weeks: by which its dates are off, -1024 after a rollover.
        wrong_s: seconds by which its time is ahead.
        pivot: the date that it gives, with status A, for its next `pivot_epochs`.
        dragged: bearing in degrees and speed in m/s at which a spoofer moves the position.
        spoofing, jamming: states that it says in UBX, see `ubx`; on an M8 without its monitor
            jamming is 0.
        sec_sig: version of SEC-SIG, 1 or 2.
        on: types of messages that it sends: of sentences, and NAV-STATUS, MON-HW, SEC-SIG.
    """

    def __init__(
        self,
        latitude: float,
        longitude: float,
        seed: int = 0,
        sigma_m: float = 1.5,
        *,
        every_sentence: bool = False,
        says: Collection[str] = USUAL,
    ) -> None:
        """Put a receiver at a position; its error wanders with deviation `sigma_m` on each axis.

        `says` are the types of messages that it sends after power-on; `every_sentence` is four
        systems and every type of sentence besides, about 1.3 kB an epoch.
        """
        self.latitude, self.longitude = latitude, longitude
        self.sky = self.antenna = True
        self.frozen = self.latched = self.weak = False
        self.mode = "A"
        self.weeks, self.wrong_s = 0, 0.0
        self.pivot, self.pivot_epochs = PIVOT, 0
        self.dragged: tuple[float, float] | None = None
        self.spoofing, self.jamming, self.sec_sig = 1, 0, 1
        self._random = Random(seed)
        self._sigma_m = sigma_m
        self._north_m = self._east_m = 0.0
        self._knows_time = False
        self._every = every_sentence
        self._usual = {*says, *(EVERY if every_sentence else ())}
        self._where = ""
        self._last = b""
        self._moved_at: datetime | None = None
        self._antenna_said = True
        self.power_on()

    def power_on(self) -> None:
        """Forget what a host has switched on: it was held in memory only."""
        self.on = set(self._usual)
        self._ear = ubx.Ear()

    def hear(self, data: bytes) -> bytes:
        """Take what a host says, and give the answers."""
        answers = b""
        for wanted, answer in self._ear.hear(data):
            for name, on in wanted.items():
                (self.on.add if on else self.on.discard)(name)
            answers += answer
        return answers

    def sentences(self, utc: datetime) -> bytes:
        """One epoch at `utc`; without sky the time is given only if it was known before.

        `fold` of `utc` is 1 in a leap second, which is then said as 23:59:60.
        """
        utc = utc.astimezone(UTC).replace(fold=utc.fold)
        self._drag(utc)
        if not (self.latched and self._last):
            self._last = self._epoch(utc)
        return self._last

    def _epoch(self, utc: datetime) -> bytes:
        sees = self.sky and self.antenna
        self._knows_time |= sees
        epoch = Epoch(self._believed(utc) if self._knows_time else None, "", self._in_view(sees))
        if sees:
            epoch = replace(
                epoch,
                where=self._place(),
                mode=self.mode,
                quality=_QUALITY[self.mode],
                speed=self._speed(),
                sigma_m=self._sigma_m,
            )
            if self.weak:
                worse = self._sigma_m * 5
                epoch = replace(epoch, dimension=2, hdop=9.0, sigma_m=worse)
        return self._antenna_status() + said(epoch, self.on) + self._binary(utc, sees=sees)

    def _believed(self, utc: datetime) -> datetime:
        """UTC as the receiver takes it to be."""
        if self.pivot_epochs > 0:
            self.pivot_epochs -= 1
            return datetime.combine(self.pivot.date(), utc.timetz())
        wrong = timedelta(weeks=self.weeks, seconds=self.wrong_s)
        return (utc + wrong).replace(fold=utc.fold)

    def _place(self) -> str:
        """Where it says that it is; its error goes on wandering while it is frozen."""
        scale = 5 if self.weak else 1
        self._north_m = self._wander(self._north_m)
        self._east_m = self._wander(self._east_m)
        if not (self.frozen and self._where):
            latitude = self.latitude + scale * self._north_m / _M_PER_DEGREE
            longitude = self.longitude + scale * self._east_m / self._east_degree_m()
            self._where = f"{degrees(latitude, 2, 'NS')},{degrees(longitude, 3, 'EW')}"
        return self._where

    def _wander(self, error_m: float) -> float:
        fresh = self._random.gauss(0, self._sigma_m)
        return _STEADY * error_m + sqrt(1 - _STEADY**2) * fresh

    def _drag(self, utc: datetime) -> None:
        before, self._moved_at = self._moved_at, utc
        if self.dragged is None or before is None:
            return
        bearing, speed_mps = radians(self.dragged[0]), self.dragged[1]
        way_m = speed_mps * (utc - before).total_seconds()
        self.longitude += way_m * sin(bearing) / self._east_degree_m()
        self.latitude += way_m * cos(bearing) / _M_PER_DEGREE

    def _east_degree_m(self) -> float:
        return _M_PER_DEGREE * cos(radians(self.latitude))

    def _speed(self) -> float:
        """Over ground in knots: never quite nothing."""
        dragged = self.dragged[1] / _KNOT_MPS if self.dragged else 0.0
        return abs(dragged + self._random.gauss(0, 0.02))

    def _in_view(self, sees: bool) -> tuple[System, ...]:
        usual = FOUR_SYSTEMS if self._every else TWO_SYSTEMS
        if not sees:
            return tuple(replace(system, seen=()) for system in usual)
        return tuple(self._heard_now(system) for system in (WEAK if self.weak else usual))

    def _heard_now(self, system: System) -> System:
        """The strengths as they are at this instant."""
        return replace(
            system,
            seen=tuple(
                replace(one, strength=one.strength and one.strength + self._random.randint(-1, 1))
                for one in system.seen
            ),
        )

    def _antenna_status(self) -> bytes:
        """What it says when its antenna is cut, and when it is back."""
        if self.antenna == self._antenna_said:
            return b""
        self._antenna_said = self.antenna
        return sentence(f"GNTXT,01,01,{'02,ANTSTATUS=OK' if self.antenna else '01,ANTSTATUS=OPEN'}")

    def _binary(self, utc: datetime, *, sees: bool) -> bytes:
        """The UBX messages that are on."""
        week_ms = (utc - _GPS_EPOCH + _LEAPS) % _WEEK // timedelta(milliseconds=1)
        spoofing = self.spoofing if sees else 0
        found = {
            "NAV-STATUS": ubx.nav_status(week_ms, spoofing, fixed=sees),
            "MON-HW": ubx.mon_hw(self.jamming, antenna_open=not self.antenna),
            "SEC-SIG": ubx.sec_sig(self.jamming, spoofing, self.sec_sig),
        }
        return b"".join(message for name, message in found.items() if name in self.on)
