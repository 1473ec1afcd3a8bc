"""A modem's decoder over modems of every model, in every condition, and over what is none."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from decoder_cases import MOST_HELD, held
from hypothesis import given, settings
from hypothesis import strategies as st
from modem_station import modem
from virtual import Virtual

from edge_agent.devices.modem import ModemDecoder
from edge_agent.events import EnrolFinger, Listen
from edge_agent.records import Condition, Reception
from edge_agent.sim.modem import MODELS, RECEPTIONS, Conditions

FINE, DUMB = Condition(""), Condition("it does not answer as a modem does")


def reception(here: Conditions, model: str) -> Reception:
    """What a modem of `model` can tell of these conditions."""
    state = ("none", "home", "searching", "denied", "unknown", "roaming")
    known = here.rsrp is not None
    return Reception(
        "modem",
        "home" if here.technology == 3 else state[here.lte],
        {7: "lte", 3: "edge"}[here.technology] if here.operator else None,
        here.operator or None,
        here.rssi,
        here.rsrp,
        round(10 * (here.rsrq or 0)) if known else None,
        10 * here.snr if known and model == "sim7600" else None,
    )


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("where", [name for name in RECEPTIONS if name != "no-sim"])
def test_every_model_says_what_is_heard_here(model: str, where: str) -> None:
    """With URCs in the wrong moment: once when it is plugged in, and once each time it is asked."""
    here = RECEPTIONS[where]
    chip, station = modem(model, here, urcs=0.3)
    wanted = reception(here, model)
    assert station.virtual.run(60_000) == [FINE, wanted]
    chip.told.clear()
    assert station.virtual.run(3_600_000) == []
    assert not chip.told  # nobody asks it anything meanwhile
    for _ in range(3):
        station.virtual.decoder.order(Listen())
        assert station.virtual.run(2000) == [wanted]
    assert not {"+COPS=?", "E1"} & set(chip.told)
    assert chip.told["E0"] == 0  # once in its life


def test_a_modem_without_a_sim_card_hears_nothing_and_says_so() -> None:
    """Everything about registration is refused: that is no trouble of the modem."""
    for model, registration in (("sim7600", "none"), ("bare", "unknown")):
        _, station = modem(model, RECEPTIONS["no-sim"])
        assert station.virtual.run(10_000) == [FINE, Reception("modem", registration)]


def told(answers: Mapping[bytes, bytes]) -> Callable[[bytes], Iterable[tuple[int, bytes]]]:
    """A device that says these; OK to ATE0, and ERROR to all that is not named."""

    def answer(asked: bytes) -> Iterable[tuple[int, bytes]]:
        usual = b"\r\nOK\r\n" if asked == b"ATE0\r" else b"\r\nERROR\r\n"
        return [(10, answers.get(asked.removesuffix(b"\r"), usual))]

    return answer


def on_modem(**answers: bytes) -> list[Any]:
    """All that the decoder gives within a minute; ``csq`` is AT+CSQ, ``cereg`` AT+CEREG? ..."""
    names = {f"AT+{name.upper()}{'' if name in ('csq', 'cesq') else '?'}": name for name in answers}
    said = {asked.encode(): answers[name] for asked, name in names.items()}
    return Virtual(ModemDecoder(), told(said)).run(60_000)


def test_a_modem_that_refuses_everything_is_a_modem() -> None:
    """It answers; what it hears is unknown."""
    assert on_modem() == [FINE, Reception("modem", "unknown")]


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        (b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n", -73),  # it echoes though it was told not to
        (b"\r\nRING\r\n\r\nNO CARRIER\r\n\r\n+CSQ: 20,99\r\n\r\n+CEREG: 5\r\n\r\nOK\r\n", -73),
        (b"+CSQ: 20,99\nOK\n", -73),
        (b"\xff\xfe\x00garbage\r\n+CSQ: 20,99\r\n\r\nOK\r\n", -73),
        (b"\r\n+CS\xd1: 20,99\r\n\r\nOK\r\n", None),
        (b"\r\nOK\r\n", None),
        (b"\r\n+CME ERROR: SIM busy\r\n", None),
        (b"\r\nCOMMAND NOT SUPPORT\r\n", None),
        (b"\r\n+CSQ: " + b"9" * 300 + b"\r\n\r\nOK\r\n", None),
    ],
)
def test_what_stands_around_an_answer_changes_nothing(answer: bytes, heard: int | None) -> None:
    """One clear outcome for each: the number, or none."""
    assert on_modem(csq=answer) == [FINE, Reception("modem", "unknown", rssi_dbm=heard)]


def test_registered_for_data_anywhere_is_registered() -> None:
    """LTE says no in a 2G cell; voice alone carries no data, and counts where nothing else does."""
    no, home, denied = (b"\r\n+%s: 0,%d\r\n\r\nOK\r\n" for _ in range(3))
    said = on_modem(cereg=no % (b"CEREG", 0), cgreg=home % (b"CGREG", 1))
    assert said == [FINE, Reception("modem", "home")]
    said = on_modem(
        cereg=no % (b"CEREG", 0), cgreg=denied % (b"CGREG", 3), creg=home % (b"CREG", 1)
    )
    assert said == [FINE, Reception("modem", "denied")]
    assert on_modem(creg=home % (b"CREG", 5)) == [FINE, Reception("modem", "roaming")]


def test_what_is_no_modem_is_said_once_and_left_in_peace() -> None:
    """Silence, noise and a receiver of satellites; asked a few times a minute, no more."""
    noise = {
        "silence": lambda asked: [],
        "echo": lambda asked: [(1, asked)],
        "nmea": lambda asked: [(100, b"$GPRMC,,V,,,,,,,,,,N*53\r\n")] * 100,
        "refusal": lambda asked: [(1, b"\r\nERROR\r\n")],
        "noise": lambda asked: [(50, bytes(range(256)) * 8)] * 20,
    }
    for name, answer in noise.items():
        one = Virtual(ModemDecoder(), answer)
        assert one.run(600_000) == [DUMB], name
        assert len(one.heard) <= 3 * 600 / 30 + 3, name
        assert held(one.decoder) <= MOST_HELD


def test_a_modem_that_falls_silent_is_trouble_and_comes_back_by_itself() -> None:
    """In the middle of its answers; within a minute of its return it has told what it hears."""
    chip, station = modem()
    wanted = reception(chip.here, "sim7600")
    station.virtual.run(5000)
    station.wire.change = lambda message: []
    station.virtual.decoder.order(Listen())
    assert station.virtual.run(20_000) == [Condition("it does not answer")]
    station.wire.change = lambda message: [(0, message)]
    assert station.virtual.run(60_000) == [FINE, wanted]


@pytest.mark.parametrize(("every_ms", "cause"), [
    (1, "it talks without an end"), (200, "it does not answer"),
])  # fmt: skip
def test_a_modem_that_talks_for_ever_is_not_listened_to_for_ever(every_ms: int, cause: str) -> None:
    """Fast or slowly, it says no end of anything but the answer."""

    def answer(asked: bytes) -> Iterable[tuple[int, bytes]]:
        if asked == b"ATE0\r":
            return [(10, b"\r\nOK\r\n")]
        return [(every_ms, b"\r\n+CSQ: 20,99\r\n")] * 3000

    one = Virtual(ModemDecoder(), answer)
    assert one.run(6000) == [FINE, Condition(cause)]


def test_late_answers_to_the_first_command_are_not_those_to_the_next() -> None:
    """An adapter that needs more than a second for its first answer: all tries come together."""
    said = {b"AT+CSQ": b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n"}
    late = iter((1700, 205))
    usual = told(said)

    def answer(asked: bytes) -> Iterable[tuple[int, bytes]]:
        if asked == b"ATE0\r":
            return [(next(late, 10), b"\r\nOK\r\n")]
        return usual(asked)

    one = Virtual(ModemDecoder(), answer)
    assert one.run(20_000) == [FINE, Reception("modem", "unknown", rssi_dbm=-73)]


def test_orders_of_other_devices_are_left() -> None:
    """Only what is meant for a modem rouses it."""
    chip, station = modem()
    station.virtual.run(5000)
    chip.told.clear()
    station.virtual.decoder.order(EnrolFinger(3))
    assert station.virtual.run(5000) == []
    assert not chip.told


@settings(max_examples=60, deadline=None)
@given(
    cut=st.integers(0, 400),
    junk=st.binary(max_size=30),
    model=st.sampled_from(MODELS),
    pieces=st.booleans(),
)
def test_damage_at_one_place_costs_one_reception_at_most(
    cut: int, junk: bytes, model: str, pieces: bool
) -> None:
    """There is no checksum, so that one may be wrong; the next one is right."""
    chip, station = modem(model, urcs=0.1)
    wanted, said = reception(chip.here, model), 0

    def change(message: bytes) -> list[tuple[int, bytes]]:
        nonlocal said
        at, said = cut - said, said + len(message)
        if 0 <= at < len(message):
            message = message[:at] + junk + message[at + 1 :]
        return (
            [(0, message[at : at + 1]) for at in range(len(message))] if pieces else [(0, message)]
        )

    station.wire.change = change
    records = station.virtual.run(60_000)
    assert held(station.virtual.decoder) <= MOST_HELD
    station.wire.change = lambda message: [(0, message)]
    station.virtual.decoder.order(Listen())
    assert station.virtual.run(60_000)[-1:] == [wanted]
    assert all(isinstance(record, (Condition, Reception)) for record in records)
