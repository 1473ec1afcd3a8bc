"""Which profiles fit a device that is asked: what to say, and whose answer came. Pure."""

import pytest

from edge_agent.profile import Identify, ScannerProfile
from edge_agent.technician.model import Finding, Model, Sure, models
from edge_agent.technician.question import Question, questions, recognise

MODELS = models(print)


def names(found: Finding) -> list[str]:
    return [one.model.name for one in found.candidates]


def model(name: str) -> Model:
    return next(one for one in MODELS if one.name == name)


def test_models_with_one_question_are_asked_once_a_speed() -> None:
    """Nothing is said twice; the models' own speeds come first."""
    asked = questions(MODELS)
    assert len({(one.baud, one.data) for one in asked}) == len(asked)
    fingers = next(one for one in asked if one.baud == 57600)
    assert {"zfm20", "r307", "r503"} <= {one.name for one in fingers.models}
    own = [any(one.profile.baud == each.baud for one in each.models) for each in asked]
    assert own == sorted(own, reverse=True)


def test_nothing_is_asked_but_what_profiles_say() -> None:
    """Byte for byte."""
    said = {bytes.fromhex(one.profile.identify.ask) for one in MODELS}
    assert {one.data for one in questions(MODELS)} == said - {b""}


def ef01(content: bytes) -> bytes:
    """An acknowledgement packet."""
    body = b"\x07" + (len(content) + 2).to_bytes(2, "big") + content
    return b"\xef\x01\xff\xff\xff\xff" + body + sum(body).to_bytes(2, "big")


def parameters(system: int, size: int) -> bytes:
    numbers = (0, system, size, 3)
    return (
        b"\x00"
        + b"".join(one.to_bytes(2, "big") for one in numbers)
        + bytes.fromhex("FFFFFFFF00020006")
    )


@pytest.mark.parametrize(
    ("system", "size", "first"), [(0, 200, "r503"), (9, 1000, "r307"), (9, 162, "zfm20")]
)
def test_of_models_that_fit_the_most_exact_is_first(system: int, size: int, first: str) -> None:
    """All modules of the family answer ReadSysPara; the profile that insists on more knows more."""
    fingers = next(one for one in questions(MODELS) if one.baud == 57600)
    found = recognise(fingers.models, ef01(parameters(system, size)), question=fingers)
    assert found is not None
    assert found.sure is Sure.CERTAIN
    assert names(found)[0] == first
    assert names(found)[-1] == "zfm20"
    assert found.candidates[0].baud is None


def test_exactness_counts_and_not_the_alphabet() -> None:
    """Nor how long the expression is."""
    vague = asking("a", answer="EF01[0-9A-F][0-9A-F][0-9A-F][0-9A-F](07|08|09)")
    exact = asking("b", answer="EF01123407")
    found = recognise([vague, exact], bytes.fromhex("EF01123407"))
    assert found is not None
    assert names(found) == ["b", "a"]


def test_an_answer_at_another_speed_gets_a_line_for_it() -> None:
    """A module that was set to 9600."""
    fingers = next(one for one in questions(MODELS) if one.baud == 9600 and one.data[0] == 0xEF)
    found = recognise(fingers.models, ef01(parameters(9, 162)), question=fingers)
    assert found is not None
    assert found.candidates[0].baud == 9600


def test_an_answer_is_found_behind_noise_and_between_bytes_it_is_not() -> None:
    """Half of one byte and half of the next are no byte."""
    one = asking("a", ask="01", answer="ABCD")
    question = Question(9600, b"\x01", 300, (one,))
    assert recognise([one], b"\x00\x55\xab\xcd\x00", question=question) is not None
    assert recognise([one], b"\x0a\xbc\xd0", question=question) is None


def test_bytes_that_answer_nothing_are_no_finding() -> None:
    """Silence, an acknowledgement that holds nothing, another protocol."""
    pn532 = [model("pn532")]
    assert recognise(pn532, b"") is None
    assert recognise(pn532, bytes.fromhex("0000FF00FF00")) is None
    assert recognise(pn532, ef01(parameters(9, 162))) is None


def test_the_digits_that_an_expression_insists_on_are_counted() -> None:
    """However it is written."""
    answer = bytes.fromhex("EF0112340700")
    counts = {"EF01": 4, "EF01[0-9A-F]{4}07": 6, "EF01(....)(07|09)00": 8, "(EF|.*)01": 2, "AA": 0}
    for expression, count in counts.items():
        assert asking("a", answer=expression).exactness(answer) == count, expression


def asking(name: str, answer: str, ask: str = "01") -> Model:
    identify = Identify(ask=ask, answer=answer)
    return Model(name, ScannerProfile("fingerprint", 9600, identify=identify))
