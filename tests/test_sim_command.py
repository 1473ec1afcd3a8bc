"""`edge-agent sim gnss` as it is typed."""

import subprocess
import sys
from pathlib import Path

import pynmea2
import pytest
import serial
from click.testing import CliRunner

from edge_agent.cli import cli
from edge_agent.sim.faults import FAULTS
from edge_agent.sim.receiver import GnssReceiver


def test_a_receiver_stands_at_a_port_for_so_long(tmp_path: Path) -> None:
    """Ten times a second, simulator mode, in Kendari; a host reads it as from a real one."""
    path = tmp_path / "gnss"
    words = ["--latitude", "-3.97", "--longitude", "122.51", "--fault", "simulator"]
    words += ["--rate", "10", "--every-sentence", "--seconds", "60"]
    command = [sys.executable, "-m", "edge_agent", "sim", "gnss", str(path), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"receiver at %s: simulator\n" % bytes(path)
            with serial.Serial(str(path), timeout=10.0) as host:
                host.read_until(b"$GNRMC,")
                said = b"$GNRMC," + host.read_until(b"\r\n")
        finally:
            process.terminate()
    rmc = pynmea2.parse(said.decode("ascii"), check=True)
    assert (rmc.status, rmc.mode_indicator) == ("A", "S")
    assert (rmc.latitude, rmc.longitude) == pytest.approx((-3.97, 122.51), abs=1e-4)
    assert not path.is_symlink()


def test_a_fault_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """With the names of those that do."""
    result = CliRunner().invoke(cli, ["sim", "gnss", str(tmp_path / "gnss"), "--fault", "tired"])
    assert result.exit_code == 2
    assert all(name in result.output for name in FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_changes_the_receiver(name: str) -> None:
    """No name is empty: every one of them sets something that a healthy receiver has otherwise."""
    healthy, faulty = GnssReceiver(0, 0), GnssReceiver(0, 0)
    FAULTS[name](faulty)
    assert set(vars(faulty)) == set(vars(healthy))
    kept = {"_random", "_ear"}
    assert {k: v for k, v in vars(faulty).items() if k not in kept} != {
        k: v for k, v in vars(healthy).items() if k not in kept
    }
