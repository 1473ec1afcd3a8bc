"""Windows, receipts and published batches for the tests of the window."""

from edge_agent.contract.messages import Receipt
from edge_agent.uplink.window import Window

WAIT_MS = 20_000
BATCH = 10


def window(last_seq: int = 30, upto: int = 0, room: int = 4) -> Window:
    """A window that has just been connected to a broker with as much room."""
    made = Window(last_seq, upto, room, WAIT_MS)
    made.connected(room, 0)
    return made


def receipt(upto: int, *rest: tuple[int, int]) -> Receipt:
    """The central has 1 to `upto`, and these ranges above it."""
    missing, last = [], upto
    for first, end in rest:
        missing.append((last + 1, first - 1))
        last = end
    return Receipt("bungi-1", "00" * 16, upto, "00" * 32, last, tuple(missing))


def publish(made: Window, count: int, now_ms: int = 0) -> list[tuple[int, int]]:
    """So many batches, as messages 1, 2, 3 ..."""
    batches = []
    for _ in range(count):
        chosen = made.next(BATCH)
        assert chosen is not None
        batches.append(chosen)
        made.published(len(batches), *chosen, now_ms)
    return batches


def unsent(made: Window) -> list[tuple[int, int]]:
    return list(made.unsent)
