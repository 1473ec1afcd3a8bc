"""Conversations: what is said and heard when, shown with a device that answers in lines."""

from collections.abc import Callable, Iterator
from typing import Any

from decoder_cases import held
from virtual import Virtual

from edge_agent.devices.conversation import AGAIN_MS, Ask, Conversation, Pause, Talk, TalkError
from edge_agent.records import Condition, Counts


class Lines:
    """A framer of lines."""

    def __init__(self) -> None:
        self.noise = 0
        self.rejected = 0
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        yield from lines

    def flush(self) -> Iterator[bytes]:
        self.restart()
        yield from ()

    def restart(self) -> None:
        self.noise += len(self._buffer)
        self._buffer = b""


def conversation(talk: Callable[[], Talk]) -> Conversation[bytes, Any]:
    return Conversation(Lines(), talk)


def ask(word: bytes, wait_ms: int = 100) -> Ask[bytes]:
    """A question that is answered by itself and a number."""
    return Ask(word, wait_ms, lambda line: line.startswith(word) and line[len(word) :].isdigit())


def once() -> Talk:
    """Ask, say what was answered, and then only wait."""
    yield ((yield ask(b"a")), "first")
    yield "second"
    yield ((yield ask(b"b")), "third")
    while True:
        yield Pause(1000)


def test_a_question_is_said_once_and_answered_once() -> None:
    """The records between two questions come out in order, and before the next question."""
    one = conversation(once)
    assert (one.poll(0), one.wake_ms) == (b"a", 100)
    assert (one.poll(5), one.wake_ms) == (b"", 100)
    assert list(one.feed(b"a1\n", 7)) == [(b"a1", "first"), "second"]
    assert (one.poll(7), one.wake_ms) == (b"b", 107)
    assert list(one.feed(b"b2\n", 8)) == [(b"b2", "third")]
    assert (one.poll(8), one.wake_ms) == (b"", 1008)
    assert one.counts == Counts()


def test_what_answers_nothing_is_counted() -> None:
    """Another's answer, two to one question, and what comes while nothing was asked."""
    one = conversation(once)
    one.poll(0)
    assert list(one.feed(b"b2\na1\na1\n", 1)) == [(b"a1", "first"), "second"]
    assert one.counts.rejected == 2
    one.poll(2)
    list(one.feed(b"b2\n", 3))
    one.poll(3)
    assert list(one.feed(b"b2\n", 4)) == []
    assert one.counts.rejected == 3


def test_a_question_is_not_answered_before_it_was_asked() -> None:
    """Two answers in one read: the second came before anybody asked again."""

    def talk() -> Talk:
        while True:
            yield (yield ask(b"a"))

    one = conversation(talk)
    assert one.poll(0) == b"a"
    assert list(one.feed(b"a1\na2\n", 1)) == [b"a1"]
    assert one.counts.rejected == 1
    assert one.poll(1) == b"a"
    assert list(one.feed(b"a3\n", 2)) == [b"a3"]


def test_half_an_answer_from_before_the_question_is_no_answer() -> None:
    """What begins before it is asked is said about something else."""
    one = conversation(once)
    one.poll(0)
    list(one.feed(b"a1\nb", 1))
    one.poll(1)
    assert list(one.feed(b"2\n", 2)) == []
    assert one.counts == Counts(noise=1, rejected=1)


def test_a_question_without_words_may_be_answered_by_what_was_just_heard() -> None:
    """As an acknowledgement and an answer come in one read."""

    def talk() -> Talk:
        yield ask(b"a")
        yield (yield Ask(b"", 50, lambda line: line == b"then"))

    one = conversation(talk)
    one.poll(0)
    assert list(one.feed(b"a1\nthen\n", 1)) == [b"then"]
    one.poll(1)
    assert one.poll(2) == b""
    assert list(one.feed(b"a1\nth", 3)) == []
    assert (one.poll(3), one.wake_ms) == (b"", 53)
    assert list(one.feed(b"en\n", 4)) == [b"then"]


def test_an_answer_that_does_not_come_is_raised_where_it_was_asked() -> None:
    """The talk may know what to do about it."""

    def talk() -> Talk:
        try:
            yield ask(b"a")
        except TalkError as error:
            yield str(error)
        yield (yield ask(b"b"))

    one = conversation(talk)
    one.poll(0)
    assert list(one.feed(b"", 99)) == []
    assert list(one.feed(b"", 100)) == ["it does not answer"]
    assert one.poll(100) == b"b"


def test_an_answer_at_the_last_moment_is_one() -> None:
    """Bytes that came in time are not thrown away because the thread was late to read them."""
    one = conversation(once)
    one.poll(0)
    assert list(one.feed(b"a1\n", 500)) == [(b"a1", "first"), "second"]


def test_a_talk_that_fails_says_so_once_and_begins_again() -> None:
    """After a rest; the same trouble is not said again, another is, and so is its end."""
    broken = ["it is wet", "it is wet", "it is hot", ""]

    def talk() -> Talk:
        trouble = broken.pop(0)
        if trouble:
            raise TalkError(trouble)
        yield Condition("")
        while True:
            yield Pause(1000)

    one = Virtual(conversation(talk), lambda told: [])
    assert one.run(2000) == [Condition("it is wet"), Condition("it is hot"), Condition("")]
    assert one.at_ms == [0, 2 * AGAIN_MS, 3 * AGAIN_MS]


def test_a_talk_that_ends_begins_again() -> None:
    """There is no last word."""

    def talk() -> Talk:
        yield ((yield ask(b"a")), "said")

    one = Virtual(conversation(talk), lambda told: [(10, told + b"1\n")])
    assert one.run(35) == [(b"a1", "said")] * 3


def test_a_new_cable_begins_with_the_introduction() -> None:
    """What was under way is over, in order, and a trouble is said again."""
    ended = []

    def talk() -> Talk:
        try:
            yield Condition("it is wet")
            yield ask(b"a")
        finally:
            ended.append(True)

    one = conversation(talk)
    for times in (1, 2):
        assert one.poll(0) == b""
        assert list(one.feed(b"", 0)) == [Condition("it is wet")]
        assert one.poll(0) == b"a"
        list(one.feed(b"a", 1))
        one.restart()
        assert len(ended) == times
        assert held(one) == 0
