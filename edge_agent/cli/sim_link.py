"""`edge-agent sim link`: a network in trouble, between anybody's MQTT client and broker."""

import socket
import threading

import click

from edge_agent.errors import EdgeAgentError
from edge_agent.sim.link import Link
from edge_agent.sim.packets import KINDS
from edge_agent.sim.trouble import DOWN, UP, Fault, Tally, Trouble, What

_COUNT = click.IntRange(0, 1_000_000)
_SPAN = click.FloatRange(0, 86_400)
#: Options that are about packets of one kind: what happens, to what, and which way it goes.
_SINGLE = {
    "lose_puback": (What.LOSE, "PUBACK", DOWN),
    "twice": (What.TWICE, "PUBLISH", UP),
    "refuse": (What.REFUSE, "PUBLISH", UP),
    "forget": (What.FORGET, "PUBLISH", UP),
    "take_over": (What.TAKE_OVER, "PUBLISH", UP),
}


class _Cut(click.ParamType[Fault]):
    name = "KIND:NTH:BYTES"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fault:
        try:
            kind, nth, at, *way = value.split(":")
            up = {"": kind not in ("CONNACK", "PUBACK", "SUBACK"), "up": UP, "down": DOWN}
            if kind not in KINDS[1:] or int(nth) < 1 or int(at) < 0 or len(way) > 1:
                raise ValueError
            return Fault(What.CUT, kind, up["".join(way)], int(nth), at=int(at))
        except (KeyError, ValueError):
            words = "is not such as PUBLISH:3:17, CONNACK:1:2 or PUBLISH:1:0:down"
            self.fail(f"{value!r} {words}", param, ctx)


@click.command()
@click.option("--listen", required=True, metavar="[HOST:]PORT", help="On 127.0.0.1 without HOST.")
@click.option("--to", "target", required=True, metavar="HOST:PORT", help="The broker.")
@click.option("--rate", type=click.IntRange(1, 10**9), help="Bytes a second each way.")
@click.option("--stall", nargs=2, type=_SPAN, default=(0, 0), metavar="EVERY FOR", help="Seconds.")
@click.option("--die-every", type=_SPAN, default=0.0, help="Mean life of a connection, seconds.")
@click.option("--die-share", type=click.FloatRange(0, 1), default=0.0, help="Of connections.")
@click.option("--die-within", type=_SPAN, default=20.0, show_default=True, help="For --die-share.")
@click.option("--half-open", nargs=2, type=_SPAN, metavar="AFTER FOR", help="Seconds, once.")
@click.option("--receive-maximum", type=click.IntRange(1, 65_535), help="In the CONNACK.")
@click.option("--cut", "cuts", type=_Cut(), multiple=True, help="Break inside a packet.")
@click.option("--lose-puback", type=_COUNT, multiple=True, help="Number of it; 0 for all.")
@click.option("--twice", type=_COUNT, multiple=True, help="Number of a PUBLISH; 0 for all.")
@click.option("--refuse", type=_COUNT, multiple=True, help="Likewise, with reason 0x97.")
@click.option("--forget", type=_COUNT, multiple=True, help="Likewise: acknowledge, drop.")
@click.option("--take-over", type=_COUNT, multiple=True, help="Likewise: its session is taken.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the deaths.")
def link(
    listen: str,
    target: str,
    rate: int | None,
    stall: tuple[float, float],
    die_every: float,
    die_share: float,
    die_within: float,
    half_open: tuple[float, float] | None,
    receive_maximum: int | None,
    cuts: tuple[Fault, ...],
    seed: int,
    **numbers: tuple[int, ...],
) -> None:
    """Stand between an MQTT client and its broker, and be as bad a network as is asked.

    Packets are counted over all connections. What is done is said as it is done; at the end, which
    is Ctrl-C, what has passed. TLS passes unread: then only --rate, --stall, --die-* and
    --half-open do anything.
    """
    faults = [*cuts]
    for option, (what, kind, up) in _SINGLE.items():
        faults += [Fault(what, kind, up, max(1, n), int(n > 0)) for n in numbers[option]]
    trouble = Trouble(
        tuple(faults), rate, *stall, die_every, die_share, die_within, receive_maximum, seed
    )
    (host, port), (to_host, to_port) = _address(listen, "--listen"), _address(target, "--to")
    unheard = threading.Event()

    def tell(line: str) -> None:
        try:
            click.echo(line)
        except OSError:  # the link's thread must not end by it
            unheard.set()

    try:
        to = socket.gethostbyname(to_host)
        one = Link(to_port, port, trouble, host=host, target_host=to, tell=tell)
    except OSError as error:
        cause = error.strerror or str(error)
        hint = "name a free port of this machine, and a broker by name or IPv4 address"
        raise EdgeAgentError("forward", f"{listen} to {target}", cause, hint) from None
    with one:
        click.echo(f"from {host}:{one.port} to {target}; Ctrl-C ends it")
        try:
            _stand(one, half_open, unheard)
            click.echo()  # and fails, as it did before
        except KeyboardInterrupt:
            for line in _summary(one.tally, one):
                click.echo(line)


def _stand(one: Link, half_open: tuple[float, float] | None, unheard: threading.Event) -> None:
    """Until nobody hears what is said."""
    if half_open and not unheard.wait(half_open[0]):
        one.swallow()
        click.echo(f"half-open for {half_open[1]:g} s")
        unheard.wait(half_open[1])
        one.mend()
        click.echo("mended")
    unheard.wait()


def _summary(tally: Tally, one: Link) -> list[str]:
    lines = ["", f"{one.connections} connections, {one.bytes_up} bytes up, {one.bytes_down} down"]
    for (up, kind), count in sorted(tally.packets.items(), key=lambda item: (not item[0][0], item)):
        size = tally.sizes[up, kind]
        lines.append(f"  {'up' if up else 'down':4}  {kind:11} {count:8} {size:12} bytes")
    lines += [f"  {what}: {count}" for what, count in sorted(tally.done.items())]
    return lines


def _address(text: str, option: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 <= int(port) < 65_536):
        raise click.BadParameter(f"{text!r} has no port from 0 to 65535", param_hint=option)
    return host or "127.0.0.1", int(port)
