"""Ports looked at: devices on pseudo-terminals are recognised, and none of them is changed."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest
from looking import ASKED, LISTEN_S, MODELS, Ears, by_name, look, names

from edge_agent.ports.listing import find
from edge_agent.sim import fingerprint_models
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.qr import Mode, QrModule
from edge_agent.sim.receiver import GnssReceiver
from edge_agent.sim.scanner import Rdm6300, rdm6300_frame, text_line
from edge_agent.technician.model import Sure
from edge_agent.technician.probe import probe
from edge_agent.technician.question import questions

CARD = "3C00CE754C"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    """A pseudo-terminal, plugged in."""
    with PseudoPort(tmp_path / "port") as one:
        yield one


def test_a_card_held_at_an_rdm6300_shows_what_it_is(port: PseudoPort) -> None:
    """Certain, with the number, and not asked anything."""
    reader = Rdm6300(port)
    holding = threading.Thread(target=reader.present, args=(CARD, 20.0))
    holding.start()
    try:
        report = look(port)
    finally:
        reader.lift()
        holding.join()
    assert names(report)[0] == "rdm6300"
    assert report.finding is not None
    assert report.finding.sure is Sure.CERTAIN
    assert report.finding.candidates[0].reads == (f"em4100:{CARD}",)
    assert report.asked == 0
    assert port.read() == b""


@pytest.mark.parametrize("sky", [True, False])
def test_a_receiver_is_recognised_with_and_without_sky(port: PseudoPort, sky: bool) -> None:
    """It talks by itself; nothing is written to it."""
    receiver = GnssReceiver(-5.36944, 122.69396)
    receiver.sky = sky
    with GnssModule(port, receiver, period_s=0.2):
        report = look(port)
    assert names(report)[0] == "nmea"
    assert report.asked == 0
    assert port.read() == b""


def test_a_reader_of_text_is_shown_as_each_profile_reads_it(port: PseudoPort) -> None:
    """Probable; the printed number is among the readings."""
    with Ears(port, lambda: text_line("0013530444")) as device:
        report = look(port)
    assert report.finding is not None
    assert report.finding.sure is Sure.PROBABLE
    reads = {one.model.name: one.reads for one in report.finding.candidates}
    assert reads["usb-dec10"] == ("em4100:00CE754C",)
    assert device.heard == b""


def test_a_pn532_is_found_by_asking_and_told_nothing_else(port: PseudoPort) -> None:
    """It was asked for its firmware, once."""
    with Pn532(port) as device:
        report = look(port, ASKED)
    assert names(report) == ["pn532"]
    assert report.finding is not None
    assert report.finding.sure is Sure.CERTAIN
    assert device.device.asked == {0x02: 1}
    assert not device.field


@pytest.mark.parametrize(
    ("kind", "best"),
    [(fingerprint_models.R503, "r503"), (fingerprint_models.R307, "r307")],
    ids=lambda one: str(getattr(one, "name", one)),
)
def test_a_fingerprint_module_is_found_and_not_changed(
    port: PseudoPort, kind: fingerprint_models.Model, best: str
) -> None:
    """The most exact of the models that fit is first; it heard one question of its own."""
    with FingerprintModule(port, kind, {3: "thumb"}) as device:
        report = look(port, ASKED)
    assert names(report)[0] == best
    assert "zfm20" in names(report)
    assert device.written == 0
    assert device.slots == {3: "thumb"}
    assert device.device.asked == {fingerprint_models.READ_SYS_PARA: 1}


def test_a_qr_module_that_sees_nothing_is_found_by_asking(port: PseudoPort) -> None:
    """It was read, not written."""
    with QrModule(port, mode=Mode.ON_COMMAND) as device:
        report = look(port, ASKED)
    assert names(report)[0] == "gm65"
    assert device.written == 0
    assert device.device.asked == {0x07: 1}


def test_a_qr_module_that_sees_a_code_is_found_by_listening(port: PseudoPort) -> None:
    """A line of text with blanks; nothing is written."""
    with QrModule(port, pause_s=0.1) as device:
        device.place("pegawai 0017 / BKD")
        report = look(port)
    assert names(report)[0].startswith("gm")
    assert device.device.asked == {}


def test_a_silent_port_hears_the_questions_of_the_profiles_and_not_a_byte_more(
    port: PseudoPort,
) -> None:
    """Everything that a device ever hears of a probe."""
    with Ears(port) as device:
        report = look(port)
    asked = questions(MODELS)
    assert device.heard == b"".join(one.data for one in asked)
    assert report.finding is None
    assert report.asked == len(asked)
    assert "silent at 9600" in report.trouble
    assert "RX" in report.hint


def test_noise_is_said_to_be_noise_and_is_not_asked(port: PseudoPort) -> None:
    """A wire in the air; whoever it is must not be talked to."""
    random = Random(3)
    with Ears(port, lambda: random.randbytes(20)) as device:
        report = look(port)
    assert report.finding is None
    assert "something talks" in report.trouble
    assert device.heard == b""


def test_one_that_hears_itself_is_no_device(port: PseudoPort) -> None:
    """RX and TX joined: what comes back are our own questions."""
    with echoing(port):
        report = look(port, [by_name("pn532")])
    assert report.finding is None
    assert "it said" not in report.trouble


@contextmanager
def echoing(port: PseudoPort) -> Iterator[None]:
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            if data := port.read(0.02):
                port.write(data)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_ports_are_looked_at_together_and_reported_in_order(tmp_path: Path) -> None:
    """The silent one is slow; the one that talks is reported second all the same."""
    with ExitStack() as stack:
        silent, talking = (
            stack.enter_context(PseudoPort(tmp_path / name)) for name in ("silent", "talking")
        )
        stack.enter_context(Ears(talking, lambda: rdm6300_frame(CARD)))
        places = [find(str(one.path)) for one in (silent, talking)]
        reports = list(probe(places, [*ASKED, by_name("rdm6300")], LISTEN_S))
    assert [one.place.port for one in reports] == [str(silent.path), str(talking.path)]
    assert reports[0].finding is None
    assert names(reports[1])[0] == "rdm6300"
    assert not silent.is_open


def test_closing_the_probe_ends_it_and_gives_the_ports_back(tmp_path: Path) -> None:
    """Who has seen enough need not wait for the hour that the silent port is listened to."""
    with ExitStack() as stack:
        talking, silent = (
            stack.enter_context(PseudoPort(tmp_path / name)) for name in ("talking", "silent")
        )
        stack.enter_context(GnssModule(talking, GnssReceiver(-5.37, 122.69)))
        reports = probe([find(str(one.path)) for one in (talking, silent)], MODELS, 3600)
        assert names(next(reports))[0] == "nmea"
        assert silent.is_open
        reports.close()
        assert not silent.is_open
        assert silent.read() == b""


def test_a_device_that_does_not_stop_talking_is_not_asked_further(port: PseudoPort) -> None:
    """It spoke after the first question and will not be interrupted."""
    talking = False

    def says() -> bytes:
        nonlocal talking
        talking = talking or device.heard != b""
        return bytes(8) if talking else b""

    device = Ears(port, says)
    with device:
        report = look(port, ASKED)
    assert report.asked == 1
    assert report.finding is None
