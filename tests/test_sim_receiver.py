"""A simulated receiver in trouble: each kind by what an independent parser makes of it."""

from datetime import UTC, datetime, timedelta
from math import cos, hypot, radians
from pathlib import Path

import pynmea2
import pytest
import serial

from edge_agent.sim import ubx
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.machine import leaped
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.receiver import GnssReceiver

LATITUDE, LONGITUDE = -5.36944, 122.69396
MORNING = datetime(2026, 11, 22, 23, 30, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def receiver(**how: object) -> GnssReceiver:
    """A receiver in Bungi, changed as told."""
    one = GnssReceiver(LATITUDE, LONGITUDE)
    for name, value in how.items():
        setattr(one, name, value)
    return one


def parsed(data: bytes) -> list[pynmea2.NMEASentence]:
    """Every line of `data` by an independent parser that insists on the checksum."""
    return [pynmea2.parse(line, check=True) for line in data.decode("ascii").splitlines()]


def rmc_and_gga(
    one: GnssReceiver, at: datetime = MORNING
) -> tuple[pynmea2.NMEASentence, pynmea2.NMEASentence]:
    said = {sentence.sentence_type: sentence for sentence in parsed(one.sentences(at))}
    return said["RMC"], said["GGA"]


def places(one: GnssReceiver, count: int, step: timedelta = SECOND) -> list[tuple[float, float]]:
    epochs = [rmc_and_gga(one, MORNING + step * number)[0] for number in range(count)]
    return [(rmc.latitude, rmc.longitude) for rmc in epochs]


def test_a_frozen_receiver_says_one_place_while_its_time_goes_on() -> None:
    """Real coordinates tremble in the last digits; these do not, until they thaw."""
    one = receiver()
    assert len(set(places(one, 20))) > 15
    one.frozen = True
    times = {rmc_and_gga(one, MORNING + SECOND * number)[0].datetime for number in range(20)}
    assert len(times) == 20
    assert len(set(places(one, 20))) == 1
    one.frozen = False
    assert len(set(places(one, 20))) > 15


def test_a_latched_receiver_says_its_last_epoch_again() -> None:
    """Byte by byte, time included."""
    one = receiver()
    last = one.sentences(MORNING)
    one.latched = True
    assert {one.sentences(MORNING + SECOND * number) for number in range(1, 9)} == {last}
    one.latched = False
    assert rmc_and_gga(one, MORNING + 9 * SECOND)[0].datetime == MORNING + 9 * SECOND


@pytest.mark.parametrize(("mode", "quality"), [("A", 1), ("S", 8), ("M", 7)])
def test_a_simulated_or_typed_position_says_so(mode: str, quality: int) -> None:
    """RMC by its mode, GGA by its quality; status stays A, as careless receivers have it."""
    rmc, gga = rmc_and_gga(receiver(mode=mode))
    assert (rmc.status, rmc.mode_indicator, gga.gps_qual) == ("A", mode, quality)


def test_a_cut_antenna_is_no_sky_and_is_said_once() -> None:
    """So is its return; the position is gone meanwhile."""
    one = receiver()
    one.sentences(MORNING)
    one.antenna = False
    data = one.sentences(MORNING + SECOND)
    assert data.startswith(b"$GNTXT,01,01,01,ANTSTATUS=OPEN*")
    assert b"ANTSTATUS" not in one.sentences(MORNING + 2 * SECOND)
    assert rmc_and_gga(one, MORNING + 3 * SECOND)[0].status == "V"
    one.antenna = True
    assert b"$GNTXT,01,01,02,ANTSTATUS=OK*" in one.sentences(MORNING + 4 * SECOND)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"weeks": -1024}, datetime(2007, 4, 8, 23, 30, tzinfo=UTC)),
        ({"wrong_s": 2.0}, datetime(2026, 11, 22, 23, 30, 2, tzinfo=UTC)),
        ({"wrong_s": -3600.0}, datetime(2026, 11, 22, 22, 30, tzinfo=UTC)),
        ({"pivot_epochs": 3}, datetime(2013, 9, 1, 23, 30, tzinfo=UTC)),
    ],
)
def test_a_wrong_time_is_said_with_status_a(how: dict[str, object], said: datetime) -> None:
    """1024 weeks are 7168 days; an M8 without a battery gives 2013-09-01 at first."""
    rmc, gga = rmc_and_gga(receiver(**how))
    assert (rmc.status, rmc.datetime, gga.timestamp) == ("A", said, said.timetz())


