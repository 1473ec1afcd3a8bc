"""The central's configuration: one TOML file, as strictly read as a terminal's."""

from dataclasses import dataclass
from pathlib import Path

from edge_agent import shape, toml_file
from edge_agent.central.link import Options, Tls
from edge_agent.contract.topics import ROOT_PATTERN
from edge_agent.errors import ConfigError

_FILE = r"[^\0]+"


@dataclass(frozen=True, slots=True)
class Broker:
    """The MQTT broker that the terminals use. One central, one `client_id`."""

    host: str = shape.field("127.0.0.1", pattern=r"[^\s/]+")
    port: int = shape.field(1883, low=1, high=65535)
    protocol: str = shape.field("5", choices=("5", "3.1.1"))
    client_id: str = shape.field("edge-agent-central", pattern=r"[A-Za-z0-9_-]{1,64}")
    keepalive_s: int = shape.field(30, low=5, high=3600)
    username: str | None = shape.field(None, pattern=r".+")
    password_file: str | None = shape.field(None, pattern=_FILE)
    ca_file: str | None = shape.field(None, pattern=_FILE)
    cert_file: str | None = shape.field(None, pattern=_FILE)
    key_file: str | None = shape.field(None, pattern=_FILE)
    retry_first_s: float = shape.field(0.5, low=0.01, high=600)
    retry_max_s: float = shape.field(30.0, low=0.01, high=3600)


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole of ``central.toml``.

    Attributes:
        database: SQLite file with everything that was received.
        topic_root: the same as on the terminals.
        credential_key: file with the organisation's key; needed to import a roster.
        organisation_key: file with the private key that opens bundles; needed to import them.
    """

    database: str = shape.field("/var/lib/edge-agent-central/central.db", pattern=_FILE)
    topic_root: str = shape.field("attendance", pattern=ROOT_PATTERN)
    credential_key: str = shape.field("/etc/edge-agent/credential.key", pattern=_FILE)
    organisation_key: str = shape.field("/etc/edge-agent/organisation.key", pattern=_FILE)
    broker: Broker = Broker()


def load(path: Path) -> Settings:
    """The settings in the file `path`. Raises ConfigError: one line that says what does not fit."""
    operation = "read the configuration"
    settings = toml_file.read(path, Settings, operation)
    broker = settings.broker
    if (broker.cert_file is None) != (broker.key_file is None):
        missing = "broker.key_file" if broker.cert_file else "broker.cert_file"
        flaw = shape.ShapeError(missing, "nothing", "both cert_file and key_file, or neither")
        raise toml_file.wrong_shape(path, flaw, operation)
    if broker.cert_file and not broker.ca_file:
        flaw = shape.ShapeError("broker.ca_file", "nothing", "a file where cert_file is given")
        raise toml_file.wrong_shape(path, flaw, operation)
    return settings


def options(settings: Settings) -> Options:
    """How to reach the broker. Raises ConfigError if the password cannot be read."""
    broker = settings.broker
    return Options(
        settings.topic_root,
        broker.host,
        broker.port,
        broker.protocol,
        broker.client_id,
        broker.username,
        _password(broker.password_file),
        _tls(broker),
        broker.keepalive_s,
        broker.retry_first_s,
        broker.retry_max_s,
    )


def _password(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise ConfigError("read the password", path, cause, "check broker.password_file") from None


def _tls(broker: Broker) -> Tls | None:
    if broker.ca_file is None:
        return None
    return Tls(
        Path(broker.ca_file),
        Path(broker.cert_file) if broker.cert_file else None,
        Path(broker.key_file) if broker.key_file else None,
    )
