"""A mobile modem that takes AT commands (3GPP TS 27.007), asked how well it hears the network.

115200 baud, 8N1; of a USB modem any speed. It only answers, but for URCs. Lines: `at`. Read alone:
nothing here dials, sends, or touches a PIN; AT+COPS=? is never said, it takes the data away for
minutes. What is set is the echo and how the operator is written, and both are gone with its power.

    ATE0                                             do not repeat what you are told
    AT+CSQ        +CSQ: 20,99                        -113 dBm + 2 dB a step, 31 and more; 99 unknown
    AT+CEREG?     +CEREG: 2,1,"1A2B","01A2D001",7    n, registration, area, cell, technology
                  +CEREG: 1,"1A2B","01A2D001",7      the same as a URC: without n
    AT+CGREG? AT+CREG?                               GPRS, voice: where that says nothing
    AT+COPS=3,2
    AT+COPS?      +COPS: 0,2,"51010",7               mode, format, operator, technology
    AT+CPSI?      +CPSI: NO SERVICE,Online
          +CPSI: LTE,Online,404-45,0x21F9,322642,453,EUTRAN-BAND40,39275,4,4,-168,-1126,-773,7
          +CPSI: LTE,Online,460-11,0x774B,126375687,303,EUTRAN-BAND1,100,5,0,12,36,42,5
    AT+CESQ       +CESQ: 99,99,255,255,20,45         rxlev, ber, rscp, ecno, rsrq, rsrp

CPSI is SIMCom's. The last four of LTE are RSRQ, RSRP, RSSI and SNR: a SIM7600 says tenths of a dB
(SNR whole ones), an A76xx or SIM767x the indexes of CESQ in the same places. Nobody says which, but
a power in dBm is negative and an index never is, so each RSRP tells what it is. What RSSI and SNR
mean as indexes is not known here, and they are left out.

Sources: 3GPP TS 27.007 sections 7.2, 7.3, 8.5, 8.69, 10.1.20, 10.1.22; SIM7500_SIM7600 AT Command
Manual 1.08; public transcripts of a SIM7600G-H and a SIM767x.
"""

import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from edge_agent.devices.at import AtFramer
from edge_agent.devices.conversation import Ask, Conversation, Pause, Talk, TalkError
from edge_agent.devices.hearing import REGISTERED, Heard, combined, most_telling
from edge_agent.events import Listen, Order
from edge_agent.records import Condition, Reception

#: The first answer through a USB adapter may be this late; a modem that boots answers nothing.
_FIRST_MS = 1500
_TRIES = 3
#: After ATE0: late answers to its repetitions would be taken for those to what comes next.
_SETTLE_MS = 300
_ANSWER_MS = 5000
#: More lines than any answer to what is asked, and the URCs of a bad hour between them.
_MOST_LINES = 50
#: What does not answer as a modem is no tap's trouble, and need not be asked all the time.
_AGAIN_MS = 30_000
_IDLE_MS = 3_600_000

#: NO CARRIER and its like end a call, and there is none: here they are URCs.
_OK, _REFUSALS = "OK", ("ERROR", "+CME ERROR", "+CMS ERROR", "COMMAND NOT SUPPORT")
_FIELD = re.compile(r'(?:^|,)\s*("[^"]*"|[^,]*)')
_NUMBER = re.compile(r"-?[0-9]{1,6}")
_OPERATOR = re.compile(r'"([^"]{1,32})"')


class ModemDecoder(Conversation[str, Reception]):
    """A modem -> Reception: one when its port has opened, and one for each order `Listen`."""

    def __init__(self) -> None:
        super().__init__(AtFramer(), self._converse)
        self._wanted = False
        self._is_idle = False

    def restart(self) -> None:
        super().restart()
        self._wanted = self._is_idle = False

    def order(self, order: Order) -> None:
        if isinstance(order, Listen):
            self._wanted = True
            if self._is_idle:
                self._until_ms = self._now_ms

    def _converse(self) -> Talk:
        try:
            yield from self._introduce()
            yield Condition("")
            while True:
                self._wanted = False
                yield (yield from self._measure())
                while not self._wanted:
                    self._is_idle = True
                    yield Pause(_IDLE_MS)
                    self._is_idle = False
        except TalkError as error:
            yield Condition(str(error))
            yield Pause(_AGAIN_MS)

    def _introduce(self) -> Talk:
        """What another program left in its line may spoil the first command."""
        for _ in range(_TRIES):
            try:
                if (yield from self._ask("ATE0", _FIRST_MS)) is not None:
                    yield Pause(_SETTLE_MS)
                    return
            except TalkError:
                continue
        raise TalkError("it does not answer as a modem does")

    def _measure(self) -> Generator[Any, Any, Reception]:
        heard = [read_csq((yield from self._ask("AT+CSQ")))]
        heard.append((yield from self._registration()))
        yield from self._ask("AT+COPS=3,2")
        heard.append(read_cops((yield from self._ask("AT+COPS?"))))
        cell = read_cpsi((yield from self._ask("AT+CPSI?")))
        if cell.rsrp_dbm is None:
            heard.append(read_cesq((yield from self._ask("AT+CESQ"))))
        # The cell's own power is finer than CSQ's, its technology coarser than the others'.
        return combined([replace(cell, technology=None, registration=None), *heard, cell])

    def _registration(self) -> Generator[Any, Any, Heard]:
        """Of what carries data; voice counts only where neither LTE nor GPRS has anything to say.

        A modem in a 2G cell is not registered for LTE, and says so.
        """
        said = []
        for command in ("AT+CEREG?", "AT+CGREG?", "AT+CREG?"):
            said.append(read_registration((yield from self._ask(command))))
            best = most_telling(said)
            if best.registration in REGISTERED or (
                command == "AT+CGREG?" and best.registration not in (None, "unknown")
            ):
                break
        return best

    def _ask(
        self, command: str, wait_ms: int = _ANSWER_MS
    ) -> Generator[Any, Any, list[str] | None]:
        """The lines that begin with the command's name, without it; None if it was refused.

        Raises TalkError if there is no end to it in time.
        """
        name = command[2:].rstrip("?") + ":"
        said: list[str] = []
        until_ms = self._now_ms + wait_ms
        line = yield Ask(command.encode() + b"\r", wait_ms, _any)
        for _ in range(_MOST_LINES):
            if line == _OK:
                return said
            if line.startswith(_REFUSALS):
                return None
            if line.startswith(name):
                said.append(line.removeprefix(name))
            line = yield Ask(b"", until_ms - self._now_ms, _any)
        raise TalkError("it talks without an end")


