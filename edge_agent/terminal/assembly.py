"""Puts the agent together from its configuration, runs it, and takes it apart again."""

import logging
import queue
import random
import signal
from contextlib import closing
from functools import partial
from pathlib import Path

from edge_agent import config, profile
from edge_agent.contract import chain
from edge_agent.errors import JournalError
from edge_agent.events import Event, Stop
from edge_agent.evidence.position import Fence
from edge_agent.evidence.track import Track
from edge_agent.journal import Journal, Run, open_journal
from edge_agent.panel import Panel, Panels, RingPanel, open_panel
from edge_agent.ports import files
from edge_agent.ports.clock import open_clock
from edge_agent.ports.control import Control
from edge_agent.ports.systemd import Notifier
from edge_agent.terminal import keys
from edge_agent.terminal.agent import Agent
from edge_agent.terminal.cables import Cables
from edge_agent.terminal.carrying import Carrying
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.disk import until_stored
from edge_agent.terminal.enrolment import Enrolments
from edge_agent.terminal.fingers import Fingers
from edge_agent.terminal.incidents import Incidents
from edge_agent.terminal.keeping import Keeping
from edge_agent.terminal.packing import Identity
from edge_agent.terminal.pipeline import Pipeline
from edge_agent.terminal.presence import Presence
from edge_agent.terminal.punching import Punching
from edge_agent.terminal.starting import start
from edge_agent.terminal.status import status
from edge_agent.terminal.surveying import Surveying
from edge_agent.terminal.timekeeping import keep_time
from edge_agent.uplink import connection
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.window import Window

log = logging.getLogger("edge_agent.terminal")

#: A plug that wobbles for less is no incident.
_PORT_GRACE_MS = 2000
#: Nor is a modem that falls off the bus and comes back, as they do when the network sends them.
_MODEM_GRACE_MS = 30_000
#: Nor is one stray fix.
_PLACE_GRACE_MS = 3000
#: The status file is rewritten so often; it lives in memory.
_STATUS_EVERY_MS = 1000

Inbox = queue.SimpleQueue[Event]


def run(path: Path) -> None:
    """Run the agent of the configuration file `path` until SIGTERM or SIGINT.

    Raises EdgeAgentError for what must be mended before it can run.
    """
    wanted = config.load(path)
    scanners = {one.name: profile.scanner(one.profile) for one in wanted.scanner}
    key = keys.credential_key(Path(wanted.files.credential_key))
    connection.check(wanted.broker)
    inbox: Inbox = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: inbox.put(Stop()))  # put is reentrant
    panel = open_panel(wanted.panel)
    open_it = partial(open_journal, Path(wanted.files.journal), wanted.terminal)
    try:
        if until_stored(lambda: files.lock(lock_file(wanted)), panel, inbox) is None:
            return
        sealer = keys.sealer(Path(wanted.files.seal_key))
        opened = until_stored(open_it, panel, inbox)
        if opened is not None:
            with closing(opened[0]) as journal:
                program = _Program(path, wanted, scanners, key, sealer, inbox, panel, journal)
                program.run(opened[1])
    finally:
        panel.close()


def lock_file(wanted: config.Config) -> Path:
    """The file whose lock says that an agent is running with this journal."""
    return Path(wanted.files.journal + ".lock")


