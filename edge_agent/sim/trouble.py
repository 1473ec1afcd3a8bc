"""What can be wrong with a link, as data, and what becomes of the packets that pass it. Pure.

Packets are counted over all connections of a link, each kind and direction by itself, from the
moment its trouble began. What is not MQTT (TLS, for one) passes as it comes: then only rate,
stalls and deaths do harm.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from edge_agent.sim import packets
from edge_agent.sim.packets import Packet, Splitter

#: MQTT 5, 3.4.2.1: the quota of the broker or of the client is exceeded.
QUOTA_EXCEEDED = 0x97
#: Where packets go: to the broker, and back.
UP, DOWN = True, False


class What(Enum):
    """What a `Fault` does to a packet.

    CUT passes some bytes of it and breaks the connection; LOSE swallows it; TWICE passes it and a
    copy that is marked as sent before; REFUSE and FORGET answer a PUBLISH of QoS 1 themselves, with
    a reason or as if all were well, and do not pass it on; TAKE_OVER lets another client connect
    to the broker with the same client id once it has passed.
    """

    CUT = "cut"
    LOSE = "lost"
    TWICE = "sent twice"
    REFUSE = "refused"
    FORGET = "acknowledged and forgotten"
    TAKE_OVER = "session taken over"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to which packets.

    Attributes:
        kind: one of `packets.KINDS`.
        up: towards the broker, else back.
        nth, times: the first of them, and how many in a row; 0 times is all that follow.
        at: bytes that a CUT lets pass.
        reason: of a REFUSE.
    """

    what: What
    kind: str
    up: bool = UP
    nth: int = 1
    times: int = 1
    at: int = 0
    reason: int = QUOTA_EXCEEDED

    def meets(self, kind: str, up: bool, count: int) -> bool:
        """Whether it happens to packet number `count` of that kind and direction."""
        late = self.times and count >= self.nth + self.times
        return (kind, up) == (self.kind, self.up) and count >= self.nth and not late


@dataclass(frozen=True, slots=True)
class Trouble:
    """A link that is weak, or worse; by default it is sound.

    Attributes:
        faults: of single packets.
        rate: bytes a second each way, all connections together; None for no limit.
        stall_every_s, stall_s: after so long nothing passes for so long, again and again; 0, never.
        die_every_s: connections live so long on average, exponentially distributed; 0 for ever.
        die_share, die_within_s: this share of them, 0 to 1, dies at any instant within so long.
        receive_maximum: what the broker's CONNACK allows a client of MQTT 5; None for its own word.
        seed: of the deaths.
    """

    faults: tuple[Fault, ...] = ()
    rate: int | None = None
    stall_every_s: float = 0.0
    stall_s: float = 0.0
    die_every_s: float = 0.0
    die_share: float = 0.0
    die_within_s: float = 20.0
    receive_maximum: int | None = None
    seed: int = 0


@dataclass(slots=True)
class Tally:
    """What has passed a link, and what was done to it.

    Attributes:
        packets: by direction and kind, as they came, `packets.OTHER` for bytes that are none.
        sizes: their bytes, likewise.
        done: how often each thing was done.
        in_flight: the most messages of QoS 1 or 2 that one client had sent without an answer, since
            the trouble began.
    """

    packets: Counter[tuple[bool, str]] = field(default_factory=Counter)
    sizes: Counter[tuple[bool, str]] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0


@dataclass(slots=True)
class Course:
    """The trouble of a link and how far it has come; `seen` is of this trouble, `tally` of all.

    Attributes:
        watch: told of every packet as it comes, before anything is done to it: upwards or not, and
            the packet.
    """

    trouble: Trouble
    seen: Counter[tuple[bool, str]] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)
    watch: Callable[[bool, Packet], None] = lambda _up, _one: None


@dataclass(slots=True)
class Act:
    """What to do: bytes to send each way, whether the connection breaks then, what to say of it.

    Attributes:
        taken_over: the client id, and whether it speaks MQTT 5, of a session to take over.
    """

    up: bytes = b""
    down: bytes = b""
    over: bool = False
    taken_over: tuple[str, bool] | None = None
    said: list[str] = field(default_factory=list)

    def send(self, up: bool, data: bytes) -> None:
        if up:
            self.up += data
        else:
            self.down += data


class Passage:
    """One connection's way through the trouble."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._streams = {UP: Splitter("CONNECT"), DOWN: Splitter("CONNACK", "AUTH", "DISCONNECT")}
        self._client, self._v5 = "", False
        self._unanswered: set[int] = set()

    def heard(self, up: bool, data: bytes) -> Act:
        """What becomes of `data` that came from one side."""
        act = Act()
        for one in self._streams[up].feed(data):
            self._count(up, one)
            self._pass(up, one, act)
            if act.over:
                break
        return act

    def ended(self, up: bool) -> bytes:
        """What is still to be sent on of a side that has ended: half a packet perhaps."""
        return self._streams[up].rest()

    def _count(self, up: bool, one: Packet) -> None:
        tally = self._course.tally
        tally.packets[up, one.kind] += 1
        tally.sizes[up, one.kind] += len(one.raw)
        self._course.seen[up, one.kind] += 1
        self._course.watch(up, one)
        if up and one.kind == "CONNECT":
            self._client, self._v5 = packets.who(one)
        elif up and one.kind == "PUBLISH" and one.mid is not None:
            self._unanswered.add(one.mid)
            tally.in_flight = max(tally.in_flight, len(self._unanswered))

    def _pass(self, up: bool, one: Packet, act: Act) -> None:
        trouble, count = self._course.trouble, self._course.seen[up, one.kind]
        out = one.raw
        if one.kind == "CONNACK" and not up and self._v5 and trouble.receive_maximum:
            out = packets.allow(one, trouble.receive_maximum)
            self._course.tally.done[f"Receive Maximum {trouble.receive_maximum}"] += 1
        for fault in trouble.faults:
            if fault.meets(one.kind, up, count):
                out = self._suffer(fault, one, out, act)
        if out and not up and one.kind in ("PUBACK", "PUBREC") and one.mid is not None:
            self._unanswered.discard(one.mid)  # one that is lost answers nobody
        act.send(up, out)

    def _suffer(self, fault: Fault, one: Packet, out: bytes, act: Act) -> bytes:
        """Do it, and give what is left to pass on."""
        way = "up" if fault.up else "down"
        said = f"{one.kind} {way} {fault.what.value}"
        match fault.what:
            case What.CUT:
                said += f" after {min(fault.at, len(out))} of {len(out)} bytes"
                out, act.over = out[: fault.at], True
            case What.LOSE:
                out = b""
            case What.TWICE:
                out += packets.again(one)
            case What.REFUSE | What.FORGET:
                if one.kind != "PUBLISH" or one.mid is None or one.qos != 1:
                    return out
                reason = fault.reason if fault.what is What.REFUSE else 0
                act.send(not fault.up, packets.puback(one.mid, reason, v5=self._v5))
                self._unanswered.discard(one.mid)
                out = b""
            case What.TAKE_OVER:
                if not self._client:  # the broker gave it a name, and nobody else knows it
                    return out
                act.taken_over = self._client, self._v5
        act.said.append(said)
        self._course.tally.done[f"{one.kind} {way} {fault.what.value}"] += 1
        return out
