"""What the terminal is doing, as plain data for `edge-agent status` and for a stranger's script."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from edge_agent import __version__
from edge_agent.config import Config
from edge_agent.errors import JournalError
from edge_agent.journal import Journal
from edge_agent.ports.serial_port import SerialPort
from edge_agent.records import Stamp
from edge_agent.terminal.agent import Agent
from edge_agent.terminal.delivery import Delivery
from edge_agent.terminal.incidents import Incidents


def status(
    config: Config,
    agent: Agent,
    delivery: Delivery,
    journal: Journal,
    incidents: Incidents,
    ports: Sequence[SerialPort[Any]],
    at: Stamp,
) -> dict[str, Any]:
    """The whole status; ages in milliseconds, None where nothing is known."""
    window = delivery.window
    receipt_ms = delivery.receiving.last_receipt_ms
    budget = delivery.metering.budget
    return {
        "terminal": config.terminal,
        "site": config.site.name,
        "zone": config.site.zone,
        "version": __version__,
        "pid": os.getpid(),
        "at": asdict(at),
        "ports": [
            {
                "name": port.name,
                "device": port.device,
                "state": agent.ports.get(port.name, "opening"),
                **asdict(port.counts),
            }
            for port in ports
        ],
        "clock": _clock(agent, at),
        "fix": _fix(agent, at.mono_ms),
        "place": asdict(agent.track.place(at.mono_ms)),
        "broker": {
            "host": config.broker.host,
            "port": config.broker.port,
            "online": delivery.online,
            "cause": delivery.cause,
            "bytes_today": budget.spent,
            "bytes_a_day": budget.most,
        },
        "journal": {
            "id": journal.journal,
            "first_seq": journal.first_seq,
            "oldest_ms": agent.keeping.oldest_ms,
            "last_seq": journal.last_seq,
            "received": window.upto,
            "backlog": window.backlog,
            "gone": window.gone,
            "in_flight": window.in_flight,
            "left_ms": delivery.receiving.left_ms(),
            "last_receipt_age_ms": None if receipt_ms is None else at.mono_ms - receipt_ms,
        },
        "survey": agent.surveying.status(),
        "taps": asdict(agent.punching.tally),
        "rejected": dict(delivery.rejected),
        "roster": _roster(journal),
        "incidents": [asdict(one) for one in incidents.open],
    }


def _roster(journal: Journal) -> dict[str, Any] | None:
    """None if a worn page of the disk does not let it be read; the terminal works on."""
    try:
        return {"version": journal.roster.version, "people": journal.roster.count}
    except JournalError:
        return None


def _fix(agent: Agent, now_ms: int) -> dict[str, Any] | None:
    fix = agent.track.fix
    if fix is None:
        return None
    return {**asdict(fix), "age_ms": now_ms - agent.track.fix_ms}


def _clock(agent: Agent, at: Stamp) -> dict[str, Any]:
    """Whether time is known, and who contradicts it."""
    time = agent.timekeeping
    return {
        "source": at.source,
        "error_ms": at.error_ms,
        "floor_ms": time.floor_ms,
        "confirmed": time.keeper.confirmed,
        "contradictions": [asdict(one) for one in time.keeper.contradictions],
        "refused": time.keeper.refused + time.receiver.refused,
    }
