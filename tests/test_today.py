"""What goes before the months that wait with it."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from builders import TERMINAL, punch, stamp

from edge_agent.contract.entries import Survey
from edge_agent.journal import Journal
from edge_agent.records import Stamp
from edge_agent.terminal.today import today

MAKASSAR = ZoneInfo("Asia/Makassar")
HOUR_MS = 3_600_000
#: 07:30 on 23 November 2026 in Makassar, which is the 22nd in UTC.
MORNING = replace(stamp(), utc_ms=1_795_390_200_000)


def at(hours: float, boot: str = "", source: str = "ntp") -> Stamp:
    """So many hours after that morning."""
    utc_ms = MORNING.utc_ms + round(hours * HOUR_MS)
    return replace(MORNING, utc_ms=utc_ms, boot=boot or MORNING.boot, source=source)


def test_the_day_is_the_sites_own(tmp_path: Path) -> None:
    """07:30 in Makassar and the midnight before it are two dates in UTC."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        for hours in (-30, -8, -7, 0, 9):
            journal.append(punch(), at(hours))
        assert list(today(journal, 0, at(10), MAKASSAR)) == [(3, 5)]


def test_what_the_central_has_is_not_sent_again(tmp_path: Path) -> None:
    """Only what lies above the received mark."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        for hours in (0, 1, 2):
            journal.append(punch(), at(hours))
        assert list(today(journal, 2, at(3), MAKASSAR)) == [(3, 3)]


def test_surveys_wait_with_the_backlog(tmp_path: Path) -> None:
    """They are about yesterday's weather; pay depends on punches."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        journal.append(punch(), at(0))
        journal.append(Survey(HOUR_MS, 0, 0, 0, 0, 0, 0), at(1))
        journal.append(punch(), at(2))
        assert list(today(journal, 0, at(3), MAKASSAR)) == [(1, 1), (3, 3)]


def test_where_time_is_not_known_today_is_this_boot(tmp_path: Path) -> None:
    """A terminal that woke up in 1970 sends what it took since."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        journal.append(punch(), at(0, boot="e" * 32))
        journal.append(punch(), at(-400_000, source="none"))
        journal.append(punch(), at(-399_999, source="none"))
        assert list(today(journal, 0, at(-399_998, source="none"), MAKASSAR)) == [(2, 3)]


def test_months_are_not_read_to_find_a_day(tmp_path: Path) -> None:
    """And of a day no more than the newest two thousand."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        for _ in range(2_300):
            journal.append(punch(), at(0))
        assert list(today(journal, 0, at(1), MAKASSAR)) == [(301, 2_300)]


def test_a_row_that_somebody_edited_is_not_of_today(tmp_path: Path) -> None:
    """It goes with the backlog, and says what it is."""
    path = tmp_path / "j.db"
    with closing(Journal(path, TERMINAL)) as journal:
        for hours in (0, 1, 2):
            journal.append(punch(), at(hours))
        with closing(sqlite3.connect(path)) as db, db:
            db.execute('UPDATE entry SET text = \'{"at":{"utc_ms":"x"\' WHERE seq = 1')
            db.execute(
                'UPDATE entry SET text = \'{"at":{"source":"ntp","utc_ms":"x"}}\' WHERE seq = 2'
            )
        assert list(today(journal, 0, at(3), MAKASSAR)) == [(3, 3)]


def test_a_page_that_cannot_be_read_costs_its_neighbours_their_place_and_no_more(
    tmp_path: Path,
) -> None:
    """The connection must begin, with its greeting and its window; older ones are still found."""
    path = tmp_path / "j.db"
    with closing(Journal(path, TERMINAL)) as journal:
        for _ in range(600):
            journal.append(punch(), at(0))
        (text,) = [one.text for one in journal.read(500, 500, 0)]
    pages = bytearray(path.read_bytes())
    place = pages.index(text.encode()) // 1024 * 1024
    pages[place : place + 1024] = b"\xff" * 1024
    path.write_bytes(pages)
    with closing(Journal(path, TERMINAL)) as journal:
        assert list(today(journal, 0, at(1), MAKASSAR)) == [(1, 350)]


def test_no_more_is_read_than_leads_to_another_day(tmp_path: Path) -> None:
    """Once a whole step is of other days, so is what stands before it."""
    with closing(Journal(tmp_path / "j.db", TERMINAL)) as journal:
        for hours in (0, *[-200] * 600, 0):
            journal.append(punch(), at(hours))
        assert list(today(journal, 0, at(1), MAKASSAR)) == [(602, 602)]
