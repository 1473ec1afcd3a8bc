"""The serving central with a real broker: receipts after the commit, then acknowledgements."""

import os
import socket
import threading
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from central_peer import LIMIT_S, ROOT, Peer, frame, serving, texts
from central_wall import NOW, ORGANISATION, full_wall
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.central import roster
from edge_agent.central.announce import publish_roster
from edge_agent.central.gaps import refusals
from edge_agent.central.link import Options, Tls
from edge_agent.central.schema import opened
from edge_agent.central.serve import Central
from edge_agent.central.store import Store
from edge_agent.contract import messages
from edge_agent.errors import CentralError, EdgeAgentError
from edge_agent.records import Person


@pytest.fixture
def path(tmp_path):
    return tmp_path / "central.db"


def read(path, query):
    """What `query` gives of the database in the file, as another program sees it."""
    with opened(path) as db:
        return query(db)


def connected(db):
    return db.conn.execute("SELECT connected FROM serving").fetchone()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_what_a_terminal_sends_is_stored_and_receipted(broker, path, version):
    """A batch goes in, a retained receipt with the terminal's own head comes out."""
    wall = full_wall(20)
    with Peer(broker.port) as peer, serving(path, broker.port, version=version) as log:
        log.wait("connected")
        peer.send("bungi-1", "entries", wall.wire(1, 12))
        assert peer.receipt(12).head == wall.heads[12].hex()
        peer.send("bungi-1", "entries", wall.wire(13, 20))
        assert peer.receipt(20).missing == ()
        with Peer(broker.port) as late:
            assert late.receipt(20).head == wall.heads[20].hex()
    assert texts(path) == wall.texts


def test_a_receipt_never_runs_ahead_of_the_commit(broker, path):
    """Whenever a receipt is seen, another program finds its entries in the database file."""
    wall = full_wall(300)
    early = []

    def look(receipt: messages.Receipt) -> None:
        if len(texts(path)) < receipt.upto:
            early.append(receipt)

    with Peer(broker.port, look) as peer, serving(path, broker.port) as log:
        log.wait("connected")
        for first in range(1, 300, 5):
            peer.send("bungi-1", "entries", wall.wire(first, first + 4))
        peer.receipt(300)
    assert early == []
    assert texts(path) == wall.texts


def test_what_was_sent_while_the_central_was_away_is_stored_when_it_comes_back(broker, path):
    """The broker keeps our session; no terminal has to notice."""
    wall = full_wall(60)
    with serving(path, broker.port) as log:
        log.wait("connected")
    with Peer(broker.port) as peer:
        for first in range(1, 60, 2):
            peer.send("bungi-1", "entries", wall.wire(first, first + 1))
        with serving(path, broker.port):
            peer.receipt(60)
    assert texts(path) == wall.texts


def test_a_terminal_that_comes_online_is_told_what_is_stored(broker, path):
    """Also if the broker has forgotten the retained receipt, and if nothing is stored yet."""
    wall, other = full_wall(3), full_wall(3, "bungi-2")
    with Store(path) as store:
        store.take(wall.batch(), NOW)
    with Peer(broker.port) as peer, serving(path, broker.port) as log:
        log.wait("connected")
        peer.send("bungi-1", "status", messages.encode_status(wall.status()))
        assert peer.receipt(3).terminal == "bungi-1"
        peer.send("bungi-2", "status", messages.encode_status(other.status("offline")))
        peer.send("bungi-1", "status", messages.encode_status(wall.status()))
        assert peer.receipt(0).terminal == "bungi-1", "who says goodbye is told nothing"
        peer.send("bungi-2", "status", messages.encode_status(other.status()))
        receipt = peer.receipt(0)
        assert (receipt.terminal, receipt.upto, receipt.last) == ("bungi-2", 0, 0)


