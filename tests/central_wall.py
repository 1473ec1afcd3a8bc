"""A terminal reduced to what the central sees: a journal in memory that can be cut anywhere."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from edge_agent.central.store import Store
from edge_agent.contract import chain, entries, messages
from edge_agent.contract.credentials import conceal
from edge_agent.records import Grade, Place, Punch, Stamp

ORGANISATION = bytes(range(32))
JOURNAL = "00112233445566778899aabbccddeeff"
BOOT = "0f0e0d0c0b0a09080706050403020100"
PLACE = Place(Grade.VERIFIED, -53_899_500, 1_226_499_800, 400, 6, 9, 90, 47, "x")
WITA = "Asia/Makassar"


def ms(text: str, zone: str | None = None) -> int:
    """Milliseconds since 1970 of an ISO time in `zone`, UTC by default."""
    when = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone) if zone else UTC)
    return int(when.timestamp() * 1000)


NOW = ms("2026-11-23T09:00", WITA)
SITI, HARUN, WA_ODE = "em4100:00000000A1", "em4100:00000000B2", "em4100:00000000C3"
ROSTER = f"""card,person,name,site
{SITI},p-1,Siti Rahma,kec-bungi
{HARUN},p-2,La Ode Harun,kec-bungi
{WA_ODE},p-3,Wa Ode Sari,dinkes
,p-4,Tanpa Kartu,dinkes
"""
MORNING = ms("2026-11-23T07:30", WITA)
#: When the one boot of these terminals began.
POWER_ON = ms("2026-11-20T00:00", WITA)


def stamp(
    at_ms: int, source: str = "ntp", mono_ms: int | None = None, error_ms: int = 0, boot: str = BOOT
) -> Stamp:
    """A stamp that claims `at_ms`; made then, by a perfect oscillator, if nothing else is said."""
    mono_ms = max(0, at_ms - POWER_ON) if mono_ms is None else mono_ms
    return Stamp(boot, mono_ms, at_ms, source, None if source == "none" else error_ms)


class Wall:
    """One terminal's journal: append with `start` and `punch`, then cut it with `batch`."""

    def __init__(
        self,
        terminal: str = "bungi-1",
        journal: str = JOURNAL,
        *,
        sealer: chain.Sealer | None = None,
    ) -> None:
        self.terminal = terminal
        self.journal = journal
        self.sealer = sealer or chain.Sealer.from_hex("42" * 32)
        self.texts: list[str] = []
        self.heads = [chain.genesis(terminal, journal)]

    @property
    def last(self) -> int:
        return len(self.texts)

    def add(self, record: entries.Record, at: Stamp) -> int:
        text = entries.text(record, at, self.last + 1)
        self.texts.append(text)
        self.heads.append(chain.link(self.heads[-1], text))
        return self.last

    def start(
        self,
        at_ms: int,
        *,
        site: str = "kec-bungi",
        zone: str = WITA,
        source: str = "ntp",
        mono_ms: int | None = None,
    ) -> int:
        record = entries.Start(
            version="0.1.0",
            config="ab" * 32,
            last_end="first",
            key=self.sealer.key,
            credential_key="0123456789abcdef",
            site=site,
            site_name=site.title(),
            zone=zone,
            lat_e7=-53_900_000,
            lon_e7=1_226_500_000,
            radius_m=100,
        )
        return self.add(record, stamp(at_ms, source, mono_ms))

    def punch(
        self,
        card: str,
        at_ms: int,
        *,
        person: str | None = None,
        source: str = "ntp",
        mono_ms: int | None = None,
        repeat_of: int | None = None,
        error_ms: int = 0,
    ) -> int:
        record = Punch(conceal(card, ORGANISATION), "em4100", "front", PLACE, person, repeat_of)
        return self.add(record, stamp(at_ms, source, mono_ms, error_ms))

    def wire(self, first: int = 1, last: int | None = None, *, prev: bytes | None = None) -> bytes:
        """The message that carries `first` .. `last`, as an honest terminal sends it."""
        last = last or self.last
        texts = self.texts[first - 1 : last]
        prev = prev or self.heads[first - 1]
        lead = chain.follow(prev, texts)
        sent = None if lead == self.heads[last] else lead
        seal = self.sealer.seal(self.terminal, self.journal, last, self.heads[last], sent)
        return messages.encode_batch(self.terminal, self.journal, prev, texts, first, seal)

    def batch(self, first: int = 1, last: int | None = None) -> messages.Batch:
        return messages.decode_batch(self.wire(first, last))

    def status(self, state: str = "online", *, site: str = "kec-bungi") -> messages.Status:
        return messages.Status(
            terminal=self.terminal,
            journal=self.journal,
            state=state,
            at_ms=NOW,
            last_seq=self.last,
            version="0.1.0",
            boot=BOOT,
            key=self.sealer.key,
            site=site,
        )

    def tamper(self, seq: int) -> None:
        """Edit an entry's text as somebody with the SD card in his laptop would; heads stay."""
        self.texts[seq - 1] = self.texts[seq - 1].replace('"scanner":"front"', '"scanner":"other"')


def wall_at(site: str = "kec-bungi", terminal: str = "bungi-1", **start: object) -> Wall:
    """A journal with its first start, some days ago."""
    wall = Wall(terminal)
    wall.start(ms("2026-11-20T06:00", WITA), site=site, **start)  # type: ignore[arg-type]
    return wall


def full_wall(count: int, terminal: str = "bungi-1") -> Wall:
    """A journal of one start and `count - 1` punches, a minute apart."""
    wall = Wall(terminal)
    wall.start(NOW)
    for number in range(1, count):
        wall.punch(f"em4100:{number:010X}", NOW + number * 60_000)
    return wall


def forged(batch: messages.Batch, **changes: object) -> messages.Batch:
    """`batch` with some fields replaced, as no honest terminal sends it."""
    return replace(batch, **changes)  # type: ignore[arg-type]


def take(store: Store, batch: messages.Batch) -> int:
    """Store a batch and check that the receipt is one that a terminal accepts."""
    new = store.take(batch, NOW)
    receipt = store.receipt(batch.terminal, batch.journal)
    assert messages.decode_receipt(messages.encode_receipt(receipt)) == receipt
    return new


def rows(store: Store, table: str) -> list[tuple[object, ...]]:
    """A whole table of the central's database."""
    return store.db.conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
