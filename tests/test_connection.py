"""One connection to a real broker: what it tells the spine, with and without TLS."""

import datetime
import gc
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_agent import config
from edge_agent.errors import ConfigError
from edge_agent.events import Connected, Disconnected, Event, PubAck
from edge_agent.sim.broker import Broker, free_port
from edge_agent.uplink.connection import Connection, check

Inbox = queue.SimpleQueue[Event]


def connect(wanted: config.Broker, inbox: Inbox, link: int = 1) -> Connection:
    will = ("t/bungi-01/status", b"{}")
    return Connection(link, wanted, "bungi-01", will, ("t/bungi-01/receipt",), inbox.put)


def test_a_puback_is_told_with_its_mid(tmp_path: Path) -> None:
    """Connected, acknowledged and closed, each told once with the number of the connection."""
    inbox: Inbox = queue.SimpleQueue()
    with Broker() as broker:
        connection = connect(config.Broker("127.0.0.1", broker.port), inbox, link=7)
        connected = inbox.get(timeout=10)
        assert isinstance(connected, Connected)
        assert connected.link == 7
        mid = connection.publish("t/bungi-01/entries", b"{}")
        assert inbox.get(timeout=10) == PubAck(7, mid, "")
        connection.close()
        ended = inbox.get(timeout=10)
        assert isinstance(ended, Disconnected)
        assert inbox.empty()


def test_a_broker_that_is_not_there_ends_the_connection_with_the_cause() -> None:
    """No exception, no retry behind our back: one event that says why."""
    inbox: Inbox = queue.SimpleQueue()
    connect(config.Broker("127.0.0.1", free_port()), inbox)
    assert inbox.get(timeout=10) == Disconnected(1, "Connection refused")


def test_a_connection_that_is_over_leaves_no_descriptor() -> None:
    """A terminal in a blank spot tries for years; nothing waits for the garbage collector."""
    inbox: Inbox = queue.SimpleQueue()
    nobody = config.Broker("127.0.0.1", free_port())
    gc.disable()
    try:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for link in range(20):
            connect(nobody, inbox, link)
            assert isinstance(inbox.get(timeout=10), Disconnected)
        until = time.monotonic() + 10  # the last thread is ending, but has its client still
        while len(list(Path("/proc/self/fd").iterdir())) > before + 2:
            assert time.monotonic() < until
            threading.Event().wait(0.01)
    finally:
        gc.enable()


def test_a_name_that_does_not_resolve_ends_the_connection() -> None:
    """DNS that is down is an ordinary outage."""
    inbox: Inbox = queue.SimpleQueue()
    connect(config.Broker("no-such-host.invalid"), inbox)
    assert isinstance(inbox.get(timeout=20), Disconnected)


def test_a_broker_that_dies_ends_the_connection() -> None:
    """SIGKILL of the broker is told at once."""
    inbox: Inbox = queue.SimpleQueue()
    with Broker() as broker:
        connect(config.Broker("127.0.0.1", broker.port), inbox)
        assert isinstance(inbox.get(timeout=10), Connected)
        broker.kill()
        assert isinstance(inbox.get(timeout=10), Disconnected)


# --- TLS ----------------------------------------------------------------------------------------


def certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, key_file = directory / f"{name}.pem", directory / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, key_file


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A mosquitto that speaks TLS only: its port, and the certificate to trust."""
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if mosquitto is None:
        pytest.skip("TLS is tried with mosquitto: sudo apt install mosquitto")
    pem, key = certificate(tmp_path, "broker")
    tmp_path.chmod(0o755)
    port = free_port()
    conf = tmp_path / "tls.conf"
    conf.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"certfile {pem}\nkeyfile {key}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([mosquitto, "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        yield port, pem
    finally:
        process.terminate()
        process.wait(10)


def first_outcome(wanted: config.Broker) -> Event:
    """Connected, or the last of a few attempts: the broker may still be starting."""
    inbox: Inbox = queue.SimpleQueue()
    for link in range(1, 50):
        connection = connect(wanted, inbox, link)
        event = inbox.get(timeout=10)
        connection.close()
        if not (isinstance(event, Disconnected) and "refused" in event.cause):
            return event
    return event


def test_tls_with_the_brokers_certificate(tls_broker: tuple[int, Path]) -> None:
    """A broker whose certificate is trusted is connected to."""
    port, pem = tls_broker
    wanted = config.Broker("127.0.0.1", port, tls=True, ca_file=str(pem))
    assert isinstance(first_outcome(wanted), Connected)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_refuses_a_stranger(tls_broker: tuple[int, Path], tmp_path: Path) -> None:
    """A broker that cannot show a trusted certificate gets nothing, and the cause is said."""
    port, _ = tls_broker
    other, _ = certificate(tmp_path, "other")
    wanted = config.Broker("127.0.0.1", port, tls=True, ca_file=str(other))
    ended = first_outcome(wanted)
    assert isinstance(ended, Disconnected)
    assert "certificate" in ended.cause.lower()


def test_tls_files_that_cannot_be_read_are_said_before_anything_runs(tmp_path: Path) -> None:
    """One line that names the file and the keys to look at."""
    missing = str(tmp_path / "no-such.pem")
    with pytest.raises(ConfigError, match=r"no-such\.pem.*ca_file"):
        check(config.Broker("127.0.0.1", tls=True, ca_file=missing))
