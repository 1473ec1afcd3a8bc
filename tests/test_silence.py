"""Days without a network, then a bad one, in small; `scripts/long-silence` is the ninety days."""

import sys
from pathlib import Path

import pytest
from conftest import ROOT


def test_what_was_kept_for_days_arrives_whole_and_by_hand_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, with its time, through a link that dies; a tap in between does not wait for it."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from measure import silence  # noqa: PLC0415  # it lies beside the package

    came = silence.play(tmp_path, 1, 4_000, 3.0, lambda line: print(line, file=sys.stderr), 3.0)
    assert came.holds, came
    assert came.punches >= 800
    assert came.connections >= 2
    assert max(came.live_s) < 10
