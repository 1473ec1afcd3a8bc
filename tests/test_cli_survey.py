"""`edge-agent site survey` as it is typed, at a receiver's port and beside a real agent."""

import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import agent_toml
from surveying import LATITUDE, LONGITUDE, NEARBY, failed, receiver, run
from test_kelurahan import CSV, KAMPEONAHO

from edge_agent import config
from edge_agent.ports import files
from edge_agent.sim.pty import PseudoPort

PATIENCE_S = 20


@pytest.fixture
def port(tmp_path: Path) -> Iterator[PseudoPort]:
    with PseudoPort(tmp_path / "sky") as one:
        yield one


@pytest.fixture
def path(tmp_path: Path, port: PseudoPort) -> Path:
    """A terminal with a receiver, whose site was typed some 50 m off."""
    return agent_toml(tmp_path, site=NEARBY, gnss=f'port = "{port.path}"')


def test_a_survey_writes_the_site_and_nothing_else(path: Path, port: PseudoPort) -> None:
    """Within metres; the comment, the other lines, mode and the old file are kept."""
    path.chmod(0o640)
    before = path.read_text()
    with receiver(port):
        result = run("site", "survey", "--minutes", 0.04, "--config", path)
    assert result.exit_code == 0, result.output
    found = config.load(path).site
    assert found.latitude == pytest.approx(LATITUDE, abs=1e-4)
    assert found.longitude == pytest.approx(LONGITUDE, abs=1e-4)
    assert found.radius_m == 100
    after = path.read_text()
    ours = r"(?m)^(latitude|longitude|radius_m) = [\d.-]+( # old)?\n"
    assert re.sub(ours, "", after) == re.sub(ours, "", before)
    assert len(re.findall(ours, after)) == 3
    assert "# old" in after
    assert (path.parent / "agent.toml.before").read_text() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    for words in (
        "used       ",
        "95 % within ",
        "radius 100 m",
        " m away",
        "WARNING    shorter than 60 s",
        "agent.toml.before",
        "sudo systemctl restart edge-agent",
    ):
        assert words in result.stdout


def test_a_dry_run_shows_and_writes_nothing(path: Path, port: PseudoPort) -> None:
    """As JSON, too."""
    before = path.read_bytes()
    with receiver(port):
        result = run("site", "survey", "--minutes", 0.04, "--dry-run", "--json", "--config", path)
    said = json.loads(result.stdout)
    assert said["used"] > 30
    assert (said["refusals"], said["written"]) == ([], False)
    assert said["site_radius_m"] == 100
    assert 30 < said["before"]["distance_m"] < 60
    assert path.read_bytes() == before
    assert not (path.parent / "agent.toml.before").exists()


@pytest.mark.parametrize("how", [(), ("--json",)])
def test_a_survey_that_cannot_be_written_is_shown_all_the_same(
    path: Path, port: PseudoPort, how: tuple[str, ...]
) -> None:
    """It took minutes: the position is there to be typed, and the file is as it was."""
    before = path.read_bytes()
    path.with_name("agent.toml.new").mkdir()  # in the way of what is written
    with receiver(port):
        result = run("site", "survey", "--minutes", 0.04, *how, "--config", path)
    assert failed(result).startswith("write the configuration ")
    assert path.read_bytes() == before
    if how:
        said = json.loads(result.stdout)
        assert not said["written"]
        assert said["centre"]["lat_e7"] / 1e7 == pytest.approx(LATITUDE, abs=1e-4)
    else:
        assert "position   -5.36" in result.stdout
        assert "written to" not in result.stdout


def test_a_radius_is_narrowed_only_if_asked(tmp_path: Path, port: PseudoPort) -> None:
    """An office chose 300 m; --radius-m 50 is taken, but not 49."""
    wide = f"{NEARBY}\nradius_m = 300"
    path = agent_toml(tmp_path, site=wide, gnss=f'port = "{port.path}"')
    with receiver(port):
        assert run("site", "survey", "--minutes", 0.03, "--config", path).exit_code == 0
        assert config.load(path).site.radius_m == 300
        asked = ("site", "survey", "--minutes", 0.03, "--config", path, "--radius-m")
        assert run(*asked, 50).exit_code == 0
        assert config.load(path).site.radius_m == 50
        assert run(*asked, 49).exit_code == 2


def test_a_radius_that_is_asked_too_narrow_is_warned_of(path: Path, port: PseudoPort) -> None:
    """Spread, error and a building do not fit into 50 m: punches would be "outside"."""
    asked = ("--radius-m", 50, "--anyway", "--minutes", 0.03, "--config", path)
    with receiver(port, sigma_m=12.0):
        said = run("site", "survey", *asked)
    assert "WARNING    a radius of 50 m is too narrow" in said.stdout
    assert config.load(path).site.radius_m == 50


def test_a_receiver_without_sky_is_refused_and_the_file_stays(path: Path, port: PseudoPort) -> None:
    """There is nothing to write, with --anyway neither."""
    before = path.read_bytes()
    with receiver(port) as one:
        one.sky = False
        result = run("site", "survey", "--minutes", 0.02, "--anyway", "--config", path)
    assert failed(result) == (
        "survey the site kec-bungi: 0 good fixes, at least 30 are needed;"
        " put the antenna under open sky and survey for longer"
    )
    assert path.read_bytes() == before


