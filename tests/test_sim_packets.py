"""MQTT on the wire, cut into packets: any chunking, hostile lengths, no buffer without bound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sim import packets
from edge_agent.sim.packets import KINDS, MOST_BYTES, OTHER, Packet, Splitter

_bodies = st.binary(max_size=300)
_FIXED = {"PUBREL": 2, "SUBSCRIBE": 2, "UNSUBSCRIBE": 2}
_heads = st.sampled_from(KINDS[1:]).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        _bodies,
        st.integers(0, 15) if kind == "PUBLISH" else st.just(_FIXED.get(kind, 0)),
    )
)


def split(stream: bytes, size: int, *first: str) -> list[Packet]:
    """The packets of `stream`, given in pieces of `size`."""
    splitter = Splitter(*first)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    return [one for piece in pieces for one in splitter.feed(piece)]


@given(st.lists(_heads, max_size=8), st.integers(1, 400))
def test_any_chunking_gives_the_same_packets(
    wanted: list[tuple[str, bytes, int]], size: int
) -> None:
    """Kind, flags and body of each come out as they went in, and every byte of the stream."""
    stream = b"".join(packets.packet(*one) for one in wanted)
    found = split(stream, size)
    assert [(one.kind, one.body, one.flags) for one in found] == wanted
    assert b"".join(one.raw for one in found) == stream


@given(st.binary(max_size=2000), st.integers(1, 400))
def test_no_byte_of_any_stream_is_lost(stream: bytes, size: int) -> None:
    """What is not MQTT is given as it comes; a packet that is not whole is given up by `rest`."""
    splitter = Splitter()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    given_on = b"".join(one.raw for piece in pieces for one in splitter.feed(piece))
    assert given_on + splitter.rest() == stream


def test_a_stream_that_does_not_begin_as_it_must_passes_at_once() -> None:
    """A TLS client's first bytes are a CONNECT to somebody who does not look at the flags."""
    hello = bytes.fromhex("160301020001")
    assert [one.raw for one in split(hello, 1, "CONNECT")] == [
        hello[at : at + 1] for at in range(6)
    ]


def test_a_length_of_five_bytes_is_no_mqtt() -> None:
    """Nor is the kind 0: from there on everything passes, and nothing is kept."""
    good = packets.packet("PINGREQ", b"")
    for bad in (b"\x30\xff\xff\xff\xff\x01", b"\x00\x02ab"):
        found = split(good + bad + good, 1)
        assert [one.kind for one in found[:2]] == ["PINGREQ", OTHER]
        assert {one.kind for one in found[1:]} == {OTHER}
        assert b"".join(one.raw for one in found) == good + bad + good


def test_a_packet_that_is_too_long_is_not_kept_and_the_next_is_known() -> None:
    """256 MB may be announced: they pass, in pieces as they come."""
    long = packets.packet("PUBLISH", bytes(MOST_BYTES))
    splitter = Splitter("CONNECT", "PUBLISH")
    kept = 0
    for at in range(0, len(long), 5000):
        piece = long[at : at + 5000]
        assert b"".join(one.raw for one in splitter.feed(piece)) == piece
        kept += len(splitter.rest())
    assert kept == 0
    assert [one.kind for one in splitter.feed(packets.packet("PINGREQ", b""))] == ["PINGREQ"]


def test_a_long_packet_that_never_ends_is_not_kept() -> None:
    """Somebody announces the most that MQTT can and sends on and on."""
    splitter = Splitter()
    for _ in range(100):
        list(splitter.feed(b"\x30\xff\xff\xff\x7f"))
        list(splitter.feed(bytes(1000)))
    assert splitter.rest() == b""


def test_every_length_is_written_as_it_is_read() -> None:
    """At the borders of one, two, three and four bytes."""
    for size in (0, 127, 128, 16_383, 16_384, 900_000):
        (one,) = split(packets.packet("PUBLISH", bytes(size)), 100_000)
        assert len(one.body) == size


