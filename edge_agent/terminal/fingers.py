"""Whose finger is in which slot, and whether the module still holds what it held.

A module found the finger in slot 17: that is a person only by our books, so the books are good for
one module only. Slots are drawn at random, and what the module says it holds is compared each time
it introduces itself: a module that was swapped or emptied opens an incident, and until that is over
its fingers are punches without a name, not with a wrong one. Of a module that cannot list its slots
only their number is compared, which another module may have by chance; and slots that were taken
over from an old machine were not drawn at random.
"""

import secrets
from collections.abc import Iterable

from edge_agent.contract import credentials
from edge_agent.errors import EdgeAgentError
from edge_agent.journal import Finger, Journal
from edge_agent.records import Library, Person
from edge_agent.terminal.incidents import Incidents

_WHAT = "module"


class Fingers:
    """The slot maps of the fingerprint modules. Raises JournalError as the journal does.

    A slot is somebody's only while its module has said what it holds and that was right.
    """

    def __init__(self, journal: Journal, incidents: Incidents, key: bytes) -> None:
        self._journal = journal
        self._incidents = incidents
        self._key = key
        self._now: dict[str, Library] = {}
        self._sound: set[str] = set()

    def find(self, scanner: str, slot: int) -> Finger | None:
        """Whose finger is in this slot; None if nobody's that we know of, or it cannot be said."""
        if scanner not in self._sound:
            return None
        found = self._journal.enrolled.fingers(scanner).get(slot)
        return found if found and found.stored else None

    def nameless(self, scanner: str, slot: int) -> str:
        """The concealed credential of a slot that is nobody's."""
        return credentials.conceal(f"finger:{self._journal.terminal}/{scanner}/{slot}", self._key)

    def introduced(self, scanner: str, library: Library, now_ms: int) -> None:
        """The module says what it holds."""
        self._now[scanner] = library
        before = self._journal.enrolled.known_library(scanner)
        if before is None:
            self._journal.enrolled.remember(scanner, library)
            self._sound.add(scanner)
            return
        reserved = [
            one.slot for one in self._journal.enrolled.fingers(scanner).values() if not one.stored
        ]
        cause = difference(before, library, frozenset(reserved))
        if cause:
            self._sound.discard(scanner)
            self._incidents.begin(_WHAT, scanner, cause, now_ms)
        else:
            self._sound.add(scanner)
            self._incidents.end(_WHAT, scanner, now_ms)

    def gone(self, scanner: str) -> None:
        """The module cannot be asked any more; what hangs there later may be another."""
        self._now.pop(scanner, None)
        self._sound.discard(scanner)

    def reserve(self, scanner: str, person: Person) -> Finger:
        """A free slot for a finger of `person`.

        Raises EdgeAgentError if there is none, or the module cannot be trusted to say.
        """
        library = self._now.get(scanner)
        subject = f"at {scanner}"
        if library is None:
            raise _refused(subject, "the module has not answered yet", "look at edge-agent status")
        if scanner not in self._sound:
            hint = f"put the right module back, or begin anew: edge-agent enrol forget {scanner}"
            raise _refused(subject, "it is not the module that was enrolled", hint)
        booked = self._journal.enrolled.fingers(scanner)
        if library.slots is None and library.count > len(booked):
            cause = "it holds fingers that are not in our books and cannot say where"
            raise _refused(subject, cause, "empty the module first")
        free = _free(library, booked.values())
        if not free:
            raise _refused(
                subject, f"all {library.capacity} slots are in use", "use another module"
            )
        finger = Finger(scanner, secrets.choice(free), self._fresh(), person, stored=False)
        self._journal.enrolled.reserve(finger)
        return finger

    def adopt(self, scanner: str, slot: int, person: Person) -> Finger:
        """The module knew this finger already, in a slot that is nobody's: book it for `person`."""
        finger = Finger(scanner, slot, self._fresh(), person, stored=False)
        self._journal.enrolled.reserve(finger)
        return finger

    def last_library(self, scanner: str) -> Library | None:
        """What the module last said that it holds; None while it cannot be asked."""
        return self._now.get(scanner)

    def forget(self, scanner: str, now_ms: int) -> int:
        """Another module for good: what it holds now is in order, and nobody's."""
        count = self._journal.enrolled.forget(scanner)
        self._incidents.end(_WHAT, scanner, now_ms)
        if scanner in self._now:
            self._sound.add(scanner)
            self._journal.enrolled.remember(scanner, self._now[scanner])
        return count

    def _fresh(self) -> str:
        """A new concealed name: the slot's number would be somebody else's after a re-use."""
        return credentials.conceal(f"finger:{secrets.token_hex(16)}", self._key)


def difference(before: Library, now: Library, reserved: frozenset[int]) -> str:
    """How the module differs from what it held, or ""; `reserved` slots may be there or not."""
    if before.capacity != now.capacity:
        return f"another module: {now.capacity} slots instead of {before.capacity}"
    if before.slots is None or now.slots is None:
        more = now.count - before.count
        return (
            "" if 0 <= more <= len(reserved) else f"{now.count} fingers instead of {before.count}"
        )
    gone = set(before.slots) - set(now.slots) - reserved
    new = set(now.slots) - set(before.slots) - reserved
    if not gone and not new:
        return ""
    return f"swapped or emptied: {len(gone)} of {len(before.slots)} fingers gone, {len(new)} new"


def _free(library: Library, booked: Iterable[Finger]) -> list[int]:
    """Slots for a new finger; one that was reserved and, as the module says, not used is free."""
    held = library.slots
    used = {one.slot for one in booked if one.stored or held is None or one.slot in held}
    used.update(held or ())
    return [slot for slot in range(library.capacity) if slot not in used]


def _refused(subject: str, cause: str, hint: str) -> EdgeAgentError:
    return EdgeAgentError("enrol a finger", subject, cause, hint)
