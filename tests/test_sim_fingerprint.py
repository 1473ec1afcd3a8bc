"""The simulated fingerprint modules at work, spoken to in bytes of logs and manuals."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from wired import PATIENCE_S, host
from wired_finger import (
    DELET_CHAR_1_1,
    EMPTY,
    GEN_IMG,
    HEAD,
    IMG_2_TZ_1,
    IMG_2_TZ_2,
    MATCH,
    MISMATCH,
    MISS,
    NO_FINGER,
    OK,
    REG_MODEL,
    STORE_1_0,
    TEMPLETE_NUM,
    VFY_PWD,
    ack,
    identify,
    packet,
    started,
)

from edge_agent.sim.fingerprint_models import AS608, R503, ZFM20
from edge_agent.sim.pty import PseudoPort


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A port that is plugged in."""
    with PseudoPort(tmp_path / "finger") as one:
        yield one


def test_no_finger_is_said_so(port: PseudoPort) -> None:
    """And without an image there are no features."""
    with started(port) as (_, one):
        one.ask(GEN_IMG, NO_FINGER)
        one.ask(IMG_2_TZ_1, ack("15"))


def test_an_enrolled_finger_is_found_with_its_slot_and_a_score(port: PseudoPort) -> None:
    """Slot 3, a score between 50 and 200; another finger is not found, with zeros."""
    with started(port, slots={3: "ani", 7: "budi"}) as (module, one):
        module.place("ani")
        content = identify(one)
        assert content[:6] == "000003"
        assert 50 <= int(content[6:], 16) <= 200
        module.place("citra")
        assert identify(one) == MISS[18:-4]
        assert module.written == 0


def test_a_search_looks_only_where_it_is_told(port: PseudoPort) -> None:
    """From a slot, so many; a range that goes beyond the library is refused."""
    with started(port, ZFM20, {3: "ani"}) as (module, one):
        module.place("ani")
        identify(one)
        one.ask(packet("040100040004"), MISS)
        one.ask(packet("1B0100030001"), HEAD + "07000700" + "0003")
        one.hear(4)
        one.ask(packet("04010000 00A3".replace(" ", "")), ack("0B00000000"))


def test_two_images_of_one_finger_become_a_template(port: PseudoPort) -> None:
    """GenImg, Img2Tz twice, RegModel, Store; then it is found, counted and in the index table."""
    with started(port) as (module, one):
        module.place("budi")
        for features in (IMG_2_TZ_1, IMG_2_TZ_2):
            one.ask(GEN_IMG, OK)
            one.ask(features, OK)
        one.ask(REG_MODEL, OK)
        one.ask(STORE_1_0, OK)
        assert identify(one)[:6] == "000000"
        one.ask(packet("060103E7"), OK)
        assert module.slots == {0: "budi", 999: "budi"}
        one.ask(TEMPLETE_NUM, HEAD + "070005000002000E")
        one.ask(packet("1F00"), ack("00" + "01" + "00" * 31))
        one.ask(packet("1F03"), ack("00" + "00" * 28 + "80" + "00" * 3))
        one.ask(packet("060103E8"), ack("0B"))
        assert module.written == 3


def test_two_different_fingers_do_not_combine(port: PseudoPort) -> None:
    """RegModel refuses, Match says a low score."""
    with started(port) as (module, one):
        for finger, features in (("ani", IMG_2_TZ_1), ("budi", IMG_2_TZ_2)):
            module.place(finger)
            one.ask(GEN_IMG, OK)
            one.ask(features, OK)
        one.ask(REG_MODEL, MISMATCH)
        one.say(MATCH)
        content = one.hear(14)[18:-4]
        assert content[:2] == "08"
        assert int(content[2:], 16) <= 20


def test_a_template_is_loaded_and_matched(port: PseudoPort) -> None:
    """The 1:1 comparison of an R307 log: LoadChar into 2, Match."""
    with started(port, slots={1: "ani"}) as (module, one):
        module.place("ani")
        one.ask(GEN_IMG, OK)
        one.ask(IMG_2_TZ_1, OK)
        one.ask(HEAD + "010006070200010011", OK)
        one.ask(MATCH, HEAD + "07000500")
        assert 50 <= int(one.hear(4)[:4], 16) <= 200
        one.ask(packet("07020002"), ack("0C"))


