"""Chain and seals of what is stored, computed again from the texts: is it what terminals wrote?

Whoever has the database file and a terminal's public key can run this; the central's word is not
needed.
"""

from dataclasses import dataclass

from sqlite_utils.db import Database

from edge_agent.contract import chain
from edge_agent.contract.chain import Seal


@dataclass(frozen=True, slots=True)
class Proof:
    """One journal, examined.

    Attributes:
        entries: how many texts were followed.
        whole: they are one span from entry 1 on that begins with this journal's first head.
        chained: the texts of every span lead from its first head to its last.
        sealed: every span's last head is signed by the key that the database names beside it.
        trusted: that is the key that the terminal is trusted with now.
    """

    terminal: str
    journal: str
    entries: int
    whole: bool
    chained: bool
    sealed: bool
    trusted: bool

    @property
    def holds(self) -> bool:
        """Every entry from 1 on is here and is what the terminal wrote."""
        return self.whole and self.chained and self.sealed and self.trusted


def proofs(db: Database, terminal: str | None = None) -> tuple[Proof, ...]:
    """Examine every journal, or those of one terminal. Reads every text once."""
    return tuple(
        _prove(db, *row)
        for row in db.conn.execute(
            "SELECT s.id, s.terminal, s.journal, t.key FROM stream s"
            " JOIN terminal t ON t.name = s.terminal"
            " WHERE ? IS NULL OR s.terminal = ? ORDER BY s.terminal, s.id",
            (terminal, terminal),
        ).fetchall()
    )


def _prove(db: Database, stream: int, terminal: str, journal: str, key: str) -> Proof:
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
    begins = (1, chain.genesis(terminal, journal))
    return Proof(
        terminal,
        journal,
        entries=sum(span[1] - span[0] + 1 for span in spans),
        whole=len(spans) == 1 and (spans[0][0], spans[0][2]) == begins,
        chained=chained,
        sealed=sealed,
        trusted=trusted,
    )