def test_a_pivot_date_is_over_once_the_week_is_known() -> None:
    """After so many epochs the date is right."""
    one = receiver(pivot_epochs=3)
    days = [str(rmc_and_gga(one, MORNING + SECOND * n)[0].datestamp) for n in range(5)]
    assert days == ["2013-09-01"] * 3 + ["2026-11-22"] * 2


def test_a_leap_second_is_said_as_23_59_60_and_once() -> None:
    """Afterwards UTC is a second behind a clock that counts on."""
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    one, at = receiver(), midnight - SECOND
    said = []
    for _ in range(8):
        said.append(one.sentences(leaped(at, [midnight])).split(b",")[1].decode())
        at += SECOND / 2
    assert said == [
        *("235959.00", "235959.50", "235960.00", "235960.50"),
        *("000000.00", "000000.50", "000001.00", "000001.50"),
    ]


def test_a_weak_signal_is_a_poor_fix() -> None:
    """HDOP 9, three satellites, none over 25 dB-Hz, two dimensions."""
    said = parsed(receiver(weak=True).sentences(MORNING))
    gga, gsa = said[1], said[2]
    assert (gga.gps_qual, int(gga.num_sats), gga.horizontal_dil) == (1, 3, "9.00")
    assert gsa.mode_fix_type == "2"
    heard = [one.snr_1 for one in said if one.sentence_type == "GSV"]
    assert all(int(snr) <= 25 for snr in heard if snr)


def test_a_spoofer_drags_the_position_along_a_bearing() -> None:
    """At 8.3 m/s to the north-east, 5 km in ten minutes, however few epochs there are."""
    one = receiver(dragged=(45.0, 25 / 3))
    one._sigma_m = 0.0
    first, *_, last = places(one, 61, timedelta(seconds=10))
    north = (last[0] - first[0]) * 111_320
    east = (last[1] - first[1]) * 111_320 * cos(radians(LATITUDE))
    assert hypot(north, east) == pytest.approx(5000, rel=1e-3)
    assert north == pytest.approx(east, rel=1e-3)


def test_every_sentence_is_valid_and_of_its_kind() -> None:
    """Nine types, four systems; no more than twelve satellites in GGA; one instant in all."""
    one = GnssReceiver(LATITUDE, LONGITUDE, every_sentence=True)
    data = one.sentences(MORNING)
    said = parsed(data)
    kinds = [sentence.sentence_type for sentence in said]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        **dict.fromkeys(("RMC", "VTG", "GGA"), 1),
        "GSA": 4,
        "GSV": 7,
        **dict.fromkeys(("GLL", "GST", "ZDA", "GBS"), 1),
    }
    by_kind = dict(zip(kinds, said, strict=True))
    assert by_kind["ZDA"].datetime == by_kind["RMC"].datetime == MORNING
    assert by_kind["GLL"].latitude == by_kind["RMC"].latitude
    assert (by_kind["GST"].std_dev_latitude, by_kind["GGA"].num_sats) == (1.5, "12")
    assert len(by_kind["GBS"].data) == 10
    assert max(len(line) for line in data.splitlines(keepends=True)) <= 82
    one.sky = False
    assert len(parsed(one.sentences(MORNING + SECOND))) == 3 + 4 + 4 + 4


# --- UBX: layouts by hand from the data sheet, whole frames as pyubx2 makes them -----------------


@pytest.mark.parametrize(
    ("kind", "payload", "whole"),
    [
        ("0103", "", "B56201030000040D"),
        ("2709", "", "B5622709000030B7"),
        ("0601", "F00701", "B56206010300F00701021E"),
    ],
)
def test_a_frame_has_the_checksum_of_known_ones(kind: str, payload: str, whole: str) -> None:
    """Polls and a CFG-MSG as pyubx2 makes them."""
    made = ubx.frame(bytes.fromhex(kind), bytes.fromhex(payload))
    assert made == bytes.fromhex(whole)


