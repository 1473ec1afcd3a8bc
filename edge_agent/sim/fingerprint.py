"""A fingerprint module (ZFM-20, R307, AS608, R503 and kin), 57600 baud 8N1: asked, it answers.

    host    EF01 FFFFFFFF 01 0003 01 0005                  GenImg
    module  EF01 FFFFFFFF 07 0003 00 000A                  a finger is there, after 190 ms
    host    EF01 FFFFFFFF 01 0004 02 01 0008               Img2Tz into CharBuffer 1, 300 ms
    host    EF01 FFFFFFFF 01 0008 04 01 0000 00A2 00B0     Search all of 162 slots
    module  EF01 FFFFFFFF 07 0007 00 0011 006F 008E        slot 17, score 111

Half duplex: commands that come while one is worked on are done after it, Cancel at once. Packets to
another address are not answered; a wrong sum is answered 01, an unknown command FC, a search that
goes beyond the library 0B. With a password other than 0 everything before VfyPwd is answered 21.
Some models say a byte when they have started. An R311 prints debug text before an ack. Synochip
modules say by themselves that a finger woke them: EF01 FFFFFFFF 07 0003 FF 0109.
SetSysPara is refused with 1A, UpImage with 0F; DownChar and the notepad are unknown here.

Sources: GROW R503 manual V1.4.1; Adafruit's and pyfingerprint's libraries; an R311 transcript; for
the times a log of a Synochip module with millisecond stamps, 2021-12-16.
"""

import threading
from collections.abc import Mapping

from edge_agent.sim import ef01
from edge_agent.sim import fingerprint_models as models
from edge_agent.sim.chip import Job, Work
from edge_agent.sim.device import CALM, Device, Faults
from edge_agent.sim.fingerprint_commands import FACTORY_ADDRESS, Commands, Ring
from edge_agent.sim.fingerprint_models import Model
from edge_agent.sim.prints import MESSY, NO_FINGER, Prints
from edge_agent.sim.pty import PseudoPort

RATE_BAUD = 57600
#: Threshold, wetness and dryness in GBK, as an R311 prints them before its ack to GenImg.
DEBUG_TEXT = bytes.fromhex("E3D0D6B5") + b"=64, Wet=32, Dry=32 \n"

_RECEIVE_ERROR = b"\x01"
_WOKEN = b"\xff"
_IMAGES = (models.GEN_IMG, models.GET_IMAGE_EX)


class FingerprintModule:
    """A module with fingers and a library; use it in a `with`.

    Attributes:
        device: what runs it: its faults, and how often it was asked what.
        model: which one it is.
        started: set while it hears commands.
        written: how many commands came that change a module for good, refused ones included.
        debug: whether it prints text before its ack to GenImg.
    """

    def __init__(
        self,
        port: PseudoPort,
        model: Model = models.R307,
        slots: Mapping[int, str] | None = None,
        *,
        password: int = 0,
        debug: bool = False,
        faults: Faults = CALM,
        speed: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Put a module behind `port`, with fingers enrolled in `slots`; `seed` is of its scores."""
        self.model = model
        self.written = 0
        self.debug = debug
        self.device = Device(port, self, rate_baud=RATE_BAUD, speed=speed, faults=faults)
        self._prints = Prints(model.capacity, model.buffers, slots or {}, seed)
        self._commands = Commands(model, self._prints, password, seed)
        self._buffer = bytearray()
        self.started = threading.Event()
        self._asleep = False

    def __enter__(self) -> "FingerprintModule":
        self.device.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.device.stop()

    # --- people -----------------------------------------------------------------------------------

    def press(self, finger: str, held_s: float) -> None:
        """Hold a finger there for `held_s` of real time; returns when it is away."""
        self._wake()
        self._prints.surface.hold(finger, held_s)

    def place(self, finger: str) -> None:
        """Put a finger there until it is lifted; there is room for one."""
        self._prints.surface.place(finger)
        self._wake()

    def lift(self) -> None:
        """Take the finger away."""
        self._prints.surface.lift()

    def blur(self, tries: int, code: int = MESSY) -> None:
        """Let the next `tries` images be such that no features come of them: 06 or 07."""
        self._prints.blurred, self._prints.blur_code = tries, code

    def swap(self, slots: Mapping[int, str], password: int = 0) -> None:
        """Make it another module of the same model; do it while the port is unplugged."""
        self._commands.password = password
        self._commands.address = FACTORY_ADDRESS
        self._commands.forget()
        self.slots.clear()
        self.slots.update(slots)

    # --- what can be seen of it -------------------------------------------------------------------

    @property
    def slots(self) -> dict[int, str]:
        """The library: slot to finger."""
        return self._prints.slots

    @property
    def ring(self) -> Ring | None:
        """How its ring was last set since it has power; None if it was not."""
        return self._commands.ring

    @property
    def exported(self) -> int:
        """How often a template or an image was asked for."""
        return self._commands.exported

    @property
    def touch(self) -> bool:
        """The level of its touch pin."""
        return (self._prints.surface.last is not None) == self.model.touch_high

    # --- the module -------------------------------------------------------------------------------

    @property
    def chatter(self) -> bytes:
        """That it was woken, which nobody asked."""
        return self._ack(_WOKEN)

    def power_on(self) -> Work:
        """Start; until it has started it hears nothing."""
        self._commands.forget()
        self._buffer.clear()
        self.started.clear()
        self._asleep = False
        return self._start()

    def _start(self) -> Work:
        yield self.model.start_s
        self.started.set()
        if self.model.boot:
            yield self.model.boot

    def hear(self, data: bytes) -> list[Job]:
        """Commands to its address."""
        jobs: list[Job] = []
        self._buffer += data if self.started.is_set() else b""
        while (heard := ef01.take(self._buffer)) is not None:
            if heard.address != self._commands.address or heard.pid != ef01.COMMAND:
                continue
            if heard.sound:
                code = heard.content[0]
                work = self._obey(code, heard.content[1:])
                jobs.append(Job(work, code, at_once=code == models.CANCEL))
            else:
                jobs.append(Job(iter([self._ack(_RECEIVE_ERROR)])))
        return jobs

    def _obey(self, code: int, given: bytes) -> Work:
        self.written += code in models.WRITING
        if code in self.model.silent:
            return
        for step in self._commands.answer(code, given):
            if not isinstance(step, bytes):
                yield step
            elif self.debug and code in _IMAGES and step[0] != NO_FINGER:
                yield DEBUG_TEXT + self._ack(step)
            else:
                yield self._ack(step)
        yield from self._after(code)

    def _after(self, code: int) -> Work:
        """What some commands bring about after their ack."""
        data, self._commands.outgoing = self._commands.outgoing, b""
        if data:
            yield ef01.packets(data, self._commands.address)
        if code == models.SLEEP and code in self.model.commands:
            self._asleep = True
        if code == models.SOFT_RST and code in self.model.commands:
            yield from self.power_on()

    def _ack(self, content: bytes) -> bytes:
        return ef01.packet(ef01.ACK, content, self._commands.address)

    def _wake(self) -> None:
        if self._asleep:
            self._asleep = False
            self.device.say(self.chatter)
