"""A modem's decoder: real lines with their sources, every model and condition, every trouble."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from decoder_cases import MOST_HELD, held
from hypothesis import given, settings
from hypothesis import strategies as st
from modem_station import modem
from virtual import Virtual

from edge_agent.devices.hearing import Heard
from edge_agent.devices.modem import (
    ModemDecoder,
    read_cesq,
    read_cops,
    read_cpsi,
    read_csq,
    read_registration,
)
from edge_agent.events import EnrolFinger, Listen
from edge_agent.records import Condition, Reception
from edge_agent.sim.modem import MODELS, RECEPTIONS, Conditions

FINE, DUMB = Condition(""), Condition("it does not answer as a modem does")

#: 27.007 is the standard, "section 7" the project's own notes of devices, the rest as in `modem`.
CSQ = {
    " 20,99": -73,  # 27.007 8.5: 2 to 30 are -109 to -53 dBm
    " 25,0": -63,  # transcript of a SIM7670G
    " 11,99": -91,  # a public test of a SIM7600's transcript
    " 31, 99": -51,  # Motorola g20's manual, with a blank
    " 031,000": -51,  # section 7: zero padded
    " 0,0": -113,
    " 99,99": None,  # unknown
    " 191,99": None,  # another measure, of some TD-SCDMA and LTE modems
    " -5,99": None,
    " ,": None,
    "": None,
}


@pytest.mark.parametrize("line", CSQ)
def test_the_power_received_is_what_the_standard_says(line: str) -> None:
    """In dBm; unknown, or in a measure of its own, is not said."""
    assert read_csq([line]) == Heard(rssi_dbm=CSQ[line])


REGISTERED: Mapping[str, tuple[str | None, str | None]] = {
    " 0,1": ("home", None),  # transcript of a SIM7670G
    ' 2,1,"1A2B","01A2D001",7': ("home", "lte"),  # 27.007 10.1.22
    ' 2,5,"00A1","0000B2C3",9': ("roaming", "nbiot"),
    " 2,1, 1A2B, 3C4D": ("home", None),  # without quotes, as some do
    " 002,001": ("home", None),
    " 0,0": ("none", None),
    " 0,2": ("searching", None),
    " 0,3": ("denied", None),
    " 0,4": ("unknown", None),
    " 5": ("roaming", None),  # section 7: a URC has no n
    ' 1,"1A2B","01A2D001",7': ("home", "lte"),
    ' 1,"1A2B","01A2D001"': ("home", None),
    " 1, 1A2B, 3C4D": ("home", None),
    " 0,77": ("none", None),
    " 99": (None, None),
    " OK": (None, None),
    "": (None, None),
}


@pytest.mark.parametrize("line", REGISTERED)
def test_a_registration_is_read_from_an_answer_and_from_a_urc(line: str) -> None:
    """They differ by the number in front; a second field that is no state is an area."""
    registration, technology = REGISTERED[line]
    assert read_registration([line]) == Heard(registration, technology)


def test_an_answer_counts_before_a_urc_in_its_midst() -> None:
    """Whichever came first."""
    for lines in ([" 2", " 0,1"], [" 0,1", " 2"]):
        assert read_registration(lines).registration == "home"


CPSI = {
    # SIM7500_SIM7600 AT Command Manual 1.08, as a public project quotes its sample
    " LTE,Online,404-45,0x21F9,322642,453,EUTRAN-BAND40,39275,4,4,-168,-1126,-773,7": Heard(
        None, "lte", None, -77, -113, -168, 70
    ),
    # a SIM7600G-H, in a public project's double of it
    " LTE,Online,505-01,0x5A1E,187214780,257,EUTRAN-BAND3,1850,5,5,-94,-850,-545,15": Heard(
        None, "lte", None, -54, -85, -94, 150
    ),
    # a public transcript of the SIM767x series
    " LTE,Online,460-11,0x774B,126375687,303,EUTRAN-BAND1,100,5,0,12,36,42,5": Heard(
        None, "lte", None, None, -105, -140, None
    ),
    # SIM800 and SIM7600 in a GSM cell, layout of the SIM7600's manual
    " GSM,Online,460-00,0x182d,12401,27 EGSM 900,-64,2110,42-42": Heard(None, "gsm", None, -64),
    " WCDMA,Online,460-01,0xA809,11122855,WCDMA IMT 2000,279,10663,0,1.5,62,33,52,500": Heard(
        technology="umts"
    ),
    " NO SERVICE,Online": Heard("none"),
    " LTE,Online": Heard(technology="lte"),
    " LTE,Online,404-45,0x21F9,322642,453,EUTRAN-BAND40,39275,4,4,-168,-85,-773,7": Heard(
        technology="lte", rsrq_e1=None
    ),
    " SOMETHING,Else,1,2,3": Heard(),
    "": Heard(),
}


@pytest.mark.parametrize("line", CPSI)
def test_a_cell_is_read_in_tenths_and_in_indexes(line: str) -> None:
    """Each RSRP tells what it is: a power in dBm is negative, an index is not."""
    assert read_cpsi([line]) == CPSI[line]


def test_operators_and_indexes_are_read() -> None:
    """27.007 7.3 and 8.69; not registered there is none, and 99 and 255 are unknown."""
    assert read_cops([' 0,2,"302490",7']) == Heard(None, "lte", "302490")
    assert read_cops([' 0,0,"TELKOMSEL, by name",2']) == Heard(None, "umts", "TELKOMSEL, by name")
    assert read_cops([" 0"]) == read_cops([]) == read_cops(None) == Heard()
    assert read_cesq([" 99,99,255,255,20,45"]) == Heard(rsrp_dbm=-96, rsrq_e1=-100)
    assert read_cesq([" 30,0,255,255,255,255"]) == Heard(rssi_dbm=-81)
    assert read_cesq([" 99,99,255,255,255,255"]) == read_cesq(None) == Heard()


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
    assert chip.told == []  # nobody asks it anything meanwhile
    for _ in range(3):
        station.virtual.decoder.order(Listen())
        assert station.virtual.run(2000) == [wanted]
    assert not {"+COPS=?", "E1"} & set(chip.told)
    assert chip.told.count("E0") == 0  # once in its life


def test_a_modem_without_a_sim_card_hears_nothing_and_says_so() -> None:
    """Everything about registration is refused: that is no trouble of the modem."""
    for model, registration in (("sim7600", "none"), ("bare", "unknown")):
        _, station = modem(model, RECEPTIONS["no-sim"])
        assert station.virtual.run(10_000) == [FINE, Reception("modem", registration)]


def told(answers: Mapping[bytes, bytes]) -> Any:
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


def test_orders_of_other_devices_are_left() -> None:
    """Only what is meant for a modem rouses it."""
    chip, station = modem()
    station.virtual.run(5000)
    chip.told.clear()
    station.virtual.decoder.order(EnrolFinger(3))
    assert station.virtual.run(5000) == []
    assert chip.told == []


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
