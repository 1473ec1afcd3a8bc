"""From scans to punches: what is a card, what is the same card still, what is a repeat."""

import itertools

import pytest
from builders import scanned, stamp

from edge_agent import profile
from edge_agent.profile import ScannerProfile
from edge_agent.sim.scanner import PHANTOMS, frame_times
from edge_agent.terminal.pipeline import Earlier, Pipeline

#: A reader that repeats what lies on it, and one that speaks once.
RDM6300 = ScannerProfile("em4100", 9600, confirm=2, confirm_ms=200, gone_ms=500)
ONCE = ScannerProfile("text", 9600, confirm=1, gone_ms=300)
DUPLICATE_MS = 60_000
AMIN, SITI = "3C00CE754C", "62E3086CED"


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline({"front": RDM6300, "rear": ONCE}, DUPLICATE_MS)


def held(pipeline: Pipeline, card: str, from_ms: int, for_s: float) -> list[int]:
    """When punches began while a card lay on the front reader; it repeats about every 65 ms."""
    times = [from_ms + round(at_s * 1000) for at_s in frame_times(for_s)]
    begun = [pipeline.take(scanned(card, at_ms)) for at_ms in times]
    return [at.mono_ms for at in begun if at is not None]


def test_a_card_must_be_seen_twice_where_the_model_repeats(pipeline: Pipeline) -> None:
    """The first read is not believed; the second gives the moment of the first."""
    assert pipeline.take(scanned(AMIN, 1000)) is None
    assert pipeline.take(scanned(AMIN, 1065)) == stamp(1000)
    assert pipeline.take(scanned(AMIN, 1130)) is None


def test_the_second_read_must_come_in_time(pipeline: Pipeline) -> None:
    """At 200 ms it confirms; later it is a first read again."""
    assert pipeline.take(scanned(AMIN, 1000)) is None
    assert pipeline.take(scanned(AMIN, 1200)) == stamp(1000)
    assert pipeline.take(scanned(SITI, 5000)) is None
    assert pipeline.take(scanned(SITI, 5201)) is None
    assert pipeline.take(scanned(SITI, 5300)) == stamp(5201)


def test_a_reader_that_speaks_once_is_believed_at_once(pipeline: Pipeline) -> None:
    """Its profile asks for one read."""
    assert pipeline.take(scanned(AMIN, 1000, "rear")) == stamp(1000)


def test_three_reads_are_asked_for_where_the_profile_says_so() -> None:
    """As many as it says, not one less."""
    careful = ScannerProfile("em4100", 9600, confirm=3)
    pipeline = Pipeline({"front": careful}, DUPLICATE_MS)
    begun = [pipeline.take(scanned(AMIN, at_ms)) for at_ms in (0, 65, 130, 195)]
    assert begun == [None, None, stamp(0), None]


def test_phantoms_are_no_punches(pipeline: Pipeline) -> None:
    """Captured ones, each with a right checksum, one frame at a time."""
    for number, digits in enumerate(PHANTOMS * 20):
        assert pipeline.take(scanned(digits[:10], number * 65)) is None


def test_the_same_phantom_now_and_then_is_no_punch(pipeline: Pipeline) -> None:
    """Every 300 ms for a minute."""
    for at_ms in range(0, 60_000, 300):
        assert pipeline.take(scanned("00F00000F0", at_ms)) is None


def test_a_card_held_for_ten_seconds_is_one_punch(pipeline: Pipeline) -> None:
    """However often it is read."""
    assert held(pipeline, AMIN, 1000, for_s=10) == [1000]


def test_a_held_card_may_be_missed_for_a_moment(pipeline: Pipeline) -> None:
    """Up to the time after which it counts as gone; then it is a new presentation."""
    assert held(pipeline, AMIN, 0, for_s=0.2) == [0]  # last read at 195 ms
    assert held(pipeline, AMIN, 695, for_s=0.2) == []  # 500 ms later, last read at 890 ms
    assert held(pipeline, AMIN, 1391, for_s=0.2) == [1391]  # 501 ms later


