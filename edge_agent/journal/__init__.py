"""The journal: SQLite on the terminal's own disk, one sequence, one chain; who is known."""

from edge_agent.journal.enrolled import EnrolledTable, Finger
from edge_agent.journal.journal import Journal
from edge_agent.journal.memory import OpenIncident, Run
from edge_agent.journal.rescue import open_journal
from edge_agent.journal.roster import RosterTable

__all__ = [
    "EnrolledTable",
    "Finger",
    "Journal",
    "OpenIncident",
    "RosterTable",
    "Run",
    "open_journal",
]
