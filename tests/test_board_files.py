"""The board side: profiles of computers, and files to copy, each held to its program."""

import getpass
import queue
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from test_connection import certificate

from edge_agent import config, profile
from edge_agent.events import Arrived, Connected, Event, PubAck
from edge_agent.sim.broker import free_port
from edge_agent.uplink.connection import Connection

FOLDER = ROOT / "firmware_configs" / "boards"
#: RXD and TXD pins on the 40-pin header by GPIO pair, the same on all boards since 2014.
PAIRS = {(10, 8): "14 and 15", (28, 27): "0 and 1", (29, 7): "4 and 5", (21, 24): "8 and 9"} | {
    (33, 32): "12 and 13"
}
#: What /proc/device-tree/model says, and whose profile it is.
MODELS = {
    "Raspberry Pi 3 Model B Rev 1.2": "raspberry-pi-3",
    "Raspberry Pi 3 Model B Plus Rev 1.3": "raspberry-pi-3",
    "Raspberry Pi 3 Model A Plus Rev 1.0": "raspberry-pi-3",
    "Raspberry Pi 4 Model B Rev 1.4": "raspberry-pi-4",
    "Raspberry Pi 400 Rev 1.0": "raspberry-pi-4",
    "Raspberry Pi 5 Model B Rev 1.0": "raspberry-pi-5",
    "Raspberry Pi 500 Rev 1.0": "raspberry-pi-5",
    "Raspberry Pi Zero 2 W Rev 1.0": "raspberry-pi-zero-2",
    "Raspberry Pi Zero W Rev 1.1": None,
    "Raspberry Pi 2 Model B Rev 1.1": None,
    "Raspberry Pi Compute Module 4 Rev 1.0": None,
}
BOARDS = {name: profile.board(name) for name in profile.known("boards")}


def text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def program(name: str, why: str) -> str:
    """Where a program is; skips the test if it is not here."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/sbin:/bin")
    return found or pytest.skip(f"there is no {name} here: {why}")


# --- profiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOARDS)
def test_the_ports_of_a_board_have_pins_and_lines_of_their_own(name: str) -> None:
    """A technician who follows two entries does not wire one pin twice, nor switch one on twice."""
    board = BOARDS[name]
    assert board.verified
    assert len({uart.device for uart in board.uart}) == len(board.uart)
    assert len({uart.config for uart in board.uart}) == len(board.uart)
    for uart in board.uart:
        assert (uart.rx, uart.tx) in PAIRS
        assert re.fullmatch(r"/dev/tty(AMA[0-9]+|S0)", uart.device)
        assert re.fullmatch(r"dtoverlay=[a-z0-9-]+|enable_uart=1", uart.config)
    shared = [uart for uart in board.uart if (uart.rx, uart.tx) == (10, 8)]
    assert all("nstead of" in uart.note for uart in shared[1:])


@pytest.mark.parametrize(("model", "name"), MODELS.items())
def test_a_computer_is_known_by_what_its_device_tree_calls_it(model: str, name: str | None) -> None:
    """By one profile, or by none: a board with other UARTs is not taken for its neighbour."""
    fit = [one for one, board in BOARDS.items() if re.fullmatch(board.model, model)]
    assert fit == ([name] if name else [])


# --- config.txt -----------------------------------------------------------------------------------


def sections() -> Iterator[tuple[str, str, str]]:
    """Section, comment and setting, for each line of config.txt, also those not in force."""
    section = comment = ""
    for line in text("config.txt").splitlines():
        if found := re.fullmatch(r"\[(.+)\]", line):
            section = found[1]
        elif found := re.fullmatch(r"#?([a-z0-9_]+=\S+)", line):
            yield section, comment, found[1]
            comment = ""
        elif line.startswith("# "):
            comment = f"{comment} {line[2:]}" if comment else line[2:]


def test_config_txt_agrees_with_the_profiles_of_the_boards() -> None:
    """Device and pins in a comment are those of the UART that the line switches on."""
    boards = {"pi4": BOARDS["raspberry-pi-4"], "pi5": BOARDS["raspberry-pi-5"]}
    said = [(one, *rest) for one, *rest in sections() if rest[1].startswith("dtoverlay=uart")]
    assert len(said) == 5
    for section, comment, setting in said:
        uart = next(one for one in boards[section].uart if one.config == setting)
        assert f"port: {uart.device}, TXD pin {uart.tx}, RXD pin {uart.rx}." in comment


def test_config_txt_says_nothing_twice_to_one_board() -> None:
    """The clock's overlay loaded twice would be two clocks."""
    for board in ("pi3", "pi02", "pi4", "pi5"):
        said = [setting for one, _, setting in sections() if one in {"all", board}]
        assert len(said) == len(set(said))
        assert "dtoverlay=disable-bt" in said
        assert ("dtoverlay=i2c-rtc,ds3231" in said) == (board != "pi5")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "console=serial0,115200 console=tty1 root=PARTUUID=1-02",
            "console=tty1 root=PARTUUID=1-02",
        ),
        ("console=tty1 root=/dev/sda2 console=ttyAMA0,115200n8", "console=tty1 root=/dev/sda2 "),
        ("console=ttyS0 quiet", "quiet"),
        ("console=tty1 rootwait", "console=tty1 rootwait"),
    ],
)
def test_the_command_in_config_txt_takes_the_console_off_the_port(
    before: str, after: str, tmp_path: Path
) -> None:
    """And leaves the screen's, and a copy of what was there."""
    quoted = text("config.txt").replace(" \\\n#", "")
    command = re.search(r"sudo (sed .*) +/boot/firmware/cmdline.txt", quoted)
    assert command
    file = tmp_path / "cmdline.txt"
    file.write_text(before + "\n", encoding="ascii")
    subprocess.run(f"{command[1]} {file}", shell=True, check=True)
    assert file.read_text(encoding="ascii") == after + "\n"
    assert (tmp_path / "cmdline.txt.orig").read_text(encoding="ascii") == before + "\n"


