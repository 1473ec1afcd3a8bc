"""The lines that `edge-agent probe` proposes, and what it says of the board and its pins."""

import tomllib
from pathlib import Path

import pytest
from looking import by_name

from edge_agent import config, profile, shape
from edge_agent.cli.probe import _end, _head, _pins
from edge_agent.config import Config, Gnss, Scanner
from edge_agent.ports.listing import Listed
from edge_agent.profile import BoardProfile, Uart
from edge_agent.technician.model import Candidate, Finding, Report, Sure
from edge_agent.technician.proposal import Names, board_of, uart_of

BOARDS = {name: profile.board(name) for name in profile.known("boards")}


def found(name: str, port: str = "/dev/ttyUSB0", baud: int | None = None) -> Report:
    """A report of a model on a port."""
    best = Candidate(by_name(name), baud)
    return Report(Listed(port, port), finding=Finding(Sure.CERTAIN, "", (best,)))


def configured(*scanners: Scanner, gnss: Gnss | None = None) -> Config:
    site = config.Site("kec-bungi", "Bungi", "Asia/Makassar", -5.4, 122.7)
    return Config("bungi-1", site, config.Broker("127.0.0.1"), scanners, gnss)


def lines(names: Names, report: Report) -> list[str]:
    proposal = names.propose(report)
    assert proposal is not None
    return list(proposal.lines)


def proposed_name(names: Names, model: str) -> str:
    (table,) = tomllib.loads("\n".join(lines(names, found(model))))["scanner"]
    return shape.load(Scanner, table).name


def test_names_say_what_it_is_and_are_distinct() -> None:
    """In the order of the ports."""
    names = Names(None)
    models = ["rdm6300", "pn532", "r503", "usb-dec10", "zfm20", "gm65", "gm861"]
    given = [proposed_name(names, model) for model in models]
    assert given == ["front", "card2", "finger", "card3", "finger2", "qr", "qr2"]


def test_a_name_of_the_configuration_is_not_free() -> None:
    """Whatever has it."""
    taken = configured(Scanner("front", "/dev/a", "rdm6300"), gnss=Gnss("/dev/b", name="card2"))
    assert proposed_name(Names(taken), "pn532") == "card3"


def test_a_speed_that_is_not_the_profiles_is_a_line() -> None:
    """And one that is, is none."""
    assert lines(Names(None), found("zfm20", baud=9600))[-1] == "baud = 9600"
    assert not any(line.startswith("baud") for line in lines(Names(None), found("zfm20")))


@pytest.mark.parametrize("port", ['/tmp/a "b"', "/tmp/c\\d", "/tmp/é", "/tmp/tab\there"])
def test_any_path_survives_the_configuration(port: str) -> None:
    """Quoted as TOML wants it."""
    (table,) = tomllib.loads("\n".join(lines(Names(None), found("rdm6300", port))))["scanner"]
    assert table["port"] == port


def test_a_terminal_has_one_receiver() -> None:
    """A second one is shown, and said to be too many."""
    names = Names(None)
    first, second = names.propose(found("nmea")), names.propose(found("ublox-m9", "/dev/ttyUSB1"))
    assert first is not None
    assert second is not None
    assert first.lines == ("[gnss]", 'port = "/dev/ttyUSB0"', 'profile = "nmea"')
    assert first.note == ""
    assert "a terminal has one" in second.note


def test_another_profile_than_the_configured_one_is_said(tmp_path: Path) -> None:
    """By whatever name the configuration calls the port."""
    device = tmp_path.resolve() / "ttyUSB0"
    device.touch()
    (tmp_path / "link").symlink_to(device)
    names = Names(configured(Scanner("door", str(tmp_path / "link"), "id12la")))
    proposal = names.propose(found("rdm6300", str(device)))
    assert proposal is not None
    assert 'name = "door"' in proposal.lines
    assert "as door with the profile id12la" in proposal.note


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "raspberry-pi-4"),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberry-pi-3"),
        ("Raspberry Pi 5 Model B Rev 1.0", "raspberry-pi-5"),
        ("", ""),
        ("BeagleBone Black", ""),
    ],
)
def test_the_board_is_known_by_its_device_tree(model: str, name: str) -> None:
    """Each shipped board by what it calls itself, and no other computer."""
    board = board_of(model, BOARDS.values())
    assert board == BOARDS.get(name)


def test_of_two_boards_that_fit_the_longer_expression_is_meant() -> None:
    """A family and one of its members."""
    family, member = BoardProfile("any", "Pi .*"), BoardProfile("one", "Pi 4 Model B.*")
    assert board_of("Pi 4 Model B Rev 1", [family, member]) is member


def test_a_port_on_the_pins_says_which(tmp_path: Path) -> None:
    """By the file that the board's name for it leads to."""
    device = tmp_path.resolve() / "ttyAMA3"
    device.touch()
    (tmp_path / "serial7").symlink_to(device)
    uart = Uart(str(tmp_path / "serial7"), 29, 7, "dtoverlay=uart3", 921_600)
    board = BoardProfile("Pi", "Pi", (uart,))
    assert uart_of(str(device), board) is uart
    assert uart_of(str(tmp_path / "other"), board) is None
    assert uart_of(str(device), None) is None


def test_the_end_names_every_port_of_the_board() -> None:
    """Those that are not switched on, too; and says so if there is nothing at all."""
    board = BOARDS["raspberry-pi-4"]
    end = "\n".join(_end([], board, everything=True))
    assert "no serial port" in end
    assert "RX pin 29, TX pin 7" in end
    assert "dtoverlay=uart3" in end
    assert _end([{"sure": None}], board, everything=False) == []


def test_the_head_of_a_paragraph_says_what_the_port_is() -> None:
    """Its names, its USB id with the profiles that have it, its pins."""
    head = _head(
        {
            "port": "/dev/serial/by-id/x",
            "device": "/dev/ttyUSB0",
            "usb": "1546:01a8",
            "product": "u-blox GNSS receiver",
            "usual_for": ["ublox-m8"],
            "uart": None,
            "captured": False,
        }
    )
    assert head == (
        "/dev/serial/by-id/x  /dev/ttyUSB0; USB 1546:01a8 u-blox GNSS receiver, usual for ublox-m8"
    )
    assert _pins({"rx": 10, "tx": 8, "fastest": 115_200, "config": ""}) == (
        "RX pin 10, TX pin 8, up to 115200 baud"
    )
