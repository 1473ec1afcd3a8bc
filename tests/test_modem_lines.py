"""Lines of real modems, with their sources, and what they say."""

from collections.abc import Mapping

import pytest

from edge_agent.devices.hearing import Heard
from edge_agent.devices.modem import read_cesq, read_cops, read_cpsi, read_csq, read_registration

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
