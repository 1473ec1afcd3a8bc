"""A central restored from a backup: all that terminals still hold comes back, and no alarm."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tapping import Tapper, assert_whole, running
from witness import Witness

from edge_agent.journal import Journal
from edge_agent.sim.broker import Broker
from edge_agent.sim.configuration import TERMINAL
from edge_agent.sim.office import Office


def backup(office: Office) -> int:
    """A copy of the central's database as it is now; gives how many entries it has."""
    with (
        closing(sqlite3.connect(office.work / "central.db")) as live,
        closing(sqlite3.connect(office.work / "backup.db")) as copy,
    ):
        live.backup(copy)
        return int(copy.execute("SELECT count(*) FROM entry").fetchone()[0])


def restore(office: Office) -> None:
    """The copy in the place of the database of a central that is stopped."""
    for suffix in ("-wal", "-shm"):
        (office.work / f"central.db{suffix}").unlink(missing_ok=True)
    (office.work / "backup.db").replace(office.work / "central.db")


def week(office: Office, tapper: Tapper) -> int:
    """A backup, and then as much again, received by the central that ends now."""
    tapper.tap(8)
    assert_whole(office, tapper)
    had = backup(office)
    tapper.tap(8)
    assert_whole(office, tapper)
    office.stop_central()
    return had


def receipts(witness: Witness) -> list[dict[str, Any]]:
    return [json.loads(one) for topic, one in witness.seen if topic.endswith("receipt")]


def retained(broker: Broker) -> dict[str, Any]:
    """The receipt that a terminal is given when it connects now."""
    with Witness(broker) as late:
        found: dict[str, Any] = json.loads(
            late.wait_for(lambda topic, _: topic.endswith("receipt"))
        )
    return found


def tampered(office: Office) -> list[dict[str, Any]]:
    return [one for one in office.entries("incident") if one["what"] == "tamper"]


def gaps(office: Office) -> dict[str, Any]:
    printed = office.command("central", "gaps", "--json", config=office.central_config)
    found: dict[str, Any] = json.loads(printed)[0]
    return found


def test_everything_comes_back_without_a_tap(tmp_path: Path) -> None:
    """The terminal is online all the while; no receipt says more than the database has."""
    with running(tmp_path) as (office, tapper):
        had = week(office, tapper)
        restore(office)
        with Witness(office.broker) as witness:
            witness.wait_for(lambda topic, _: topic.endswith("receipt"))  # the retained one
            office.start_central()
            assert_whole(office, tapper)
            office.wait_until(lambda: office.status()["journal"]["received"] == office.appended())
        _, first, *more = [one["upto"] for one in receipts(witness)]
        assert first == had
        assert more == sorted(more)
        assert tampered(office) == []


def test_the_retained_receipt_of_a_better_past_is_replaced(tmp_path: Path) -> None:
    """Also while the terminal is away: when it comes, it learns at once what is missing."""
    with running(tmp_path) as (office, tapper):
        had = week(office, tapper)
        office.stop_agent()
        assert retained(office.broker)["upto"] > had
        restore(office)
        office.start_central()
        office.wait_until(lambda: retained(office.broker)["upto"] == had)
        office.start_agent()
        assert_whole(office, tapper)


@pytest.mark.parametrize("stale_first", [True, False])
def test_a_receipt_of_a_better_past_is_believed_until_the_next(
    tmp_path: Path, *, stale_first: bool
) -> None:
    """Whichever the terminal reads last: the central's own answer sets it right, and all comes."""
    with running(tmp_path) as (office, tapper):
        had = week(office, tapper)
        stale = json.dumps(retained(office.broker), sort_keys=True, separators=(",", ":")).encode()
        with closing(Journal(tmp_path / "journal.db", TERMINAL)) as journal:
            head = (journal.head_at(had) or b"").hex()
        fresh = json.loads(stale) | {"upto": had, "last": had, "head": head}
        text = json.dumps(fresh, sort_keys=True, separators=(",", ":")).encode()
        with Witness(office.broker) as witness:
            for payload in (stale, text) if stale_first else (text, stale):
                witness.publish(f"{TERMINAL}/receipt", payload, retain=True)
                upto = json.loads(payload)["upto"]
                office.wait_until(lambda upto=upto: office.status()["journal"]["received"] == upto)
        restore(office)
        office.start_central()
        assert_whole(office, tapper)
        assert tampered(office) == []


def test_what_is_pruned_is_said_to_be_lost_and_the_rest_comes(tmp_path: Path) -> None:
    """No alarm at the terminal; the central tells what never comes from what is only missing."""
    with running(tmp_path) as (office, tapper):
        had = week(office, tapper)
        office.stop_agent()
        with closing(Journal(tmp_path / "journal.db", TERMINAL)) as journal:
            journal.front.prune(had + 4)
            assert journal.first_seq == had + 5
        restore(office)
        office.start_central()
        office.start_agent()
        tapper.tap(3)
        office.wait_until(lambda: office.status()["journal"]["received"] == office.appended())
        office.wait_until(lambda: office.stored() == office.appended() - 4)
        journal_now = office.status()["journal"]
        assert (journal_now["first_seq"], journal_now["gone"]) == (had + 5, 4)
        assert (journal_now["backlog"], tampered(office)) == (0, [])
        found = gaps(office)
        assert found["missing"] == found["lost"] == [[had + 1, had + 4]]
        assert (found["broken"], found["forks"]) == (0, [])
        said = office.command("status", config=office.agent_config)
        assert f"from entry {had + 5} on" in said
        assert "4 that the central asks for again are not kept any more" in said
