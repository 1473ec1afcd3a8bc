"""A link that does its worst: nothing is lost, nothing is doubled, and how soon all is well again.

One office lives through all of it, one fault after the other, and one of MQTT 3.1.1 through most;
two that take long suffer meanwhile. A cut comes at every so many bytes of each exchange, beginning
where the seed says; EDGE_AGENT_EVERY_BYTE=1 cuts at every one. EDGE_AGENT_HALF_OPEN_S=600 lets the
half-open network last ten minutes instead of seconds, with the keep-alive that ships; and
EDGE_AGENT_DYING_S=20 is the span in which connections die, in CI half a second, so that ten
connections can be seen to. `scripts/weather` is all of it at these lengths.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from recovering import ROWS, Weak, weak

from edge_agent.sim.trouble import DOWN, UP, Fault, Trouble, What

EVERY_BYTE = bool(os.environ.get("EDGE_AGENT_EVERY_BYTE"))
HALF_OPEN_S = float(os.environ.get("EDGE_AGENT_HALF_OPEN_S", "4"))
DYING_S = float(os.environ.get("EDGE_AGENT_DYING_S", "0.5"))
SEED = random.SystemRandom().randrange(10**6)
#: The shortest keep-alive there is, unless the network is gone for long.
KEEPALIVE_S = 60 if HALF_OPEN_S > 60 else 5
CONNECTING = ("CONNECT", "CONNACK")
#: Places in the terminal's window, as it ships.
WINDOW = 4
EVERY_TAP = "the tap, of all in trouble the longest"

pytestmark = pytest.mark.timeout(7200)
Rows = list[tuple[str, ...]]
Stories = dict[str, Future[Rows]]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Rows:
    """They go to the table at the end."""
    return request.config.stash.setdefault(ROWS, [])


@pytest.fixture(scope="module")
def office(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weak]:
    """One that speaks MQTT 5, if the broker does."""
    with weak(tmp_path_factory.mktemp("weak"), rows, keepalive_s=KEEPALIVE_S) as one:
        yield one


@pytest.fixture(scope="module", params=["5", "3.1.1"])
def either(
    request: pytest.FixtureRequest, rows: Rows, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Weak]:
    """The same office, and then one that speaks the older protocol."""
    if request.param == "5":
        yield request.getfixturevalue("office")
        return
    work = tmp_path_factory.mktemp("weak")
    with weak(work, rows, keepalive_s=KEEPALIVE_S, protocol=request.param) as one:
        yield one


@pytest.fixture(scope="module", autouse=True)
def stories(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stories]:
    """What takes long, begun before all else in offices of their own; each gives its rows."""
    wanted = {item.name for item in request.session.items}
    with ThreadPoolExecutor() as pool:
        yield {
            name: pool.submit(story, tmp_path_factory.mktemp("aside"))
            for name, story in STORIES.items()
            if name in wanted
        }


def places(length: int, every: int) -> range:
    every = 1 if EVERY_BYTE else every
    return range(random.Random(SEED).randrange(every), length + 1, every)


def length_of(office: Weak, kind: str, up: bool) -> int:
    """Of a packet of that kind, now that one has gone by; all of them are of one length then."""
    tally = office.link.tally
    counts, sizes = tally.packets.copy(), tally.sizes.copy()
    if kind in CONNECTING:
        office.reconnect()
    office.tap()
    office.until(lambda: tally.packets[up, kind] > counts[up, kind], kind)
    count = tally.packets[up, kind] - counts[up, kind]
    return (tally.sizes[up, kind] - sizes[up, kind]) // count


@pytest.mark.parametrize(
    ("kind", "up", "every"),
    [
        ("CONNECT", UP, 91),
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
    since = "the cut, of one more tap, of all the longest"
    with office.row(name, Trouble(), since) as measured:
        for at in places(length, every):
            done = office.done()
            office.link.suffer(Trouble((Fault(What.CUT, kind, up, at=at),)))
            if kind in CONNECTING:
                office.reconnect()
            office.tap()
            office.until_more(office.done, done, name)
            measured.begin()
            office.tap()
            measured.end()


def test_a_puback_that_is_lost(either: Weak) -> None:
    """The broker has it, the terminal does not know: the receipt is enough, and the line stands."""
    before = either.link.connections
    with either.row("PUBACK lost", Trouble((Fault(What.LOSE, "PUBACK", DOWN, times=2),))):
        either.tap(4)
    assert either.link.connections == before
    either.reconnect()  # what has no PUBACK keeps its place in the window for half a minute
    either.tap()
    either.known()


def test_a_message_that_is_delivered_twice(either: Weak) -> None:
    """The central gets batches again, with and without the mark of MQTT."""
    with either.row("delivered twice", Trouble((Fault(What.TWICE, "PUBLISH", UP, times=0),))):
        either.tap(5)


def test_a_broker_that_answers_quota_exceeded(office: Weak) -> None:
    """A refusal is not an acknowledgement: what was refused goes again, a little later."""
    with office.row("0x97 to a PUBLISH", Trouble((Fault(What.REFUSE, "PUBLISH", UP, times=3),))):
        office.tap(3)
    assert any("Quota exceeded" in one for one in office.office.status()["rejected"])


def test_a_broker_that_acknowledges_and_forgets(either: Weak) -> None:
    """Without a receipt it is sent again, as often as need be."""
    with either.row("acknowledged, forgotten", Trouble((Fault(What.FORGET, "PUBLISH", times=3),))):
        either.tap(3)


def test_a_broker_that_forgets_the_last_word(either: Weak) -> None:
    """No later entry overtakes it and nobody else asks: the terminal does, by sending it again."""
    with either.row("the last one forgotten", Trouble((Fault(What.FORGET, "PUBLISH"),))):
        either.tap()


def test_a_session_that_is_taken_over(either: Weak) -> None:
    """Somebody connects with the terminal's name; it comes back, and the other one is out."""
    done = either.link.tally.done
    trouble = Trouble((Fault(What.TAKE_OVER, "PUBLISH", UP, times=2),))
    with either.row("session taken over", trouble) as measured:
        before = done["PUBLISH up session taken over"]
        either.tap(3)
        either.until(lambda: done["PUBLISH up session taken over"] >= before + 2, "two of them")
        measured.begin()
        either.tap()