def test_an_antenna_under_a_roof_is_refused_unless_anyway(path: Path, port: PseudoPort) -> None:
    """Its fixes are all over the block: the numbers are shown, then one line."""
    before = path.read_bytes()
    with receiver(port, sigma_m=80.0):
        result = run("site", "survey", "--minutes", 0.03, "--config", path)
        assert failed(result).endswith("; or --anyway")
        assert "spread " in result.stdout
        assert path.read_bytes() == before
        said = run("site", "survey", "--minutes", 0.03, "--anyway", "--json", "--config", path)
    assert said.exit_code == 0
    assert json.loads(said.stdout)["refusals"]
    assert json.loads(said.stdout)["written"]
    assert path.read_bytes() != before


@pytest.mark.parametrize(
    ("trouble", "profile", "said"),
    [
        ({"spoofing": 3}, "ublox-m8", "doubts its own position (spoof)"),
        ({"mode": "S"}, "nmea", "doubts its own position (simulator)"),
        ({"mode": "M"}, "nmea", "doubts its own position (manual)"),
        ({"weak": True}, "nmea", "0 good fixes"),
    ],
)
def test_a_receiver_that_cannot_be_believed_is_refused(
    tmp_path: Path, port: PseudoPort, trouble: dict[str, object], profile: str, said: str
) -> None:
    """Spoofed, simulated, typed, or with half a sky: one line, and the file stays."""
    gnss = f'port = "{port.path}"\nprofile = "{profile}"'
    path = agent_toml(tmp_path, site=NEARBY, gnss=gnss)
    before = path.read_bytes()
    with receiver(port) as one:
        for name, value in trouble.items():
            assert hasattr(one, name)
            setattr(one, name, value)
        assert said in failed(run("site", "survey", "--minutes", 0.03, "--config", path))
    assert path.read_bytes() == before


def test_a_port_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Nobody waits to hear that the antenna must see the sky."""
    path = agent_toml(tmp_path, gnss=f'port = "{tmp_path}/ttyUSB7"')
    said = failed(run("site", "survey", "--minutes", 0.02, "--config", path))
    assert said.startswith(f"listen to {tmp_path}/ttyUSB7: ")
    assert "No such file" in said


def test_a_terminal_without_receiver_is_told_to_type(tmp_path: Path) -> None:
    """One line with the command."""
    said = failed(run("site", "survey", "--config", agent_toml(tmp_path)))
    assert said.endswith("or type the position: edge-agent site set")


def test_ctrl_c_ends_a_survey_with_what_there_is(path: Path, port: PseudoPort) -> None:
    """The progress shows on a screen; enough fixes are enough, and nothing is asked."""
    screen, side = pty.openpty()
    words = ["-m", "edge_agent", "site", "survey", "--minutes", "60", "--config", str(path)]
    with (
        receiver(port),
        subprocess.Popen(
            [sys.executable, *words], stdout=subprocess.PIPE, stderr=side, text=True
        ) as program,
    ):
        os.close(side)
        shown = b""
        while not re.search(rb"59:\d\d left, [3-9]\d fixes used|left, \d{3,} fixes", shown):
            shown += os.read(screen, 4096)
        program.send_signal(signal.SIGINT)
        said, _ = program.communicate(timeout=PATIENCE_S)
    os.close(screen)
    assert program.returncode == 0, shown
    assert "written to" in said
    assert config.load(path).site.latitude == pytest.approx(LATITUDE, abs=1e-4)


def test_beside_a_running_agent_its_fixes_are_counted_once(path: Path, port: PseudoPort) -> None:
    """The agent holds the port and says a fix a second, however many come; it is not disturbed."""
    command = [sys.executable, "-m", "edge_agent", "run", "--config", str(path)]
    with (
        receiver(port),
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as agent,
    ):
        status = Path(config.load(path).files.status)
        until = time.monotonic() + PATIENCE_S
        while not (status.exists() and json.loads(status.read_bytes())["fix"]):
            assert time.monotonic() < until
            threading.Event().wait(0.05)
        result = run("site", "survey", "--minutes", 0.06, "--anyway", "--json", "--config", path)
        assert agent.poll() is None
        agent.terminate()
    said = json.loads(result.stdout)
    assert 2 <= said["used"] <= 5
    assert said["refusals"][0]["cause"].endswith("at least 30 are needed")
    assert said["written"]
    assert config.load(path).site.latitude == pytest.approx(LATITUDE, abs=1e-4)


def test_beside_an_agent_that_says_nothing_yet_one_is_told_to_wait(path: Path) -> None:
    """Its lock is there and no status."""
    lock = files.lock(Path(config.load(path).files.journal + ".lock"))
    try:
        assert "has just started" in failed(run("site", "survey", "--config", path))
    finally:
        os.close(lock)


def test_a_wrong_code_or_table_is_said_before_the_survey(path: Path, tmp_path: Path) -> None:
    """Not after five minutes: the receiver is not even looked at."""
    where = (
        "site",
        "survey",
        "--minutes",
        60,
        "--config",
        path,
        "--table",
        tmp_path / "kelurahan.csv",
    )
    assert "or name it with --table" in failed(run(*where, "--kelurahan", KAMPEONAHO))
    (tmp_path / "kelurahan.csv").write_text(CSV)
    assert "near ones" in failed(run(*where, "--kelurahan", "74.72.04.1004"))
