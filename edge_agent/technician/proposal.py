"""The lines for ``agent.toml``, and the pins of the board. No device is touched.

Names are free and distinct: not used in the configuration, and no two the same. What the
configuration has already keeps its name.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from edge_agent.config import Config, Gnss, Scanner
from edge_agent.errors import ConfigError
from edge_agent.profile import BoardProfile, GnssProfile, Uart
from edge_agent.technician.model import Candidate, Report

#: The first of a kind, and the stem of the next ones.
_NAMES = {"fingerprint": ("finger", "finger"), "gm65": ("qr", "qr")}
_CARDS = ("front", "card")


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do about a finding.

    Attributes:
        lines: a table of ``agent.toml``.
        note: what else to know, "" for nothing.
    """

    lines: tuple[str, ...]
    note: str = ""


class Names:
    """Proposes; remembers which names are taken."""

    def __init__(self, wanted: Config | None) -> None:
        """Begin with the configuration that there is, if any."""
        self._configured: list[Scanner | Gnss] = list(wanted.scanner) if wanted else []
        if wanted and wanted.gnss:
            self._configured.append(wanted.gnss)
        self._taken = {one.name for one in self._configured}
        self._has_receiver = any(isinstance(one, Gnss) for one in self._configured)

    def configured(self, device: str) -> Scanner | Gnss | None:
        """What the configuration has on this device, whatever it calls the port."""
        return next((one for one in self._configured if _leads_to(one.port, device)), None)

    def propose(self, report: Report) -> Proposal | None:
        """Lines for the first candidate of the report, None if there is no candidate."""
        if report.finding is None:
            return None
        best = report.finding.candidates[0]
        if report.place.captured:
            return Proposal((f'profile = "{best.model.name}"',))
        before = self.configured(report.place.device)
        if isinstance(best.model.profile, GnssProfile):
            return self._receiver(best, report.place.port, before)
        decoder = best.model.profile.decoder
        name = before.name if isinstance(before, Scanner) else self._free(decoder)
        lines = ("[[scanner]]", f'name = "{name}"', *_common(best, report.place.port))
        return Proposal(lines, _known(before, best))

    def _receiver(self, best: Candidate, port: str, before: Scanner | Gnss | None) -> Proposal:
        note = _known(before, best)
        if self._has_receiver and not isinstance(before, Gnss):
            note = "there is a [gnss] already, and a terminal has one"
        self._has_receiver = True
        return Proposal(("[gnss]", *_common(best, port)), note)

    def _free(self, decoder: str) -> str:
        first, stem = _NAMES.get(decoder, _CARDS)
        candidates = (first if number == 1 else f"{stem}{number}" for number in count(1))
        name = next(one for one in candidates if one not in self._taken)
        self._taken.add(name)
        return name


def board_of(model: str, boards: Iterable[BoardProfile]) -> BoardProfile | None:
    """The profile of the computer whose device tree says `model`: the longest one that fits.

    Raises ConfigError if the `model` of one is no expression.
    """
    fit = []
    for board in boards:
        try:
            if re.fullmatch(board.model, model):
                fit.append(board)
        except re.error as error:
            hint = "mend its model, a regular expression"
            raise ConfigError("use the board", board.title, str(error), hint) from None
    return max(fit, key=lambda board: len(board.model), default=None)


def uart_of(device: str, board: BoardProfile | None) -> Uart | None:
    """Which of the board's ports a device is."""
    uarts = board.uart if board else ()
    return next((uart for uart in uarts if _leads_to(uart.device, device)), None)


def _common(best: Candidate, port: str) -> list[str]:
    # A JSON string is a basic string of TOML, but for DEL, which no path of ours has.
    lines = [f"port = {json.dumps(port, ensure_ascii=False)}", f'profile = "{best.model.name}"']
    return lines if best.baud is None else [*lines, f"baud = {best.baud}"]


def _known(before: Scanner | Gnss | None, best: Candidate) -> str:
    if before is None:
        return ""
    if before.profile == best.model.name:
        return f"agent.toml has it already, as {before.name}"
    return f"agent.toml has it already, as {before.name} with the profile {before.profile}"


def _leads_to(port: str, device: str) -> bool:
    return str(Path(port).resolve()) == device
