"""The roster, told to the terminals: one retained message each, so that nobody need be online.

Only concealed credentials, person ids and names leave the central; see `contract.credentials`. What
one terminal enrolled is told to all of them, unless something speaks against it; see `bindings`.
"""

import time
from collections.abc import Sequence
from queue import Empty

from sqlite_utils.db import Database

from edge_agent.central.bindings import Bindings
from edge_agent.central.link import Inbox, Link, Options
from edge_agent.central.roster import RosterError
from edge_agent.contract import messages, topics
from edge_agent.errors import CentralError
from edge_agent.events import Connected, Disconnected, PubAck
from edge_agent.records import Person


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
    version = int(row[0])
    everybody = _people(db, _ALL_NAMES, ())
    # A large organisation fits without the short names of people who work elsewhere: they are known
    # at readers that give the whole number, and at the central they are known anyway.
    for people in (everybody, _people(db, _SHORT_NAMES_AT_HOME, (terminal,))):
        payload = messages.encode_roster(messages.Roster(terminal, version, people))
        if len(people) <= messages.MAX_PEOPLE and len(payload) <= messages.MAX_WIRE_BYTES:
            return payload
    raise RosterError(
        "send",
        "the roster",
        f"{len(people)} credentials make a message of {len(payload)} bytes",
        f"a terminal takes {messages.MAX_PEOPLE} in {messages.MAX_WIRE_BYTES} bytes;"
        " take out cards that nobody uses",
    )


_ALL_NAMES = "SELECT h.credential, p.id, p.name FROM holder h JOIN person p ON p.id = h.person"
_SHORT_NAMES_AT_HOME = """
SELECT h.credential, p.id, p.name FROM holder h JOIN person p ON p.id = h.person
WHERE NOT h.short OR p.site = (
    SELECT o.site FROM posting o JOIN stream s ON s.id = o.stream
    WHERE s.terminal = ? ORDER BY o.stream DESC, o.seq DESC LIMIT 1)
"""


def _people(db: Database, query: str, values: tuple[str, ...]) -> dict[str, Person]:
    """By concealed credential: who the roster and the enrolments say holds it."""
    rows = db.conn.execute(query, values)
    found = {credential: Person(person, name) for credential, person, name in rows}
    return found | dict(Bindings(db).published())


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
