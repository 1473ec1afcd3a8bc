"""The benchmark measures what is there: its parts run, whatever the figures of a busy machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

PARTS = {
    "evidence": "evidence_p99_ms",
    "drain": "wire_bytes_per_punch_backlog",
    "live": "wire_bytes_per_punch_live",
    "scale": "scale_settle_p50_ratio",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_benchmark_still_fits_what_it_measures(part: str, tmp_path: Path) -> None:
    """A figure comes out; 1 says that a target was missed, which here means nothing."""
    command = [sys.executable, "-m", "measure", "--quick", "--only", part]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "bench.json")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}/scripts:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert json.loads((tmp_path / "bench.json").read_bytes())[PARTS[part]] > 0
