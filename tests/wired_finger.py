"""The host's side of a fingerprint module: packets of logs and manuals, a module at work."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from wired import PATIENCE_S, Host, host

from edge_agent.sim.device import FAST
from edge_agent.sim.fingerprint import FingerprintModule
from edge_agent.sim.fingerprint_models import AS608, R307, Model
from edge_agent.sim.pty import PseudoPort

HEAD = "EF01FFFFFFFF"


def packet(content: str, pid: str = "01", address: str = "FFFFFFFF") -> str:
    """A packet of these bytes, for those of which no capture is at hand."""
    told = bytes.fromhex(content)
    body = bytes.fromhex(pid) + (len(told) + 2).to_bytes(2, "big") + told
    return f"EF01{address}{body.hex()}{sum(body):04X}".upper()


def ack(content: str) -> str:
    """An ack of these bytes."""
    return packet(content, "07")


# Log of an LD/Synochip module with time stamps, 2021-12-16.
READ_SYS_PARA = HEAD + "0100030F0013"
TEMPLETE_NUM = HEAD + "0100031D0021"
IMG_2_TZ_1 = HEAD + "01000402010008"
REG_MODEL, MISMATCH = HEAD + "010003050009", HEAD + "0700030A0014"
STORE_1_0 = HEAD + "01000606010000000E"
DELET_CHAR_1_1 = HEAD + "0100070C000100010016"
EMPTY = HEAD + "0100030D0011"
OK = HEAD + "07000300000A"
LD_MODULE = Model("LD", 100, 0x2EC8, b"\x55", commands=AS608.commands)
# The same, put together by the manual.
GEN_IMG, NO_FINGER = packet("01"), ack("02")
IMG_2_TZ_2, VFY_PWD, MATCH = packet("0202"), packet("1300000000"), packet("03")
SEARCH, MISS = packet("04010000000A"), HEAD + "07000709000000000017"
UNKNOWN = ack("FC")


@contextmanager
def started(
    port: PseudoPort,
    model: Model = R307,
    slots: Mapping[int, str] | None = None,
    *,
    password: int = 0,
    speed: float = FAST,
    seed: int = 0,
) -> Iterator[tuple[FingerprintModule, Host]]:
    """A module that has started; its boot byte, if it has one, is read."""
    with host(port, 57600) as one:
        module = FingerprintModule(port, model, slots, password=password, speed=speed, seed=seed)
        with module:
            starting(module, one)
            yield module, one


def starting(module: FingerprintModule, one: Host) -> None:
    """Wait until it has started."""
    if module.model.boot:
        one.expect("55")
    else:
        assert module.started.wait(PATIENCE_S)


def identify(one: Host) -> str:
    """Image, features, search of the first ten slots; the content of the last ack in hex."""
    one.ask(GEN_IMG, OK)
    one.ask(IMG_2_TZ_1, OK)
    one.say(SEARCH)
    return one.hear(16)[18:-4]
