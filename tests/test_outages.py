"""Only a receipt lets an entry go: consumers that are away, brokers that forget or drop."""

import json
from pathlib import Path

import pytest
from tapping import STAFF, Tapper, acknowledged, assert_whole, running
from witness import Witness

from edge_agent.sim.broker import Broker
from edge_agent.sim.office import Office


def test_a_consumer_that_is_away_all_day_gets_everything(tmp_path: Path) -> None:
    """The central is down while people tap; nothing is forgotten before it has come back."""
    with running(tmp_path) as (office, tapper):
        office.stop_central()
        tapper.tap(60)
        office.wait_until(lambda: acknowledged(office))
        before = office.status()["journal"]
        assert before["backlog"] >= 60  # a PUBACK for each of them let none go
        office.start_central()
        assert_whole(office, tapper)


def test_a_broker_that_forgets_everything_it_acknowledged(tmp_path: Path) -> None:
    """The broker has said yes to all of it, dies, and comes back empty; so does nothing of ours."""
    with running(tmp_path) as (office, tapper):
        office.stop_central()
        tapper.tap(40)
        office.wait_until(lambda: acknowledged(office))
        office.kill_broker()
        office.start_central()
        tapper.tap(5)
        assert_whole(office, tapper)


def test_a_broker_that_acknowledges_and_drops(tmp_path: Path) -> None:
    """A broker that keeps one message for an absent consumer loses the rest in silence."""
    broker = Broker(max_queued=1)
    if broker.name != "mosquitto":
        pytest.skip("only mosquitto can be told to drop: sudo apt install mosquitto")
    with running(tmp_path, broker) as (office, tapper):
        office.stop_central()
        tapper.tap(40)
        office.wait_until(lambda: acknowledged(office))
        office.start_central()
        assert_whole(office, tapper)


def test_a_broker_that_drops_for_want_of_a_consumer_is_asked_again(tmp_path: Path) -> None:
    """Without any further tap the terminal itself asks, until a receipt comes."""
    with running(tmp_path) as (office, tapper):
        office.stop_central()
        tapper.tap(10)
        office.wait_until(lambda: acknowledged(office))
        office.kill_broker()  # with it goes the central's session, and what it kept for it
        office.wait_until(lambda: office.status()["broker"]["online"])
        office.start_central()
        assert_whole(office, tapper)


def test_a_network_that_comes_and_goes(tmp_path: Path) -> None:
    """Cuts in the middle of deliveries lose nothing and double nothing."""
    with running(tmp_path) as (office, tapper):
        for _ in range(5):
            tapper.tap(6)
            office.cut()
            tapper.tap(6)
            office.mend()
        assert_whole(office, tapper)


def test_an_outage_is_an_incident_with_its_length(tmp_path: Path) -> None:
    """The journal itself says from when to when the broker could not be reached."""
    with running(tmp_path) as (office, tapper):
        office.cut()
        tapper.tap(1)
        office.wait_until(lambda: bool(office.status().get("incidents")))
        office.mend()
        office.wait_until(lambda: not office.status().get("incidents"))
        assert_whole(office, tapper)
        broker = [one for one in office.entries("incident") if one["what"] == "broker"]
    assert [one["state"] for one in broker] == ["opened", "closed"]
    assert broker[1]["opened"] == broker[0]["seq"]
    assert broker[1]["length_ms"] > 0


def test_a_central_that_does_not_answer_is_an_incident(tmp_path: Path) -> None:
    """The broker takes everything, no receipt comes: that is said, and said to be over."""
    with running(tmp_path) as (office, tapper):
        office.stop_central()
        tapper.tap(1)
        office.wait_until(lambda: bool(office.status().get("incidents")))
        office.start_central()
        office.wait_until(lambda: not office.status().get("incidents"))
        assert_whole(office, tapper)
        central = [one for one in office.entries("incident") if one["what"] == "central"]
    assert [one["state"] for one in central] == ["opened", "closed"]


def test_a_scanner_that_is_gone_is_an_incident(tmp_path: Path) -> None:
    """Pulled out and put back: an ordinary event, and reading goes on."""
    with running(tmp_path) as (office, tapper):
        tapper.tap(1)
        office.scanner.unplug()
        office.wait_until(lambda: bool(office.status().get("incidents")))
        office.scanner.plug()
        assert office.scanner.wait_open(5)
        office.wait_until(lambda: not office.status().get("incidents"))
        tapper.tap(1)
        assert_whole(office, tapper)
        gone = [one for one in office.entries("incident") if one["what"] == "scanner"]
    assert [(one["which"], one["state"]) for one in gone] == [
        ("front", "opened"),
        ("front", "closed"),
    ]


def test_a_broker_that_takes_only_small_messages_gets_small_batches(tmp_path: Path) -> None:
    """It hangs up on what is too large and does not say why: batches shrink until they pass."""
    broker = Broker(max_message=3_000)
    with Office(tmp_path, broker, profile="id12la", receipt_wait_s=1, people=STAFF[:5]) as office:
        office.start()
        tapper = Tapper(office)
        office.cut()
        tapper.tap(60)
        office.mend()
        assert_whole(office, tapper)


def test_mqtt_311_by_configuration(tmp_path: Path) -> None:
    """The older protocol carries the same messages."""
    broker = Broker()
    broker.protocol = "3.1.1"
    with running(tmp_path, broker) as (office, tapper):
        with Witness(office.broker) as witness:
            tapper.tap(3)
            assert_whole(office, tapper)
        receipts = [json.loads(p) for t, p in witness.seen if t.endswith("receipt")]
    assert receipts[-1]["upto"] >= tapper.count
