"""The short version of scripts/fuzz, so that it is known to run."""

import re
import subprocess

from conftest import ROOT
from decoder_cases import CASES
from virtual import STATIONS


def test_no_decoder_raises_or_grows_under_random_and_damaged_bytes() -> None:
    """30,000 bytes for each, none left out; the long version is for ten million."""
    done = subprocess.run(
        [ROOT / "scripts" / "fuzz", "0.03"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(\S.*?) +([\d,]+) +([\d,]+) +", done.stdout, re.MULTILINE)
    assert [name for name, *_ in rows] == [*CASES, *STATIONS, "modem"]
    for _, heard, records in rows:
        assert int(heard.replace(",", "")) >= 30_000
        assert int(records.replace(",", "")) > 0
