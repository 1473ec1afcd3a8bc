"""A mobile modem at a serial port that takes AT commands, from 3GPP TS 27.007 and SIMCom's manuals.

It echoes until it hears ATE0, and begins each line of an answer with CR LF and ends it so:

    host   AT+CEREG?<CR>
    modem  AT+CEREG?<CR> <CR><LF>+CEREG: 2,1,"1A2B","01A2D001",7<CR><LF> <CR><LF>OK<CR><LF>

Three kinds: a SIM7600 writes the power of the cell in tenths of a dBm in the answer to AT+CPSI?, an
A76xx as indexes, and a bare modem has no such command but AT+CESQ. A modem may say something that
nobody asked for between command and answer; `urcs` says how often this one does. What it is asked
for and does not know, or must not be asked (AT+COPS=?, which would scan), it refuses.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from edge_agent.sim.chip import Job, Work
from edge_agent.sim.device import CALM, Device, Faults
from edge_agent.sim.pty import PseudoPort

RATE_BAUD = 115_200
#: Power-on to the first word, by SIMCom ten seconds and more; here short enough to wait for.
_BOOT_S = 0.3
_BRIEF_S, _SLOW_S = 0.01, 0.05
_LONGEST = 200
_UNKNOWN_COMMAND, _NO_SIM = "ERROR", "+CME ERROR: 10"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an antenna hears. Powers in dBm, quality in dB; None where nothing is heard.

    Attributes:
        lte, gprs, voice: numbers of registration by TS 27.007 7.2.
        technology: number by 7.3.
        sim: whether there is a SIM in it.
    """

    lte: int
    gprs: int
    voice: int
    operator: str = ""
    technology: int = 7
    rssi: int | None = None
    rsrp: int | None = None
    rsrq: float | None = None
    snr: int = 0
    sim: bool = True


RECEPTIONS = {
    "good": Conditions(1, 1, 1, "51010", 7, -63, -88, -8.5, 18),
    "weak": Conditions(1, 1, 1, "51010", 7, -101, -121, -17.0, -2),
    "roaming": Conditions(5, 5, 5, "51011", 7, -83, -104, -11.5, 9),
    "2g": Conditions(0, 1, 1, "51001", 3, -91),
    "searching": Conditions(2, 2, 2, rssi=-109),
    "denied": Conditions(3, 3, 3, rssi=-79),
    "none": Conditions(0, 0, 0),
    "no-sim": Conditions(0, 0, 0, sim=False),
}
MODELS = ("sim7600", "a7670", "bare")


