"""What the profiles of receivers say to them, and how late they are."""

import re

import pytest
from builders import sentence
from ubx_frames import fletcher

from edge_agent import profile

#: Kept in memory only: CFG-MSG of three bytes, CFG-ITFM, and CFG-VALSET whose layer is 1.
FORGOTTEN = re.compile(
    rb"(?s)\xb5b\x06(?:\x01\x03\0...|\x39\x08\0.{8}|\x8a.\0\0\x01\0\0(?:.{4}[\0-\x05])+)(..)"
)


@pytest.mark.parametrize("name", profile.known("gnss"))
def test_what_a_receiver_is_told_is_forgotten_when_it_loses_power(name: str) -> None:
    """Each message is whole, with its checksum; no other is said when a receiver's port opens."""
    for message in map(bytes.fromhex, profile.gnss(name).init):
        if message.startswith(b"$"):
            assert message == sentence("PMTK386,0")
            continue
        told = FORGOTTEN.fullmatch(message)
        assert told is not None
        assert int.from_bytes(message[4:6], "little") == len(message) - 8
        assert told[1] == fletcher(message[2:-2])


@pytest.mark.parametrize(
    "said",
    [
        "B5620609 0D00 00000000 FFFF0000 00000000 17 2BBD",  # CFG-CFG: save everything
        "B562068A 0900 00070000 3506912001 8D6A",  # CFG-VALSET into flash
        "B5620604 0400 FFFF0200 0E61",  # CFG-RST: cold start
        "B5620601 0800 F001000101010000 0336",  # CFG-MSG for every port
    ],
)
def test_what_a_receiver_would_remember_is_not_said(said: str) -> None:
    """The list of what may be said lets nothing else through."""
    assert FORGOTTEN.fullmatch(bytes.fromhex(said)) is None


def test_a_u_blox_receiver_says_what_it_knows_of_false_signals() -> None:
    """NAV-STATUS, GST, jamming and its monitor are switched on; GLL and VTG make room for them."""
    eighth = "".join(profile.gnss("ublox-m8").init).replace(" ", "")
    for told in ("F00100", "F00500", "F00701", "010301", "0A0905", "F3AC62AD"):
        assert told in eighth
    ninth = "".join(profile.gnss("ublox-m9").init).replace(" ", "")
    for key in ("CA009120 00", "B1009120 00", "D4009120 01", "1B009120 01", "35069120 01"):
        assert key.replace(" ", "") in ninth
    assert "0D00411001" in ninth


def test_a_receiver_is_late_by_a_second_unless_its_profile_knows_better() -> None:
    """The bound of every time that comes from it is no smaller than what is known."""
    assert profile.GnssProfile().late_ms == 1000
    assert min(profile.gnss(name).late_ms for name in profile.known("gnss")) >= 1000
    assert profile.gnss("sim7600").late_ms == 2000
