"""What a person at the central reads of enrolments and of cards that readers cannot tell apart."""

import json

from central_wall import HARUN, MORNING, ORGANISATION, ROSTER, stamp, take, wall_at
from click.testing import CliRunner

from edge_agent.central.store import Store
from edge_agent.cli.central import central
from edge_agent.contract.credentials import conceal
from edge_agent.records import Enrolment


def test_the_command_lists_them_and_the_import_says_what_is_ambiguous(tmp_path):
    """As a table and as JSON; a person reads what to do about a conflict."""
    config, csv = tmp_path / "central.toml", tmp_path / "roster.csv"
    (tmp_path / "credential.key").write_text(ORGANISATION.hex(), encoding="ascii")
    config.write_text(
        f'database = "{tmp_path}/c.db"\ncredential_key = "{tmp_path}/credential.key"\n',
        encoding="utf-8",
    )
    csv.write_text(ROSTER + "em4100:01010000A1,p-4,Tanpa Kartu,dinkes\n", encoding="utf-8")

    def run(*words: str) -> str:
        result = CliRunner().invoke(central, [*words, "--config", str(config)])
        assert result.exit_code == 0, result
        return result.output

    said = run("roster", "import", str(csv))
    assert "4 people, 4 cards, 10 numbers" in said
    assert "short numbers that cards of two persons share: 1;" in said
    wall = wall_at()
    for card, person in ((HARUN, "p-2"), ("14443a:1EA68671", "p-4")):
        technology = card.partition(":")[0]
        record = Enrolment(conceal(card, ORGANISATION), technology, "front", person)
        wall.add(record, stamp(MORNING))
    with Store(tmp_path / "c.db") as store:
        take(store, wall.batch())
    table = run("enrolments").splitlines()
    said = " ".join(table[2].split())
    assert said == "2026-11-23 07:30:00 bungi-1 front em4100 p-2 La Ode Harun agrees holds yes"
    assert run("enrolments", "--csv").splitlines()[2] == (
        "2026-11-23,07:30:00,bungi-1,front,14443a,,p-4,Tanpa Kartu,knows the person,holds,yes"
    )
    lines = json.loads(run("enrolments", "--json"))
    assert [(one["person"], one["roster"], one["told"]) for one in lines] == [
        ("p-2", "agrees", True),
        ("p-4", "knows the person", True),
    ]
