"""Which entries are of today: they go before the months that may wait with them."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.contract.entries import SURVEY
from edge_agent.errors import JournalError
from edge_agent.journal import Journal
from edge_agent.ranges import Ranges
from edge_agent.records import Stamp

#: More than a day of a busy office; reading them takes some ten milliseconds of a turn.
_MOST = 2_000
_CHUNK = 250


def today(journal: Journal, above: int, at: Stamp, zone: ZoneInfo) -> Ranges:
    """The newest entries above seq `above` that are of the site's day, without surveys.

    Where nobody vouches for the time, now or then, those of this boot. What cannot be read is none.
    """
    found = Ranges()
    last = journal.last_seq
    lowest = max(above + 1, last - _MOST + 1)
    while last >= lowest:
        first, end = max(lowest, last - _CHUNK + 1), last
        last = first - 1
        try:
            chunk = journal.read(first, end, 10**7)
        except JournalError:  # a worn page; packing will say so, and the connection must begin
            continue
        fresh = [one for one in chunk if _is_of(_stamp(one.text), at, zone)]
        for one in fresh:
            if one.kind != SURVEY:
                found.add(one.seq, one.seq)
        if not fresh:
            break
    return found


def _stamp(text: str) -> dict[str, Any]:
    """What the entry says of its time; nothing, if its row was damaged."""
    try:
        found: dict[str, Any] = json.loads(text)["at"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found


def _is_of(stamp: dict[str, Any], at: Stamp, zone: ZoneInfo) -> bool:
    if "none" in (at.source, stamp.get("source", "none")):
        return stamp.get("boot") == at.boot
    then_ms = stamp.get("utc_ms")
    # A row that was edited may hold anything.
    if type(then_ms) is not int or not abs(then_ms - at.utc_ms) < 2 * 86_400_000:
        return False
    return _day(then_ms, zone) == _day(at.utc_ms, zone)


def _day(utc_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).astimezone(zone).date()
