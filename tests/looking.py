"""What the tests of `edge-agent probe` share: a device that talks."""

import threading
from collections.abc import Callable, Sequence

from edge_agent.ports.listing import find
from edge_agent.sim.pty import PseudoPort
from edge_agent.technician.model import Model, Report, models
from edge_agent.technician.probe import probe

MODELS = models(print)
LISTEN_S = 0.3


def by_name(name: str) -> Model:
    return next(one for one in MODELS if one.name == name)


ASKED = [by_name(name) for name in ("gm65", "pn532", "r307", "r503", "zfm20")]


class Ears:
    """A device that says nothing, or always the same, and keeps all that it hears."""

    def __init__(self, port: PseudoPort, says: Callable[[], bytes] = bytes) -> None:
        self.heard = b""
        self._port = port
        self._says = says
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Ears":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self.heard += self._port.read()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self.heard += self._port.read()
            if self._port.is_open and (message := self._says()):
                self._port.write(message)


def look(port: PseudoPort, chosen: Sequence[Model] = MODELS) -> Report:
    (report,) = probe([find(str(port.path))], chosen, LISTEN_S)
    return report


def names(report: Report) -> list[str]:
    assert report.finding is not None, (report.trouble, report.hint)
    return [one.model.name for one in report.finding.candidates]
