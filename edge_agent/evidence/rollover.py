"""The GPS week number has ten bits: a date of the past may be a date of today, 7168 days off.

A receiver counts weeks from a date that its firmware was given, its *pivot*, so each begins to be
wrong on a day of its own (GPS weeks roll over on 2038-11-21, a NEO-6M on 2028-12-03) and then gives
dates that are exactly 1024 weeks too early. And one that does not know the week yet gives its pivot
itself. So no date is believed that lies before the *floor*, the latest instant that is certainly
past; it is moved forward until it does not, and only one date fits.

Sources: IS-GPS-200 section 20.3.3.3.1.1; u-blox application note UBX-19016936 (last right days).
"""

from datetime import UTC, datetime, timedelta

_DAY_MS = 86_400_000
#: 1024 weeks.
ROLLOVER_MS = 7168 * _DAY_MS

#: Receivers that do not know the week say these, or a day of the week that begins there.
_PIVOTS = (
    "1980-01-06",  # the first GPS week
    "1999-08-22",  # the second count
    "2000-01-01",
    "2007-12-30",  # u-blox firmware 5.x
    "2009-04-19",  # 6.x: NEO-6M
    "2010-09-26",  # 7.03: NEO-6M
    "2012-06-03",  # 1.x: NEO-7M
    "2013-09-01",  # 2.01: M8
    "2015-10-18",  # 3.01: M8
    "2017-02-12",  # 3.5x: M8
    "2019-04-07",  # the third count
)
_DAY = timedelta(days=1)


def _weeks() -> tuple[tuple[int, int], ...]:
    found = []
    for day in _PIVOTS:
        begins = datetime.fromisoformat(day).replace(tzinfo=UTC)
        # A day before counts, too: some say 5 January 1980.
        found.append(
            (
                round((begins - _DAY).timestamp()) * 1000,
                round((begins + 7 * _DAY).timestamp()) * 1000,
            )
        )
    return tuple(found)


_PIVOT_WEEKS = _weeks()


def is_pivot(utc_ms: int, floor_ms: int) -> bool:
    """Whether a receiver that says this probably does not know the week."""
    return utc_ms < floor_ms and any(first <= utc_ms < last for first, last in _PIVOT_WEEKS)


def unrolled(utc_ms: int, floor_ms: int) -> int | None:
    """What a receiver's date means, in UTC milliseconds: the same moved forward over the floor.

    None for a date that lies beyond the floor by a whole count of weeks: it has no meaning.
    """
    if utc_ms < floor_ms:
        utc_ms += -(-(floor_ms - utc_ms) // ROLLOVER_MS) * ROLLOVER_MS
    return utc_ms if utc_ms < floor_ms + ROLLOVER_MS else None
