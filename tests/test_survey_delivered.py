"""A running agent with a modem on a real pseudo-terminal: its surveys at a real central."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import serial
from tapping import STAFF, Tapper

from edge_agent.sim.device import Faults
from edge_agent.sim.modem import RECEPTIONS, Modem
from edge_agent.sim.office import Office
from edge_agent.sim.pty import PseudoPort

GOOD = {
    "bearer": "modem",
    "registration": "home",
    "technology": "lte",
    "operator": "51010",
    "rssi_dbm": -63,
    "rsrp_dbm": -88,
    "rsrq_e1": -85,
    "snr_e1": 180,
}


class Surveyed:
    """An office with a modem, asked every second."""

    def __init__(self, work: Path, **modem: Any) -> None:
        self.office = Office(work, profile="id12la", receipt_wait_s=1, people=STAFF[:9])
        self.port = PseudoPort(work / "modem")
        self.modem = Modem(self.port, urcs=0.1, speed=20.0, **modem)
        path = self.office.agent_config
        text = path.read_text(encoding="utf-8").replace("[rules]", "[rules]\nsurvey_s = 1")
        network = f'\n[network]\nmodem = "{self.port.path}"\ninterface = "lo"\n'
        path.write_text(text + network, encoding="utf-8")

    def receptions(self) -> list[dict[str, Any] | None]:
        """Of each survey in the terminal's journal."""
        return [one.get("reception") for one in self.office.entries("survey")]

    def stored(self) -> list[str]:
        """The texts of surveys in the central's database."""
        with closing(
            sqlite3.connect(f"file:{self.office.work}/central.db?mode=ro", uri=True)
        ) as db:
            rows = db.execute("SELECT CAST(text AS TEXT) FROM entry ORDER BY seq").fetchall()
        return [text for (text,) in rows if json.loads(text)["kind"] == "survey"]

    def incidents(self) -> list[tuple[str, str]]:
        found = self.office.entries("incident")
        return [(one["state"], one["cause"]) for one in found if one["what"] == "modem"]

    def wait_beyond(self, seen: int) -> None:
        """Until there are more surveys than that, whatever they say."""
        self.office.wait_until(lambda: len(self.receptions()) > seen)

    def wait_survey(self, registration: str) -> None:
        """Until a survey from now on says this of the modem."""
        seen = len(self.receptions())

        def said() -> bool:
            fresh = [one or {} for one in self.receptions()[seen:]]
            return any((one["bearer"], one["registration"]) == ("modem", registration)
                       for one in fresh if one)  # fmt: skip

        self.office.wait_until(said)


def shown(office: Office) -> str:
    """The registration that the agent's status shows."""
    return str(office.status()["survey"]["reception"]["registration"])


@contextmanager
def surveyed(work: Path, **modem: Any) -> Iterator[Surveyed]:
    one = Surveyed(work, **modem)
    with one.office, one.port, one.modem:
        one.office.start()
        yield one


def test_surveys_arrive_at_the_central_with_what_the_modem_hears(tmp_path: Path) -> None:
    """Conditions change, and so does the next survey; taps go on beside it."""
    with surveyed(tmp_path) as one:
        one.wait_survey("home")
        assert GOOD in one.receptions()
        tapper = Tapper(one.office)
        for name, registration in (("roaming", "roaming"), ("denied", "denied"), ("none", "none")):
            one.modem.here = RECEPTIONS[name]
            tapper.tap(1)
            one.wait_survey(registration)
        one.office.wait_until(lambda: shown(one.office) == "none")
        screen = one.office.command("status", config=one.office.agent_config)
        assert re.search(r"^reception modem none, [0-2] s ago$", screen, re.MULTILINE), screen
        assert "\nuse       online " in screen
        one.office.stop_agent()
        one.office.wait_until(lambda: len(one.stored()) >= 4)
        texts = one.office.texts("survey")
        assert one.stored() == texts[: len(one.stored())]
        at_ms = [json.loads(text)["at"]["mono_ms"] for text in texts]
        assert at_ms == sorted(set(at_ms))
        assert all(json.loads(text)["length_ms"] >= 900 for text in texts[1:])


def test_surveys_of_an_outage_come_later_with_their_own_time(tmp_path: Path) -> None:
    """Made on the minute while nothing was delivered; the central has each once, as it was."""
    with surveyed(tmp_path) as one:
        tapper = Tapper(one.office)
        one.office.cut()
        one.office.wait_until(lambda: not one.office.status()["broker"]["online"])
        before, had = len(one.receptions()), len(one.stored())
        tapper.tap(3)
        one.office.wait_until(lambda: len(one.receptions()) >= before + 4)
        assert len(one.stored()) == had
        offline = one.office.entries("survey")[before + 1 : before + 4]
        assert all(survey["backlog"] > 0 and survey["oldest_ms"] > 0 for survey in offline)
        one.office.mend()
        made = one.office.texts("survey")[: before + 4]
        one.office.wait_until(lambda: set(made) <= set(one.stored()))
        one.office.stop_agent()
        one.office.start_agent()
        assert len(one.stored()) == len(set(one.stored()))
        assert tapper.count == 3


def test_a_modem_pulled_in_its_talk_is_in_nobodys_way_and_back_by_itself(tmp_path: Path) -> None:
    """Surveys and taps go on without it; `test_modem_port` cuts at more places."""
    with surveyed(tmp_path) as one:
        tapper = Tapper(one.office)
        one.wait_survey("home")
        for cut in (40, 190, 330):
            seen = len(one.receptions())
            one.modem.device.faults = Faults(cut_after=cut, seed=cut)
            one.office.wait_until(lambda: not one.port.is_plugged)
            tapper.tap(1)
            one.wait_beyond(seen)
            one.port.plug()
            one.wait_survey("home")
        assert one.incidents() == []  # it was away for less than half a minute


def test_a_modem_that_somebody_else_holds_is_waited_for(tmp_path: Path) -> None:
    """As ModemManager does; the survey then says what the Wi-Fi interface hears."""
    one = Surveyed(tmp_path)
    with one.office, one.port, one.modem:
        with serial.Serial(str(one.port.path), exclusive=True):
            one.office.start()
            one.office.wait_until(lambda: len(one.receptions()) >= 2)
            ports = {port["name"]: port for port in one.office.status()["ports"]}
            assert "busy" in ports["modem"]["state"] or "lock" in ports["modem"]["state"], ports
            assert {(said or {})["bearer"] for said in one.receptions()} == {"wifi"}
            Tapper(one.office).tap(2)
        one.wait_survey("home")