class Modem:
    """A modem; use it in a `with`.

    Attributes:
        device: what runs it, its faults.
        here: the conditions, to be changed at any time.
        told: the commands that it heard, without their AT, and how often.
    """

    chatter = b"\r\nRING\r\n"

    def __init__(
        self,
        port: PseudoPort,
        model: str = "sim7600",
        here: Conditions = RECEPTIONS["good"],
        *,
        urcs: float = 0.0,
        faults: Faults = CALM,
        speed: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Put a modem of `model` behind `port`; `urcs` is the probability of each before a line."""
        self.device = Device(port, self, rate_baud=RATE_BAUD, speed=speed, faults=faults)
        self.here = here
        self.told: Counter[str] = Counter()
        self._model = model
        self._urcs = urcs
        self._random = Random(seed)
        self._buffer = b""
        self._echo = self._on = True
        self._numeric = False
        self._answers: dict[str, Callable[[], Iterator[str]]] = {
            "": lambda: iter(()),
            "+CSQ": self._csq,
            "+CEREG?": lambda: self._registered("+CEREG", self.here.lte),
            "+CGREG?": lambda: self._registered("+CGREG", self.here.gprs),
            "+CREG?": lambda: self._registered("+CREG", self.here.voice),
            "+COPS?": self._cops,
            "+CESQ": self._cesq,
        }
        if model != "bare":
            self._answers["+CPSI?"] = self._cpsi

    def __enter__(self) -> "Modem":
        self.device.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.device.stop()

    # --- the chip ---------------------------------------------------------------------------------

    def power_on(self) -> Work:
        """It forgets what it was told, and after a while says that it is there."""
        self._buffer, self._echo, self._on, self._numeric = b"", True, False, False
        return self._boot()

    def _boot(self) -> Work:
        yield _BOOT_S
        self._on = True
        yield _line("RDY")
        yield _line("SMS DONE")

    def hear(self, data: bytes) -> list[Job]:
        """Commands end with CR; one that has no AT in front is not answered."""
        if not self._on:
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\r")
        self._buffer = self._buffer[-_LONGEST:]
        jobs = []
        for line in lines:
            echo = line + b"\r" if self._echo else b""
            text = line.decode("ascii", "replace").strip().upper()
            if text.startswith("AT"):
                self.told[text[2:]] += 1
                self._echo = self._echo and not text.startswith("ATE0")
                jobs.append(Job(self._obey(text[2:], echo), code=0))
            elif echo:
                jobs.append(Job(iter([echo])))
        return jobs

    def _obey(self, command: str, echo: bytes) -> Work:
        if echo:
            yield echo
        yield _SLOW_S if command == "+COPS?" else _BRIEF_S
        for line in self._outcome(command):
            yield from self._unasked()
            yield _line(line)

    def _outcome(self, command: str) -> list[str]:
        if command in ("E0", "E1"):
            self._echo = command == "E1"
            return ["OK"]
        if command == "+COPS=3,2":
            self._numeric = True
            return ["OK"]
        if not self.here.sim and command in ("+CEREG?", "+CGREG?", "+CREG?", "+COPS?"):
            return [_NO_SIM]
        answer = self._answers.get(command)
        return [_UNKNOWN_COMMAND] if answer is None else [*answer(), "OK"]

    def _unasked(self) -> Iterator[bytes]:
        """In the wrong moment, as the network pleases."""
        here = self.here
        urcs = (
            *(f"+CEREG: {here.lte}", f'+CGREG: {here.gprs},"00A1","0000B2C3"'),
            *(f"+CREG: {here.voice}", "NO CARRIER", "RING", "+CNTI: LTE", "*PSUTTZ: 26,1"),
        )
        for urc in urcs:
            if self._random.random() < self._urcs:
                yield _line(urc)

    # --- answers ----------------------------------------------------------------------------------

    def _csq(self) -> Iterator[str]:
        rssi = self.here.rssi
        yield f"+CSQ: {99 if rssi is None else min(31, max(0, (rssi + 113) // 2))},99"

    def _registered(self, name: str, state: int) -> Iterator[str]:
        yield f"{name}: 0,{state}"

    def _cops(self) -> Iterator[str]:
        here = self.here
        written = f'2,"{here.operator}"' if self._numeric else f'0,"operator {here.operator}"'
        yield f"+COPS: 0,{written},{here.technology}" if here.operator else "+COPS: 0"

    def _cesq(self) -> Iterator[str]:
        here = self.here
        if here.rsrp is None:
            rxlev = 99 if here.rssi is None else min(63, max(0, here.rssi + 111))
            yield f"+CESQ: {rxlev},99,255,255,255,255"
        else:
            yield f"+CESQ: 99,99,255,255,{self._quality()},{here.rsrp + 141}"

    def _cpsi(self) -> Iterator[str]:
        here = self.here
        network = f"{here.operator[:3]}-{here.operator[3:]}"
        if not here.operator:
            yield "+CPSI: NO SERVICE,Online"
        elif here.rsrp is None:
            yield f"+CPSI: GSM,Online,{network},0x182d,12401,27 EGSM 900,{here.rssi},2110,42-42"
        else:
            cell = f"+CPSI: LTE,Online,{network},0x5A1E,187214780,257,EUTRAN-BAND3,1850,5,5"
            yield f"{cell},{','.join(map(str, self._cell()))}"

    def _cell(self) -> tuple[int, ...]:
        """RSRQ, RSRP, RSSI and SNR, each model in its own way."""
        here = self.here
        rsrp, rssi = here.rsrp or 0, here.rssi or 0
        if self._model == "sim7600":
            return round(10 * (here.rsrq or 0)), 10 * rsrp, 10 * rssi, here.snr
        return self._quality(), rsrp + 141, rssi + 111, max(0, here.snr // 2 + 10)

    def _quality(self) -> int:
        """RSRQ as an index: half a dB a step, 0 is -20 dB."""
        return round(2 * ((self.here.rsrq or 0) + 20))


def _line(text: str) -> bytes:
    return f"\r\n{text}\r\n".encode("ascii")


@contextmanager
def standing(path: Path | str, model: str, reception: str) -> Iterator[Modem]:
    """A modem at a pseudo-terminal made at `path`, and removed afterwards.

    Raises EdgeAgentError if the port cannot be made.
    """
    with PseudoPort(path) as port, Modem(port, model, RECEPTIONS[reception], urcs=0.1) as modem:
        yield modem
