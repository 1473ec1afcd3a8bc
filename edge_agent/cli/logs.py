"""Log lines on standard error; under systemd with the level that journald understands."""

import logging
import os
import sys

#: Levels of syslog(3), which journald reads from a prefix such as <3>.
_SYSLOG = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class _Journald(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace("\n", " / ")
        return f"<{_SYSLOG.get(record.levelno, 6)}>{line}"


def to_stderr() -> None:
    """Send this program's log lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_Journald("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("edge_agent")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
