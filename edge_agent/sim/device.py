"""A device that answers: power from its port, a thread, time that passes, trouble on request.

The chip's work is done step by step, and between any two steps the host may be heard, so a command
can be ended while it runs. Power comes with the plug: when the port is plugged in again the chip
begins as after power-on, whatever it was doing.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isinf
from random import Random

from edge_agent.sim.chip import Chip, Job, Work
from edge_agent.sim.pty import PseudoPort
from edge_agent.sim.wire import Line, Wire

FAST = inf
"""As `speed`: no time passes in the device but what the machine needs."""

_IDLE_S = 0.02
_LEAST_S = 0.001  # a chip that polls for ever shall not take the whole processor
_DRAIN_S = 0.5
_MOVING_S = 0.03  # what the kernel still moves to the host is not seen by a drain


@dataclass(frozen=True, slots=True)
class Faults:
    """Trouble that a device makes; the same seed makes the same trouble. Times are real seconds.

    Attributes:
        noise: largest number of random bytes before a message.
        delay_s: largest extra delay before a message.
        drop: probability that a byte of a message is lost.
        lose: probability that a whole message is lost.
        piece: bytes a write, so that the host reads a message in pieces; 0 for all at once.
        reset: probability that a command ends in a reset of the chip instead of an answer.
        talk_over: probability that, while the host is talking, the device sends its last message
            again or one that nobody asked for.
        cut_after: bytes of traffic, both ways together, after which the port is unplugged, once.
    """

    noise: int = 0
    delay_s: float = 0.0
    drop: float = 0.0
    lose: float = 0.0
    piece: int = 0
    reset: float = 0.0
    talk_over: float = 0.0
    cut_after: int | None = None
    seed: int = 0


CALM = Faults()


@dataclass(slots=True)
class _Doing:
    """Work in progress: when its next step is due, and whether it ends in a reset."""

    work: Work
    code: int | None = None
    due: float = 0.0
    unsaid: bytes | None = None
    doomed: bool = False
    resets: bool = False


class Device:
    """Runs a chip at a port, from a thread, while it is started.

    Attributes:
        asked: how often each command code was heard, since it was made.
        answered: how often each command was worked on to its end.
        powered: how often power came.
        resets: how often the chip was reset by a fault.
    """

    def __init__(
        self,
        port: PseudoPort,
        chip: Chip,
        *,
        rate_baud: int,
        speed: float = 1.0,
        faults: Faults = CALM,
    ) -> None:
        """Put `chip` behind `port`, which need not be plugged in.

        `speed` makes the device's own time pass faster, the pace of its bytes included.
        """
        self.asked: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.powered = self.resets = 0
        self._port = port
        self._chip = chip
        self._speed = speed
        self._rate_baud = None if isinf(speed) else round(rate_baud * speed)
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._plugs = -1
        self._unasked: deque[bytes] = deque()
        self._jobs: deque[_Doing] = deque()
        self._life: _Doing | None = None
        self._said = b""
        self._wanted = faults
        self._begin_trouble()

    @property
    def faults(self) -> Faults:
        """The trouble that it makes; another one begins, with its seed, at the next step."""
        return self._wanted

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._wanted = faults

    def _begin_trouble(self) -> None:
        """Only in the thread, so that what is under way is not counted as part of it."""
        self._faults = faults = self._wanted
        wire = Wire(self._rate_baud, faults.noise, faults.piece, faults.drop)
        self._line = Line(self._write, wire, faults.seed)
        self._random = Random(faults.seed)
        self._cut = False
        self._traffic = 0
        self._talks_over = self._random.random() < faults.talk_over

    def start(self) -> None:
        """Let it run; it has power while its port is plugged in. Does nothing if it runs."""
        if self._thread is None:
            self._stop.clear()
            self._plugs = -1
            self._thread = threading.Thread(target=self._run, name="sim-device", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Take its power and wait for the thread to end."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
            self._thread = None

    def wait_for(self, happened: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `happened`, which looks at the attributes above; False after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(happened, timeout_s)

    def say(self, message: bytes) -> None:
        """Have it send `message` between two steps of whatever it does; from any thread."""
        self._unasked.append(message)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._port.is_plugged:
                self._turn()
            else:
                self._stop.wait(_IDLE_S / 4)

    def _turn(self) -> None:
        self._notice_power()
        heard = self._port.read(self._rest_s())
        self._notice_power()
        if self._wanted is not self._faults:
            self._begin_trouble()
        if heard:
            self._hear(heard)
        self._go_on()

    def _notice_power(self) -> None:
        if self._plugs != self._port.plugs:
            self._plugs = self._port.plugs
            self._traffic = 0
            self._unasked.clear()
            self._power_on()
            with self._changed:
                self.powered += 1
                self._changed.notify_all()

    def _power_on(self) -> None:
        self._jobs.clear()
        self._said = b""
        self._life = _Doing(self._chip.power_on())

    def _doing(self) -> _Doing | None:
        return self._jobs[0] if self._jobs else self._life

    def _rest_s(self) -> float:
        doing = self._doing()
        if self._unasked:
            return 0.0
        return _IDLE_S if doing is None else min(_IDLE_S, max(0.0, doing.due - time.monotonic()))

    def _hear(self, data: bytes) -> None:
        if self._talks_over:
            self._talks_over = False
            unasked = [message for message in (self._said, self._chip.chatter) if message]
            if unasked:
                self._say(self._random.choice(unasked))
        for job in self._chip.hear(data):
            self._accept(job)
        self._count(len(data))

    def _accept(self, job: Job) -> None:
        doing = _Doing(job.work, job.code)
        if job.code is not None:
            self._talks_over = self._random.random() < self._faults.talk_over
            doing.doomed = self._random.random() < self._faults.reset
            doing.resets = doing.doomed and self._random.random() < 0.5  # before it said anything
        if job.at_once:
            self._jobs.clear()
        self._jobs.append(doing)
        self._note(self.asked, job.code)

    def _note(self, counts: Counter[int], code: int | None) -> None:
        if code is not None:
            with self._changed:
                counts[code] += 1
                self._changed.notify_all()

    def _go_on(self) -> None:
        """Do what is due: something to say and what follows it, up to the next wait."""
        while self._unasked:
            self._say(self._unasked.popleft())
        doing = self._doing()
        if doing is None or time.monotonic() < doing.due:
            return
        if doing.resets:
            self._reset()
            return
        while (step := doing.unsaid or next(doing.work, None)) is not None:
            if not isinstance(step, bytes):
                self._pass_time(doing, step)
                return
            if not doing.unsaid and self._comes_late(doing, step):
                return
            doing.unsaid = None
            self._say(step)
        self._finished(doing)

    def _finished(self, doing: _Doing) -> None:
        if doing is self._life:
            self._life = None
        else:
            self._jobs.popleft()
            self._note(self.answered, doing.code)

    def _reset(self) -> None:
        self._power_on()
        with self._changed:
            self.resets += 1
            self._changed.notify_all()

    def _pass_time(self, doing: _Doing, seconds: float) -> None:
        real_s = max(seconds / self._speed, _LEAST_S)
        if doing.doomed:  # in the middle of what takes it time, before the answer
            doing.resets = True
            real_s *= self._random.random()
        doing.due = time.monotonic() + real_s

    def _comes_late(self, doing: _Doing, message: bytes) -> bool:
        late_s = self._random.uniform(0.0, self._faults.delay_s)
        if late_s:
            doing.unsaid, doing.due = message, time.monotonic() + late_s
        return late_s > 0

    def _say(self, message: bytes) -> None:
        self._said = message
        if self._random.random() >= self._faults.lose:
            self._line.send(message, self._stop)

    def _write(self, data: bytes) -> int:
        limit = self._faults.cut_after
        left = None if limit is None or self._cut else max(0, limit - self._traffic)
        sent = self._port.write(data[:left])
        self._count(sent)
        return sent

    def _count(self, size: int) -> None:
        """Count traffic; pull the plug when there was enough, after the host has read its share."""
        self._traffic += size
        limit = self._faults.cut_after
        if limit is not None and not self._cut and self._traffic >= limit:
            self._cut = True
            self._port.drain(_DRAIN_S)
            self._stop.wait(_MOVING_S)
            self._port.drain(_DRAIN_S)
            self._port.unplug()