# --- files of other programs ----------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*")), ids=lambda path: path.name)
def test_a_file_to_copy_says_where_to_what_for_and_how_to_undo_it(path: Path) -> None:
    """At its top, in comments."""
    if path.suffix == ".toml":
        assert path.read_text(encoding="utf-8").startswith("# Sources: ")
        return
    head = path.read_text(encoding="utf-8").split("\n\n")[0]
    assert all(line.startswith("#") or line == "rtc-ds1307" for line in head.splitlines())
    places = [head.find(f"\n# {word}:  ") for word in ("Where", "What", "Undo")]
    assert places == sorted(places)
    assert min(places) > 0


RULES = ("99-edge-agent.rules", "99-edge-agent-stick.rules")


@pytest.mark.parametrize("name", RULES)
def test_the_udev_rules_are_rules(name: str) -> None:
    """Keys, operators and quotes, and every label that is jumped to, exist."""
    key = (
        r"(ACTION|KERNEL|DRIVER|SUBSYSTEMS?|GOTO|LABEL|GROUP|MODE|SYMLINK|TAG|(ENV|ATTRS?)\{\w+\})"
    )
    lines = re.sub(r" \\\n +", " ", text(name))
    lines = re.sub(r"(?m)^#(?=SUBSYSTEM)", "", lines)  # those not in force, too
    rules = [line for line in lines.splitlines() if line and not line.startswith("#")]
    for rule in rules:
        for part in re.split(r", (?=[A-Z])", rule):
            assert re.fullmatch(rf'{key}(==|!=|\+=|=)"[^"]*"', part), part
    labels = {one for rule in rules for one in re.findall(r'LABEL="(\w+)"', rule)}
    assert labels == {one for rule in rules for one in re.findall(r'GOTO="(\w+)"', rule)}


@pytest.mark.parametrize("name", RULES)
def test_udev_accepts_the_rules(name: str) -> None:
    """As the program itself reads them."""
    udevadm = program("udevadm", "sudo apt install udev")
    old = subprocess.run([udevadm, "verify", "--version"], check=False, capture_output=True)
    if old.returncode:
        pytest.skip("udevadm verify came with systemd 254")
    rules = FOLDER / name
    command = [udevadm, "verify", "--no-style", "--resolve-names=never", rules]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stdout + said.stderr


# --- the broker -----------------------------------------------------------------------------------

Inbox = queue.SimpleQueue[Event]
PLAIN, TLS = "listener 1883 127.0.0.1\n", "listener 8883\n"


