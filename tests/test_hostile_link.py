"""A link that does its worst: nothing is lost, nothing is doubled, and how soon all is well again.

One office lives through all of it, one fault after the other. A cut comes at every so many bytes of
each exchange, beginning where the seed says; EDGE_AGENT_EVERY_BYTE=1 cuts at every one.
EDGE_AGENT_HALF_OPEN_S=600 lets the half-open network last ten minutes instead of seconds, with the
keep-alive that ships; and EDGE_AGENT_DYING_S=20 is the span in which connections die, in CI one
second, so that a dozen connections can be seen to.
"""

import os
import random
import threading
from collections.abc import Iterator

import pytest
from recovering import ROWS, Weak, weak

from edge_agent.sim.trouble import DOWN, UP, Fault, Trouble, What

EVERY_BYTE = bool(os.environ.get("EDGE_AGENT_EVERY_BYTE"))
HALF_OPEN_S = float(os.environ.get("EDGE_AGENT_HALF_OPEN_S", "4"))
DYING_S = float(os.environ.get("EDGE_AGENT_DYING_S", "1"))
SEED = random.SystemRandom().randrange(10**6)
#: The shortest keep-alive there is, unless the network is gone for long.
KEEPALIVE_S = 60 if HALF_OPEN_S > 60 else 5
CONNECTING = ("CONNECT", "CONNACK")

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture(scope="module")
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Weak]:
    """A running one; rows go to the table at the end."""
    rows = request.config.stash.setdefault(ROWS, [])
    with weak(tmp_path_factory.mktemp("weak"), rows, KEEPALIVE_S) as one:
        one.tap(1)
        one.until(one.stored)
        yield one


def places(length: int, every: int) -> range:
    every = 1 if EVERY_BYTE else every
    return range(random.Random(SEED).randrange(every), length + 1, every)


def length_of(office: Weak, kind: str, up: bool) -> int:
    """Of a packet of that kind, now that one has gone by; all of them are of one length then."""
    tally = office.office.link.tally
    counts, sizes = tally.packets.copy(), tally.sizes.copy()
    if kind in CONNECTING:
        office.reconnect()
    office.tap()
    office.until(lambda: tally.packets[up, kind] > counts[up, kind])
    count = tally.packets[up, kind] - counts[up, kind]
    return (tally.sizes[up, kind] - sizes[up, kind]) // count


@pytest.mark.parametrize(
    ("kind", "up", "every"),
    [
        ("CONNECT", UP, 31),
        ("CONNACK", DOWN, 7),
        ("PUBLISH", UP, 67),
        ("PUBACK", DOWN, 2),
        ("PUBLISH", DOWN, 67),
        ("PUBACK", UP, 2),
    ],
)
def test_a_cut_at_any_byte(office: Weak, kind: str, up: bool, every: int) -> None:
    """In a CONNECT and its answer, in entries and their PUBACK, in a receipt and its PUBACK."""
    length = length_of(office, kind, up)
    name = f"cut in a {kind} {'up' if up else 'down'} ({length} bytes)"
    since = "the fault, to the database, of all the longest"
    with office.row(name, Trouble(), since) as measured:
        for at in places(length, every):
            done = office.done()
            measured.begin()
            office.office.link.suffer(Trouble((Fault(What.CUT, kind, up, at=at),)))
            if kind in CONNECTING:
                office.reconnect()
            office.tap()
            office.until(lambda done=done: office.done() > done)  # type: ignore[misc]
            office.until(office.stored)
            measured.end()


def test_a_puback_that_is_lost(office: Weak) -> None:
    """The broker has it, the terminal does not know: the receipt is enough."""
    with office.row("PUBACK lost", Trouble((Fault(What.LOSE, "PUBACK", DOWN, times=2),))):
        office.tap(3)
    office.reconnect()  # what has no PUBACK keeps its place in the window for half a minute


def test_a_message_that_is_delivered_twice(office: Weak) -> None:
    """The central gets batches again, with and without the mark of MQTT."""
    with office.row("delivered twice", Trouble((Fault(What.TWICE, "PUBLISH", UP, times=0),))):
        office.tap(5)


def test_a_broker_that_answers_quota_exceeded(office: Weak) -> None:
    """A refusal is not an acknowledgement: what was refused goes again, a little later."""
    with office.row("0x97 to a PUBLISH", Trouble((Fault(What.REFUSE, "PUBLISH", UP, times=3),))):
        office.tap(3)
    assert any("Quota exceeded" in one for one in office.office.status()["rejected"])


def test_a_broker_that_acknowledges_and_forgets(office: Weak) -> None:
    """Without a receipt it is sent again, as often as need be."""
    with office.row("acknowledged, forgotten", Trouble((Fault(What.FORGET, "PUBLISH", times=3),))):
        office.tap(3)


def test_a_session_that_is_taken_over(office: Weak) -> None:
    """Somebody connects with the terminal's name; it comes back, and the other one is out."""
    trouble = Trouble((Fault(What.TAKE_OVER, "PUBLISH", UP, times=2),))
    with office.row("session taken over", trouble):
        office.tap(3)
        office.until(lambda: office.office.link.tally.done["PUBLISH up session taken over"] >= 2)


def test_receive_maximum_one(office: Weak) -> None:
    """One message at a time, on a line so slow that more would be seen to wait."""
    with office.row("Receive Maximum 1", Trouble(rate=5_000, receive_maximum=1)) as measured:
        office.reconnect()
        office.until(lambda: office.office.status()["broker"]["online"])
        measured.begin(counted=1)
        office.tap(20)
        office.until(office.stored)
        assert office.office.link.tally.in_flight == 1


def test_five_kilobytes_a_second_with_stalls(office: Weak) -> None:
    """A backlog and people who go on tapping, while nothing passes for half of the time."""
    office.office.cut()
    office.tap(60)
    trouble = Trouble(rate=5_000, stall_every_s=1.5, stall_s=1.5)
    with office.row("5 kB/s, stalls", trouble, "the last tap, in trouble still") as measured:
        office.office.mend()
        office.tap(40)
        measured.begin(counted=1)
        office.until(office.stored)
        assert office.office.link.tally.in_flight > 1  # or Receive Maximum 1 would prove nothing


def test_connections_of_which_three_in_ten_die_soon(office: Weak) -> None:
    """Twelve, each used for as long as it may die in; by this seed some do, the rest is broken."""
    trouble = Trouble(die_share=0.3, die_within_s=DYING_S, seed=1)
    name = f"30 % of connections die within {DYING_S:g} s"
    with office.row(name, trouble, "the last tap, in trouble still") as measured:
        for _ in range(12):
            office.reconnect()
            for _ in range(4):
                office.tap()
                threading.Event().wait(DYING_S / 4)  # the time it may die in, no wait for anything
        measured.begin(counted=office.office.link.tally.done["connection died"])


def test_a_network_that_is_half_open(office: Weak) -> None:
    """Every byte vanishes, nothing is closed, new connections too are never answered."""
    name = f"half-open for {HALF_OPEN_S:g} s, keep-alive {KEEPALIVE_S} s"
    with office.row(name, Trouble(), "its end") as measured:
        office.office.link.swallow()
        office.tap(3)
        threading.Event().wait(HALF_OPEN_S)  # the fault lasts so long
        office.tap(1)
        office.office.mend()
        measured.begin(counted=1)
