"""What staff see and hear: lamps, buzzer, text. One call, `signal(notice)`, for any panel."""

import sys
from typing import Protocol

from edge_agent import config
from edge_agent.panel.console import ConsolePanel, SimulatedPanel
from edge_agent.panel.lights import LightPanel, load_gpio
from edge_agent.panel.messages import Notice


class Panel(Protocol):
    """Anything that shows a notice. `signal` returns at once and never raises."""

    def signal(self, notice: Notice) -> None:
        """Show it; a later notice replaces an earlier one."""

    def close(self) -> None:
        """Dark and silent."""


def open_panel(wanted: config.Panel) -> Panel:
    """The panel that the configuration asks for. Raises PanelError if this machine has none."""
    if wanted.kind == "gpio":
        return LightPanel(load_gpio(), wanted)
    if wanted.kind == "simulated":
        return SimulatedPanel(wanted.file or "")
    return ConsolePanel(sys.stdout)
