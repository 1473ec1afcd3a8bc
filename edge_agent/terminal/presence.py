"""How the terminal shows itself to the broker: its connections, its status, its last will."""

import queue
from zoneinfo import ZoneInfo

from edge_agent import __version__
from edge_agent.config import Config
from edge_agent.contract import messages, topics
from edge_agent.events import Event
from edge_agent.journal import Journal
from edge_agent.ports.clock import Clock
from edge_agent.ranges import Ranges
from edge_agent.terminal.packing import Identity
from edge_agent.terminal.today import today
from edge_agent.uplink.connection import Connection
from edge_agent.uplink.window import Window


class Presence:
    """What delivery needs to know of this terminal to speak for it."""

    def __init__(
        self,
        wanted: Config,
        journal: Journal,
        clock: Clock,
        identity: Identity,
        window: Window,
        inbox: "queue.SimpleQueue[Event]",
    ) -> None:
        self._config = wanted
        self._journal = journal
        self._clock = clock
        self._identity = identity
        self._window = window
        self._inbox = inbox

    def connect(self, link: int) -> Connection:
        """Begin connection number `link`. Raises ConfigError for files that are gone."""
        topic = self._identity.topic
        return Connection(
            link,
            self._config.broker,
            self._config.terminal,
            (topic(topics.STATUS), self.status("offline")),
            (topic(topics.RECEIPT),),
            self._inbox.put,
        )

    def status(self, state: str) -> bytes:
        """The status message for ``online`` or ``offline``."""
        return messages.encode_status(
            messages.Status(
                self._config.terminal,
                self._journal.journal,
                state,
                self._clock.stamp().utc_ms,
                self._journal.last_seq,
                __version__,
                self._clock.boot,
                self._identity.sealer.key,
                self._config.site.id,
                self._journal.first_seq,
            )
        )

    def today(self) -> Ranges:
        """Which entries go before older ones."""
        zone = ZoneInfo(self._config.site.zone)
        return today(self._journal, self._window.upto, self._clock.stamp(), zone)
