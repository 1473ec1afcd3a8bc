"""The two configuration files and the key of an office on this machine."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from edge_agent.sim import day

TERMINAL = "bungi-01"
SITE_ID = "kec-bungi"

_AGENT = """
terminal = "{terminal}"

[site]
id = "{site_id}"
name = "{site.name}"
zone = "{site.zone}"
latitude = {site.latitude}
longitude = {site.longitude}

[broker]
host = "127.0.0.1"
port = {port}
topic_root = "attendance/baubau"
protocol = "{protocol}"
keepalive_s = {keepalive_s}

{scanners}
[gnss]
port = "{work}/gnss"
{gnss}
[files]
journal = "{work}/journal.db"
seal_key = "{work}/seal.key"
credential_key = "{work}/credential.key"
status = "{work}/status.json"
control = "{work}/control"

[panel]
kind = "simulated"
file = "{work}/panel.jsonl"

[rules]
duplicate_s = {duplicate_s}
broker_grace_s = 2
central_grace_s = 5
receipt_wait_s = {receipt_wait_s}
retry_first_s = {retry_s}
retry_max_s = 2.0
{clock}"""

_CLOCK = """
[clock]
kind = "simulated"
file = "{file}"
"""

_SCANNER = """
[[scanner]]
name = "{name}"
port = "{work}/{name}"
profile = "{profile}"
"""

_CENTRAL = """
database = "{work}/central.db"
topic_root = "attendance/baubau"
credential_key = "{work}/credential.key"

[broker]
host = "127.0.0.1"
port = {port}
protocol = "{protocol}"
retry_first_s = 0.1
retry_max_s = 1.0
"""


@dataclass(frozen=True, slots=True)
class Rules:
    """What plays and tests want otherwise than an office; see ``firmware_configs/examples``.

    Attributes:
        profile: of the scanner ``front``.
        scanners: more of them, name and profile.
        gnss_profile, gnss_baud: of the receiver; None is the configuration's default.
        clock: file of a simulated machine's clocks, None for the clocks of this one.
    """

    profile: str
    duplicate_s: int
    receipt_wait_s: int
    retry_s: float
    scanners: tuple[tuple[str, str], ...] = ()
    gnss_profile: str | None = None
    gnss_baud: int | None = None
    clock: Path | None = None
    keepalive_s: int = 60


def write_agent(work: Path, port: int, protocol: str, rules: Rules) -> Path:
    """The terminal's configuration in the directory `work`, and the organisation's key."""
    key_file = work / "credential.key"
    if not key_file.exists():
        key_file.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    scanners = (("front", rules.profile), *rules.scanners)
    gnss = [f'profile = "{rules.gnss_profile}"'] if rules.gnss_profile else []
    gnss += [f"baud = {rules.gnss_baud}"] if rules.gnss_baud else []
    text = _AGENT.format(
        terminal=TERMINAL,
        site_id=SITE_ID,
        site=day.SITE,
        work=work,
        port=port,
        protocol=protocol,
        scanners="".join(_SCANNER.format(name=n, work=work, profile=p) for n, p in scanners),
        gnss="".join(f"{line}\n" for line in gnss),
        clock=_CLOCK.format(file=rules.clock) if rules.clock else "",
        duplicate_s=rules.duplicate_s,
        receipt_wait_s=rules.receipt_wait_s,
        retry_s=rules.retry_s,
        keepalive_s=rules.keepalive_s,
    )
    path = work / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return path


def write_central(work: Path, port: int, protocol: str) -> Path:
    """The central's configuration in the directory `work`."""
    path = work / "central.toml"
    path.write_text(_CENTRAL.format(work=work, port=port, protocol=protocol), encoding="utf-8")
    return path