class _Program:
    """One run: every part, wired."""

    def __init__(
        self,
        path: Path,
        wanted: config.Config,
        scanners: dict[str, profile.ScannerProfile],
        key: bytes,
        sealer: chain.Sealer,
        inbox: Inbox,
        panel: Panel,
        journal: Journal,
    ) -> None:
        self._path = path
        self._config = wanted
        self._key = key
        self._sealer = sealer
        self._inbox = inbox
        self._panel = panel
        self._journal = journal
        self._clock = open_clock(wanted.clock)
        self._notifier = Notifier()
        self._next_status_ms = 0
        rules = wanted.rules
        wait_ms = rules.receipt_wait_s * 1000
        room, first = wanted.broker.window, journal.first_seq
        window = Window(journal.last_seq, journal.received(), room, wait_ms, first)
        grace_ms = {
            "scanner": _PORT_GRACE_MS,
            "gnss": _PORT_GRACE_MS,
            "modem": _MODEM_GRACE_MS,
            "moved": _PLACE_GRACE_MS,
            "suspect": _PLACE_GRACE_MS,
            "broker": rules.broker_grace_s * 1000,
        }
        self._incidents = Incidents(journal, grace_ms, window.appended)
        self._timekeeping = keep_time(
            wanted.gnss, journal, self._clock, self._incidents, window.appended
        )
        identity = Identity(wanted.terminal, wanted.broker.topic_root, sealer)
        presence = Presence(wanted, journal, self._clock, identity, window, inbox)
        self._delivery = Delivery(
            journal,
            identity,
            window,
            presence.connect,
            presence.status,
            self._incidents,
            Backoff(
                round(rules.retry_first_s * 1000), round(rules.retry_max_s * 1000), random.Random()
            ),
            rules.central_grace_s * 1000,
            self._clock.stamp,
            presence.today,
            wanted.network.daily_kb,
        )
        self._control = Control(Path(wanted.files.control), inbox)
        self._cables = Cables(wanted, scanners, self._clock, inbox)
        self._shown = Panels([panel, *map(RingPanel, self._cables.rings)])
        self._agent = self._make_agent(window, scanners)

    def run(self, aside: str) -> None:
        """Work until told to stop; `aside` is where a damaged journal went, or ""."""
        if aside:
            log.error("the journal was damaged; it is kept as %s and a new one begun", aside)
            cause = f"damaged, kept as {Path(aside).name}"
            self._incidents.begin("storage", "journal", cause, self._clock.mono_ms())
        begin_run = partial(self._journal.begin_run, self._clock.boot)
        before = until_stored(lambda: (begin_run(),), self._panel, self._inbox)
        if before is None or not until_stored(
            partial(self._begin, *before), self._panel, self._inbox
        ):
            return
        self._cables.start()
        self._control.start()
        self._notifier.ready()
        log.info("ready: %s, %d entries", self._config.terminal, self._journal.last_seq)
        try:
            self._agent.run(self._inbox, self._after_turn)
        finally:
            self._notifier.stopping()
            self._cables.stop()
            self._control.stop()
            self._end()

    def _end(self) -> None:
        """The farewell first: saying goodbye on a dead link may outlast systemd's patience."""
        try:
            self._journal.end_run()
        except JournalError as error:
            log.error("%s", error)  # noqa: TRY400  one clear line
        self._delivery.close()
        self._write_status()

    def _begin(self, before: Run | None) -> bool:
        self._agent.begin(
            start(
                self._path,
                self._config,
                self._journal,
                before,
                self._clock.boot,
                self._sealer.key,
                self._key,
                self._timekeeping.floor_ms,
            )
        )
        return True

    def _make_agent(self, window: Window, scanners: dict[str, profile.ScannerProfile]) -> Agent:
        fingers = Fingers(self._journal, self._incidents, self._key)
        enrolments = Enrolments(
            self._journal,
            fingers,
            scanners,
            self._key,
            self._shown,
            self._cables.order,
            self._control.answer,
            self._clock.stamp,
            window.appended,
        )
        site, rules, journal = self._config.site, self._config.rules, self._journal
        pipeline = Pipeline(scanners, rules.duplicate_s * 1000)
        fence = Fence(site.lat_e7, site.lon_e7, site.radius_m)
        track = Track(fence, rules.fix_age_s * 1000)
        punching = Punching(
            self._config,
            self._journal,
            self._clock,
            pipeline,
            self._delivery,
            self._incidents,
            fingers,
            track,
            self._key,
        )
        return Agent(
            self._config,
            self._journal,
            self._clock,
            self._shown,
            pipeline,
            self._delivery,
            self._incidents,
            fingers,
            enrolments,
            punching,
            track,
            self._timekeeping,
            Keeping(journal, window, rules.keep_days, self._clock.stamp, journal.front.room_bytes),
            Surveying(
                self._journal,
                self._delivery,
                self._clock.stamp,
                rules.survey_s * 1000,
                self._cables.ears,
                files.read_status(Path(self._config.files.status)),
            ),
            Carrying(self._delivery.receiving, self._shown, self._control.answer),
        )

    def _after_turn(self, now_ms: int) -> None:
        self._notifier.alive(now_ms)
        if now_ms >= self._next_status_ms:
            self._next_status_ms = now_ms + _STATUS_EVERY_MS
            self._write_status()

    def _write_status(self) -> None:
        files.write_status(
            Path(self._config.files.status),
            status(
                self._config,
                self._agent,
                self._delivery,
                self._journal,
                self._incidents,
                self._cables.ports,
                self._clock.stamp(),
            ),
        )
