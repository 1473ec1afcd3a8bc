"""Valid parts of the contract, to be sent, changed and broken by its tests."""

from collections.abc import Iterable
from typing import Any

from edge_agent.contract import chain, entries, messages
from edge_agent.records import Enrolment, Grade, Person, Place, Punch, Reception, Stamp

TERMINAL = "bungi-1"
JOURNAL = "00112233445566778899aabbccddeeff"
BOOT = "0f0e0d0c0b0a09080706050403020100"
SEALER = chain.Sealer.from_hex("42" * 32)

AT = Stamp(BOOT, 409_750, 1_795_389_668_250, "ntp", 12)
UNVOUCHED = Stamp(BOOT, 41_500, 0, "none")
GNSS = Stamp(BOOT, 500_000, 1_795_389_758_500, "gnss", 500)
START = entries.Start(
    version="0.1.0",
    config="ab" * 32,
    last_end="first",
    key=SEALER.key,
    credential_key="0123456789abcdef",
    site="kec-bungi",
    site_name="Kantor Kecamatan Bungi · Baubau",
    zone="Asia/Makassar",
    lat_e7=-53_900_000,
    lon_e7=1_226_500_000,
    radius_m=100,
    previous="ffeeddccbbaa99887766554433221100",
    floor_ms=1_793_491_200_000,
)
PLACE = Place(Grade.VERIFIED, -53_899_500, 1_226_499_800, 400, 6, 9, 90)
PUNCH = Punch("cd" * 32, "em4100", "front", PLACE, "p-17", 2)
STRANGER = Punch("ef" * 32, "text", "rear", Place(Grade.NO_SKY))
HELD = Punch(
    "cd" * 32,
    "em4100",
    "front",
    Place(Grade.HELD, -53_899_500, 1_226_499_800, 4_000, 6, 9, 90, 44, "none"),
)
FINGER = Punch("ab" * 32, "finger", "door", Place(Grade.NO_SKY), card="other", slot=17, score=111)
CARD_ENROLLED = Enrolment("cd" * 32, "em4100", "front", "p-17")
FINGER_ENROLLED = Enrolment("ab" * 32, "finger", "door", "p-17", 0)
RECEPTION = Reception("modem", "home", "lte", "51010", -87, -101, -94, 15)
OPENED = entries.Incident("broker", "", entries.OPENED, "Connection refused")
CLOSED = entries.Incident("scanner", "front", entries.CLOSED, "no such device", 4, 61_000)

#: Every kind of entry, with every field and with the fewest.
RECORDS = (
    (START, UNVOUCHED),
    (PUNCH, AT),
    (STRANGER, UNVOUCHED),
    (OPENED, AT),
    (CLOSED, AT),
    (FINGER, AT),
    (CARD_ENROLLED, UNVOUCHED),
    (FINGER_ENROLLED, AT),
    (entries.Clock("known", -1_795_389_627_000), GNSS),
    (entries.Clock("daily"), AT),
    (HELD, GNSS),
    (entries.Survey(3_600_000, 1_200_000, 9, 2, 4_711, 815, 12, 640, 86_400_000, RECEPTION), AT),
    (entries.Survey(3_600_000, 0, 60, 0, 0, 0, 12), UNVOUCHED),
)


def journal(records: Iterable[tuple[Any, Stamp]] = RECORDS) -> list[str]:
    """Canonical texts of a journal that holds `records`."""
    return [entries.text(record, at, seq) for seq, (record, at) in enumerate(records, 1)]


def batch(texts: list[str], first: int = 1, sealer: chain.Sealer = SEALER) -> bytes:
    """The message that carries `texts` from `first` on, as an honest terminal sends it."""
    prev = chain.follow(chain.genesis(TERMINAL, JOURNAL), texts[: first - 1])
    head = chain.follow(prev, texts[first - 1 :])
    seal = sealer.seal(TERMINAL, JOURNAL, len(texts), head)
    return messages.encode_batch(TERMINAL, JOURNAL, prev, texts[first - 1 :], first, seal)


def receipt(upto: int = 5, last: int = 9, *missing: tuple[int, int]) -> messages.Receipt:
    return messages.Receipt(TERMINAL, JOURNAL, upto, "1a" * 32, last, missing)


STATUS = messages.Status(
    TERMINAL, JOURNAL, "online", 1_795_389_301_000, 5, "0.1.0", BOOT, SEALER.key, "kec-bungi", 2
)
ROSTER = messages.Roster(
    TERMINAL, 3, {"cd" * 32: Person("p-17", "La Ode Contoh"), "01" * 32: Person("p-4", "Wa Ode")}
)

#: One encoded message of every kind.
MESSAGES = {
    "batch": batch(journal()),
    "receipt": messages.encode_receipt(receipt(5, 9, (6, 6), (8, 8))),
    "status": messages.encode_status(STATUS),
    "roster": messages.encode_roster(ROSTER),
}
DECODERS = {
    "batch": messages.decode_batch,
    "receipt": messages.decode_receipt,
    "status": messages.decode_status,
    "roster": messages.decode_roster,
}