def test_receive_maximum_one(office: Weak) -> None:
    """One message at a time, on a line so slow that more would be seen to wait."""
    with office.row("Receive Maximum 1", Trouble(rate=5_000, receive_maximum=1)) as measured:
        office.reconnect()
        office.tap()
        office.known()
        measured.begin()
        office.tap(20)
        measured.end()
        assert office.link.tally.in_flight == 1


def test_five_kilobytes_a_second_with_stalls(either: Weak) -> None:
    """A backlog and people who go on tapping, while nothing passes for half of the time."""
    either.office.cut()
    either.tap(60)
    publishes = either.link.tally.packets[UP, "PUBLISH"]
    trouble = Trouble(rate=5_000, stall_every_s=1.5, stall_s=1.5)
    with either.row("5 kB/s, stalls", trouble, EVERY_TAP) as measured:
        either.office.mend()
        either.until(lambda: either.link.tally.packets[UP, "PUBLISH"] > publishes + 1, "a batch")
        measured.every_tap()
        for _ in range(30):
            either.tap()
            threading.Event().wait(0.1)  # so that some of them meet a stall
        either.known()
        assert either.link.tally.in_flight > 1  # or Receive Maximum 1 would prove nothing


def test_connections_of_which_three_in_ten_die_soon(either: Weak) -> None:
    """Ten, each used for as long as it may die in; by this seed some do, the rest is broken."""
    trouble = Trouble(die_share=0.3, die_within_s=DYING_S, seed=1)
    name = f"30 % of connections die within {DYING_S:g} s"
    with either.row(name, trouble, EVERY_TAP) as measured:
        measured.every_tap()
        for _ in range(10):
            either.reconnect()
            for _ in range(4):
                either.tap()
                threading.Event().wait(DYING_S / 4)  # the time it may die in, no wait for anything


def test_a_network_that_is_half_open(office: Weak) -> None:
    """Every byte vanishes, nothing is closed, new connections too are never answered."""
    name = f"half-open for {HALF_OPEN_S:g} s, keep-alive {KEEPALIVE_S} s"
    with office.row(name, Trouble(), "its end") as measured:
        office.link.swallow()
        office.tap(3)
        threading.Event().wait(HALF_OPEN_S)  # the fault lasts so long
        office.tap(1)
        office.office.mend()
        measured.begin()


def window_full(work: Path) -> Rows:
    """PUBACKs get lost until the window has no place left: half a minute later the line is new."""
    rows: Rows = []
    with weak(work, rows) as office:
        trouble = Trouble((Fault(What.LOSE, "PUBACK", DOWN, times=WINDOW),))
        with office.row("PUBACK lost, window full", trouble) as measured:
            lost = office.link.tally.done
            for number in range(WINDOW):
                office.tap()
                office.until_more(lambda: lost["PUBACK down lost"], number, "it")
            measured.begin()
            office.tap()
    return rows


def large_roster(work: Path) -> Rows:
    """A roster that takes longer than a connection lives: it comes again and again, behind taps."""
    rows: Rows = []
    with weak(work, rows, people=1000) as office:
        trouble = Trouble(rate=5_000, die_every_s=5, seed=2)
        name = "5 kB/s, roster of 1,000, connections die every 5 s"
        with office.row(name, trouble, EVERY_TAP) as measured:
            office.reconnect()
            measured.every_tap()
            for _ in range(50):
                office.tap()
                threading.Event().wait(0.5)  # the connections live and die meanwhile
        assert office.link.tally.done["connection died"] >= 3
    return rows


STORIES: dict[str, Callable[[Path], Rows]] = {
    "test_pubacks_lost_until_the_window_is_full": window_full,
    "test_a_large_roster_on_a_weak_link": large_roster,
}


def test_pubacks_lost_until_the_window_is_full(stories: Stories, rows: Rows) -> None:
    """The terminal gives up a line that does not acknowledge, and sends again on another."""
    rows += stories["test_pubacks_lost_until_the_window_is_full"].result()


def test_a_large_roster_on_a_weak_link(stories: Stories, rows: Rows) -> None:
    """Punches are not starved by a roster that begins anew with each connection."""
    rows += stories["test_a_large_roster_on_a_weak_link"].result()
