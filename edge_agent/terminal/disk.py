"""Waiting for a disk that refuses, red and not dark."""

import logging
import queue
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from edge_agent.errors import JournalError
from edge_agent.events import Event, Stop
from edge_agent.panel import Panel
from edge_agent.panel.messages import compose
from edge_agent.records import Signal

log = logging.getLogger("edge_agent.terminal")

#: While the disk refuses, it is asked again so often.
_RETRY_S = 5.0

T = TypeVar("T")


def until_stored(
    work: Callable[[], T], panel: Panel, inbox: "queue.SimpleQueue[Event]"
) -> T | None:
    """Do what the disk must allow before a tap can be taken; None if told to stop meanwhile.

    While it does not, the panel is red: nobody shall wonder whether a dark terminal took the tap.
    Raises JournalError for what waiting cannot mend.
    """
    said = ""
    while True:
        try:
            return work()
        except JournalError as error:
            if error.__cause__ is None:
                raise
            if str(error) != said:
                said = str(error)
                log.error("%s; trying again for ever", error)  # noqa: TRY400  one clear line
                panel.signal(compose(Signal.FAULT, "", "", online=False))
        with suppress(queue.Empty):
            if isinstance(inbox.get(timeout=_RETRY_S), Stop):
                return None
