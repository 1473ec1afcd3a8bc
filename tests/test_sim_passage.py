"""What becomes of packets on a link in trouble, without a socket."""

from hypothesis import given
from hypothesis import strategies as st
from test_sim_trouble import CONNECT, publish

from edge_agent.sim import packets
from edge_agent.sim.trouble import DOWN, UP, Course, Fault, Passage, Trouble, What


@given(st.integers(1, 60), st.integers(0, 40), st.integers(1, 3))
def test_a_cut_passes_exactly_so_many_bytes(size: int, at: int, nth: int) -> None:
    """Of the packet it is for, after all that came before and nothing of what follows."""
    passage = Passage(Course(Trouble((Fault(What.CUT, "PUBLISH", nth=nth, at=at),))))
    stream = CONNECT + b"".join(publish(mid) for mid in (1, 2, 3, 4))
    passed, over = b"", False
    for start in range(0, len(stream), size):
        if not over:
            act = passage.heard(UP, stream[start : start + size])
            passed, over = passed + act.up, act.over
    one = len(publish(1))
    assert over
    assert passed == stream[: len(CONNECT) + one * (nth - 1) + min(at, one)]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_what_is_not_mqtt_passes_unharmed(noise: bytes, size: int) -> None:
    """TLS, for one: no packet is seen in it, whatever its bytes would mean."""
    every = tuple(
        Fault(What.LOSE, kind, up, times=0) for kind in packets.KINDS for up in (UP, DOWN)
    )
    passage = Passage(Course(Trouble(every)))
    stream = b"\x16\x03\x01" + noise
    for way in (UP, DOWN):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        acts = [passage.heard(way, piece) for piece in pieces]
        out = b"".join(act.up if way else act.down for act in acts)
        assert out + passage.ended(way) == stream


def test_counts_go_over_connections() -> None:
    """The third PUBLISH is the third of the link, also if each comes by a connection of its own."""
    course = Course(Trouble((Fault(What.LOSE, "PUBLISH", nth=3),)))
    passed = [Passage(course).heard(UP, CONNECT + publish(mid)).up for mid in (1, 2, 3, 4)]
    assert [one.endswith(publish(n)) for n, one in enumerate(passed, 1)] == [1, 1, 0, 1]


def test_a_message_of_qos_0_is_not_answered() -> None:
    """Nobody waits for a PUBACK: a refusal lets it pass."""
    passage = Passage(Course(Trouble((Fault(What.REFUSE, "PUBLISH", times=0),))))
    told = packets.packet("PUBLISH", b"\x00\x01tx")
    assert passage.heard(UP, CONNECT + told).up == CONNECT + told


def test_a_client_without_a_name_is_not_taken_over() -> None:
    """The broker chose one for it that nobody else knows: another nameless client harms nobody."""
    course = Course(Trouble((Fault(What.TAKE_OVER, "PUBLISH"),)))
    act = Passage(course).heard(UP, packets.connect("") + publish(1))
    assert (act.taken_over, course.tally.done) == (None, {})


def test_everything_that_passes_is_watched() -> None:
    """As it came, also what is lost then."""
    course, seen = Course(Trouble((Fault(What.LOSE, "PUBLISH"),))), []
    course.watch = lambda up, one: seen.append((up, one.raw))
    passage = Passage(course)
    passage.heard(UP, CONNECT + publish(7))
    passage.heard(DOWN, packets.packet("CONNACK", bytes(3)))
    assert seen == [(UP, CONNECT), (UP, publish(7)), (DOWN, bytes.fromhex("2003000000"))]


def test_the_older_protocol_has_no_receive_maximum() -> None:
    """Its CONNACK has no place for one, and passes as it is."""
    passage = Passage(Course(Trouble(receive_maximum=1)))
    passage.heard(UP, packets.connect("x", v5=False))
    welcome = bytes.fromhex("20020000")
    assert passage.heard(DOWN, welcome).down == welcome


def test_a_refused_message_is_no_longer_in_flight() -> None:
    """It has its answer, if from the link: ten refusals in a row are one at a time."""
    course = Course(Trouble((Fault(What.REFUSE, "PUBLISH", times=0),)))
    passage = Passage(course)
    passage.heard(UP, CONNECT + b"".join(map(publish, range(1, 11))))
    assert course.tally.in_flight == 1


def test_half_a_packet_at_the_end_is_passed_on() -> None:
    """A client that ends in the middle of one: the broker sees what there was of it."""
    passage = Passage(Course(Trouble()))
    half = publish(1)[:5]
    assert (passage.heard(UP, CONNECT + half).up, passage.ended(UP)) == (CONNECT, half)


def test_before_mqtt_5_a_refusal_looks_like_success() -> None:
    """There is no reason in a PUBACK of 3.1.1: the message is gone all the same."""
    passage = Passage(Course(Trouble((Fault(What.REFUSE, "PUBLISH"),))))
    old = packets.connect("x", v5=False)
    act = passage.heard(UP, old + publish(7))
    assert (act.up, act.down) == (old, bytes.fromhex("40020007"))