def test_slots_are_deleted_and_emptied(port: PseudoPort) -> None:
    """One, then all; what is not there is deleted, too."""
    with started(port, slots={1: "ani", 2: "budi"}) as (module, one):
        one.ask(DELET_CHAR_1_1, OK)
        assert module.slots == {2: "budi"}
        one.ask(DELET_CHAR_1_1, OK)
        one.ask(EMPTY, OK)
        assert module.slots == {}
        one.ask(packet("0C03E80001"), ack("10"))
        assert module.written == 4


def test_messy_images_give_no_features(port: PseudoPort) -> None:
    """As many as were asked for; the R503 sees it in GetImageEx already."""
    with started(port, R503) as (module, one):
        module.place("ani")
        module.blur(2)
        for answer in (ack("06"), ack("06"), OK):
            one.ask(GEN_IMG, OK)
            one.ask(IMG_2_TZ_1, answer)
        module.blur(1)
        one.ask(HEAD + "01000328002C", ack("07"))
        one.ask(HEAD + "01000328002C", OK)


def test_pressing_a_finger_ends_when_it_is_lifted(port: PseudoPort) -> None:
    """From another thread; the touch pin of an AS608 is high as long."""
    with started(port, AS608) as (module, one):
        assert not module.touch
        holding = threading.Thread(target=module.press, args=("ani", 60.0))
        holding.start()
        one.ask(packet("3201FFFF0000"), ack("2400" + "00000000"))  # an empty library
        one.ask(packet("310000010000"), ack("000000"), ack("000101"), ack("000201"))
        assert module.touch
        module.lift()
        holding.join(PATIENCE_S)
        assert not holding.is_alive()
        one.expect(ack("000301"), ack("0004F0"), ack("0005F1"), ack("0006F2"))
        assert module.slots == {0: "ani"}


# --- passwords, addresses, exports ----------------------------------------------------------------


def test_a_password_must_be_verified_first(port: PseudoPort) -> None:
    """21 before, 13 for a wrong one; it outlives power, the verification does not."""
    with started(port) as (module, one):
        one.ask(packet("1200ABCDEF"), OK)
        one.ask(GEN_IMG, NO_FINGER)
        port.unplug()
        port.plug()
        with host(port) as again:
            assert module.device.wait_for(lambda: module.device.powered == 2, PATIENCE_S)
            assert module.started.wait(PATIENCE_S)
            again.ask(GEN_IMG, ack("21"))
            again.ask(VFY_PWD, ack("13"))
            again.ask(packet("FB"), ack("21"))
            again.ask(packet("1300ABCDEF"), OK)
            again.ask(GEN_IMG, NO_FINGER)
        assert module.written == 1


def test_a_wrong_address_or_sum(port: PseudoPort) -> None:
    """No answer to the one, 01 to the other; a new address answers at once."""
    with started(port) as (_, one):
        one.say(packet("01", address="00000001"))
        one.ask(HEAD + "0100031D0022", ack("01"))
        one.ask(packet("1500000001"), packet("00", "07", "00000001"))
        one.say(GEN_IMG)
        one.ask(packet("01", address="00000001"), packet("02", "07", "00000001"))


def test_half_a_packet_costs_only_itself(port: PseudoPort) -> None:
    """Noise and a command that was cut off come before a good one."""
    with started(port) as (_, one):
        one.say("A55A", "EF", HEAD + "0100", GEN_IMG)
        got = one.until(NO_FINGER).hex().upper()
        assert got in (NO_FINGER, ack("01") + NO_FINGER)


def test_templates_that_are_asked_for_are_counted(port: PseudoPort) -> None:
    """UpChar gives 512 bytes in packets of 128; an image is not given."""
    with started(port, slots={1: "ani"}) as (module, one):
        one.ask(packet("0801"), ack("0D"))
        one.ask(packet("07010001"), OK)
        one.ask(packet("0801"), OK)
        for pid in ("02", "02", "02", "08"):
            assert one.hear(11 + 128)[:18] == f"{HEAD}{pid}0082"
        one.ask(packet("0A"), ack("0F"))
        assert module.exported == 3


def test_system_parameters_are_not_changed(port: PseudoPort) -> None:
    """A polite no, which still counts as an attempt."""
    with started(port) as (module, one):
        one.ask(packet("0E0401"), ack("1A"))
        assert module.written == 1
