"""A port's thread with the pipeline behind it, as in the agent, and the profiles made quick."""

import queue
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_agent import profile
from edge_agent.devices import scanner_decoder
from edge_agent.events import Scanned
from edge_agent.ports.clock import Clock
from edge_agent.ports.serial_port import SerialPort
from edge_agent.profile import ScannerProfile
from edge_agent.records import Misread, Scan
from edge_agent.terminal.pipeline import Pipeline

PATIENCE_S = 15.0


def quick(name: str) -> ScannerProfile:
    """A shipped profile, without the pauses that only spare a real module."""
    wanted = profile.scanner(name)
    return replace(
        wanted,
        pn532=replace(wanted.pn532, poll_ms=5),
        fingerprint=replace(wanted.fingerprint, poll_ms=5),
        gone_ms=max(100, min(wanted.gone_ms, 500)),
    )


class Reader:
    """Notes punches as credentials in `scans`, and what could not be read in `misreads`."""

    def __init__(self, path: Path, wanted: ScannerProfile) -> None:
        self.scans: list[str] = []
        self.misreads = 0
        self._clock = Clock()
        self._pipeline = Pipeline({"front": wanted}, 60_000)
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._port = SerialPort(
            "front", str(path), wanted.baud, scanner_decoder(wanted), self._record, self._said.put
        )

    def _record(self, record: Any) -> None:
        if isinstance(record, Scan):
            self._said.put(Scanned("front", record, self._clock.stamp()))
        elif isinstance(record, Misread):
            self._said.put(record)

    def wait(self, done: Callable[[Any], bool], patience_s: float = PATIENCE_S) -> bool:
        """Take what is said until `done` says so; punches are noted on the way."""
        until = time.monotonic() + patience_s
        while (left_s := until - time.monotonic()) > 0:
            try:
                event = self._said.get(timeout=left_s)
            except queue.Empty:
                return False
            if isinstance(event, Scanned) and self._pipeline.take(event) is not None:
                self.scans.append(event.scan.credential)
            self.misreads += isinstance(event, Misread)
            if done(event):
                return True
        return False

    def wait_scan(self, credential: str, patience_s: float) -> bool:
        return self.wait(lambda _: credential in self.scans, patience_s)

    def __enter__(self) -> "Reader":
        self._port.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._port.stop()
