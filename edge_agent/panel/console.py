"""Panels for machines without pins: text on a terminal, or lines in a file for a test to read."""

import contextlib
import json
import os
import time
from dataclasses import asdict
from typing import TextIO

from edge_agent.errors import PanelError
from edge_agent.panel.messages import Notice


class ConsolePanel:
    """A line of text for each notice."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def signal(self, notice: Notice) -> None:
        top, bottom = notice.lines
        try:
            self._out.write(f"[{notice.signal.value:7}] {top:16} | {bottom}\n")
            self._out.flush()
        except (OSError, ValueError):
            return  # nobody is looking any more; the punch is stored all the same

    def close(self) -> None:
        """Nothing to put out."""


class SimulatedPanel:
    """A JSON line for each notice, appended to a file in one write.

    What is in the file was shown, even if the agent is killed in the next instant. `at_ns` is
    CLOCK_MONOTONIC. Raises PanelError if the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            cause = error.strerror or str(error)
            raise PanelError("open the simulated panel", path, cause, "check panel.file") from None

    def signal(self, notice: Notice) -> None:
        line = json.dumps({**asdict(notice), "at_ns": time.monotonic_ns()}) + "\n"
        with contextlib.suppress(OSError):  # nothing is shown; the punch is stored all the same
            os.write(self._file, line.encode())

    def close(self) -> None:
        os.close(self._file)
