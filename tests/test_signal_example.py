"""The simulated city of the README: real journals, seals and a real central, made-up weather."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from central_surveys import check_geojson
from conftest import ROOT, shared

from edge_agent.central.proofs import proofs
from edge_agent.central.schema import opened
from edge_agent.technician import kelurahan

HEAD = "kode_kemendagri,kecamatan,kelurahan,lat_centroid,lon_centroid,"
TABLE = (
    f"{HEAD}lat_min,lat_max,lon_min,lon_max,max_km_centroid_to_boundary\n"
    "74.72.04.1003,Bungi,Kampeonaho,-5.34109,122.70914,-5.354,-5.3286,122.6849,122.7278,2.69\n"
    "74.72.01.1007,Betoambari,Katobengke,-5.48177,122.57375,-5.5,-5.4,122.5,122.6,2.16\n"
)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import signal_example  # noqa: PLC0415  # it lies beside the package

    return signal_example


def test_the_simulated_terminals_deliver_what_a_central_can_prove(example, tmp_path):
    """Four terminals, a key and a journal each; what was not carried yet is still on its way."""
    example.play(kelurahan.parse(TABLE, "table.csv"), tmp_path, weeks=1, seed=1)
    with opened(tmp_path / "central.db") as db:
        found = proofs(db, None)
        assert len({one.terminal for one in found}) == len(found) == 4
        assert all(one.holds for one in found)
        keys = db.conn.execute("SELECT count(DISTINCT key) FROM terminal").fetchone()
    assert keys == (4,)


def test_the_city_of_the_readme_has_the_weather_that_it_was_given(tmp_path):
    """Its worst places are none, its evenings are evenings, and no power is not no link."""
    table = shared("domain/baubau_kelurahan.csv")
    path = {**os.environ, "PYTHONPATH": f"{ROOT}/scripts:{ROOT}"}
    command = [sys.executable, "-m", "signal_example", str(table), "--weeks", "1"]
    done = subprocess.run(
        [*command, "--geojson", "map.geojson"],
        cwd=tmp_path,
        env=path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "simulated" in done.stdout
    text = (tmp_path / "map.geojson").read_text(encoding="utf-8")
    found = check_geojson(text)
    said = {one: feature["properties"] for one, feature in found.items()}
    for one in kelurahan.read(table):
        place = found[f"kel-{one.code.replace('.', '')}"]["geometry"]
        assert place["coordinates"] == [one.centre.lon_e7 / 1e7, one.centre.lat_e7 / 1e7]
    none = {one["site_name"] for one in said.values() if one["verdict"] == "none"}
    assert none == {"Kampeonaho", "SDN Wonco", "Kantor Kecamatan Bungi", "Gonda Baru"}
    assert set(said["kel-7472041001"]["best_hours"]) <= {*range(18, 24)}
    dark = said["kel-7472051001"]
    assert dark["verdict"] == "good"
    assert 96 <= dark["not_surveyed_h"] <= 122
    assert len(json.loads(text)["features"]) == len(found) == 45
