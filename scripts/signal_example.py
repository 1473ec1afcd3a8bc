"""A city of simulated terminals, whose surveys are reported by a real central.

One terminal stands in the middle of each kelurahan of a table (as `technician.kelurahan` reads it),
with a journal, a site and a seal key of its own. The weather of its network is made up, seeded by
its code: that of the blank spots and evening links is what was once said of such places in Baubau,
and says nothing of how they are today.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from edge_agent import __version__
from edge_agent.central.store import Store
from edge_agent.contract import chain, entries, messages
from edge_agent.journal import Journal
from edge_agent.journal.batches import Batches
from edge_agent.records import Reception, Stamp
from edge_agent.technician import kelurahan
from edge_agent.technician.survey import Point

ZONE = "Asia/Makassar"
HOUR, DAY = 3_600_000, 86_400_000
#: What an entry and an hour of an open connection cost on the wire.
ENTRY_BYTES, KEEPING_BYTES = 55, 700


@dataclass(frozen=True, slots=True)
class Weather:
    """How the network is at a place.

    Attributes:
        day, evening: the chance that an hour has a link, before and from 18:00.
        technology: as a modem names it, None where it hears nothing.
        rssi_dbm, latency_ms: about which they lie.
        drops: connections that end in an hour, at most.
        dark: days of each week, from its first, on which there is no power.
        carried: what it makes leaves by hand, and that of the last so many days has not yet.
    """

    day: float
    evening: float
    technology: str | None
    rssi_dbm: int = -75
    latency_ms: int = 120
    drops: int = 0
    dark: int = 0
    carried: int = 0


GOOD = Weather(0.99, 0.99, "lte")
WEAK = Weather(0.55, 0.7, "edge", -99, 1400, drops=6)
EVENING = Weather(0.04, 0.85, "hspa", -93, 480, drops=2)
BLANK = Weather(0, 0, None, carried=4)
DARK = Weather(0.97, 0.97, "lte", -81, 160, dark=4)

#: By the beginning of a kelurahan's code, the longest that fits; all others are good.
CITY = {
    "74.72.01.1016": WEAK,  # Labalawa
    "74.72.03.": WEAK,  # Sorawolio
    "74.72.03.1003": BLANK,  # Gonda Baru
    "74.72.04.": EVENING,  # Bungi
    "74.72.04.1003": BLANK,  # Kampeonaho
    "74.72.05.1001": DARK,  # Liwuto
    "74.72.07.1003": EVENING,  # Palabusa
    "74.72.07.1005": EVENING,  # Kantalai
}
#: Offices with a terminal of their own, in the middle of what their codes begin with.
OFFICES = (
    ("kec-bungi", "Kantor Kecamatan Bungi", "74.72.04."),
    ("sdn-wonco", "SDN Wonco", "74.72.04.1003"),
)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal to be simulated: its site, where that is, and how the network is there."""

    site: str
    name: str
    at: Point
    weather: Weather


def terminals(table: Sequence[kelurahan.Kelurahan]) -> Iterator[Terminal]:
    """One in each kelurahan, and those of `OFFICES`."""
    for one in table:
        fits = max((code for code in CITY if one.code.startswith(code)), key=len, default=None)
        weather = CITY[fits] if fits else GOOD
        yield Terminal(f"kel-{one.code.replace('.', '')}", one.name, one.centre, weather)
    for site, name, code in OFFICES:
        centres = [one.centre for one in table if one.code.startswith(code)]
        if centres:
            lat_e7 = sum(one.lat_e7 for one in centres) // len(centres)
            lon_e7 = sum(one.lon_e7 for one in centres) // len(centres)
            yield Terminal(site, name, Point(lat_e7, lon_e7), BLANK)


def hours(
    weather: Weather, chance: random.Random, first_ms: int, count: int
) -> Iterator[tuple[int, entries.Survey]]:
    """Surveys with the instants at which they end; an hour without power has none."""
    waiting = 1  # the start entry
    since_ms = first_ms
    for number in range(count):
        if number // 24 % 7 < weather.dark:
            continue
        end_ms = first_ms + (number + 1) * HOUR
        likely = weather.evening if number % 24 >= 18 else weather.day
        up = chance.random() < likely
        waiting += 1
        yield end_ms, _survey(weather, chance, up, waiting, end_ms - since_ms)
        if up:
            waiting, since_ms = 0, end_ms


