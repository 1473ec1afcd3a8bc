"""What a stick brings, and needs, of the running agent: receipts, and a light for who waits."""

from collections.abc import Callable

from edge_agent.errors import JournalError, MessageError
from edge_agent.events import Asked
from edge_agent.panel import Panel
from edge_agent.panel.messages import announce
from edge_agent.ports.control import DONE, REFUSED
from edge_agent.records import Signal
from edge_agent.terminal.receiving import Receiving

_LIGHTS = {one.value: one for one in (Signal.CARRYING, Signal.CARRIED, Signal.UNCARRIED)}


class Carrying:
    """Answers those who export.

    Args:
        receiving: believes a receipt, or not.
        panel: shows when the stick may be pulled.
        answer: tells whoever asked; text and end, see `ports.control`.
    """

    def __init__(
        self, receiving: Receiving, panel: Panel, answer: Callable[[int, str, str], None]
    ) -> None:
        self._receiving = receiving
        self._panel = panel
        self._answer = answer

    def asked(self, asked: Asked, now_ms: int) -> bool:
        """Somebody wants something; False if that is not for us."""
        match asked.words:
            case {"do": "receipt", "receipt": text}:
                self._receipt(asked.caller, text, now_ms)
            case {"do": "light", "show": show} if show in _LIGHTS:
                self._panel.signal(announce(_LIGHTS[show]))
                self._answer(asked.caller, show, DONE)
            case _:
                return False
        return True

    def _receipt(self, caller: int, text: str, now_ms: int) -> None:
        try:
            upto = self._receiving.take_carried(text.encode(errors="replace"), now_ms)
        except (MessageError, JournalError) as error:
            self._answer(caller, str(error), REFUSED)
        else:
            self._answer(caller, f"the central has everything up to entry {upto}", DONE)
