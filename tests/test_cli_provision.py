"""`edge-agent provision` as it is typed: a whole configuration, or one line that says why not."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from surveying import LATITUDE, LONGITUDE, TYPED, failed, receiver, run
from test_kelurahan import CSV, KAMPEONAHO

from edge_agent import config
from edge_agent.cli.provision import probed
from edge_agent.ports import listing
from edge_agent.sim.pn532 import Pn532
from edge_agent.sim.pty import PseudoPort

EXAMPLE = (ROOT / "firmware_configs" / "examples" / "agent.toml").read_text(encoding="utf-8")
WHO = (
    *("--terminal", "wonco-01", "--site", "sdn-wonco", "--site-name", 'SDN "Wonco" # 1'),
    *("--zone", "Asia/Makassar", "--broker", "broker.example:8883"),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where nothing is yet, not even a folder."""
    return tmp_path / "edge-agent" / "agent.toml"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    with PseudoPort(tmp_path / "sky") as one:
        yield one


def test_what_is_said_becomes_the_example_filled_in(path: Path) -> None:
    """Every comment of the example is there, and what the file says is what was said."""
    scanners = (
        "--scanner",
        "front=/dev/by-path/usb-0:1.2:1.0:rdm6300",
        "--scanner",
        "qr=/dev/q:gm65",
    )
    receiver_ = ("--gnss-port", "/dev/ttyAMA3", "--gnss-profile", "ublox-m8")
    root = ("--topic-root", "attendance/baubau")
    result = run("provision", *WHO, *TYPED, *scanners, *receiver_, *root, "--config", path)
    assert result.exit_code == 0, result.output
    found = config.load(path)
    assert found.terminal == "wonco-01"
    assert found.site == config.Site(
        "sdn-wonco", 'SDN "Wonco" # 1', "Asia/Makassar", LATITUDE, LONGITUDE, 100
    )
    assert (found.broker.host, found.broker.port) == ("broker.example", 8883)
    assert found.broker.topic_root == "attendance/baubau"
    assert found.scanner == (
        config.Scanner("front", "/dev/by-path/usb-0:1.2:1.0", "rdm6300"),
        config.Scanner("qr", "/dev/q", "gm65"),
    )
    assert found.gnss == config.Gnss("/dev/ttyAMA3", "ublox-m8")
    text = path.read_text()
    for comment in re.findall(r"(?m)(?:^# \w+ = .*|  # .*)$", EXAMPLE):
        kept = comment.strip() if comment[0] == " " else comment.partition("=")[0].strip("# ")
        assert kept in text, comment


def test_what_remains_is_said(path: Path) -> None:
    """Ports that are not there, no receiver, the key, the lamps, the start."""
    said = run("provision", *WHO, *TYPED, "--scanner", "front=/dev/nix:rdm6300", "--config", path)
    to_do = re.findall(r"(?m)^to do: (.*)", said.stdout)
    assert [one.split()[0] for one in to_do] == ["add", "plug", "copy", "see", "sudo"]
    assert "there is no /dev/nix" in to_do[1]
    assert "/etc/edge-agent/credential.key" in to_do[2]
    said = run("provision", *WHO, *TYPED, "--panel", "console", "--force", "--config", path)
    assert "add a [[scanner]]" in said.stdout
    assert "pins" not in said.stdout
    loaded = config.load(path)
    assert (loaded.scanner, loaded.gnss, loaded.panel.kind) == ((), None, "console")


def test_without_a_keyboard_all_that_is_missing_is_one_line(path: Path) -> None:
    """Not the first only: a script is mended once."""
    said = failed(run("provision", "--site", "sdn-wonco", "--config", path))
    assert "missing: --terminal, --site-name, --zone, --broker, --latitude and --longitude" in said
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--terminal", "Wonco 01"), 'key terminal: found "Wonco 01"'),
        (("--site", "SDN"), 'key site.id: found "SDN"'),
        (("--zone", "WITA"), "Asia/Makassar (WITA)"),
        (("--broker", "mqtt://x"), 'key broker.host: found "mqtt://x"'),
        (("--broker", "x:70000"), "key broker.port: found 70000"),
        (("--broker", "x:"), "host or host:port"),
        (("--broker", "x:1883x"), "host or host:port"),
        (("--broker", "[::1]:1883"), "host or host:port"),
        (("--topic-root", "a/#"), 'key broker.topic_root: found "a/#"'),
        (("--scanner", "front=/dev/x"), "name=port:profile"),
        (("--scanner", "front=/dev/x:rdm63"), "known: "),
        (("--gnss-port", "/dev/x", "--gnss-profile", "ubx"), "known: "),
        (("--latitude", "5.36944"), "did you mean --latitude -5.36944"),
        (("--latitude", "-5,36944"), "write -5.36944"),
        (
            ("--scanner", "a=/dev/x:rdm6300", "--scanner", "a=/dev/y:rdm6300"),
            "a name that is not used twice",
        ),
        (("--scanner", "a=/dev/x:rdm6300", "--gnss-port", "/dev/x"), "a port that"),
    ],
)
def test_what_the_configuration_would_refuse_is_refused_now(
    path: Path, words: tuple[str, ...], said: str
) -> None:
    """By the same rules, and no file is left behind."""
    assert said in failed(run("provision", *WHO, *TYPED, *words, "--config", path))
    assert not path.parent.exists() or list(path.parent.iterdir()) == []


