"""The site's configuration: one TOML file into frozen dataclasses, strictly.

Secrets are never in the file itself; it names the files that hold them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_agent import shape, toml_file
from edge_agent.contract.topics import ROOT_PATTERN, TERMINAL_PATTERN

NAME = r"[a-z0-9][a-z0-9_-]{0,31}"
_FILE = r"[^\0]+"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the terminal belongs, and the circle around it. Degrees WGS 84, zone as IANA name."""

    id: str = shape.field(pattern=r"[a-z0-9][a-z0-9-]{0,62}")
    name: str = shape.field(pattern=r"[^\x00-\x1f\x7f-\x9f]{1,80}")
    zone: str = shape.field()
    latitude: float = shape.field(low=-90, high=90)
    longitude: float = shape.field(low=-180, high=180)
    radius_m: int = shape.field(100, low=10, high=100_000)

    @property
    def lat_e7(self) -> int:
        return round(self.latitude * 10**7)

    @property
    def lon_e7(self) -> int:
        return round(self.longitude * 10**7)


@dataclass(frozen=True, slots=True)
class Files:
    """Where the terminal keeps what it must not lose, and its keys (64 hex digits each).

    `seal_key` is this terminal's own and is made at the first start; `credential_key` is the
    organisation's, the same on every terminal. `status` lives best on a file system in memory, and
    so does `control`, the socket at which `edge-agent enrol` speaks with the running agent.
    `organisation_key` is public: what leaves by hand is encrypted to it.
    """

    journal: str = shape.field("/var/lib/edge-agent/journal.db", pattern=_FILE)
    seal_key: str = shape.field("/var/lib/edge-agent/seal.key", pattern=_FILE)
    credential_key: str = shape.field("/etc/edge-agent/credential.key", pattern=_FILE)
    status: str = shape.field("/run/edge-agent/status.json", pattern=_FILE)
    control: str = shape.field("/run/edge-agent/control", pattern=_FILE)
    organisation_key: str = shape.field("/etc/edge-agent/organisation.pub", pattern=_FILE)


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker and how to speak with it."""

    host: str = shape.field(pattern=r"[^\s/]+")
    port: int = shape.field(1883, low=1, high=65535)
    topic_root: str = shape.field("attendance", pattern=ROOT_PATTERN)
    protocol: str = shape.field("5", choices=("5", "3.1.1"))
    keepalive_s: int = shape.field(60, low=5, high=3600)
    window: int = shape.field(4, low=2, high=10)
    username: str | None = shape.field(None, pattern=r".+")
    password_file: str | None = shape.field(None, pattern=_FILE)
    tls: bool = shape.field(default=False)
    ca_file: str | None = shape.field(None, pattern=_FILE)
    cert_file: str | None = shape.field(None, pattern=_FILE)
    key_file: str | None = shape.field(None, pattern=_FILE)


@dataclass(frozen=True, slots=True)
class Network:
    """The way out, as far as it shall be watched and spared.

    `modem` is the serial port at which a modem takes AT commands, `interface` a Wi-Fi interface;
    either is asked once an hour how well it hears. `daily_kb` is what a metered link may cost a day
    (UTC), in thousands of bytes both ways: when it is spent only new punches go.
    """

    modem: str | None = shape.field(None, pattern=_FILE)
    baud: int = shape.field(115_200, low=1200, high=921_600)
    interface: str | None = shape.field(None, pattern=r"[^\s/]{1,15}")
    daily_kb: int | None = shape.field(None, low=10, high=10_000_000)


@dataclass(frozen=True, slots=True)
class Scanner:
    """One scanner on one serial port.

    `profile` names a file in ``firmware_configs/scanners``; `baud` is for a device that was set to
    another speed than its profile says.
    """

    name: str = shape.field(pattern=NAME)
    port: str = shape.field(pattern=_FILE)
    profile: str = shape.field(pattern=NAME)
    baud: int | None = shape.field(None, low=1200, high=921_600)


@dataclass(frozen=True, slots=True)
class Gnss:
    """The GNSS receiver; `profile` names a file in ``firmware_configs/gnss``, `baud` as above.

    `chrony` is the socket of chrony's SOCK reference clock, if the receiver shall also set the
    machine's clock (``firmware_configs/boards/chrony.conf``).
    """

    port: str = shape.field(pattern=_FILE)
    profile: str = shape.field("nmea", pattern=NAME)
    baud: int | None = shape.field(None, low=1200, high=921_600)
    name: str = shape.field("gnss", pattern=NAME)
    chrony: str | None = shape.field(None, pattern=_FILE)


@dataclass(frozen=True, slots=True)
class ClockSource:
    """Which clocks the agent reads: the machine's own, or those that a file of `sim` plays."""

    kind: str = shape.field("system", choices=("system", "simulated"))
    file: str | None = shape.field(None, pattern=_FILE)


@dataclass(frozen=True, slots=True)
class Panel:
    """What staff see and hear. Pins are BCM numbers; a pin left out has no lamp."""

    kind: str = shape.field("console", choices=("console", "gpio", "simulated"))
    green: int | None = shape.field(None, low=0, high=27)
    amber: int | None = shape.field(None, low=0, high=27)
    red: int | None = shape.field(None, low=0, high=27)
    buzzer: int | None = shape.field(None, low=0, high=27)
    file: str | None = shape.field(None, pattern=_FILE)


