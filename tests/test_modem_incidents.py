"""A modem that is not there, busy or dumb, as the spine sees it."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from wall import Wall

from edge_agent.config import Network
from edge_agent.events import Noted, PortLost, PortOpened
from edge_agent.records import Condition


def test_a_modem_in_trouble_is_an_incident_of_its_own_kind(tmp_path: Path) -> None:
    """Unplugged, busy or dumb; a port that opens again, or an answer, closes it. Taps go on."""
    wall = Wall(tmp_path)
    with closing(wall.journal):
        wall.agent._config = replace(wall.config, network=Network(modem="/dev/ttyUSB2"))
        wall.turn(PortLost("modem", "Device or resource busy"))
        wall.present("3C00CE754C")
        wall.turn(PortOpened("modem"))
        wall.turn(Noted("modem", Condition("it does not answer as a modem does")))
        wall.turn(Noted("modem", Condition("")))
        found = [(one["what"], one["state"], one["cause"]) for one in wall.entries("incident")]
        assert found == [
            ("modem", "opened", "Device or resource busy"),
            ("modem", "closed", "Device or resource busy"),
            ("modem", "opened", "it does not answer as a modem does"),
            ("modem", "closed", "it does not answer as a modem does"),
        ]
        assert len(wall.entries("punch")) == 1


def test_a_modem_that_is_configured_no_more_leaves_no_incident_open(tmp_path: Path) -> None:
    """The next run ends it."""
    wall = Wall(tmp_path)
    wall.agent._config = replace(wall.config, network=Network(modem="/dev/ttyUSB2"))
    wall.turn(PortLost("modem", "unplugged"))
    wall.journal.close()
    after = Wall(tmp_path)
    after.turn()
    with closing(after.journal):
        assert [one["state"] for one in after.entries("incident")] == ["opened", "closed"]
