"""What tests of surveys share: the command, a receiver at the site, and what a refusal says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from builders import SMALLEST
from click.testing import CliRunner, Result

from edge_agent.cli import cli
from edge_agent.errors import EdgeAgentError
from edge_agent.sim.gnss import GnssModule, GnssReceiver
from edge_agent.sim.pty import PseudoPort

LATITUDE, LONGITUDE = -5.36944, 122.69396
TYPED = ("--latitude", str(LATITUDE), "--longitude", str(LONGITUDE))
#: The site as it was typed once, some 50 m off.
NEARBY = f"{SMALLEST['site'].partition('latitude')[0]}latitude = -5.3690 # old\nlongitude = 122.694"


def run(*words: object) -> Result:
    """A command, within this process."""
    return CliRunner().invoke(cli, list(map(str, words)))


def failed(result: Result) -> str:
    """The one line of a command that refuses."""
    assert isinstance(result.exception, EdgeAgentError), result.exception or result.output
    return str(result.exception)


@contextmanager
def receiver(port: PseudoPort, **how: Any) -> Iterator[GnssReceiver]:
    """A receiver at the site that says 50 epochs a second."""
    one = GnssReceiver(LATITUDE, LONGITUDE, seed=3, **how)
    with GnssModule(port, one, period_s=0.02):
        yield one
