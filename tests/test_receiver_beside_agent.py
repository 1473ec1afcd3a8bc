"""A receiver's fixes, beside the agent that holds its port: its status file in its real form."""

from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from edge_agent.events import PortLost
from edge_agent.ports import files
from edge_agent.records import Doubt, Fix
from edge_agent.technician import receiver

FIX = Fix(-53_694_400, 1_226_939_600, 1_795_389_000_000, 9, 92)
FULL = Fix(-53_694_400, 1_226_939_600, None, 9, 92, dimension=3, error_m=4, cn0=44)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.json"


def say(path: Path, now_ms: int, fix: Fix | None, age_ms: int = 0, **more: Any) -> None:
    """What an agent writes."""
    last = None if fix is None else {**asdict(fix), "age_ms": age_ms}
    ports = [{"name": "gnss", "device": "/dev/x", "state": "open", "noise": 0, "rejected": 0}]
    assert files.write_status(
        path, {"at": {"mono_ms": now_ms}, "ports": ports, "fix": last, **more}
    )


def suspect(reasons: str) -> dict[str, str]:
    return {"grade": "suspect", "reasons": reasons}


def nothing(heard: Generator[receiver.Said, None, None]) -> bool:
    return next(heard) is None


def test_each_fix_is_heard_once_and_an_old_one_never(path: Path) -> None:
    """The one from before the survey may be hours old; an unchanged one only gets older."""
    say(path, 10_000, FIX, 300)
    heard = receiver.beside_agent(path, "gnss")
    assert nothing(heard)
    say(path, 11_000, FIX, 1300)
    assert nothing(heard)
    say(path, 12_000, FIX, 200)
    assert next(heard) == FIX
    assert nothing(heard)
    say(path, 13_000, FULL, 100)
    assert next(heard) == FULL


def test_the_first_fix_of_all_is_heard(path: Path) -> None:
    """The agent had none when the survey began."""
    say(path, 10_000, None)
    heard = receiver.beside_agent(path, "gnss")
    assert nothing(heard)
    say(path, 11_000, FIX, 500)
    assert next(heard) == FIX


def test_doubts_come_and_go(path: Path) -> None:
    """By the reasons of a suspect place, before the fix of that moment; others are no doubts."""
    say(path, 10_000, None)
    heard = receiver.beside_agent(path, "gnss")
    assert nothing(heard)
    say(path, 11_000, FIX, place=suspect("jam spoof"))
    assert [next(heard) for _ in range(3)] == [
        Doubt("jam", stands=True),
        Doubt("spoof", stands=True),
        FIX,
    ]
    say(path, 12_000, FIX, place=suspect("jam"))
    assert [next(heard) for _ in range(2)] == [Doubt("spoof", stands=False), FIX]
    say(path, 13_000, FIX, place={"grade": "held", "reasons": "weak"})
    assert [next(heard) for _ in range(2)] == [Doubt("jam", stands=False), FIX]


def test_a_port_that_the_agent_lost_is_trouble(path: Path) -> None:
    """The receiver's, and no other."""
    lost = [{"name": "front", "state": "x"}, {"name": "roof", "state": "unplugged"}]
    say(path, 10_000, None, ports=lost)
    heard = receiver.beside_agent(path, "roof")
    assert next(heard) == PortLost("roof", "the agent says: unplugged")
    assert nothing(heard)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"fix": {"age_ms": 1}, "at": 7}', b'{"fix": [], "at": {}}']
)
def test_a_file_that_is_no_status_is_silence(path: Path, content: bytes) -> None:
    """Half an answer is none."""
    path.write_bytes(content)
    assert nothing(receiver.beside_agent(path, "gnss"))
