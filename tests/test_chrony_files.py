"""The files for chrony, held to chronyd, to Debian's package and to systemd."""

import fnmatch
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from chronyd import UNPACKED, program
from conftest import ROOT

BOARDS = ROOT / "firmware_configs" / "boards"
CONF = (BOARDS / "chrony.conf").read_text(encoding="utf-8")
DROP_IN = BOARDS / "chrony-edge-agent.conf"


def debians(pattern: str) -> str:
    """The text of a file in Debian's chrony package; skips the test where it was not fetched."""
    found = next(UNPACKED.glob(pattern), None)
    return (found or pytest.skip("scripts/test fetches Debian's chrony")).read_text("utf-8")


@pytest.mark.parametrize("also", ["", "server"])
def test_chrony_accepts_its_file(also: str, tmp_path: Path) -> None:
    """As it stands, and with an office's own server."""
    file = tmp_path / "chrony.conf"
    file.write_text(re.sub(rf"(?m)^#(?={also or '!'} ?)", "", CONF), "utf-8")
    command = [program("chronyd"), "-p", "-f", file]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, said.stderr
    for line in ("makestep 1 3", "rtcsync"):
        assert f"{line}\n" in said.stdout
    assert "refclock SOCK /run/chrony.gnss.sock " in said.stdout
    assert ("server" in said.stdout) == (also == "server")


def test_debian_lets_chronyd_make_the_receivers_socket() -> None:
    """One path in both files, and one that Debian's AppArmor profile allows."""
    said = re.findall(r"/run/chrony\.[a-z]+\.sock", CONF + DROP_IN.read_text(encoding="utf-8"))
    assert set(said) == {"/run/chrony.gnss.sock"}
    profile = debians("etc/apparmor.d/usr.sbin.chronyd")
    allowed = re.findall(r"(?m)^ +@\{run\}(\S+) rw,$", profile)
    assert any(fnmatch.fnmatchcase(said[0], f"/run{path}") for path in allowed)


def test_systemd_accepts_what_is_added_to_chrony(tmp_path: Path) -> None:
    """Beside Debian's own unit."""
    analyze = shutil.which("systemd-analyze") or pytest.skip("there is no systemd-analyze here")
    unit = debians("**/systemd/system/chrony.service").replace("/usr/sbin/chronyd", "/bin/true")
    (tmp_path / "chrony.service").write_text(unit, encoding="utf-8")
    (tmp_path / "chrony.service.d").mkdir()
    shutil.copy(DROP_IN, tmp_path / "chrony.service.d" / "edge-agent.conf")
    command = [analyze, "verify", "--man=no", tmp_path / "chrony.service"]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert (said.returncode, said.stderr) == (0, "")
