"""The map of weak links as a person, a spreadsheet and a map program read it."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from central_surveys import HOUR, LTE, check_geojson, hour
from central_wall import WITA, Wall, ms
from click.testing import CliRunner, Result

from edge_agent.central.store import Store
from edge_agent.cli.central import central
from edge_agent.errors import EdgeAgentError
from edge_agent.records import Reception

#: The command asks the clock, so its tests do: yesterday in Baubau, whatever the date is.
NOW = datetime.now(UTC)
YESTERDAY = (NOW + timedelta(hours=8) - timedelta(days=1)).date().isoformat()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A central with a site that has an evening, and one of which only the status is known."""
    path = tmp_path / "central.toml"
    path.write_text(f'database = "{tmp_path}/central.db"\n', encoding="utf-8")
    weak, new = Wall(), Wall("dinkes-1")
    weak.start(ms(f"{YESTERDAY}T00:00", WITA))
    traffic = {"attempts": 3, "connections": 2, "bytes_up": 9000, "latency_ms": 640}
    heard = {"reception": LTE, "backlog": 12, "oldest_ms": 75 * HOUR}
    hour(weak, f"{YESTERDAY}T07:00", attempts=60, oldest_ms=99 * HOUR, backlog=1)
    for end in ("20:00", "21:00", "23:00"):
        hour(weak, f"{YESTERDAY}T{end}", online_ms=HOUR, **traffic, **heard)
    with Store(tmp_path / "central.db") as store:
        store.take(weak.batch(), int(NOW.timestamp() * 1000))
        store.note(new.status(site="dinkes"), 0)
    return path


def run(config: Path, *words: str) -> Result:
    days = ["--from", YESTERDAY, "--to", YESTERDAY]
    return CliRunner().invoke(central, ["signal", "--config", str(config), *days, *words])


def test_a_person_reads_a_line_a_site(config: Path) -> None:
    """Whole numbers, hours as ranges, ages in hours or days."""
    heads, _, dinkes, bungi = run(config).output.splitlines()
    assert heads.startswith("site       name       terminals  verdict  link  best hours")
    assert " ".join(dinkes.split()) == "dinkes 1 unknown 0 0 zone unknown, position unknown"
    said = "kec-bungi Kec-Bungi 1 unknown 75% 19-21 22-23 4 20"
    said += f" {YESTERDAY} 23:00 640 11.5 162 -101 dBm lte 51010 home 12 3 d 4 d"
    assert " ".join(bungi.split()) == said


def test_a_spreadsheet_and_a_program_get_every_figure(config: Path) -> None:
    """As CSV and as JSON, in plain units, with the position."""
    _, row = csv.DictReader(run(config, "--csv").output.splitlines())
    told = {key: row[key] for key in ("site", "lat", "lon", "link", "best_hours", "bytes_a_day")}
    assert told == {
        "site": "kec-bungi",
        "lat": "-5.39",
        "lon": "122.65",
        "link": "0.75",
        "best_hours": "19 20 22",
        "bytes_a_day": "162000",
    }
    _, one = json.loads(run(config, "--json").output)
    assert (one["best_hours"], one["worst_age_ms"], one["since"]) == (
        [19, 20, 22],
        99 * HOUR,
        f"{YESTERDAY} 00:00:00",
    )


def test_a_map_program_gets_longitude_first_and_no_place_where_none_is_known(config: Path) -> None:
    """Indonesia lies east of 95 degrees and nowhere beyond 11 from the equator."""
    found = check_geojson(run(config, "--geojson").output)
    assert found["kec-bungi"]["geometry"] == {"type": "Point", "coordinates": [122.65, -5.39]}
    assert found["dinkes"]["geometry"] is None
    (row,) = [one for one in json.loads(run(config, "--json").output) if one["lat"]]
    assert found["kec-bungi"]["properties"] == {
        key: value for key, value in row.items() if key not in ("lat", "lon")
    }


def test_days_that_are_none_or_end_before_they_begin_are_refused(config: Path) -> None:
    """A wrong date is one line, not an empty report."""
    assert CliRunner().invoke(central, ["signal", "--from", "2026-02-30"]).exit_code == 2
    words = ["signal", "--config", str(config), "--from", "2026-11-02", "--to", "2026-11-01"]
    refused = CliRunner().invoke(central, words).exception
    assert isinstance(refused, EdgeAgentError)
    assert "put --from before --to" in str(refused)


@pytest.mark.parametrize(("first", "last"), [("0001-01-01", "9999-12-31"), ("9999-12-31",) * 2])
def test_the_ends_of_the_calendar_are_days_like_others(config: Path, first: str, last: str) -> None:
    """All that there is, and nothing at all."""
    words = ["signal", "--config", str(config), "--json", "--from", first, "--to", last]
    done = CliRunner().invoke(central, words)
    assert done.exit_code == 0, done
    surveys = sum(one["surveys"] for one in json.loads(done.output))
    assert surveys == (4 if first < "1000" else 0)


def test_thirty_days_up_to_the_first_day_there_is_are_fewer(config: Path) -> None:
    """A typing error in the year is an empty report, not a fault of the program."""
    words = ["signal", "--config", str(config), "--json", "--to", "0001-01-05"]
    done = CliRunner().invoke(central, words)
    assert (done.exit_code, json.loads(done.output)[0]["surveys"]) == (0, 0)


def test_an_operator_cannot_write_on_a_persons_screen(tmp_path: Path, config: Path) -> None:
    """What a modem calls its network is printed without what steers a terminal."""
    wall = Wall("dinkes-2")
    wall.start(ms(f"{YESTERDAY}T00:00", WITA), site="dinkes")
    hour(wall, f"{YESTERDAY}T07:00", reception=Reception("modem", "home", None, "\x1b[2J51"))
    with Store(tmp_path / "central.db") as store:
        store.take(wall.batch(), int(NOW.timestamp() * 1000))
    assert "?[2J51 home" in run(config).output
