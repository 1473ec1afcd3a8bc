"""What somebody asked of the running agent, held against what there is."""

from collections.abc import Mapping

from edge_agent.errors import EdgeAgentError
from edge_agent.journal import RosterTable
from edge_agent.profile import ScannerProfile
from edge_agent.records import Person


def person(words: Mapping[str, str], roster: RosterTable) -> Person:
    """Who is to be enrolled. Raises EdgeAgentError for an id or a name that nobody can have."""
    wanted, name = words.get("person", ""), words.get("name", "")
    for what, text, least, most in (("person id", wanted, 1, 64), ("name", name, 0, 80)):
        if not least <= len(text) <= most or not text.isprintable() or text != text.strip():
            cause = f"a {what} has {least} to {most} printable characters and no blanks around them"
            hint = "name the person as the roster does"
            raise EdgeAgentError("enrol", repr(text[:most]), cause, hint)
    return Person(wanted, name or roster.name(wanted))


def scanner(
    kind: str, words: Mapping[str, str], profiles: Mapping[str, ScannerProfile], operation: str
) -> str:
    """The scanner for a ``card`` or a ``finger``. Raises EdgeAgentError if that is not clear."""
    wanted = words.get("scanner", "")
    suits = [
        name
        for name, one in profiles.items()
        if (one.decoder == "fingerprint") == (kind == "finger")
    ]
    if wanted in suits or (not wanted and len(suits) == 1):
        return wanted or suits[0]
    cause = f"no scanner {wanted} for a {kind}" if wanted else f"{len(suits)} scanners for it"
    named = f"name one with --scanner: {', '.join(suits)}" if suits else "configure one"
    raise EdgeAgentError(operation, f"a {kind}", cause, named)


def called(one: Person) -> str:
    return f"{one.name} ({one.id})" if one.name else f"{one.id} (no name is known)"
