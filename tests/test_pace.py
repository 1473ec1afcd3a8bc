"""How large batches are: by what the link carries, and by what it lost."""

from edge_agent.contract.messages import MAX_BATCH
from edge_agent.uplink.pace import Pace


class Slow:
    """A link of so many bytes a millisecond and one way to the broker and back, in its own time."""

    def __init__(self, per_ms: float, round_ms: int = 0) -> None:
        self.pace = Pace()
        self.pace.connected()
        self.now_ms = 0
        self._per_ms = per_ms
        self._round_ms = round_ms
        self._mids = 0

    def send(self, per_entry: int = 20) -> tuple[int, int]:
        """One batch there and acknowledged; its entries, and how long that took."""
        self._mids += 1
        entries = self.pace.entries
        size = entries * per_entry + 400
        self.pace.published(self._mids, entries, size, self.now_ms)
        took_ms = round(size / self._per_ms) + self._round_ms
        self.now_ms += took_ms
        assert self.pace.acked(self._mids, self.now_ms) == took_ms
        return entries, took_ms


def test_a_fast_link_is_full_after_a_few_acknowledgements() -> None:
    """Small at first, four times as much each time."""
    link = Slow(10_000)
    assert [link.send()[0] for _ in range(5)] == [50, 200, 800, MAX_BATCH, MAX_BATCH]


def test_on_a_slow_link_a_batch_takes_about_four_seconds() -> None:
    """Also where the way there and back alone takes most of a second."""
    for round_ms in (0, 800):
        link = Slow(5, round_ms)
        for _ in range(20):
            _, took_ms = link.send()
        assert 2_000 <= took_ms <= 4_500


def test_no_more_is_under_way_than_a_live_punch_can_wait_for() -> None:
    """Two batches on a slow link; on a fast one the window alone decides."""
    slow, fast = Slow(5), Slow(10_000)
    for link in (slow, fast):
        for _ in range(10):
            link.send()
    for link, room in ((slow, 2), (fast, 10)):
        sent = 0
        while not link.pace.busy(link.now_ms) and sent < 10:
            sent += 1
            entries = link.pace.entries
            link.pace.published(100 + sent, entries, entries * 20, link.now_ms)
        assert sent <= room
        assert (sent == 10) == (room == 10)


def test_before_the_first_acknowledgement_one_batch_is_under_way() -> None:
    """Nothing is known yet of what the link carries."""
    pace = Pace()
    pace.connected()
    assert not pace.busy(0)
    pace.published(1, 50, 2_000, 0)
    assert pace.busy(1)


def test_a_loss_halves_what_is_dared_and_receipts_raise_it_slowly() -> None:
    """A broker that takes small messages only says so by hanging up."""
    link = Slow(10_000)
    for _ in range(5):
        link.send()
    link.pace.shrink()
    assert link.pace.entries == MAX_BATCH // 2
    link.pace.grow()
    assert link.pace.entries == MAX_BATCH // 2 + MAX_BATCH // 16 + 1
    for _ in range(20):
        link.pace.shrink()
    assert link.pace.entries == 1


def test_a_new_connection_begins_smaller_and_keeps_what_losses_taught() -> None:
    """The ceiling stays, the speed is found anew."""
    link = Slow(10_000)
    for _ in range(5):
        link.send()
    link.pace.shrink()
    link.pace.connected()
    assert link.pace.entries == MAX_BATCH // 4
    for _ in range(5):
        link.send()
    assert link.pace.entries == MAX_BATCH // 2


def test_a_short_message_does_not_make_a_link_look_narrow() -> None:
    """A punch alone waits for the way there and back, whatever the link could carry."""
    link = Slow(5)
    for _ in range(5):
        link.send()
    before = link.pace.entries
    link.pace.published(77, 1, 400, link.now_ms)
    link.pace.acked(77, link.now_ms + 900)
    assert link.pace.entries == before


def test_an_answer_to_somebody_else_says_nothing() -> None:
    """The status message, say."""
    assert Pace().acked(7, 0) is None


def test_answers_that_a_stall_held_back_do_not_make_a_link_look_wide() -> None:
    """Two in one millisecond: else a window full of batches went before the next live punch."""
    link = Slow(5)
    for _ in range(10):
        link.send()
    pace, before = link.pace, link.pace.entries
    for mid in (201, 202, 203):
        pace.published(mid, before, before * 20 + 400, link.now_ms)
    link.now_ms += 13_000
    for mid in (201, 202, 203):
        pace.acked(mid, link.now_ms)
    assert pace.entries <= before
    pace.published(204, 1, 600, link.now_ms)
    pace.acked(204, link.now_ms + 120)
    assert pace.entries <= before


def test_answers_of_one_millisecond_do_not_hide_a_fast_link() -> None:
    """One after the other they are measured as one."""
    pace = Pace()
    pace.connected()
    for mid in range(40):
        pace.published(mid, 50, 2_000, 0)
    for mid in range(40):
        pace.acked(mid, 5 + mid // 4)
    assert pace.entries == 200
    pace.published(99, 200, 4_000, 20)
    pace.acked(99, 21)
    assert pace.entries == 800


def test_a_batch_that_was_alone_is_measured_alone() -> None:
    """A link that was slow and is fast now is used as fast as it is."""
    link = Slow(5)
    for _ in range(10):
        link.send()
    link.pace.published(201, 200, 4_400, link.now_ms + 5)
    link.pace.acked(201, link.now_ms + 25)
    assert link.pace.entries == MAX_BATCH


def test_what_is_answered_or_lost_with_its_connection_is_under_way_no_longer() -> None:
    """Else a link would be busy for ever."""
    link = Slow(5)
    for _ in range(10):
        link.send()
    assert not link.pace.busy(link.now_ms)
    for mid in range(300, 310):
        link.pace.published(mid, 400, 8_000, link.now_ms)
    assert link.pace.busy(link.now_ms)
    link.pace.connected()
    assert not link.pace.busy(link.now_ms)


def test_a_refusal_proves_no_size() -> None:
    """What the broker did not want has not passed; nor is it under way any more."""
    link = Slow(10_000)
    link.send()
    link.pace.published(90, 200, 8_000, link.now_ms)
    link.pace.refused(90)
    assert not link.pace.busy(link.now_ms)
    link.pace.published(91, 100, 4_000, link.now_ms)
    link.pace.lost()
    for _ in range(5):
        link.send()
    assert link.pace.entries == 50
