"""A running agent teaches a real chronyd what its receiver says."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chronyd import HURRIED, Chronyd

from edge_agent.sim import day
from edge_agent.sim.gnss import GnssModule
from edge_agent.sim.office import Office
from edge_agent.sim.receiver import GnssReceiver

#: The receiver is right, this machine's clock is slow by so much.
_SLOW_S = 40
#: A sentence comes at once here and may come a second late: the middle of that is offered.
_MIDDLE_S = 0.5


def test_the_receiver_of_a_running_agent_steers_chronyd(tmp_path: Path) -> None:
    """Bytes on a port become the time that chronyd follows; the sign is right."""
    later = timedelta(seconds=_SLOW_S)
    receiver = GnssReceiver(day.SITE.latitude, day.SITE.longitude)
    with Chronyd({"GNSS": HURRIED}) as chronyd, Office(tmp_path, gnss_profile="nmea") as office:
        text = office.agent_config.read_text(encoding="utf-8")
        socket = f'[gnss]\nchrony = "{chronyd.socket("GNSS")}"'
        office.agent_config.write_text(text.replace("[gnss]", socket), encoding="utf-8")
        office.start()
        clock = GnssModule(office.gnss, receiver, clock=lambda: datetime.now(UTC) + later)
        with clock:
            chronyd.wait(lambda: chronyd.states().get("GNSS") == "*")
            tracking = chronyd.ask("tracking")
    (slow_s,) = re.findall(r"System time +: ([0-9.]+) seconds slow of NTP time", tracking)
    assert abs(float(slow_s) - _SLOW_S - _MIDDLE_S) < 0.4
