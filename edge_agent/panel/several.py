"""Several panels at once, and the light that a fingerprint module carries as one of them."""

from collections.abc import Callable, Sequence
from typing import Protocol

from edge_agent.events import Order, Show
from edge_agent.panel.messages import Notice


class Panel(Protocol):
    """Anything that shows a notice. `signal` returns at once and never raises."""

    def signal(self, notice: Notice) -> None:
        """Show it; a later notice replaces an earlier one."""

    def close(self) -> None:
        """Dark and silent."""


class RingPanel:
    """The ring around a sensor: the module lights it when it has time between two commands."""

    def __init__(self, order: Callable[[Order], None]) -> None:
        self._order = order

    def signal(self, notice: Notice) -> None:
        self._order(Show(notice.signal))

    def close(self) -> None:
        """The port is closed before this, and with it went the light."""


class Panels:
    """Shows everything on each of its panels."""

    def __init__(self, panels: Sequence[Panel]) -> None:
        self._panels = panels

    def signal(self, notice: Notice) -> None:
        for panel in self._panels:
            panel.signal(notice)

    def close(self) -> None:
        for panel in self._panels:
            panel.close()
