"""The journal: SQLite on the terminal's own disk, one sequence, one chain; and the roster."""

from edge_agent.journal.journal import Journal, OpenIncident, Run
from edge_agent.journal.rescue import open_journal
from edge_agent.journal.roster import RosterTable

__all__ = ["Journal", "OpenIncident", "RosterTable", "Run", "open_journal"]
