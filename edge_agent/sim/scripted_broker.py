"""A broker that answers from a script, for what a real one would not do. On 127.0.0.1.

It serves one client after the other, keeps nothing and delivers nothing. What the script does not
mention it answers well; several answers to one kind of packet are given in turn, the last for ever.
"""

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from edge_agent.sim import packets
from edge_agent.sim.packets import Packet, Splitter

_HOST = "127.0.0.1"
_LIMIT_S = 5.0
_ROOM = 65_536

#: What is sent back for a packet of a client that speaks MQTT 5, or does not; None hangs up.
Answer = Callable[[Packet, bool], bytes | None]


def silence(_asked: Packet, _v5: bool) -> bytes:
    """Say nothing."""
    return b""


def hang_up(_asked: Packet, _v5: bool) -> None:
    """End the connection."""
    return


def raw(data: bytes) -> Answer:
    """Say exactly this, whatever it means."""
    return lambda _asked, _v5: data


def connack(reason: int = 0) -> Answer:
    """Accept a client, or refuse it; before MQTT 5 the reasons are 1 to 5."""
    return lambda _asked, v5: packets.packet("CONNACK", bytes([0, reason]) + b"\0" * v5)


def suback(reason: int = 1) -> Answer:
    """Grant each subscription that QoS, or refuse it: 0x80 and above."""
    return lambda asked, v5: packets.packet(
        "SUBACK", asked.body[:2] + b"\0" * v5 + bytes([reason]) * packets.subscriptions(asked, v5)
    )


def puback(reason: int = 0) -> Answer:
    """Acknowledge a PUBLISH of QoS 1, or refuse it, which only MQTT 5 can."""
    return lambda asked, v5: b"" if asked.mid is None else packets.puback(asked.mid, reason, v5=v5)


def disconnect(reason: int) -> Answer:
    """Say why it is over; MQTT 5 only, the client hangs up."""
    return raw(packets.packet("DISCONNECT", bytes([reason])))


_WELL: dict[str, Answer] = {
    "CONNECT": connack(),
    "SUBSCRIBE": suback(),
    "PUBLISH": puback(),
    "PINGREQ": raw(packets.packet("PINGRESP", b"")),
    "DISCONNECT": hang_up,
}


class ScriptedBroker:
    """One that plays `script`: answers by the kind of packet that they are given to.

    Attributes:
        port: where it listens.
        heard: every packet of every client.
        connections: clients so far.
    """

    def __init__(self, script: Mapping[str, Sequence[Answer]] | None = None) -> None:
        self.heard: list[Packet] = []
        self.connections = 0
        self._script = {kind: list(answers) for kind, answers in (script or {}).items()}
        self._listener = socket.create_server((_HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sim-script", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ScriptedBroker":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up and end."""
        self._closed = True
        for one in (self._listener, self._client):
            if one is not None:
                with suppress(OSError):  # the other end was quicker
                    one.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
        self._thread.join(_LIMIT_S)
        self._listener.close()

    def _run(self) -> None:
        while not self._closed:
            with suppress(OSError):  # a client that breaks off is one of the things to play
                self._client, _ = self._listener.accept()
                with self._client:
                    self.connections += 1
                    self._serve(self._client)

    def _serve(self, client: socket.socket) -> None:
        splitter, v5 = Splitter("CONNECT"), False
        while data := client.recv(_ROOM):
            for one in splitter.feed(data):
                self.heard.append(one)
                if one.kind == "CONNECT":
                    _, v5 = packets.who(one)
                said = self._answer(one.kind)(one, v5)
                if said is None:
                    return
                client.sendall(said)

    def _answer(self, kind: str) -> Answer:
        answers = self._script.get(kind)
        if not answers:
            return _WELL.get(kind, silence)
        return answers.pop(0) if len(answers) > 1 else answers[0]