@dataclass(frozen=True, slots=True)
class Rules:
    """Times that an office may want otherwise.

    Attributes:
        duplicate_s: the same person again within this time is answered as a repeat.
        fix_age_s: an older fix proves nothing.
        broker_grace_s, central_grace_s: silence that becomes an incident.
        receipt_wait_s: after so long without a receipt the oldest batch is sent again.
        retry_first_s, retry_max_s: bounds of the random waits between connections; the first is
            spread so that terminals which lost a broker together do not return together.
        survey_s: how often the network is surveyed.
        keep_days: what the central has is kept here so long, as far as the disk allows.
    """

    duplicate_s: int = shape.field(60, low=0, high=3600)
    fix_age_s: int = shape.field(10, low=1, high=3600)
    broker_grace_s: int = shape.field(10, low=0, high=3600)
    central_grace_s: int = shape.field(60, low=1, high=86400)
    receipt_wait_s: int = shape.field(20, low=1, high=3600)
    retry_first_s: float = shape.field(5.0, low=0.01, high=600)
    retry_max_s: float = shape.field(60.0, low=0.01, high=3600)
    survey_s: int = shape.field(3600, low=1, high=86_400)
    keep_days: int = shape.field(400, low=1, high=10_000)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole of ``agent.toml``."""

    terminal: str = shape.field(pattern=TERMINAL_PATTERN)
    site: Site = shape.field()
    broker: Broker = shape.field()
    scanner: tuple[Scanner, ...] = shape.field((), max_items=8)
    gnss: Gnss | None = None
    network: Network = Network()
    files: Files = Files()
    panel: Panel = Panel()
    rules: Rules = Rules()
    clock: ClockSource = ClockSource()


def load(path: Path) -> Config:
    """The configuration in the file `path`.

    Raises:
        ConfigError: one line naming file, key, what was found, what is allowed and the nearest
            known key.
    """
    config = toml_file.read(path, Config, "read the configuration")
    try:
        _check(config)
    except shape.ShapeError as error:
        raise toml_file.wrong_shape(path, error, "read the configuration") from None
    return config


def digest(path: Path) -> str:
    """SHA-256 of the configuration file, hex: says later which configuration a run had."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check(config: Config) -> None:
    """What no single key can say."""
    try:
        ZoneInfo(config.site.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = shape.show(config.site.zone)
        raise shape.ShapeError("site.zone", found, 'an IANA zone, e.g. "Asia/Makassar"') from None
    ports: dict[str, str] = {}
    names: set[str] = set()
    serial: list[tuple[str, Scanner | Gnss]] = []
    serial += [(f"scanner[{number}]", one) for number, one in enumerate(config.scanner)]
    serial += [("gnss", config.gnss)] if config.gnss else []
    modem = config.network.modem
    if modem is not None:
        names.add("modem")  # so it is called in the status
    for at, one in serial:
        if one.port in ports:
            raise _taken(f"{at}.port", one.port, ports)
        if one.name in names:
            raise shape.ShapeError(f"{at}.name", f'"{one.name}"', "a name that is not used twice")
        ports[one.port] = at
        names.add(one.name)
    if modem in ports:
        raise _taken("network.modem", modem, ports)
    if config.rules.retry_first_s > config.rules.retry_max_s:
        found = str(config.rules.retry_first_s)
        raise shape.ShapeError("rules.retry_first_s", found, "at most rules.retry_max_s")
    _check_panel(config.panel)
    _check_broker(config.broker)
    if (config.clock.kind == "simulated") != (config.clock.file is not None):
        found = shape.show(config.clock.file) if config.clock.file else "nothing"
        raise shape.ShapeError(
            "clock.file", found, 'a file where kind is "simulated", and only there'
        )


def _taken(at: str, port: str, ports: Mapping[str, str]) -> shape.ShapeError:
    return shape.ShapeError(at, shape.show(port), f"a port that {ports[port]} does not use")


def _check_panel(panel: Panel) -> None:
    pins = [pin for pin in (panel.green, panel.amber, panel.red, panel.buzzer) if pin is not None]
    if len(set(pins)) < len(pins):
        raise shape.ShapeError("panel", "one pin twice", "a different pin for each lamp")
    if panel.kind == "gpio" and panel.green is None:
        raise shape.ShapeError("panel.green", "nothing", "the BCM number of the green lamp's pin")
    if panel.kind == "simulated" and panel.file is None:
        raise shape.ShapeError("panel.file", "nothing", "a file to which signals are written")


def _check_broker(broker: Broker) -> None:
    if (broker.cert_file is None) != (broker.key_file is None):
        missing = "broker.key_file" if broker.cert_file else "broker.cert_file"
        raise shape.ShapeError(missing, "nothing", "both cert_file and key_file, or neither")
    if broker.ca_file and not broker.tls:
        raise shape.ShapeError("broker.tls", "false", "true where ca_file is given")
    if broker.cert_file and not broker.tls:
        raise shape.ShapeError("broker.tls", "false", "true where cert_file is given")
    if broker.password_file and not broker.username:
        raise shape.ShapeError("broker.username", "nothing", "a name where password_file is given")
