"""A journal as an office of two hundred would have written it in months without a network."""

import random
import time
from typing import Any

from edge_agent.contract import credentials, entries
from edge_agent.journal import Journal
from edge_agent.records import Grade, Place, Punch, Reception, Stamp

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
STAFF, PUNCHES_A_DAY = 200, 800
#: Where the office stands.
_LAT_E7, _LON_E7 = -53_694_400, 1_226_939_600


class Months:
    """Writes a journal in simulated time that ends now.

    Args:
        journal: an empty one.
        key: of the organisation, which conceals the cards.
        days: how long the silence lasts.
    """

    def __init__(self, journal: Journal, key: bytes, days: int, seed: int = 1) -> None:
        self._journal = journal
        self._chance = random.Random(seed)
        self._utc_ms = time.time_ns() // 1_000_000 - days * DAY_MS
        self._cards = [credentials.conceal(card(number), key) for number in range(STAFF)]
        self._boot, self._booted_ms = "", 0
        self._begin = entries.Start(
            version="0.1.0",
            config="00" * 32,
            last_end="power",
            key="00" * 32,
            credential_key=credentials.key_id(key),
            site="kec-bungi",
            site_name="Kantor Kecamatan Bungi",
            zone="Asia/Makassar",
            lat_e7=_LAT_E7,
            lon_e7=_LON_E7,
            radius_m=100,
        )
        for _ in range(days):
            self._day()

    def _day(self) -> None:
        """A power cut every third night; four taps a person; a survey an hour."""
        midnight_ms = self._utc_ms
        if not self._boot or self._chance.random() < 0.3:
            self._boot = self._chance.randbytes(16).hex()
            self._booted_ms = self._utc_ms
            self._append(self._begin, midnight_ms + 5_000)
        acts: list[tuple[int, Any]] = [(hour * HOUR_MS, _survey(hour)) for hour in range(1, 24)]
        acts += [(2 * HOUR_MS, entries.Clock("daily", 12))]
        if self._chance.random() < 0.2:
            opened = entries.Incident("gnss", "gnss", entries.OPENED, "no such device")
            acts += [(9 * HOUR_MS + 1, opened)]
        acts += [(self._moment(), self._punch()) for _ in range(PUNCHES_A_DAY)]
        for at_ms, record in sorted(acts, key=lambda act: act[0]):
            self._append(record, midnight_ms + at_ms + 10_000)
        self._utc_ms = midnight_ms + DAY_MS

    def _moment(self) -> int:
        """People come about 07:15, go at noon and back, and leave about 16:05."""
        about_ms = self._chance.choice((7.25, 12.0, 13.0, 16.1)) * HOUR_MS
        return round(self._chance.gauss(about_ms, 15 * 60_000))

    def _punch(self) -> Punch:
        chance, number = self._chance, self._chance.randrange(STAFF)
        if chance.random() < 0.1:
            place = Place(Grade.NO_SKY, reasons="none")
        else:
            place = Place(
                Grade.VERIFIED,
                _LAT_E7 + chance.randint(-300, 300),
                _LON_E7 + chance.randint(-300, 300),
                chance.randint(20, 1100),
                chance.randint(1, 5),
                chance.randint(7, 12),
                chance.randint(80, 130),
                chance.randint(38, 49),
            )
        return Punch(self._cards[number], "em4100", "front", place, f"P{number}")

    def _append(self, record: Any, utc_ms: int) -> None:
        mono_ms = utc_ms - self._booted_ms + 20_000
        error_ms = self._chance.randint(200, 620)
        self._journal.append(record, Stamp(self._boot, mono_ms, utc_ms, "gnss", error_ms))


def _survey(hour: int) -> entries.Survey:
    reception = Reception("modem", "searching", rssi_dbm=-111 + 2 * (hour % 3))
    return entries.Survey(HOUR_MS, 0, 60, 0, 0, 0, 0, None, None, reception)


def card(number: int) -> str:
    return f"em4100:3C{number:08X}"