def _survey(
    weather: Weather, chance: random.Random, up: bool, waiting: int, age_ms: int
) -> entries.Survey:
    drops = chance.randint(0, weather.drops)
    online_ms = HOUR - drops * chance.randrange(HOUR // 20) if up else 0
    if likely_brief := weather.drops and not up and chance.random() < 0.1:
        online_ms = chance.randrange(HOUR // 60)
    tries = (HOUR - online_ms) // 60_000
    connections = drops if up else int(bool(likely_brief))
    return entries.Survey(
        length_ms=HOUR,
        online_ms=online_ms,
        attempts=tries + connections,
        connections=connections,
        bytes_up=(KEEPING_BYTES + ENTRY_BYTES * waiting if up else 0) + 90 * tries,
        bytes_down=KEEPING_BYTES // 2 if up else 0,
        backlog=0 if up else waiting,
        latency_ms=round(weather.latency_ms * chance.uniform(0.7, 1.8)) if up else None,
        oldest_ms=None if up else age_ms,
        reception=_reception(weather, chance),
    )


def _reception(weather: Weather, chance: random.Random) -> Reception:
    if weather.technology is None:
        return Reception("modem", "searching")
    rssi_dbm = round(chance.gauss(weather.rssi_dbm, 4))
    rsrp_dbm = rssi_dbm - 28 if weather.technology == "lte" else None
    return Reception("modem", "home", weather.technology, "51010", rssi_dbm, rsrp_dbm)


def write(journal: Journal, one: Terminal, key: str, first_ms: int, count: int, seed: int) -> int:
    """Fill a journal; gives the seq of the last entry that has reached the central."""
    chance = random.Random(f"{seed} {one.site}")
    boot = f"{chance.getrandbits(128):032x}"

    def stamp(at_ms: int) -> Stamp:
        return Stamp(boot, at_ms - first_ms, at_ms, "gnss", 480)

    start = entries.Start(
        __version__, "00" * 32, "first", key, "0" * 16,
        one.site, one.name, ZONE, one.at.lat_e7, one.at.lon_e7, 100,
    )  # fmt: skip
    sent = journal.append(start, stamp(first_ms)).seq
    last_ms = first_ms + count * HOUR - one.weather.carried * DAY
    for end_ms, survey in hours(one.weather, chance, first_ms, count):
        seq = journal.append(survey, stamp(end_ms)).seq
        sent = seq if end_ms <= last_ms else sent
    return sent


def deliver(journal: Journal, sealer: chain.Sealer, last: int, store: Store, now_ms: int) -> None:
    """What the agent sends and `serve` takes, without a broker between them."""
    batches, seq = Batches(journal, sealer), 1
    while seq <= last:
        cut = batches.cut(seq, min(last, seq + messages.MAX_BATCH - 1))
        if cut.payload is not None:
            store.take(messages.decode_batch(cut.payload), now_ms)
        seq = cut.last + 1


def play(table: Sequence[kelurahan.Kelurahan], work: Path, weeks: int, seed: int) -> Path:
    """Make all terminals and their central in the folder `work`; gives the central's settings."""
    now_ms = time.time_ns() // 1_000_000
    today = datetime.now(UTC).astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0)
    first_ms = int((today - timedelta(days=7 * weeks)).timestamp()) * 1000
    config = work / "central.toml"
    config.write_text(f'database = "{work}/central.db"\n', encoding="utf-8")
    with Store(work / "central.db") as store:
        for one in terminals(table):
            sealer = chain.Sealer.new()
            journal = Journal(work / f"{one.site}.db", one.site)
            sent = write(journal, one, sealer.key, first_ms, (now_ms - first_ms) // HOUR, seed)
            deliver(journal, sealer, sent, store, now_ms)
            journal.close()
    return config


def main() -> None:
    parser = argparse.ArgumentParser(prog="signal-example", description=__doc__)
    parser.add_argument("table", type=Path, help="table of kelurahan, CSV")
    parser.add_argument("--weeks", type=int, default=4, help="of surveys, 4 by default")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another weather")
    parser.add_argument("--geojson", type=Path, default=Path("signal.geojson"), help="the map")
    wanted = parser.parse_args()
    with TemporaryDirectory() as work:
        config = play(kelurahan.read(wanted.table), Path(work), wanted.weeks, wanted.seed)
        report = [sys.executable, "-m", "edge_agent", "central", "signal", "--config", str(config)]
        subprocess.run(report, check=True)
        found = subprocess.run([*report, "--geojson"], check=True, capture_output=True)
        wanted.geojson.write_bytes(found.stdout)
    print(f"\nsimulated, {wanted.weeks} weeks; the map is in {wanted.geojson}")


if __name__ == "__main__":
    main()
