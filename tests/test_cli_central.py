"""The central's commands, where a person could be misled by silence."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from central_histories import PUNCH
from central_wall import MORNING, NOW, SITI, Wall, full_wall, stamp, take, wall_at
from click.testing import CliRunner, Result

from edge_agent.central.store import Store
from edge_agent.cli.central import central
from edge_agent.errors import EdgeAgentError, MessageError
from edge_agent.records import Enrolment


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a central with an empty database and a key."""
    path = tmp_path / "central.toml"
    key = tmp_path / "credential.key"
    key.write_text("ab" * 32, encoding="ascii")
    path.write_text(
        f'database = "{tmp_path}/central.db"\ncredential_key = "{key}"\n', encoding="utf-8"
    )
    Store(tmp_path / "central.db").close()
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(central, [str(word) for word in words])


def test_a_roster_of_nobody_is_refused(config: Path) -> None:
    """An empty file must not make strangers of the whole staff."""
    empty = config.with_name("roster.csv")
    empty.write_text("card,person,name,site\n", encoding="utf-8")
    refused = run("roster", "import", empty, "--config", config).exception
    assert isinstance(refused, EdgeAgentError)
    assert "nobody" in str(refused)


def test_a_proof_of_nothing_is_refused(config: Path) -> None:
    """Exit 0 would read as: all is well."""
    refused = run("prove", "--config", config).exception
    assert isinstance(refused, EdgeAgentError)
    assert "no journal" in str(refused)


@pytest.mark.parametrize("name", ["", "a b", "Bad", "a/b", "a#"])
def test_what_cannot_be_a_terminal_is_refused(config: Path, name: str) -> None:
    """A name with a wildcard or a blank in it would go to nobody, or to everybody."""
    assert run("roster", "publish", name, "--config", config).exit_code == 2
    assert run("trust", name, "ab" * 32, "--config", config).exit_code == 2


@pytest.mark.parametrize("date", ["20261122", "2026-11-22T00:00", "2026-W47-7", "tomorrow"])
def test_a_date_that_is_none_is_refused(config: Path, date: str) -> None:
    """An empty table would read as: nobody came."""
    refused = run("punches", "--date", date, "--config", config).exception
    assert isinstance(refused, EdgeAgentError)
    assert "2026-11-23" in str(refused)


def store_dark(path: Path) -> None:
    """Three punches: of a known hour, of a boot without time, and of today."""
    wall = wall_at()
    wall.punch(SITI, MORNING - 86_400_000, error_ms=500, source="gnss")
    wall.add(PUNCH, stamp(0, "none", 1000, boot="aa" * 16))
    wall.add(PUNCH, stamp(MORNING, mono_ms=0, boot="bb" * 16, error_ms=12))
    with Store(path) as store:
        take(store, wall.batch())


def test_a_punch_shows_how_its_time_is_known(config: Path) -> None:
    """By whose word and how closely, or between which instants, with dates where they differ."""
    store_dark(config.with_name("central.db"))
    lines = run("punches", "--csv", "--config", config).output.splitlines()[1:]
    assert [line.split(",")[8] for line in lines] == [
        "gnss +-500 ms",
        "between 07:30:00 and 2026-11-23 07:30:00",
        "ntp +-12 ms",
    ]
    found = json.loads(run("punches", "--json", "--config", config).output)
    assert found[1]["source"] == "between"
    assert found[1]["claimed_source"] == "none"


def test_a_time_that_is_bounded_on_one_side_only_says_which(config: Path) -> None:
    """A terminal that never said what was certainly past: only the receipt bounds it."""
    wall = wall_at(source="none")
    wall.punch(SITI, MORNING, source="none")
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch())
    (line,) = run("punches", "--csv", "--config", config).output.splitlines()[1:]
    assert re.fullmatch("not after [0-9: -]+", line.split(",")[8]), line


@pytest.mark.parametrize(
    ("date", "count"), [("2026-11-22", 2), ("2026-11-23", 2), ("2026-11-24", 0)]
)
def test_a_date_shows_all_that_may_be_of_it(config: Path, date: str, count: int) -> None:
    """What lies between two days is shown for both."""
    store_dark(config.with_name("central.db"))
    found = run("punches", "--date", date, "--csv", "--config", config).output.splitlines()[1:]
    assert len(found) == count


def test_punches_without_a_zone_have_no_date_and_are_counted(config: Path) -> None:
    """Nobody is to think that nobody came."""
    wall = wall_at(zone="Mars/Base")
    wall.punch(SITI, MORNING)
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch())
    line = run("punches", "--csv", "--config", config).output.splitlines()[1]
    assert line.startswith(",,kec-bungi")
    assert "zone unknown" in line
    asked = run("punches", "--date", "2026-11-23", "--config", config)
    assert "1 punches of about this date are not shown" in asked.output
    called = run("rollcall", "--at", "2026-11-23T09:00+08:00", "--config", config)
    assert "a punch whose time is not certain" in called.output
    assert "2026-11-2" not in called.output