def test_a_phantom_between_two_reads_does_not_part_them(pipeline: Pipeline) -> None:
    """Each credential is counted by itself."""
    assert pipeline.take(scanned(AMIN, 0)) is None
    assert pipeline.take(scanned("00F00000F0", 30)) is None
    assert pipeline.take(scanned(AMIN, 65)) == stamp(0)


def test_two_people_within_a_second_are_two_punches(pipeline: Pipeline) -> None:
    """A queue moves fast; nobody has to wait for a time to run out."""
    assert held(pipeline, AMIN, 0, for_s=0.3) == [0]
    assert held(pipeline, SITI, 400, for_s=0.3) == [400]


def test_two_scanners_do_not_know_each_other(pipeline: Pipeline) -> None:
    """The same card at both is two presentations."""
    assert held(pipeline, AMIN, 0, for_s=0.3) == [0]
    assert pipeline.take(scanned(AMIN, 400, "rear")) == stamp(400)


def test_a_punch_again_within_the_duplicate_period_is_a_repeat(pipeline: Pipeline) -> None:
    """Of the first one, which stays the first; a minute later it is a punch of its own."""
    assert pipeline.repeats("p-1", stamp(0)) is None
    pipeline.stored("p-1", 7, stamp(0))
    for at_ms in (1, 30_000, 59_999):
        assert pipeline.repeats("p-1", stamp(at_ms)) == Earlier(7, stamp(0))
    assert pipeline.repeats("p-1", stamp(60_000)) is None


def test_a_repeat_is_by_person(pipeline: Pipeline) -> None:
    """Two cards of one person repeat each other; two persons never do."""
    pipeline.stored("p-1", 7, stamp(0))
    assert pipeline.repeats("p-1", stamp(10)) is not None
    assert pipeline.repeats("p-2", stamp(10)) is None


def test_no_duplicate_period_means_no_repeats() -> None:
    """An office may want every tap."""
    pipeline = Pipeline({"front": ONCE}, 0)
    pipeline.stored("p-1", 7, stamp(0))
    assert pipeline.repeats("p-1", stamp(0)) is None


def test_who_punched_long_ago_is_forgotten(pipeline: Pipeline) -> None:
    """A year of punches does not fill the memory."""
    for number in range(1000):
        pipeline.stored(f"p-{number}", number, stamp(number * 1000))
    assert len(pipeline._recent) <= DUPLICATE_MS // 1000 + 1


@pytest.mark.parametrize("apart_ms", [0, 1, 15])
def test_a_flood_of_phantoms_does_not_fill_the_memory(pipeline: Pipeline, apart_ms: int) -> None:
    """Ever new numbers, at the full rate of any port: remembered few, believed none."""
    for number in range(5_000):
        assert pipeline.take(scanned(f"{number:010X}", number * apart_ms)) is None
        assert len(pipeline._seen) <= 64


def test_a_card_is_believed_in_the_middle_of_a_flood(pipeline: Pipeline) -> None:
    """It comes out once, while phantoms come between its reads."""
    numbers = itertools.count(1)
    begun = []
    for at_ms in range(0, 10_000, 15):
        value = AMIN if at_ms % 60 == 0 and at_ms >= 5_000 else f"{next(numbers):010X}"
        begun.append(pipeline.take(scanned(value, at_ms)))
    assert [at.mono_ms for at in begun if at is not None] == [5040]


@pytest.mark.parametrize("name", profile.known("scanners"))
def test_every_shipped_profile_tells_one_tap_from_two(name: str) -> None:
    """Held for three seconds, read as often as the model reads; away for three; again."""
    wanted = profile.scanner(name)
    pipeline = Pipeline({"front": wanted}, 0)
    reads = [0] if name == "id12la" else range(0, 3000, 65)
    begun = [
        pipeline.take(scanned(AMIN, start_ms + at_ms)) for start_ms in (0, 6000) for at_ms in reads
    ]
    assert [at.mono_ms for at in begun if at is not None] == [0, 6000]
