"""The account at the end of a play: what people saw against what the central's database has.

It is computed from the two database files with hashlib and the public key alone, so that the
programs which are on trial are not their own witnesses.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: Signals after which a person may go: the punch is stored.
TAKEN = frozenset({"stored", "repeat", "unknown"})


@dataclass(frozen=True, slots=True)
class Account:
    """What came of a play.

    Attributes:
        taps: presentations, those tapped again for want of an answer included in `again`.
        green: presentations that saw green (`stored`); `answered` counts repeats and unknown too.
        entries, punches: in the central's database.
        lost: answered presentations that the central does not have.
        doubled: punches beyond the presentations there were, and entries answered twice.
        ordered: the central's seqs are 1 to the last without a hole.
        same: its texts are the terminal's, byte by byte.
        chained: the texts lead to the terminal's head.
        sealed: the terminal's key signed that head.
    """

    taps: int
    again: int
    green: int
    answered: int
    entries: int
    punches: int
    lost: int
    doubled: int
    ordered: bool
    same: bool
    chained: bool
    sealed: bool

    @property
    def holds(self) -> bool:
        """Nothing is lost, doubled, out of order or altered."""
        whole = self.ordered and self.same and self.chained and self.sealed
        return whole and self.lost == 0 and self.doubled == 0 and self.answered > 0


def settle(
    work: Path, terminal: str, notices: Sequence[dict[str, Any]], taps: int, again: int
) -> Account:
    """The account of the play in `work`.

    Args:
        work: has ``journal.db`` and ``central.db``.
        terminal: whose journal it is.
        notices: everything that the panel showed.
        taps, again: see `Account`.
    """
    with closing(sqlite3.connect(work / "journal.db")) as db:
        (journal,) = db.execute("SELECT journal FROM identity").fetchone()
        written = dict(db.execute("SELECT seq, text FROM entry"))
        (head,) = db.execute("SELECT head FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    with closing(sqlite3.connect(work / "central.db")) as db:
        rows = db.execute(
            "SELECT seq, text FROM entry JOIN stream ON stream.id = entry.stream"
            " WHERE terminal = ? AND journal = ? ORDER BY seq",
            (terminal, journal),
        ).fetchall()
        seal = db.execute(
            "SELECT last, head, key, signature FROM span JOIN stream ON stream.id = span.stream"
            " WHERE terminal = ? AND journal = ? ORDER BY last DESC",
            (terminal, journal),
        ).fetchone()
    punches = {seq: one for seq, one in _parsed(rows) if one["kind"] == "punch"}
    shown = [one for one in notices if one["signal"] in TAKEN]
    arrived = [
        one
        for one in shown
        if one["seq"] in punches and punches[one["seq"]]["credential"] == one["credential"]
    ]
    seqs = [seq for seq, _ in rows]
    return Account(
        taps=taps,
        again=again,
        green=sum(one["signal"] == "stored" for one in shown),
        answered=len(shown),
        entries=len(rows),
        punches=len(punches),
        lost=len(shown) - len(arrived),
        # A presentation is one punch at most; the central's own key keeps seqs from coming twice.
        doubled=max(0, len(punches) - taps) + _surplus([one["seq"] for one in shown]),
        ordered=seqs == list(range(1, len(seqs) + 1)),
        same=dict(rows) == written,
        chained=_follow(terminal, journal, [text for _, text in rows]) == head,
        sealed=seal is not None and _signed(terminal, journal, seal) and seal[1] == head,
    )


def render(account: Account) -> list[str]:
    """The account as lines of text."""
    unseen = account.punches - account.answered

    def mark(good: bool) -> str:
        return "yes" if good else "NO"

    return [
        "",
        "THE ACCOUNT",
        f"  presentations              {account.taps} ({account.again} tapped again, unanswered)",
        f"  taps that saw green        {account.green}",
        f"  answered in all            {account.answered} (green, repeat, unknown card)",
        f"  punches in the central     {account.punches} ({unseen} stored before anybody saw it)",
        f"  entries in the central     {account.entries}",
        f"  lost                       {account.lost}",
        f"  doubled                    {account.doubled}",
        f"  in order, without a hole   {mark(account.ordered)}",
        f"  the same, byte by byte     {mark(account.same)}",
        f"  chain                      {mark(account.chained)}",
        f"  seal                       {mark(account.sealed)}",
        "",
        "nothing is lost and nothing is doubled" if account.holds else "THE PROMISE IS BROKEN",
    ]


def _parsed(rows: Sequence[tuple[int, str]]) -> list[tuple[int, dict[str, Any]]]:
    return [(seq, json.loads(text)) for seq, text in rows]


def _surplus(values: Sequence[Any]) -> int:
    return sum(count - 1 for count in Counter(values).values())


def _follow(terminal: str, journal: str, texts: Sequence[str]) -> bytes:
    head = hashlib.sha256(f"edge-agent/journal/1\n{terminal}\n{journal}".encode()).digest()
    for text in texts:
        head = hashlib.sha256(head + text.encode()).digest()
    return head


def _signed(terminal: str, journal: str, seal: tuple[int, bytes, str, str]) -> bool:
    last, head, key, signature = seal
    said = f"edge-agent/seal/1\n{terminal}\n{journal}\n{last}\n{head.hex()}".encode()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), said
        )
    except (InvalidSignature, ValueError):
        return False
    return True
