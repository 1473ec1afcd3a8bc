"""Random and damaged bytes for every decoder, by the million: none may raise, and none may grow.

A decoder that only listens hears good frames, frames with something done to them, the signs of
which its frames are made in any order, what a receiver would say with something else in it and the
sums right, and plain noise, cut anywhere, with silence now and then. A
decoder that asks has a device of `sim` under it, behind a wire that does such things to what the
device says, also with sums that are right again, while cards and fingers come and go, orders are
given and cables are pulled.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor
from pathlib import Path
from random import Random, SystemRandom

import gnss_words
from decoder_cases import CASES, MOST_HELD, SILENCE_MS, Case, held
from modem_station import modem_station
from virtual import STATIONS, Station

from edge_agent.events import CancelEnrolment, EnrolFinger, Listen, Show
from edge_agent.records import Signal
from edge_agent.sim import ef01, pn532_frames

#: A decoder that kept all of ten million bytes would grow by more; Python itself by less.
MOST_GROWTH_MB = 4
_WARM_UP = 0.1
_ASKED = {**STATIONS, "modem": modem_station}
_LOST = 20  # at its worst, a wire loses one message in so many


@dataclass
class Figures:
    """What a decoder did with its bytes; memory in MB."""

    name: str
    bytes: int = 0
    records: int = 0
    noise: int = 0
    rejected: int = 0
    most_held: int = 0
    growth: float = 0.0
    seconds: float = 0.0

    @property
    def row(self) -> str:
        speed = self.bytes / 1e6 / max(self.seconds, 1e-9)
        return (
            f"{self.name:16} {self.bytes:11,} {self.records:9,} {self.noise:11,}"
            f" {self.rejected:10,} {self.most_held:6,} {self.growth:7.1f} {speed:6.2f}"
        )


HEAD = (
    f"{'decoder':16} {'bytes':>11} {'records':>9} {'noise':>11}"
    f" {'rejected':>10} {'held':>6} {'grew MB':>7} {'MB/s':>6}"
)


def damaged(message: bytes, chance: Random) -> bytes:
    """The message with one thing done to it."""
    at, to = sorted(chance.choices(range(len(message) + 1), k=2))
    return chance.choice(
        (
            message[:at],
            message[at:],
            message[:at] + message[to:],
            message[:to] + message[at:],
            message[:at] + chance.randbytes(chance.randint(1, 4)) + message[at:],
            message[:at] + bytes([byte ^ 1 << chance.randrange(8) for byte in message[at:to]])
            + message[to:],
            message + message,
        )
    )  # fmt: skip


def forged(message: bytes, chance: Random) -> bytes:
    """The message of a device with something else in it, and all sums right."""
    if message.startswith(b"$"):
        body = chance.choice(message.split())[1:-3]
        body = damaged(body, chance).translate(None, b"$*")
        return b"$%b*%02X\r\n" % (body, reduce(xor, body, 0))
    if message.startswith(b"\xb5\x62"):
        return gnss_words.frame(message[2:4].hex(), damaged(message[6:-2], chance))
    if (packet := ef01.take(bytearray(message))) is not None:
        content = damaged(packet.content, chance) or b"\x00"
        return ef01.packet(ef01.ACK, content[:256], packet.address)
    answer = pn532_frames.take(bytearray(message))
    if answer is not None and answer[:1] == b"\xd5":
        return pn532_frames.frame(answer[:2] + damaged(answer[2:], chance)[:263])
    return damaged(message, chance)


def stream(case: Case, chance: Random) -> Iterator[bytes]:
    """Bytes for a decoder, for ever, in reads of any size."""
    while True:
        parts = []
        for _ in range(chance.randint(1, 20)):
            what = chance.random()
            if what < 0.3:
                parts.append(chance.choice(case.frames))
            elif what < 0.6:
                change = chance.choice((damaged, forged))
                parts.append(change(chance.choice(case.frames), chance))
            elif what < 0.8:
                parts.append(bytes(chance.choices(case.alphabet, k=chance.randint(1, 60))))
            else:
                parts.append(chance.randbytes(chance.randint(1, 60)))
        data = b"".join(parts)
        size = chance.choice((1, 7, 64, 64, 4096))
        yield from (data[at : at + size] for at in range(0, len(data), size))


def listening(name: str, case: Case, total: int, chance: Random) -> Figures:
    """A decoder that only listens."""
    figures, decoder, now_ms = Figures(name), case.make(), 0
    began, settled = time.perf_counter(), 0.0
    for data in stream(case, chance):
        figures.records += sum(1 for _ in decoder.feed(data, now_ms))
        figures.bytes += len(data)
        kept = held(decoder)
        figures.most_held = max(figures.most_held, kept)
        if kept > case.most_held:
            raise MemoryError(f"{name} holds {kept} bytes")
        now_ms += chance.choice((0, 0, 1, 40))
        if chance.random() < 0.005:
            now_ms += SILENCE_MS
            figures.records += sum(1 for _ in decoder.feed(b"", now_ms))
        if not settled and figures.bytes >= total * _WARM_UP:
            settled = memory()
        if figures.bytes >= total:
            break
    figures.growth, figures.seconds = memory() - settled, time.perf_counter() - began
    figures.noise, figures.rejected = decoder.counts.noise, decoder.counts.rejected
    return figures


def asking(name: str, station: Station, total: int, chance: Random) -> Figures:
    """A decoder that asks, and its device behind a bad wire."""
    figures, virtual = Figures(name), station.virtual
    began, settled, badness = time.perf_counter(), 0.0, 0.0

    def change(message: bytes) -> list[tuple[int, bytes]]:
        figures.most_held = max(figures.most_held, held(virtual.decoder))
        return suffered(message, chance, badness)

    station.wire.change = change
    while virtual.fed < total:
        badness = chance.choice((0.0, 0.05, 0.3, 1.0))
        happen(station, chance)
        figures.records += len(virtual.run(chance.choice((50, 400, 3000))))
        if figures.most_held > MOST_HELD:
            raise MemoryError(f"{name} holds {figures.most_held} bytes")
        for kept in (virtual.records, virtual.at_ms, virtual.heard):
            kept.clear()
        if not settled and virtual.fed >= total * _WARM_UP:
            settled = memory()
    figures.growth, figures.seconds = memory() - settled, time.perf_counter() - began
    counts = virtual.decoder.counts
    figures.bytes, figures.noise, figures.rejected = virtual.fed, counts.noise, counts.rejected
    return figures


def suffered(message: bytes, chance: Random, badness: float) -> list[tuple[int, bytes]]:
    """What arrives of a message over a wire of this badness, and how late."""
    arrives = [(0, message)]
    if chance.random() < badness:
        arrives = [(0, chance.choice((damaged, forged))(message, chance))]
    if chance.random() < badness / 2:
        arrives.append((chance.randint(0, 1500), message))
    if chance.random() < badness / 2:
        arrives.append((chance.randint(0, 50), chance.randbytes(chance.randint(1, 300))))
    if chance.random() < badness / _LOST:
        arrives.clear()
    return arrives


def happen(station: Station, chance: Random) -> None:
    """Something that people do."""
    signal = chance.choice(list(Signal))
    chance.choice(
        (
            lambda: station.show(chance.randrange(2)),
            station.lift,
            lambda: station.unplug(chance.randint(0, 4000), chance.random() < 0.5),
            lambda: station.virtual.decoder.order(Show(signal)),
            lambda: station.virtual.decoder.order(EnrolFinger(chance.randrange(200))),
            lambda: station.virtual.decoder.order(CancelEnrolment()),
            lambda: station.virtual.decoder.order(Listen()),
        )
    )()


def memory() -> float:
    """What this process has in memory now, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("millions", nargs="?", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    arguments.add_argument("--only", choices=[*CASES, *_ASKED])
    wanted = arguments.parse_args()
    total = round(wanted.millions * 1e6)
    print(f"{total:,} bytes for each decoder, --seed {wanted.seed}\n{HEAD}", flush=True)
    grown = 0
    for name in (*CASES, *_ASKED):
        if wanted.only in (None, name):
            chance = Random(f"{wanted.seed} {name}")
            if name in CASES:
                figures = listening(name, CASES[name], total, chance)
            else:
                figures = asking(name, _ASKED[name](), total, chance)
            grown += figures.growth > MOST_GROWTH_MB
            print(figures.row, flush=True)
    print("no exception; " + (f"{grown} grew" if grown else "none grew"))
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
