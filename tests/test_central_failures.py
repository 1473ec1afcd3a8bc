"""The serving central when things break: nothing is lost, doubled, or acknowledged too early."""

import random
import subprocess
import sys

import pytest
from central_peer import LIMIT_S, PUBACK, PUBLISH, ROOT, Peer, Wire, serving, texts
from central_wall import full_wall

from edge_agent.central.link import Inbox, Link, Options
from edge_agent.central.store import Store
from edge_agent.events import Disconnected


@pytest.fixture
def path(tmp_path):
    return tmp_path / "central.db"


def test_a_connection_lost_before_the_receipt_costs_nothing(broker, path):
    """Committed but neither receipted nor acknowledged: it comes again and is stored once."""
    wall = full_wall(5)
    wire = Wire(broker.port, cut_before=PUBLISH)
    try:
        with Peer(broker.port) as peer, serving(path, wire.port) as log:
            log.wait("connected")
            peer.send("bungi-1", "entries", wall.wire())
            peer.receipt(5)
            log.wait("connected", times=2)
    finally:
        wire.close()
    assert PUBACK not in wire.sent[0]
    again = [kind for kind in wire.sent[1] if kind in (PUBLISH, PUBACK)]
    assert again[:2] == [PUBLISH, PUBACK]
    assert texts(path) == wall.texts


def test_a_connection_lost_before_the_acknowledgement_costs_nothing(broker, path):
    """The receipt is out, the acknowledgement is not: the batch comes again to no effect."""
    wall = full_wall(5)
    wire = Wire(broker.port, cut_before=PUBACK)
    try:
        with Peer(broker.port) as peer, serving(path, wire.port) as log:
            log.wait("connected")
            peer.send("bungi-1", "entries", wall.wire())
            peer.receipt(5)
            log.wait("connected", times=2)
            peer.receipt(5)
    finally:
        wire.close()
    assert wire.sent[0].count(PUBLISH) == 1
    assert PUBACK in wire.sent[1]
    assert texts(path) == wall.texts


def test_a_broker_that_is_missing_is_an_ordinary_event(broker, path):
    """Missing at start, killed later: the central is there when the broker is."""
    broker.stop()
    wall = full_wall(4)
    with serving(path, broker.port) as log:
        log.wait("no connection")
        broker.start()
        broker.wait_ready()
        log.wait("connected to")
        with Peer(broker.port) as peer:
            peer.send("bungi-1", "entries", wall.wire(1, 2))
            peer.receipt(2)
        broker.kill()
        log.wait("no connection", times=2)
        broker.start()
        broker.wait_ready()
        log.wait("connected to", times=2)
        with Peer(broker.port) as peer:
            peer.send("bungi-1", "entries", wall.wire(3, 4))
            peer.receipt(4)
    assert texts(path) == wall.texts


def test_a_fault_in_the_library_ends_the_link_like_any_lost_connection():
    """Whatever paho raises in its thread, the central hears that the connection is over."""
    inbox = Inbox()
    Link(Options(ROOT, port=0), 7, inbox).open()
    ended = inbox.get(timeout=LIMIT_S)
    assert isinstance(ended, Disconnected)
    assert ended.link == 7
    assert "port" in ended.cause


def test_a_full_disk_gives_no_receipt_and_no_acknowledgement(broker, path):
    """The log says so in one line, and the broker delivers again until there is room."""
    wall = full_wall(800)
    with Store(path) as store, Peer(broker.port) as peer:
        pages = store.db.conn.execute("PRAGMA page_count").fetchone()[0]
        store.db.conn.execute(f"PRAGMA max_page_count = {pages + 1}")
        with serving(store, broker.port) as log:
            log.wait("connected")
            peer.send("bungi-1", "entries", wall.wire())
            log.wait("connected", times=4)
            assert peer.receipts.empty()
            assert len(texts(path)) == 0
            assert sum("full" in line for line in log.lines) == 1
            assert not any("no connection" in line for line in log.lines)
            store.db.conn.execute("PRAGMA max_page_count = 1000000")
            peer.receipt(800)
    assert texts(path) == wall.texts


SERVE = """
import sys, threading
from pathlib import Path
from edge_agent.central.link import Options
from edge_agent.central.serve import Central
from edge_agent.central.store import Store
options = Options(sys.argv[1], port=int(sys.argv[2]), first_retry_s=0.02, last_retry_s=0.05)
Central(options, Store(Path(sys.argv[3]))).run(threading.Event())
"""


def test_a_central_killed_at_any_moment_stores_everything_exactly_once(broker, path):
    """SIGKILL again and again while batches come in; in the end nothing is missing or double."""
    wall, kills = full_wall(1200), 10
    command = [sys.executable, "-c", SERVE, ROOT, str(broker.port), str(path)]
    moments = random.Random(7)
    with serving(path, broker.port) as log:
        log.wait("connected")  # from now on the broker keeps what it has for us
    with Peer(broker.port) as peer:
        for part in range(1, 1200, 1200 // kills):
            process = subprocess.Popen(command)
            try:
                for first in range(part, part + 1200 // kills, 3):
                    peer.send("bungi-1", "entries", wall.wire(first, first + 2))
                peer.receipt(part - 1 + moments.randrange(1200 // kills))
            finally:
                process.kill()
                process.wait(LIMIT_S)
        with serving(path, broker.port):
            assert peer.receipt(1200).head == wall.heads[1200].hex()
    assert texts(path) == wall.texts
