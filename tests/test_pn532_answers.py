"""What a PN532 answers: cards and what is none, in every manner of coming, and in trouble."""

from collections.abc import Callable
from itertools import cycle, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import LIST, Messages, ScriptedPn532
from virtual import on_pn532, scans

from edge_agent.devices.pn532 import read_type_a, read_type_b
from edge_agent.records import Condition
from edge_agent.sim.pn532_frames import ACK, NACK, SYNTAX_ERROR, frame

NTAG = bytes.fromhex("01010044000704C63A63110189")
FINE = Condition("")


@pytest.mark.parametrize(
    "answer",
    [
        *("", "01", "0101", "0101000408", "01010004080504A1B2C3D4", "01010004080304A1B2"),
        *("01010004080404A1B2", "01010004080704A1B2C3D4E5", "01010004080404A1B2C305"),
        *("01010344200704A1B2C3D4E58006757781", "01010344200704A1B2C3D4E58005757781028000"),
    ],
)
def test_a_malformed_answer_is_no_card(answer: str) -> None:
    """A UID of another length, one cut short, an ATS that does not say its own length."""
    assert read_type_a(bytes.fromhex(answer)) is None
    assert scans(on_pn532(ScriptedPn532(repeat(bytes.fromhex(answer)))).run(1000)) == []


@pytest.mark.parametrize(
    "answer", ["", "010150E8253EEC000000110081", "010151E8253EEC00000011008185"]
)
def test_a_malformed_answer_of_type_b_is_no_card(answer: str) -> None:
    """An ATQB cut short, or one that does not begin with 50."""
    assert read_type_b(bytes.fromhex(answer)) is None


@given(answer=st.binary(max_size=40) | st.binary(max_size=30).map(lambda rest: NTAG[:6] + rest))
def test_any_answer_is_a_card_that_stands_in_it_or_none(answer: bytes) -> None:
    """Nothing is made up, and nothing is raised."""
    for read in (read_type_a, read_type_b):
        scan = read(answer)
        assert scan is None or bytes.fromhex(scan.value) in answer


def together(messages: Messages) -> Messages:
    return [(sum(in_ms for in_ms, _ in messages), b"".join(one for _, one in messages))]


def bytewise(messages: Messages) -> Messages:
    data = b"".join(one for _, one in messages)
    return [(1, data[at : at + 1]) for at in range(len(data))]


def extended(messages: Messages) -> Messages:
    (ack_ms, ack), (in_ms, answer) = messages
    head = b"\x00\x00\xff\xff\xff\x00" + answer[3:5] if answer[3:] else b""
    return [(ack_ms, ack), (in_ms, head + answer[5:])]


def noisy(messages: Messages) -> Messages:
    return [(in_ms, b"\x55\x00\xff\x80\x80" + one) for in_ms, one in messages]


@pytest.mark.parametrize("manner", [together, bytewise, extended, noisy])
def test_answers_are_understood_however_they_come(manner: Callable[[Messages], Messages]) -> None:
    """Acknowledgement and answer in one read, byte by byte, extended, behind a header that lies."""
    script = ScriptedPn532(repeat(NTAG))
    script.twist = lambda code, messages: manner(messages)
    records = on_pn532(script).run(4000)
    assert FINE in records
    assert scans(records) == ["04C63A63110189"]


@pytest.mark.parametrize(
    ("twisted", "cause"),
    [
        ([], "it does not answer"),
        ([(5, ACK)], "it does not answer"),
        ([(5, frame(b"\xd5\x4b" + NTAG))], "it does not answer"),
        ([(1, ACK), (5, frame(b"\xd5\x4d\x00"))], "it does not answer"),
        ([(1, ACK), (5, frame(b"\xd5\x4b" + NTAG)[:-2] + b"\x00\x00")], "it does not answer"),
        ([(1, ACK), (5, SYNTAX_ERROR)], "it refuses command 4A"),
        ([(1, SYNTAX_ERROR)], "it refuses command 4A"),
        ([(1, NACK)], "it refuses command 4A"),
    ],
    ids=["silence", "ack", "answer only", "other answer", "bad sum", "error", "no ack", "nack"],
)
def test_a_chip_that_misbehaves_is_named_and_introduced_again(
    twisted: Messages, cause: str
) -> None:
    """No scan comes of it; the next look after the trouble reads the card."""
    script = ScriptedPn532(repeat(NTAG))
    script.twist = lambda code, messages: twisted if code == LIST else messages
    virtual = on_pn532(script)
    assert virtual.run(5000)[:3] == [FINE, Condition(cause), FINE]
    assert scans(virtual.records) == []
    script.twist = lambda code, messages: messages
    assert scans(virtual.run(3000)) == ["04C63A63110189"]


def test_an_answer_from_before_the_introduction_is_not_taken_for_another() -> None:
    """It comes when the chip has long been introduced again, and nobody is there any more."""
    script = ScriptedPn532([NTAG])
    late = cycle([True, *[False] * 10_000])
    script.twist = lambda code, messages: (
        [messages[0], (1250, messages[1][1])] if code == LIST and next(late) else messages
    )
    virtual = on_pn532(script)
    assert scans(virtual.run(8000)) == []
    assert virtual.records == [FINE, Condition("it does not answer"), FINE]
    assert virtual.decoder.counts.rejected == 1