@pytest.fixture
def hardened(tmp_path: Path) -> Iterator[config.Broker]:
    """A mosquitto as the files make it, on the loopback; how bungi-01 connects to it by TLS."""
    mosquitto = program("mosquitto", "sudo apt install mosquitto")
    tool = program("mosquitto_passwd", "sudo apt install mosquitto")
    pem, key = certificate(tmp_path, "broker")
    for user in ("central", "bungi-01", "bungi-02"):
        first = ["-c"] if user == "central" else []
        subprocess.run([tool, *first, "-b", tmp_path / "passwords", user, "secret"], check=True)
    (tmp_path / "secret").write_text("secret\n", encoding="ascii")
    port = free_port()
    wanted = text("mosquitto.conf")
    for said, here in {
        PLAIN: f"listener {free_port()} 127.0.0.1\n",
        TLS: f"listener {port} 127.0.0.1\n",
        "/etc/mosquitto/certs/broker.pem": str(pem),
        "/etc/mosquitto/certs/broker.key": str(key),
        "/etc/mosquitto/passwords\nacl": f"{tmp_path}/passwords\nacl",
        "/etc/mosquitto/edge-agent.acl": str(FOLDER / "mosquitto.acl"),
    }.items():
        assert said in wanted
        wanted = wanted.replace(said, here)
    parts = tmp_path / "conf.d"
    parts.mkdir()
    (parts / "edge-agent.conf").write_text(wanted, encoding="utf-8")
    # As Debian has it, but for the places and the user.
    whole = tmp_path / "mosquitto.conf"
    whole.write_text(
        f"user {getpass.getuser()}\npid_file {tmp_path}/pid\npersistence true\n"
        f"persistence_location {tmp_path}/\nlog_dest stderr\ninclude_dir {parts}\n"
        "log_type information\n",  # says when it is running
        encoding="utf-8",
    )
    process = subprocess.Popen([mosquitto, "-c", whole], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said_so_far = []
        for line in process.stderr:  # ends when the broker does
            said_so_far.append(line)
            if line.rstrip().endswith("running"):
                break
        assert process.poll() is None, "".join(said_so_far)
        yield config.Broker(
            "127.0.0.1", port, username="bungi-01", password_file=str(tmp_path / "secret"),
            tls=True, ca_file=str(pem),
        )  # fmt: skip
    finally:
        process.terminate()
        process.communicate(timeout=10)


def connect(
    broker: config.Broker, user: str, subscriptions: tuple[str, ...], inbox: Inbox
) -> Connection:
    will = (f"attendance/baubau/{user}/status", b"{}")
    mine = replace(broker, username=user)
    connection = Connection(1, mine, user, will, subscriptions, inbox.put)
    assert isinstance(inbox.get(timeout=10), Connected)
    return connection


def test_a_terminal_writes_only_under_its_own_name(hardened: config.Broker) -> None:
    """What it says under another's is refused with a reason, and the central never sees it."""
    terminal: Inbox = queue.SimpleQueue()
    central: Inbox = queue.SimpleQueue()
    hearing = connect(hardened, "central", ("attendance/baubau/+/entries",), central)
    saying = connect(hardened, "bungi-01", ("attendance/baubau/bungi-01/receipt",), terminal)
    refused = saying.publish("attendance/baubau/bungi-02/entries", b"forged")
    assert terminal.get(timeout=10) == PubAck(1, refused, "Not authorized")
    taken = saying.publish("attendance/baubau/bungi-01/entries", b"true")
    assert terminal.get(timeout=10) == PubAck(1, taken, "")
    assert central.get(timeout=10) == Arrived(1, "attendance/baubau/bungi-01/entries", b"true")
    saying.close()
    hearing.close()


def test_a_terminal_hears_only_its_own_receipts(hardened: config.Broker) -> None:
    """Asking for everybody's is of no use: the next thing it hears is its own."""
    terminal: Inbox = queue.SimpleQueue()
    central: Inbox = queue.SimpleQueue()
    hearing = connect(hardened, "bungi-02", ("attendance/baubau/#",), terminal)
    saying = connect(hardened, "central", ("attendance/baubau/+/entries",), central)
    for name in ("bungi-01", "bungi-02"):
        mid = saying.publish(f"attendance/baubau/{name}/receipt", b"{}")
        assert central.get(timeout=10) == PubAck(1, mid, "")
    assert terminal.get(timeout=10) == Arrived(1, "attendance/baubau/bungi-02/receipt", b"{}")
    saying.close()
    hearing.close()
