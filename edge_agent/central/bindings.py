"""Whose credential is it? What terminals enrolled, where the roster has not said.

A binding holds from its ``enrolment`` entry on, until the same credential is enrolled again at the
same terminal. One that other terminals contradict, that the chain does not bear out, or whose
number cards of two persons have, tells nobody anything beyond the terminal that made it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlite_utils.db import Database

from edge_agent.contract.credentials import FINGER
from edge_agent.records import Person


class Force(StrEnum):
    """Whether a binding holds."""

    HOLDS = "holds"
    REPLACED = "replaced"
    CONFLICT = "conflict"
    BROKEN = "broken chain"


class Verdict(StrEnum):
    """What the roster says to a binding."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    SHARED = "cards of two persons read like this"
    SILENT = "knows the person"
    UNKNOWN = "does not know the person"


@dataclass(frozen=True, slots=True)
class Binding:
    """One enrolment entry.

    Attributes:
        stream, seq: the entry; streams of a terminal rise with its journals.
        name: the person's, None if the roster does not know the person.
        holder: whom the roster gives the credential to.
        shared: cards of two persons of the roster have this short number.
        broken: the chain does not bear the entry out.
        zone: of the terminal's site, None if unknown.
    """

    stream: int
    seq: int
    at_ms: int
    terminal: str
    scanner: str
    technology: str
    credential: str
    slot: int | None
    person: str
    name: str | None
    holder: str | None
    shared: int
    broken: int
    zone: str | None

    @property
    def verdict(self) -> Verdict:
        if self.holder is not None:
            return Verdict.AGREES if self.holder == self.person else Verdict.CONTRADICTS
        if self.shared:
            return Verdict.SHARED
        return Verdict.UNKNOWN if self.name is None else Verdict.SILENT


_BINDINGS = """
SELECT n.stream, n.seq, e.at_ms, s.terminal, n.scanner, n.technology, n.credential, n.slot,
    n.person, k.name, h.person AS holder, x.credential IS NOT NULL AS shared, e.broken, p.zone
FROM enrolment n
JOIN stream s ON s.id = n.stream
JOIN entry e ON e.stream = n.stream AND e.seq = n.seq
LEFT JOIN posting p ON p.stream = n.stream AND p.seq = coalesce(
    (SELECT max(seq) FROM posting WHERE stream = n.stream AND seq < n.seq),
    (SELECT min(seq) FROM posting WHERE stream = n.stream))
LEFT JOIN person k ON k.id = n.person
LEFT JOIN holder h ON h.credential = n.credential
LEFT JOIN shared x ON x.credential = n.credential
ORDER BY n.stream, n.seq
"""


class Bindings:
    """All of them as they stand in the database now, in the order of their entries."""

    def __init__(self, db: Database) -> None:
        self.all = tuple(Binding(**row) for row in db.query(_BINDINGS))
        self._sound: dict[str, list[Binding]] = {}
        self._last: dict[str, dict[str, Binding]] = {}
        for one in self.all:
            if not one.broken:
                self._sound.setdefault(one.credential, []).append(one)
                self._last.setdefault(one.credential, {})[one.terminal] = one

    def force(self, binding: Binding) -> Force:
        if binding.broken:
            return Force.BROKEN
        if self._last[binding.credential][binding.terminal] is not binding:
            return Force.REPLACED
        return Force.HOLDS if self._agreed(binding.credential) else Force.CONFLICT

    def told(self, binding: Binding) -> bool:
        """Whether all terminals are to know it, by the roster or by this enrolment.

        Not that of a finger: its template is in one module only.
        """
        if binding.verdict is not Verdict.SILENT:
            return binding.verdict is Verdict.AGREES
        return self.force(binding) is Force.HOLDS and binding.technology != FINGER

    def published(self) -> Iterator[tuple[str, Person]]:
        """Credential and person of what terminals are told beside the roster's own."""
        for one in self.all:
            if one.name is not None and one.holder is None and self.told(one):
                yield one.credential, Person(one.person, one.name)

    def at_punch(self, credential: str, terminal: str, stream: int, seq: int) -> Binding | None:
        """The binding that names a punch: the terminal's own before it, else the one agreed on."""
        sound = self._sound.get(credential, ())
        own = [
            one
            for one in sound
            if one.terminal == terminal and (one.stream, one.seq) < (stream, seq)
        ]
        if own:
            return own[-1]
        agreed = self._agreed(credential)
        return agreed if agreed and not agreed.shared else None

    def _agreed(self, credential: str) -> Binding | None:
        """A binding of the credential that every terminal which enrolled it last bears out."""
        last = tuple(self._last.get(credential, {}).values())
        return last[-1] if len({one.person for one in last}) == 1 else None
