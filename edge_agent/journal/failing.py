"""SQLite's errors as ours: what was done, to which file, why it failed, what to do meanwhile."""

import sqlite3
from pathlib import Path
from types import TracebackType

from edge_agent.errors import JournalError

_HINT = "record attendance on paper until this is mended"


class failing:  # noqa: N801  reads as what it is: `with failing("read", path):`
    """Raise JournalError for whatever SQLite or the file system refuses in the block.

    A class and not a generator, because a tap waits for it. May be entered again and again.
    """

    __slots__ = ("_path", "_verb")

    def __init__(self, verb: str, path: Path) -> None:
        self._verb = verb
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, (sqlite3.Error, OSError)) and not isinstance(error, JournalError):
            operation = f"{self._verb} the journal"
            raise JournalError(operation, str(self._path), str(error), _HINT) from error