def test_a_configuration_that_exists_is_replaced_only_by_force_and_kept(path: Path) -> None:
    """A technician in the wrong window loses nothing."""
    assert run("provision", *WHO, *TYPED, "--config", path).exit_code == 0
    first = path.read_bytes()
    assert "it exists already" in failed(run("provision", *WHO, *TYPED, "--config", path))
    assert path.read_bytes() == first
    again = ("--topic-root", "a", "--force", "--config", path)
    assert run("provision", *WHO, *TYPED, *again).exit_code == 0
    assert config.load(path).broker.topic_root == "a"
    assert (path.parent / "agent.toml.before").read_bytes() == first


def test_the_position_can_be_surveyed(path: Path, port: PseudoPort) -> None:
    """At the port that the file will name; under a roof nothing is written."""
    where = ("--gnss-port", port.path, "--survey", "--minutes", 0.03, "--config", path)
    with receiver(port, sigma_m=80.0):
        assert "or --anyway" in failed(run("provision", *WHO, *where))
    assert not path.exists()
    with receiver(port):
        said = run("provision", *WHO, *where)
    assert said.exit_code == 0, said.output
    assert config.load(path).site.latitude == pytest.approx(LATITUDE, abs=1e-4)
    assert "95 % within" in said.stdout
    assert f"position   {config.load(path).site.latitude:.7f}, " in said.stdout


def test_a_brokers_ipv6_address_is_no_host_and_port(path: Path) -> None:
    """Its colons are its own."""
    assert run("provision", *WHO, *TYPED, "--broker", "fe80::1", "--config", path).exit_code == 0
    assert (config.load(path).broker.host, config.load(path).broker.port) == ("fe80::1", 1883)


def test_a_site_outside_its_kelurahan_or_zone_is_warned_of(path: Path, tmp_path: Path) -> None:
    """And written."""
    table = tmp_path / "kelurahan.csv"
    table.write_text(CSV)
    where = ("--kelurahan", KAMPEONAHO, "--table", table, "--zone", "Asia/Jakarta")
    said = run("provision", *WHO, *TYPED, *where, "--config", path)
    assert "WARNING    Asia/Jakarta is not kept" in said.stdout
    assert "outside kelurahan 74.72.04.1003" in said.stdout
    assert config.load(path).site.zone == "Asia/Jakarta"


def test_at_a_keyboard_what_is_missing_is_asked_and_mistakes_are_asked_again(path: Path) -> None:
    """Everything typed, with a mistake at each kind of question."""
    typed = [
        "wonco-01",
        "SDN Wonco",  # no id
        "sdn-wonco",
        "SDN Wonco",
        "WITA",  # no zone
        "Asia/Makassar",
        "broker.example:x",  # no port
        "broker.example:99999",
        "broker.example",
        "",  # the default
        "front=/dev/x",  # no profile
        "front=/dev/x:rdm6300",
        "front=/dev/y:rdm6300",  # the name is used
        "",
        "/dev/x",  # the port is used
        "",  # no receiver
        "5,36944",
        "122.69396",
        "5.36944",
        "122.69396",
        "-5.36944",
        "122.69396",
    ]
    ours, theirs = pty.openpty()
    os.write(ours, "".join(f"{line}\n" for line in typed).encode())
    words = [sys.executable, "-m", "edge_agent", "provision", "--config", str(path)]
    done = subprocess.run(
        words, stdin=theirs, capture_output=True, text=True, timeout=60, check=False
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0, done.stderr
    found = config.load(path)
    assert (found.terminal, found.site.id, found.site.zone) == (
        "wonco-01",
        "sdn-wonco",
        "Asia/Makassar",
    )
    assert (found.site.latitude, found.scanner[0].profile) == (LATITUDE, "rdm6300")
    assert (found.broker.topic_root, found.gnss) == ("attendance", None)
    assert found.broker.host == "broker.example"
    assert "write 5.36944" in done.stderr
    assert "did you mean --latitude -5.36944" in done.stderr


def test_what_is_probed_is_taken_as_it_is_proposed(tmp_path: Path, port: PseudoPort) -> None:
    """A receiver that talks and a module that answers; a silent port is left out."""
    with (
        PseudoPort(tmp_path / "card") as card,
        PseudoPort(tmp_path / "silent") as silent,
        Pn532(card),
        receiver(port),
    ):
        places = [listing.find(str(one.path)) for one in (port, card, silent)]
        assert probed(places, 0.3) == (
            [config.Scanner("front", str(card.path), "pn532")],
            [config.Gnss(str(port.path))],
        )
