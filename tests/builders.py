"""Small parts of a terminal, made for tests: stamps, punches, frames and a configuration."""

from collections.abc import Mapping
from pathlib import Path

from edge_agent.contract.entries import Start
from edge_agent.events import Scanned
from edge_agent.records import Enrolment, Grade, Place, Punch, Scan, Stamp

BOOT = "0f0e0d0c0b0a09080706050403020100"
OTHER_BOOT = "ff" * 16
TERMINAL = "bungi-1"


def stamp(mono_ms: int = 0, boot: str = BOOT) -> Stamp:
    """A moment of a morning in Baubau, `mono_ms` after boot."""
    return Stamp(boot, mono_ms, 1_795_389_000_000 + mono_ms, "ntp", 12)


def punch(credential: str = "ab" * 32, person: str | None = None) -> Punch:
    return Punch(credential, "em4100", "front", Place(Grade.NO_SKY), person)


def enrolment(slot: int | None = None, credential: str = "ef" * 32) -> Enrolment:
    """A card of p-17, or the finger in `slot`."""
    technology, scanner = ("em4100", "front") if slot is None else ("finger", "door")
    return Enrolment(credential, technology, scanner, "p-17", slot)


def start() -> Start:
    return Start(
        version="0.1.0",
        config="ab" * 32,
        last_end="first",
        key="cd" * 32,
        credential_key="0123456789abcdef",
        site="kec-bungi",
        site_name="Kantor Kecamatan Bungi",
        zone="Asia/Makassar",
        lat_e7=-53_900_000,
        lon_e7=1_226_500_000,
        radius_m=100,
    )


def scanned(value: str, mono_ms: int, scanner: str = "front") -> Scanned:
    return Scanned(scanner, Scan("em4100", value), stamp(mono_ms))


def sentence(body: str) -> bytes:
    """An NMEA sentence with its checksum: XOR of all between ``$`` and ``*``."""
    check = 0
    for byte in body.encode("ascii"):
        check ^= byte
    return f"${body}*{check:02X}\r\n".encode("ascii")


#: The smallest configuration that is whole, by table; "" is the top.
SMALLEST: Mapping[str, str] = {
    "": 'terminal = "bungi-1"',
    "site": (
        'id = "kec-bungi"\nname = "Kantor Kecamatan Bungi"\nzone = "Asia/Makassar"\n'
        "latitude = -5.39\nlongitude = 122.65"
    ),
    "broker": 'host = "127.0.0.1"',
}


def toml(tables: Mapping[str, str]) -> str:
    """The text of a TOML file whose `tables` hold these lines; ``[name]`` is a list's item."""
    return "\n".join(f"[{name}]\n{body}" if name else body for name, body in tables.items()) + "\n"


def agent_toml(folder: Path, **tables: str) -> Path:
    """A configuration whose every file lies in `folder`, and the credential key beside it."""
    key = folder / "credential.key"
    key.write_text("5a" * 32 + "\n")
    here = {
        "files": (
            f'journal = "{folder}/journal.db"\nseal_key = "{folder}/seal.key"\n'
            f'credential_key = "{key}"\nstatus = "{folder}/status.json"\n'
            f'control = "{folder}/control"'
        ),
    }
    path = folder / "agent.toml"
    path.write_text(toml({**SMALLEST, **here, **tables}))
    return path