@pytest.mark.parametrize(("edited", "code"), [(False, 0), (True, 1)])
def test_a_proof_that_fails_ends_with_exit_code_1(config: Path, edited: bool, code: int) -> None:
    """Whoever runs it from a script is told by the code, not only by the table."""
    path = config.with_name("central.db")
    with Store(path) as store:
        take(store, full_wall(5).batch())
    if edited:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("UPDATE entry SET text = replace(text, 'front', 'other') WHERE seq = 3")
    command = [sys.executable, "-m", "edge_agent", "central", "prove", "--config", str(config)]
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == code


@pytest.mark.parametrize(
    ("parts", "first_seq", "code", "said"),
    [
        ([(4, 9)], 4, 3, (0, 3, True)),
        ([(1, 2), (6, 9)], 6, 3, (0, 3, True)),
        ([(4, 9)], 3, 1, (1, 2, True)),
        ([(1, 2), (6, 9)], 1, 1, (3, 0, True)),
        ([(1, 9)], 4, 0, (0, 0, True)),
    ],
)
def test_a_proof_tells_what_is_lost_from_what_is_missing(
    config: Path, parts: list[tuple[int, int]], first_seq: int, code: int, said: tuple[int, ...]
) -> None:
    """Lost is what the terminal holds no more, by its own word; exit 3 if that is all."""
    wall = full_wall(9)
    with Store(config.with_name("central.db")) as store:
        for first, last in parts:
            take(store, wall.batch(first, last))
        store.note(replace(wall.status(), first_seq=first_seq), NOW)
    result = run("prove", "--json", "--config", config)
    (proof,) = json.loads(result.output)
    assert (proof["missing"], proof["lost"], proof["joined"]) == said
    assert (proof["whole"], proof["chained"], proof["sealed"]) == (code == 0, True, True)
    assert result.exit_code == code


def test_a_loss_excuses_neither_an_edit_nor_a_fork(config: Path) -> None:
    """Exit 1 as ever, whatever else is lost."""
    wall, twin = full_wall(9), full_wall(5)
    twin.punch("em4100:00000000FF", NOW)
    with Store(config.with_name("central.db")) as store:
        for batch in (wall.batch(4, 5), twin.batch(6, 6)):
            take(store, batch)
        store.note(replace(wall.status(), first_seq=4), NOW)
    assert run("prove", "--config", config).exit_code == 3
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch(7, 9))
    assert run("prove", "--config", config).exit_code == 1


def test_a_loss_of_one_journal_excuses_no_other(config: Path) -> None:
    """What a terminal says of the journal that it has now says nothing of the one before."""
    wall, new = full_wall(9), Wall(journal="ab" * 16)
    new.start(NOW)
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch(4, 9))
        take(store, new.batch())
        store.note(replace(new.status(), first_seq=4), NOW)
    result = run("prove", "--json", "--config", config)
    assert [one["missing"] for one in json.loads(result.output)] == [3, 0]
    assert result.exit_code == 1
    listed = json.loads(run("gaps", "--json", "--config", config).output)
    assert [(one["missing"], one["lost"]) for one in listed] == [([[1, 3]], []), ([], [])]


def test_a_proof_under_a_key_that_is_not_trusted_any_more_fails(config: Path) -> None:
    """What was signed before a repair is shown as such; nobody has looked at it since."""
    wall = full_wall(3)
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch())
        store.trust("bungi-1", "ab" * 32)
    assert run("prove", "--config", config).exit_code == 1


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
@pytest.mark.parametrize("command", ["punches", "rollcall", "gaps", "signal", "enrolments"])
def test_what_a_terminal_writes_does_not_steer_a_screen(
    config: Path, command: str, form: list[str]
) -> None:
    """Names of sites, scanners and cards may hold any character; a screen obeys some of them."""
    order = "\x1b]0;x\x07\x9b2J\x7f\u202e\r\n"
    wall = Wall()
    wall.start(MORNING, site=order, zone="Asia/Makassar")
    wall.punch(SITI, MORNING, person=order)
    wall.add(Enrolment("ab" * 32, order, order, order), stamp(MORNING))
    with Store(config.with_name("central.db")) as store:
        take(store, wall.batch())
        store.note(replace(wall.status(), site="kec"), NOW)
        store.refuse("", MessageError("topic", order), NOW)
    result = run(command, *form, "--config", config)
    assert result.exit_code == 0
    shown = result.output.replace("\n", "")
    assert [char for char in shown if not (char.isprintable() or char == "\u202e")] == []


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"]])
def test_names_are_printed_whatever_the_locale(config: Path, form: list[str]) -> None:
    """A server's cron job knows no UTF-8, and people are called André all the same."""
    names = config.with_name("names.csv")
    names.write_text("card,person,name,site\n,p-1,La Ode André,kec-bungi\n", encoding="utf-8")
    assert run("roster", "import", names, "--config", config).exit_code == 0
    command = [sys.executable, "-m", "edge_agent", "central", "rollcall", "--config", str(config)]
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [*command, *form], capture_output=True, check=True, timeout=30, env={**os.environ, **plain}
    )
    assert "La Ode André" in done.stdout.decode()