def test_message_ids() -> None:
    """A PUBLISH has one from QoS 1 on, behind its topic; acknowledgements begin with it."""
    topic = b"\x00\x03a/b"
    (one,) = split(packets.packet("PUBLISH", topic + b"\x01\x02payload", 2), 99)
    assert (one.qos, one.mid) == (1, 0x0102)
    (one,) = split(packets.packet("PUBLISH", topic + b"payload"), 99)
    assert (one.qos, one.mid) == (0, None)
    (one,) = split(packets.packet("PUBLISH", topic, 2), 99)
    assert one.mid is None
    (one,) = split(packets.puback(7, 0x97), 99)
    assert (one.raw, one.mid) == (bytes.fromhex("4003000797"), 7)
    assert packets.puback(7, 0x97, v5=False) == bytes.fromhex("40020007")


def test_a_copy_is_marked_as_sent_before() -> None:
    """And is otherwise the same."""
    (one,) = split(packets.packet("PUBLISH", b"\x00\x01a\x00\x01", 2), 99)
    assert packets.again(one) == b"\x3a" + one.raw[1:]


def test_who_connects() -> None:
    """The client id behind properties or without them; what cannot be read is nobody."""
    for v5 in (True, False):
        (one,) = split(packets.connect("bungi-01", v5=v5), 99)
        assert packets.who(one) == ("bungi-01", v5)
    expiry = b"\x00\x04MQTT\x05\x02\x00\x3c" + b"\x05\x11\x00\x00\x00\x09" + b"\x00\x01x"
    (one,) = split(packets.packet("CONNECT", expiry), 99)
    assert packets.who(one) == ("x", True)
    (one,) = split(packets.packet("CONNECT", b""), 99)
    assert packets.who(one) == ("", False)


def test_how_many_topics_are_asked_for() -> None:
    """With and without properties."""
    topics = b"\x00\x01a\x01\x00\x02bc\x01"
    (one,) = split(packets.packet("SUBSCRIBE", b"\x00\x01\x00" + topics, 2), 99)
    assert packets.subscriptions(one, True) == 2
    (one,) = split(packets.packet("SUBSCRIBE", b"\x00\x01" + topics, 2), 99)
    assert packets.subscriptions(one, False) == 2


# --- CONNACK ------------------------------------------------------------------------------------


def connack(properties: bytes) -> Packet:
    body = b"\x01\x00" + bytes([len(properties)]) + properties
    return Packet("CONNACK", 0, body, packets.packet("CONNACK", body))


def test_the_receive_maximum_of_a_connack_is_replaced() -> None:
    """The other properties stay as they are, also those behind it; the flags too."""
    before, after = bytes.fromhex("2200 0a".replace(" ", "")), bytes.fromhex("12000378797a2501")
    told = packets.allow(connack(before + b"\x21\x00\x14" + after), 1)
    (one,) = split(told, 99)
    assert one.body == b"\x01\x00" + bytes([14]) + before + after + b"\x21\x00\x01"


def test_a_connack_without_properties_gets_it() -> None:
    """Five bytes become eight."""
    assert packets.allow(connack(b""), 1) == bytes.fromhex("20060100") + b"\x03\x21\x00\x01"


@given(st.binary(max_size=40))
def test_a_connack_that_cannot_be_read_stays_as_it_is_or_stays_legal(properties: bytes) -> None:
    """Never is a byte of another property lost."""
    one = connack(properties)
    told = packets.allow(one, 1)
    if told != one.raw:
        (changed,) = split(told, 99)
        assert packets.allow(changed, 1) == told
        assert changed.body.endswith(b"\x21\x00\x01")


def test_a_connack_of_hostile_properties_is_left_alone() -> None:
    """A string that ends behind the packet, a property that does not exist, no length at all."""
    for properties in (b"\x12\xff\xff", b"\x7f\x01", b"\x21\x00"):
        assert packets.allow(connack(properties), 1) == connack(properties).raw
    bare = Packet("CONNACK", 0, b"\x00\x00", b"\x20\x02\x00\x00")
    assert packets.allow(bare, 1) == bare.raw


@pytest.mark.parametrize(("v5", "properties"), [(True, "00"), (True, "020100"), (False, "")])
@pytest.mark.parametrize(("flags", "mid"), [(0, ""), (2, "0007")])
def test_a_message_is_read(v5: bool, properties: str, flags: int, mid: str) -> None:
    """Topic and payload, of either protocol, with and without a message id and properties."""
    body = bytes.fromhex(f"0003612f62{mid}{properties}") + b"word"
    (one,) = Splitter().feed(packets.packet("PUBLISH", body, flags))
    assert one.message(v5=v5) == ("a/b", b"word")