def _any(_line: str) -> bool:
    return True


# --- what the lines say; each takes the lines of an answer, None for a refusal --------------------


def read_csq(lines: Sequence[str] | None) -> Heard:
    """The power received. On LTE of all that there is in the band, so no word on the cell."""
    for fields in _each(lines):
        rssi = _number(fields, 0, range(32))
        if rssi is not None:
            return Heard(rssi_dbm=-113 + 2 * rssi)
    return Heard()


def read_registration(lines: Sequence[str] | None) -> Heard:
    """The last answer among them; if there is none the last URC, which tells the same."""
    answer = urc = None
    for fields in _each(lines):
        if _number(fields, 0, range(6)) is not None and _number(fields, 1, range(12)) is not None:
            answer = fields[1:]
        elif _number(fields, 0, range(12)) is not None:
            urc = fields
    said = answer or urc
    if said is None:
        return Heard()
    return Heard.of(_number(said, 0, range(12)), _number(said, 3, range(14)))


def read_cops(lines: Sequence[str] | None) -> Heard:
    """The operator; not registered there is none."""
    for fields in _each(lines):
        found = _OPERATOR.fullmatch(fields[2]) if len(fields) > 2 else None
        if found:
            return Heard.of(None, _number(fields, 3, range(14)), operator=found[1])
    return Heard()


def read_cpsi(lines: Sequence[str] | None) -> Heard:
    """The serving cell, as far as the layout of its technology is known."""
    for mode, *fields in _each(lines):
        if mode.startswith("LTE"):
            technology = "nbiot" if "NB" in mode else "lte"
            return _lte_cell(technology, fields[9:13])
        if mode == "GSM":
            return Heard(technology="gsm", rssi_dbm=_number(fields, 5, range(-120, 0)))
        if mode == "WCDMA":
            return Heard(technology="umts")
        if mode == "NO SERVICE":
            return Heard(registration="none")
    return Heard()


def _lte_cell(technology: str, fields: Sequence[str]) -> Heard:
    """Of RSRQ, RSRP, RSSI and SNR."""
    tenths = _number(fields, 1, range(-1600, -299))
    if tenths is None:
        return Heard(
            technology=technology,
            rsrp_dbm=_rsrp(_number(fields, 1, range(98))),
            rsrq_e1=_rsrq(_number(fields, 0, range(35))),
        )
    rssi, snr = _number(fields, 2, range(-1400, 0)), _number(fields, 3, range(-30, 51))
    return Heard(
        technology=technology,
        rssi_dbm=None if rssi is None else round(rssi / 10),
        rsrp_dbm=round(tenths / 10),
        rsrq_e1=_number(fields, 0, range(-400, 1)),
        snr_e1=None if snr is None else 10 * snr,
    )


def read_cesq(lines: Sequence[str] | None) -> Heard:
    """Power and quality as indexes; those of another technology are 99 or 255."""
    for fields in _each(lines):
        rxlev = _number(fields, 0, range(64))
        return Heard(
            rssi_dbm=None if rxlev is None else -111 + rxlev,
            rsrp_dbm=_rsrp(_number(fields, 5, range(98))),
            rsrq_e1=_rsrq(_number(fields, 4, range(35))),
        )
    return Heard()


def _rsrp(index: int | None) -> int | None:
    return None if index is None else -141 + index


def _rsrq(index: int | None) -> int | None:
    return None if index is None else -200 + 5 * index


def _each(lines: Iterable[str] | None) -> list[list[str]]:
    """The fields of each line, at least one; a string keeps its quotes."""
    return [_FIELD.findall(line.strip()) for line in lines or ()]


def _number(fields: Sequence[str], at: int, allowed: range) -> int | None:
    """The number in a field, zero padded or not; None if there is none, or none that is allowed."""
    found = _NUMBER.fullmatch(fields[at].strip()) if at < len(fields) else None
    return int(found[0]) if found and int(found[0]) in allowed else None
