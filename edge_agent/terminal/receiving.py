"""What the central sends: receipts, believed only where the chain bears them out, and rosters.

Whatever does not fit is counted by reason and changes nothing.
"""

from collections import Counter, deque

from edge_agent.contract import messages, topics
from edge_agent.errors import MessageError
from edge_agent.journal import Journal
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.packing import Identity
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.window import Window

#: Receipts from which the pace of a long drain is told.
_RECENT = 20


class Receiving:
    """Takes messages for the terminal `identity`; `rejected` counts those that are none.

    Attributes:
        last_receipt_ms: when a receipt was last believed.
        noted: the received mark that a restart would find.
    """

    def __init__(
        self,
        journal: Journal,
        identity: Identity,
        window: Window,
        pace: Pace,
        incidents: Incidents,
        rejected: "Counter[str]",
    ) -> None:
        self.last_receipt_ms: int | None = None
        self.noted = window.upto
        self._journal = journal
        self._identity = identity
        self._window = window
        self._pace = pace
        self._incidents = incidents
        self._rejected = rejected
        self._gains: deque[tuple[int, int]] = deque(maxlen=_RECENT)

    def connected(self, now_ms: int) -> None:
        """A connection began: from here on is told how fast the backlog shrinks."""
        self._gains.clear()
        self._gains.append((now_ms, self._window.received.count))

    def left_ms(self) -> int | None:
        """How long the backlog will take at the pace of the last receipts; None if it stands."""
        if not self._gains:
            return None
        (began_ms, before), (ended_ms, after) = self._gains[0], self._gains[-1]
        if after <= before or ended_ms <= began_ms:
            return None
        return round(self._window.backlog * (ended_ms - began_ms) / (after - before))

    def take(self, topic: str, payload: bytes, now_ms: int) -> None:
        """A message came."""
        _, channel = topics.split(self._identity.topic_root, topic)
        try:
            if channel == topics.RECEIPT:
                self._take_receipt(messages.decode_receipt(payload), now_ms)
            elif channel == topics.ROSTER:
                self._take_roster(messages.decode_roster(payload))
            else:
                raise MessageError("topic", topic)
        except MessageError as error:
            self._rejected[f"{channel or 'topic'}: {error.reason}"] += 1

    def take_carried(self, payload: bytes, now_ms: int) -> int:
        """A receipt that came by hand, and may be old: it adds what its head proves, no more.

        Gives up to where everything is received now. Raises MessageError for a receipt that is not
        ours, JournalError if that cannot be noted.
        """
        receipt = messages.decode_receipt(payload)
        self._check(receipt, now_ms)
        if self._journal.head_at(receipt.upto) is None:
            raise MessageError("head", f"at {receipt.upto} is not known here")
        self._window.carried(receipt.upto)
        self.last_receipt_ms = now_ms
        self.note()
        return self.noted

    def note(self) -> None:
        """Write the received mark. Raises JournalError."""
        upto = self._window.upto
        self._journal.note_received(upto)
        self.noted = upto

    def _check(self, receipt: messages.Receipt, now_ms: int) -> None:
        """Raise MessageError for a receipt that is not about this journal as it stands here."""
        if receipt.terminal != self._identity.terminal:
            raise MessageError("terminal", receipt.terminal)
        if receipt.journal != self._journal.journal:
            raise MessageError("journal", receipt.journal)  # of a journal that ours replaced
        if receipt.last > self._journal.last_seq:
            cause = "the central has entries that it has not"
            self._incidents.begin("tamper", "journal", cause, now_ms)
            raise MessageError("future", f"{receipt.last} is not written yet")
        head = self._journal.head_at(receipt.upto)
        if head is not None and head.hex() != receipt.head:
            cause = f"the central's head at {receipt.upto} differs"
            self._incidents.begin("tamper", "receipt", cause, now_ms)
            raise MessageError("head", f"at {receipt.upto}")

    def _take_receipt(self, receipt: messages.Receipt, now_ms: int) -> None:
        self._check(receipt, now_ms)
        before = self._window.received.count
        self._window.receipt(receipt, now_ms)
        self.last_receipt_ms = now_ms
        if self._window.received.count > before:
            self._pace.grow()
        self._gains.append((now_ms, self._window.received.count))

    def _take_roster(self, roster: messages.Roster) -> None:
        if roster.terminal != self._identity.terminal:
            raise MessageError("terminal", roster.terminal)
        if not self._journal.roster.replace(roster.version, roster.people):
            raise MessageError("version", f"{roster.version} is not newer")
