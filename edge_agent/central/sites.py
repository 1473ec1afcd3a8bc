"""Where terminals belonged and when, and what is known of each site: by their ``start`` entries.

A terminal belongs where a ``start`` entry says, from that entry on until one says otherwise; what
comes before its first belongs there, too. While none has come, its status names the site. Of a
site, the newest ``start`` entry of any terminal there knows best.
"""

from bisect import bisect_left
from dataclasses import dataclass

from sqlite_utils.db import Database

from edge_agent.ranges import Ranges

_POSTINGS = """
SELECT s.terminal, p.stream, p.seq, e.at_ms, p.site, p.site_name, p.zone, p.lat_e7, p.lon_e7
FROM posting p
JOIN stream s ON s.id = p.stream
JOIN entry e ON e.stream = p.stream AND e.seq = p.seq
ORDER BY s.terminal, p.stream, p.seq
"""


@dataclass(frozen=True, slots=True)
class Site:
    """What is known of a site.

    Attributes:
        name: "" if no ``start`` entry has come from there.
        zone: IANA name of its zone as stated, "" likewise.
        lat_e7, lon_e7: WGS 84 degrees times 10^7; None if its position is not known.
    """

    id: str
    name: str = ""
    zone: str = ""
    lat_e7: int | None = None
    lon_e7: int | None = None


@dataclass(frozen=True, slots=True)
class _Posting:
    stream: int
    seq: int
    at_ms: int
    site: str


class Sites:
    """Sites and terminals as they stand in the database now."""

    def __init__(self, db: Database) -> None:
        self._known: dict[str, tuple[int, Site]] = {}
        self._postings: dict[str, list[_Posting]] = {}
        self._streams: dict[int, list[_Posting]] = {}
        for terminal, stream, seq, at_ms, *said in db.conn.execute(_POSTINGS):
            site = Site(*said)
            posting = _Posting(stream, seq, at_ms, site.id)
            self._postings.setdefault(terminal, []).append(posting)
            self._streams.setdefault(stream, []).append(posting)
            if site.id not in self._known or self._known[site.id][0] <= at_ms:
                self._known[site.id] = at_ms, site
        self._terminals = dict(db.conn.execute("SELECT id, terminal FROM stream"))
        terminals = db.conn.execute("SELECT name, site, heard_ms, retired_ms FROM terminal")
        self._stated: dict[str, str] = {}
        self._retired: dict[str, int] = {}
        for name, stated, heard_ms, retired_ms in terminals:
            self._stated[name] = stated or ""
            if retired_ms is not None and (heard_ms or 0) <= retired_ms:
                self._retired[name] = retired_ms

    def get(self, site: str) -> Site:
        return self._known[site][1] if site in self._known else Site(site)

    @property
    def all(self) -> tuple[str, ...]:
        """Those of which a ``start`` entry tells."""
        return tuple(self._known)

    def terminal_of(self, stream: int) -> str:
        return str(self._terminals[stream])

    def at(self, stream: int, seq: int) -> str:
        """The site where an entry was made, "" if nobody has said."""
        postings = self._streams.get(stream)
        if not postings:
            return self._stated.get(self.terminal_of(stream), "")
        return postings[max(0, bisect_left(postings, seq, key=_seq) - 1)].site

    def stays(self, until_ms: int) -> dict[str, dict[str, Ranges]]:
        """By site and terminal, the milliseconds up to `until_ms` in which it belonged there.

        A terminal that is waited for no longer belongs nowhere from then on. One of which only the
        status is known belongs where that says, for no time.
        """
        found: dict[str, dict[str, Ranges]] = {}
        for terminal, site in self._stated.items():
            if site and terminal not in self._postings:
                found.setdefault(site, {})[terminal] = Ranges()
        for terminal, postings in self._postings.items():
            end_ms = min(until_ms, self._retired.get(terminal, until_ms))
            ends = [min(end_ms, later.at_ms) for later in postings[1:]]
            for one, its_end_ms in zip(postings, [*ends, end_ms], strict=True):
                if one.at_ms < its_end_ms:
                    stay = found.setdefault(one.site, {}).setdefault(terminal, Ranges())
                    stay.add(one.at_ms + 1, its_end_ms)
        return found


def _seq(posting: _Posting) -> int:
    return posting.seq
