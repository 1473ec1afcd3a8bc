"""Devices that answer from a script, for what the chips of `sim` never do, and wires that fail."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, repeat

from hypothesis import strategies as st

from edge_agent.sim import ef01, pn532_frames

#: Milliseconds after the one before, and bytes.
Messages = list[tuple[int, bytes]]
Twist = Callable[[int, Messages], Messages]

SAM, FIRMWARE, RF, LIST = 0x14, 0x02, 0x32, 0x4A
NOBODY = b"\x00"


def _straight(code: int, messages: Messages) -> Messages:
    return messages


class ScriptedPn532:
    """A PN532 that answers looks for cards of type A from a script, then nobody; the rest well.

    Attributes:
        asked: code and parameters of all commands.
        firmware: what it says it is.
        twist: what it says for what it should have said to a command.
    """

    def __init__(self, cards_of_type_a: Iterable[bytes] = ()) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.firmware = bytes.fromhex("32010607")
        self.twist: Twist = _straight
        self._cards = chain(cards_of_type_a, repeat(NOBODY))

    def __call__(self, told: bytes) -> Iterator[tuple[int, bytes]]:
        buffer = bytearray(told)
        while (heard := pn532_frames.take(buffer)) is not None:
            if heard not in (pn532_frames.ACK, pn532_frames.NACK):
                code, data = heard[1], heard[2:]
                self.asked.append((code, data))
                answer = pn532_frames.frame(bytes([0xD5, code + 1]) + self._answer(code, data))
                yield from self.twist(code, [(1, pn532_frames.ACK), (5, answer)])

    def _answer(self, code: int, data: bytes) -> bytes:
        if code == LIST:
            return next(self._cards) if data[1] == 0 else NOBODY
        return self.firmware if code == FIRMWARE else b""


class ScriptedModule:
    """A fingerprint module that answers each command from a script of its own, the last for ever.

    Attributes:
        asked: the contents of all commands.
        twist: what it says for what it should have said to a command.
    """

    def __init__(self, answers: Mapping[int, Iterable[str]]) -> None:
        """`answers` by code: contents of acknowledgements in hex; what is not there is 00."""
        self.asked: list[bytes] = []
        self.twist: Twist = _straight
        self._answers = {
            code: [bytes.fromhex(one) for one in said] for code, said in answers.items()
        }

    def __call__(self, told: bytes) -> Iterator[tuple[int, bytes]]:
        buffer = bytearray(told)
        while (heard := ef01.take(buffer)) is not None:
            self.asked.append(heard.content)
            code = heard.content[0]
            script = self._answers.get(code, [b"\x00"])
            content = script.pop(0) if len(script) > 1 else script[0]
            yield from self.twist(code, [(20, acknowledgement(content))] if content else [])


def acknowledgement(content: bytes) -> bytes:
    """An acknowledgement from the factory's address."""
    return ef01.packet(ef01.ACK, content, 0xFFFFFFFF)


Arrives = list[tuple[int, bytes]]


def _damaged(message: bytes, bit: int) -> bytes:
    bit %= 8 * len(message)
    return message[: bit // 8] + bytes([message[bit // 8] ^ 1 << bit % 8]) + message[bit // 8 + 1 :]


def _shorter(message: bytes, at: int) -> bytes:
    return message[: at % len(message)] + message[at % len(message) + 1 :]


def _pieces(message: bytes, size: int, gap_ms: int) -> Arrives:
    starts = range(0, len(message), size)
    return [(one // size * gap_ms, message[one : one + size]) for one in starts]


_number, _noise = st.integers(0, 400), st.binary(min_size=1, max_size=30)
#: What may become of a message: what arrives of it, and how late.
TROUBLES: st.SearchStrategy[Callable[[bytes], Arrives]] = st.one_of(
    st.just(lambda message: [(0, message)]),
    st.just(lambda message: []),
    _number.map(lambda bit: lambda message: [(0, _damaged(message, bit))]),
    _number.map(lambda at: lambda message: [(0, message[: at % len(message)])]),
    _number.map(lambda at: lambda message: [(0, _shorter(message, at))]),
    st.integers(0, 900).map(lambda late_ms: lambda message: [(0, message), (late_ms, message)]),
    st.integers(0, 2000).map(lambda late_ms: lambda message: [(late_ms, message)]),
    _noise.map(lambda noise: lambda message: [(0, noise + message)]),
    _noise.map(lambda noise: lambda message: [(0, message + noise)]),
    _noise.map(lambda noise: lambda message: [(0, noise)]),
    st.tuples(st.integers(1, 8), st.integers(0, 40)).map(
        lambda cut: lambda message: _pieces(message, *cut)
    ),
)
