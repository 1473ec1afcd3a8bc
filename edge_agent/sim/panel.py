"""Reads the file that an agent's simulated panel writes: what people at the wall have seen."""

import json
import threading
import time
from pathlib import Path
from typing import Any

_TICK_S = 0.01


class PanelReader:
    """The notices shown so far, from the first on; a line that is not yet whole is left."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pause = threading.Event()

    @property
    def notices(self) -> list[dict[str, Any]]:
        """Every notice, oldest first; keys as in `panel.messages.Notice`, and `at_ns`."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def count(self) -> int:
        """How many notices were shown."""
        try:
            return self._path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def wait(self, count: int, timeout_s: float) -> bool:
        """Wait until at least `count` notices were shown; False if that takes too long."""
        until = time.monotonic() + timeout_s
        while self.count < count:
            if time.monotonic() >= until:
                return False
            self._pause.wait(_TICK_S)
        return True