def test_bad_messages_on_every_topic_are_counted_and_nothing_dies(broker, path):
    """Each kind has its reason, is not delivered again, and good messages still go through."""
    wall = full_wall(3)
    good, status = wall.wire(), messages.encode_status(wall.status())
    bomb = zlib.compress(b"{" + b" " * (messages.MAX_PLAIN_BYTES + 10))
    bad = [
        ("entries", b"", "encoding"),
        ("entries", b"\x00garbage", "encoding"),
        ("entries", b"\x78garbage", "encoding"),
        ("entries", good[: len(good) // 2], "encoding"),
        ("entries", b"{" + os.urandom(64), "json"),
        ("entries", b'{"batch":1.5}', "json"),
        ("entries", b'{"batch":1,"entries":[]}', "schema"),
        ("entries", status, "schema"),
        ("entries", b"{" + b" " * messages.MAX_WIRE_BYTES, "size"),
        ("entries", bomb, "size"),
        ("entries", full_wall(3, "bungi-2").wire(), "topic"),
        ("status", b"", "encoding"),
        ("status", b'{"status":1}', "schema"),
        ("status", good, "schema"),
        ("status", messages.encode_status(full_wall(1, "bungi-2").status()), "topic"),
        ("status", messages.encode_status(replace(wall.status(), key="00" * 32)), "key"),
    ]
    with Peer(broker.port) as peer, serving(path, broker.port) as log:
        log.wait("connected")
        peer.send("bungi-1", "entries", good)
        peer.receipt(3)
        for channel, payload, _ in bad:
            peer.send("bungi-1", channel, payload)
            peer.send("Not A Name", channel, payload)
        peer.send("bungi-1", "entries", good)
        peer.receipt(3)
    counted = {(one.source, one.reason): one.count for one in read(path, refusals)}
    expected: dict[tuple[str, str], int] = {}
    for _, _, reason in bad:
        of_stranger = "topic" if reason == "key" else reason
        for key in (("bungi-1", reason), ("", of_stranger)):
            expected[key] = expected.get(key, 0) + 1
    assert counted == expected
    assert texts(path) == wall.texts
    with serving(path, broker.port) as log:
        log.wait("connected")
        with Peer(broker.port) as peer:
            peer.send("bungi-1", "status", status)
            peer.receipt(3)
    again = {(one.source, one.reason): one.count for one in read(path, refusals)}
    assert again == expected


def test_a_message_of_another_root_left_in_the_session_is_counted(broker, path):
    """A session may still hold a subscription of an earlier configuration."""
    first = Client(CallbackAPIVersion.VERSION2, "edge-agent-central", clean_session=False)
    done = threading.Event()
    first.on_connect = lambda client, *_: client.subscribe("elsewhere/#", qos=1)
    first.on_subscribe = lambda *_: done.set()
    first.connect("127.0.0.1", broker.port)
    first.loop_start()
    assert done.wait(LIMIT_S)
    first.disconnect()
    first.loop_stop()
    with Peer(broker.port) as peer:
        peer._client.publish("elsewhere/x", b"?", qos=1).wait_for_publish(LIMIT_S)
        with serving(path, broker.port, version="3.1.1") as log:
            log.wait("connected")
            peer.send("bungi-1", "entries", full_wall(1).wire())
            peer.receipt(1)
    (refusal,) = read(path, refusals)
    assert (refusal.source, refusal.reason) == ("", "topic")


def test_the_heartbeat_says_whether_the_central_has_its_broker(broker, path):
    """Roll-calls rest on it: connected while it serves, not connected when it has stopped."""
    with serving(path, broker.port) as log:
        log.wait("connected")
        row = read(path, connected)
        assert row == (1,)
    assert read(path, connected) == (0,)


def test_a_broker_that_forbids_the_subscription_is_named_in_the_log(path):
    """An access list without us is a cause that somebody can mend, not a silent central."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=forbid, args=(listener,))
        thread.start()
        with serving(path, listener.getsockname()[1]) as log:
            log.wait("the broker refuses our subscription: Not authorized")
        thread.join(LIMIT_S)


def forbid(listener: socket.socket) -> None:
    """A broker that accepts one connection and refuses its subscriptions (MQTT 5, 3.9.3)."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as stream:
        assert frame(stream.read)[0] >> 4 == 1
        connection.sendall(bytes.fromhex("2003000000"))
        subscribe = frame(stream.read)
        connection.sendall(bytes([0x90, 5]) + subscribe[2:4] + bytes.fromhex("008787"))
        frame(stream.read)


def test_tls_files_that_cannot_be_used_are_named_before_anything_is_tried(path):
    """A wrong path is a cause that somebody can mend, not a connection that never comes."""
    with Store(path) as store, pytest.raises(CentralError, match=r"nowhere\.pem"):
        Central(Options(ROOT, tls=Tls(Path("nowhere.pem"))), store).run(threading.Event())


def test_the_watchdog_is_fed_by_the_thread_that_does_the_work(path):
    """Once a turn, also without a broker; whoever stops feeding it is restarted."""
    stop, turns = threading.Event(), []

    def alive() -> None:
        turns.append(threading.current_thread())
        if len(turns) == 3:
            stop.set()

    with Store(path) as store:
        Central(Options(ROOT, port=1), store).run(stop, alive)
    assert turns == [threading.current_thread()] * 3


def test_the_roster_is_published_concealed_and_retained(broker, path):
    """Every known terminal finds it, also if it comes online later."""
    text = "card,person,name,site\nem4100:3C00CE754C,p-1,Siti Rahma,kec-bungi\n"
    register = roster.parse(text, ORGANISATION, "roster.csv")
    options = Options(ROOT, port=broker.port)
    with Store(path) as store:
        with pytest.raises(EdgeAgentError, match="no terminal is known"):
            publish_roster(options, store.db)
        with pytest.raises(EdgeAgentError, match="there is none"):
            publish_roster(options, store.db, ["bungi-1"])
        first = store.enlist(register, NOW)
        assert store.enlist(register, NOW) == first + 1
        for name in ("bungi-1", "bungi-2"):
            store.take(full_wall(1, name).batch(), NOW)
        assert publish_roster(options, store.db) == ("bungi-1", "bungi-2")
    got: dict[str, messages.Roster] = {}
    both = threading.Event()

    def arrived(_client: object, _data: object, message: object) -> None:
        got[message.topic] = messages.decode_roster(message.payload)
        if len(got) == 2:
            both.set()

    late = Client(CallbackAPIVersion.VERSION2)
    late.on_message = arrived
    late.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/+/roster", qos=1)
    late.connect("127.0.0.1", broker.port)
    late.loop_start()
    assert both.wait(LIMIT_S)
    late.disconnect()
    late.loop_stop()
    one = got[f"{ROOT}/bungi-2/roster"]
    assert (one.terminal, one.version) == ("bungi-2", first + 1)
    assert set(one.people.values()) == {Person("p-1", "Siti Rahma")}
    assert set(one.people) == set(register.holders)


def test_publishing_the_roster_to_no_broker_is_one_clear_error(broker, path):
    """The command ends with a cause and a cure, not with a wait for ever."""
    broker.stop()
    with Store(path) as store:
        store.enlist(roster.parse("card,person,name,site\n", ORGANISATION, "r"), NOW)
        with pytest.raises(CentralError, match="refused"):
            publish_roster(Options(ROOT, port=broker.port), store.db, ["bungi-1"])
