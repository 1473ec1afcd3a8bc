"""What staff see and hear: lamps, buzzer, text. One call, `signal(notice)`, for any panel."""

import sys

from edge_agent import config
from edge_agent.panel.console import ConsolePanel, SimulatedPanel
from edge_agent.panel.lights import LightPanel, load_gpio
from edge_agent.panel.several import Panel, Panels, RingPanel

__all__ = ["Panel", "Panels", "RingPanel", "open_panel"]


def open_panel(wanted: config.Panel) -> Panel:
    """The panel that the configuration asks for. Raises PanelError if this machine has none."""
    if wanted.kind == "gpio":
        return LightPanel(load_gpio(), wanted)
    if wanted.kind == "simulated":
        return SimulatedPanel(wanted.file or "")
    return ConsolePanel(sys.stdout)
