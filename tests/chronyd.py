"""A real chronyd that never touches this machine's clock, with sockets and files of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import ROOT

from edge_agent.ports.chrony import RefClock

#: Where scripts/test unpacks it: installed, it would take the place of this machine's time service.
UNPACKED = ROOT / ".venv" / "chrony"
_PATH = f"{UNPACKED}/usr/sbin:{UNPACKED}/usr/bin:/usr/sbin:/usr/bin"
#: Four measurements a second, each for itself: what takes half a minute on a terminal takes one.
HURRIED = "poll -2 filter 1"
_LIMIT_S = 30


def program(name: str) -> str:
    """Where chronyd or chronyc is; skips the test if there is none, or none that can run."""
    found = shutil.which(name, path=_PATH)
    if not found:
        pytest.skip(f"there is no {name} here: scripts/test fetches it where apt-get can")
    said = subprocess.run([found, "-v"], check=False, capture_output=True, text=True)
    if said.returncode:
        pytest.skip(f"{found} does not run here: {said.stderr.strip()}")
    return found


class Chronyd:
    """One chronyd with a refclock for each name; what it makes of them is asked by chronyc.

    `refclocks` gives each one's options, beside socket and refid.
    """

    def __init__(self, refclocks: Mapping[str, str]) -> None:
        self._chronyd, self._chronyc = program("chronyd"), program("chronyc")
        self._folder = tempfile.TemporaryDirectory(prefix="chronyd-")
        self.folder = Path(self._folder.name)
        self._refclocks = refclocks
        self._clocks = {name: RefClock(self.socket(name)) for name in refclocks}

    def socket(self, name: str) -> Path:
        return self.folder / f"{name}.sock"

    def start(self) -> None:
        lines = [
            f"refclock SOCK {self.socket(name)} refid {name} {options}"
            for name, options in self._refclocks.items()
        ]
        lines += ["port 0", "cmdport 0", f"bindcmdaddress {self.folder}/command/sock"]
        lines += [f"pidfile {self.folder}/pid", "maxupdateskew 100"]
        (self.folder / "conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        user = pwd.getpwuid(os.getuid()).pw_name
        command = [self._chronyd, "-x", "-d", "-U", "-u", user, "-f", self.folder / "conf"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait(lambda: all(self.socket(name).exists() for name in self._refclocks))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def __enter__(self) -> "Chronyd":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self._folder.cleanup()

    def feed(self, offsets_ns: Mapping[str, int], until: Callable[[], bool]) -> None:
        """Offer each refclock a time that is so much ahead of the system clock, again and again."""

        def done() -> bool:
            for name, offset_ns in offsets_ns.items():
                self._clocks[name].offer(time.time_ns(), offset_ns)
            return until()

        self.wait(done)

    def wait(self, until: Callable[[], bool]) -> None:
        """Look again every 50 ms until something is true: chronyd tells nobody by itself."""
        limit, pause = time.monotonic() + _LIMIT_S, threading.Event()
        while not until():
            assert time.monotonic() < limit, (self.folder / "log").read_text("utf-8")
            assert self._process.poll() is None, (self.folder / "log").read_text("utf-8")
            pause.wait(0.05)

    def ask(self, what: str) -> str:
        """What chronyc says to this word; "" while chronyd is not listening."""
        command = [self._chronyc, "-h", self.folder / "command" / "sock", "-n", *what.split()]
        return subprocess.run(command, check=False, capture_output=True, text=True).stdout

    def states(self) -> dict[str, str]:
        """How each refclock stands: * leads, + helps, - is left out, x contradicted, ? unused."""
        rows = [line.split(",") for line in self.ask("-c sources").splitlines()]
        return {name: state for _, state, name, *_ in rows}
