"""What hangs on which port: every port is listened to, then asked, and left as it was.

Listening comes first, at each speed that is usual, because a device that talks needs no question.
Only where nothing talked is something said, and then nothing but the `identify.ask` of the
profiles, one after the other, with silence between them. What another program has open is left to
it. Opening a port raises its DTR and RTS, once (`ports.visit`). A file of captured bytes is as good
as a port; it is only listened to.
"""

import errno
import re
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from edge_agent.ports import listing
from edge_agent.ports.listing import Listed
from edge_agent.ports.visit import Visit
from edge_agent.technician.ear import Ear
from edge_agent.technician.look import Look
from edge_agent.technician.model import Model, Report, shown
from edge_agent.technician.question import recognise

_MOST_OF_A_CAPTURE = 256 * 1024
_MOST_OF_AN_ANSWER = 4096
_LONG_SILENCE_MS = 60_000
_MOST_PORTS_AT_ONCE = 32

_AGENT = re.compile(r"edge[-_]agent (.* )?run( |$)")

_DIALOUT = "be in the group dialout (sudo usermod -aG dialout $USER, log in again), or use sudo"
_STOP_AGENT = "sudo systemctl stop edge-agent, probe, and start it again"


def probe(
    places: Sequence[Listed], models: Sequence[Model], listen_s: float
) -> Generator[Report, None, None]:
    """Look at all of `places` at the same time; their reports in order, each when it is ready.

    Closing the generator ends what is going on within a second.

    Args:
        places: no two with the same `device`.
        models: what may be found.
        listen_s: how long to listen at each speed.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(_MOST_PORTS_AT_ONCE, "probe") as pool:
        try:
            yield from pool.map(partial(look, models=models, listen_s=listen_s, stop=stop), places)
        finally:
            stop.set()


def look(place: Listed, models: Sequence[Model], listen_s: float, stop: threading.Event) -> Report:
    """Look at one port, or into one captured file."""
    if place.captured:
        return _read_capture(place, models)
    if taken := _taken(place):
        return taken
    try:
        with Visit(place.device) as visit:
            return Look(place, visit, models, listen_s, stop).report()
    except OSError as error:
        return _failed(place, error)


def _read_capture(place: Listed, models: Sequence[Model]) -> Report:
    """Its silences are not captured, so a reader that ends its lines by them is not understood."""
    try:
        with Path(place.device).open("rb") as file:
            data = file.read(_MOST_OF_A_CAPTURE)
    except OSError as error:
        return _failed(place, error)
    while data.startswith(b"#"):  # lines of provenance, as in gpsd's corpus
        _, _, data = data.partition(b"\n")
    ear = Ear(models)
    ear.hear(data, 0)
    ear.hear(b"", _LONG_SILENCE_MS)
    finding = ear.finding(None) or recognise(models, data[:_MOST_OF_AN_ANSWER])
    if finding:
        return Report(place, finding=finding)
    hint = "see that it was captured at the device's own speed; else it needs a profile of its own"
    return Report(place, "open", f"no profile knows this: {shown(data)}", hint)


def _taken(place: Listed) -> Report | None:
    """A port that somebody has open is left to him: what we read he would miss."""
    if listing.is_console(place.device):
        hint = "take console=serial0,115200 out of cmdline.txt and restart"
        return Report(place, "busy", "it is the kernel's console", hint)
    for user in listing.users(place.device):
        if _AGENT.search(user.command):
            cause = f"the running agent has it (process {user.pid})"
            return Report(place, "busy", cause, _STOP_AGENT)
        cause = f"process {user.pid} has it open: {user.command[:80]}"
        return Report(place, "busy", cause, "end that program first")
    return None


def _failed(place: Listed, error: OSError) -> Report:
    cause = " ".join((error.strerror or str(error)).split())
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return Report(place, "denied", "permission denied", _DIALOUT)
        case errno.EAGAIN | errno.EBUSY:
            cause = "another program keeps it for itself, perhaps the agent"
            return Report(place, "busy", cause, _STOP_AGENT)
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return Report(place, "missing", cause, "plug it in again")
        case _:
            hint = "see that it is a serial port and stays plugged in"
            return Report(place, "broken", cause, hint)
