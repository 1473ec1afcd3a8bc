"""The roster, told to the terminals: one retained message each, so that nobody need be online.

Only concealed credentials, person ids and names leave the central; see `contract.credentials`.
"""

import time
from collections.abc import Sequence
from queue import Empty

from sqlite_utils.db import Database

from edge_agent.central.link import Inbox, Link, Options
from edge_agent.central.roster import RosterError
from edge_agent.contract import messages, topics
from edge_agent.errors import CentralError
from edge_agent.records import Connected, Disconnected, Person, PubAck


def publish_roster(
    options: Options, db: Database, terminals: Sequence[str] = (), timeout_s: float = 15.0
) -> tuple[str, ...]:
    """Publish the stored roster and wait until the broker has it all.

    Args:
        options: the broker; the session of the serving program is not disturbed.
        db: the central's database.
        terminals: whom to tell; by default every terminal that is known and not retired.
        timeout_s: for everything together.

    Returns:
        The terminals that were told.

    Raises:
        RosterError: there is no roster, nobody to tell, or more of it than a message holds.
        CentralError: the broker cannot be reached, refuses, or does not answer in time.
    """
    told = tuple(terminals) or tuple(
        name
        for (name,) in db.conn.execute(
            "SELECT name FROM terminal WHERE retired_ms IS NULL OR heard_ms > retired_ms ORDER BY 1"
        )
    )
    if not told:
        raise RosterError(
            "publish", "the roster", "no terminal is known yet", "name the terminals to tell"
        )
    outgoing = [
        (topics.topic(options.root, terminal, topics.ROSTER), roster_message(db, terminal))
        for terminal in told
    ]
    _send(options, outgoing, timeout_s)
    return told


def roster_message(db: Database, terminal: str) -> bytes:
    """The stored roster for `terminal`, as it is published; also for carrying there by hand.

    Raises:
        RosterError: there is no roster, or more of it than a message holds.
    """
    row = db.conn.execute("SELECT version FROM roster").fetchone()
    if row is None:
        raise RosterError(
            "send", "the roster", "there is none yet", "read one in from a CSV file first"
        )
    people = {
        credential: Person(person, name)
        for credential, person, name in db.conn.execute(
            "SELECT h.credential, p.id, p.name FROM holder h JOIN person p ON p.id = h.person"
        )
    }
    payload = messages.encode_roster(messages.Roster(terminal, row[0], people))
    if len(people) > messages.MAX_PEOPLE or len(payload) > messages.MAX_WIRE_BYTES:
        raise RosterError(
            "send",
            "the roster",
            f"{len(people)} cards make a message of {len(payload)} bytes",
            f"a terminal takes {messages.MAX_PEOPLE} cards in {messages.MAX_WIRE_BYTES} bytes;"
            " take out cards that nobody uses",
        )
    return payload


def _send(options: Options, outgoing: list[tuple[str, bytes]], timeout_s: float) -> None:
    """Publish everything, as much at a time as the broker has room for."""
    inbox, deadline = Inbox(), time.monotonic() + timeout_s
    link = Link(options, 1, inbox, lasting=False)
    link.open()
    room, unanswered = 0, len(outgoing)
    try:
        while unanswered:
            match inbox.get(timeout=max(0.0, deadline - time.monotonic())):
                case Connected() as event:
                    room = event.room
                case PubAck(refusal=""):
                    room, unanswered = room + 1, unanswered - 1
                case PubAck() as event:
                    raise _failed(options, f"the broker refuses it: {event.refusal}")
                case Disconnected() as event:
                    raise _failed(options, event.cause)
            while room and outgoing:
                link.publish(*outgoing.pop())
                room -= 1
    except Empty:
        raise _failed(options, f"no answer within {timeout_s:g} s") from None
    finally:
        link.close(wait_s=2.0)


def _failed(options: Options, cause: str) -> CentralError:
    return CentralError(
        "publish the roster to",
        f"{options.host}:{options.port}",
        cause,
        "check the broker, its address and its access list, then publish again",
    )
