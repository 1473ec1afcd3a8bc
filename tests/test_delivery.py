"""Delivery when the disk or a key file fails under it: counted, said, and taps go on."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import TERMINAL, punch, stamp

from edge_agent.contract import chain
from edge_agent.errors import ConfigError
from edge_agent.journal import Journal
from edge_agent.terminal.delivery import Delivery, Link
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.window import Window


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path / "journal.db", TERMINAL)
    for number in range(10):
        one.append(punch(), stamp(number))
    with closing(one):
        yield one


def no_password(_link: int) -> Link:
    raise ConfigError("read the password", "/etc/p", "No such file", "check broker.password_file")


def test_a_password_file_that_is_gone_is_a_broker_incident(journal: Journal) -> None:
    """It is tried again with the usual waits, and the cause is in the journal."""
    window = Window(journal.last_seq, 0, 4, 20_000)
    incidents = Incidents(journal, {"broker": 1_000}, window.appended)
    delivery = Delivery(
        journal,
        Identity(TERMINAL, "attendance", chain.Sealer.new()),
        window,
        no_password,
        lambda state: b"{}",
        incidents,
        Backoff(100, 1000, random.Random(1)),
        60_000,
    )
    for now_ms in range(0, 5_000, 500):
        assert not delivery.settle(now_ms)
        incidents.settle(now_ms, lambda: stamp(100))
    (broker,) = incidents.open
    assert broker.what == "broker"
    assert "password" in delivery.cause
    with closing(sqlite3.connect(journal._path)) as db:
        assert db.execute("SELECT max(seq) FROM entry").fetchone() == (11,)
