"""Chain and seals of what is stored, computed again from the texts: is it what terminals wrote?

Whoever has the database file and a terminal's public key can run this; the central's word is not
needed.
"""

from dataclasses import dataclass

from sqlite_utils.db import Database

from edge_agent.contract import chain
from edge_agent.contract.chain import Seal
from edge_agent.ranges import Ranges


@dataclass(frozen=True, slots=True)
class Proof:
    """One journal, examined.

    Attributes:
        entries: how many texts were followed.
        missing: how many below the last of them are not stored, but for those that are lost.
        lost: how many the terminal, by its last status, holds no more: see `gaps`.
        joined: the stored ranges follow from each other where they touch, and entry 1 from this
            journal's first head.
        whole: they are one range from entry 1 on, and it is joined.
        chained: the texts of every span lead from its first head to its last.
        sealed: every span's last head is signed by the key that the database names beside it.
        trusted: that is the key that the terminal is trusted with now.
    """

    terminal: str
    journal: str
    entries: int
    missing: int
    lost: int
    joined: bool
    whole: bool
    chained: bool
    sealed: bool
    trusted: bool

    @property
    def holds(self) -> bool:
        """Every entry from 1 on is here and is what the terminal wrote."""
        return self.whole and not self.broken

    @property
    def broken(self) -> bool:
        """Something is wrong that is not explained by what is lost."""
        sound = self.joined and self.chained and self.sealed and self.trusted
        return not sound or self.missing > 0


def proofs(db: Database, terminal: str | None = None) -> tuple[Proof, ...]:
    """Examine every journal, or those of one terminal. Reads every text once."""
    return tuple(
        _prove(db, *row)
        for row in db.conn.execute(
            "SELECT s.id, s.terminal, s.journal, t.key,"
            " iif(t.journal = s.journal, t.first_seq, 1) FROM stream s"
            " JOIN terminal t ON t.name = s.terminal"
            " WHERE ? IS NULL OR s.terminal = ? ORDER BY s.terminal, s.id",
            (terminal, terminal),
        ).fetchall()
    )


def _prove(
    db: Database, stream: int, terminal: str, journal: str, key: str, first_seq: int
) -> Proof:
    spans = db.conn.execute(
        "SELECT first, last, prev, head, key, signature, sent FROM span"
        " WHERE stream = ? ORDER BY first",
        (stream,),
    ).fetchall()
    chained = sealed = trusted = True
    for first, last, prev, head, signer, signature, sent in spans:
        texts = db.conn.execute(
            "SELECT text FROM entry WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq",
            (stream, first, last),
        )
        chained &= chain.follow(prev, (text for (text,) in texts)) == head
        sealed &= Seal(last, head.hex(), signer, signature, sent).verify(terminal, journal)
        trusted &= signer == key
    stored = Ranges((span[0], span[1]) for span in spans)
    holes = Ranges([(1, stored.last)]).minus(stored)
    missing = holes.minus(Ranges([(1, first_seq - 1)]))
    begins = {1: chain.genesis(terminal, journal)}
    joined = len(list(stored)) == len(spans)
    joined &= all(prev == begins.get(first, prev) for first, _, prev, *_ in spans)
    return Proof(
        terminal,
        journal,
        entries=stored.count,
        missing=missing.count,
        lost=holes.count - missing.count,
        joined=joined,
        whole=joined and bool(spans) and not holes,
        chained=chained,
        sealed=sealed,
        trusted=trusted,
    )