def test_nav_status_has_the_spoofing_state_in_bits_3_and_4_of_byte_7() -> None:
    """16 bytes; a good 3D fix; 2 is "indicated"."""
    frame = ubx.nav_status(84_618_000, 2, fixed=True)
    assert frame[:6].hex() == "b56201031000"
    assert frame[6:10] == (84_618_000).to_bytes(4, "little")
    assert frame[6 + 4 : 6 + 8].hex() == "030d0010"
    assert len(frame) == 8 + 16


def test_mon_hw_has_the_jamming_state_in_bits_2_and_3_of_byte_22() -> None:
    """60 bytes; 3 is "critical"; antenna 2 is good, 4 is open."""
    frame = ubx.mon_hw(3)
    assert frame[:6].hex() == "b5620a093c00"
    assert (frame[6 + 22] >> 2 & 3, frame[6 + 20], len(frame)) == (3, 2, 68)
    assert ubx.mon_hw(0, antenna_open=True)[6 + 20] == 4


@pytest.mark.parametrize(("version", "payload"), [(1, "010000000500000007000000"), (2, "023d0000")])
def test_sec_sig_says_both_states_in_both_versions(version: int, payload: str) -> None:
    """Both monitors on, jamming 2 (warning), spoofing 3."""
    assert ubx.sec_sig(2, 3, version)[6:-2].hex() == payload


def test_a_host_switches_messages_on_and_off_and_is_answered(tmp_path: Path) -> None:
    """By CFG-MSG down a real port, in pieces; a module that was without power has forgotten it."""
    on = "B562060103000103010F49"  # NAV-STATUS
    off = "B56206010300F00400FE17"  # RMC
    acknowledged = bytes.fromhex("B5620501020006010F38")
    nav_status = bytes.fromhex("B56201031000")
    with (
        PseudoPort(tmp_path / "gnss") as port,
        GnssModule(port, receiver(), period_s=0.01),
    ):
        with serial.Serial(str(port.path), timeout=5.0) as host:
            host.read_until(b"$GNRMC")
            host.write(bytes.fromhex(on)[:5])
            host.read_until(b"$GNRMC")
            host.write(bytes.fromhex(on)[5:] + b"noise" + bytes.fromhex(off))
            for _ in range(2):
                assert host.read_until(acknowledged).endswith(acknowledged)
            host.read_until(nav_status)
            assert b"RMC" not in host.read_until(nav_status)
        port.unplug()
        port.plug()
        with serial.Serial(str(port.path), timeout=5.0) as host:
            assert host.read_until(b"$GNRMC").endswith(b"$GNRMC")


def test_valset_switches_an_m9s_messages() -> None:
    """GST, GBS and SEC-SIG by the ready bytes; a configuration that does not exist is refused."""
    one = receiver()
    gst_gbs = "B562068A0E0000010000D400912001DE00912001B583"
    sec_sig = "B562068A09000001000035069120018746"
    unknown = ubx.frame(b"\x06\x99", b"")
    answers = one.hear(bytes.fromhex(gst_gbs + sec_sig) + unknown)
    assert answers.hex() == "b56205010200068a98c1" * 2 + ubx.frame(b"\x05\x00", b"\x06\x99").hex()
    assert {"GST", "GBS", "SEC-SIG"} < one.on


def test_a_module_is_silent_while_it_is_told_to_be_and_says_times_as_late_as_told(
    tmp_path: Path,
) -> None:
    """Between two whole epochs; what it says is of the instant `late_s` before."""
    with PseudoPort(tmp_path / "gnss") as port, serial.Serial(str(port.path), timeout=5.0) as host:
        module = GnssModule(port, receiver(), clock=lambda: MORNING, period_s=0.01, late_s=0.8)
        with module:
            said = host.read_until(b"\r\n")
            with module.silent():
                assert port.drain(5.0) or host.read(host.in_waiting)
                sent = module.epochs
                assert not module._stop.wait(0.05)
                assert module.epochs == sent
    assert pynmea2.parse(said.decode("ascii")).datetime == MORNING - timedelta(seconds=0.8)
