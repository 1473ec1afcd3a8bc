"""The receiver's time reaches a real chronyd, which makes of it what the shipped files say."""

import ctypes
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chronyd import HURRIED, Chronyd
from conftest import ROOT

from edge_agent.ports import chrony
from edge_agent.ports.chrony import RefClock

BOARDS = ROOT / "firmware_configs" / "boards"
SECOND_NS = 1_000_000_000
#: What a server reached over a mobile network is like to chrony, for want of a network.
SERVER = f"precision 1e-3 delay 0.05 stratum 2 prefer {HURRIED}"


def shipped() -> str:
    """The options of the refclock in chrony.conf, hurried."""
    conf = (BOARDS / "chrony.conf").read_text(encoding="utf-8")
    (options,) = re.findall(r"(?m)^refclock SOCK /run/chrony.gnss.sock refid GNSS (.+)$", conf)
    return re.sub(r"poll \d+", HURRIED, options)


# --- the datagram ---------------------------------------------------------------------------------


def test_a_measurement_is_laid_out_as_the_c_compiler_lays_it_out(tmp_path: Path) -> None:
    """Size and every offset of chrony's struct, with this machine's time_t."""
    gcc = shutil.which("gcc") or pytest.skip("there is no gcc here")
    names = ("tv.tv_sec", "tv.tv_usec", "offset", "pulse", "leap", "_pad", "magic")
    asked = "".join(f' printf(" %zu", offsetof(struct sock_sample, {name}));' for name in names)
    source = tmp_path / "layout.c"
    source.write_text(
        "#include <stddef.h>\n#include <stdio.h>\n#include <sys/time.h>\n"
        "struct sock_sample { struct timeval tv; double offset;"
        " int pulse; int leap; int _pad; int magic; };\n"
        f'int main(void) {{ printf("%zu", sizeof(struct sock_sample));{asked} }}\n',
        encoding="ascii",
    )
    subprocess.run([gcc, "-o", tmp_path / "layout", source], check=True)
    said = subprocess.run([tmp_path / "layout"], check=True, capture_output=True, text=True).stdout
    ours = [getattr(chrony._Sample, name.replace("tv.", "")).offset for name in names]
    assert [int(word) for word in said.split()] == [ctypes.sizeof(chrony._Sample), *ours]


def test_one_offer_is_one_datagram(tmp_path: Path) -> None:
    """System time to the microsecond, offset in seconds with its sign, no pulse, no leap second."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chronyd:
        chronyd.bind(str(tmp_path / "sock"))
        assert RefClock(tmp_path / "sock").offer(1_795_528_932_015_565_177, -2_500_000_000)
        got = chrony._Sample.from_buffer_copy(chronyd.recv(100))
    assert (got.tv_sec, got.tv_usec, got.offset) == (1_795_528_932, 15_565, -2.5)
    assert (got.pulse, got.leap, got.magic) == (0, 0, 0x534F434B)


# --- a chronyd that is not as it should be --------------------------------------------------------


@pytest.mark.parametrize("there", ["nothing", "a file", "a folder", "a deaf socket", "too long"])
def test_a_chronyd_that_is_not_there_is_no_error(there: str, tmp_path: Path) -> None:
    """Whatever is found at the path, the offer is refused and nothing else happens."""
    path = tmp_path / "sock"
    if there == "a file":
        path.touch()
    elif there == "a folder":
        path.mkdir()
    elif there == "a deaf socket":  # what chronyd leaves behind where it may not delete it
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gone:
            gone.bind(str(path))
    elif there == "too long":
        path = tmp_path / ("x" * 200)
    assert RefClock(path).offer(time.time_ns(), 0) is False


def test_a_chronyd_that_does_not_listen_costs_no_time(tmp_path: Path) -> None:
    """Its queue runs full: offers are refused at once, until it reads again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chronyd:
        chronyd.bind(str(tmp_path / "sock"))
        clock = RefClock(tmp_path / "sock")
        taken = 0
        while clock.offer(time.time_ns(), 0):
            taken += 1
        assert taken > 0
        chronyd.recv(100)
        assert clock.offer(time.time_ns(), 0)


# --- a real chronyd -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset_ns", "said"),
    [
        (2_500_000_000, "2.500000000 seconds slow"),
        (-40_000_000_000, "40.000000000 seconds fast"),
        (1_770_000_000 * SECOND_NS, "1770000000.000000000 seconds slow"),  # the clock is in 1970
    ],
)
def test_chronyd_sees_how_wrong_the_system_clock_is(offset_ns: int, said: str) -> None:
    """It selects the receiver; a true time ahead of the system clock is a clock that is slow."""
    with Chronyd({"GNSS": shipped()}) as chronyd:
        chronyd.feed({"GNSS": offset_ns}, until=lambda: chronyd.states().get("GNSS") == "*")
        tracking = chronyd.ask("tracking")
    assert re.search(r"Reference ID +: 474E5353 \(GNSS\)", tracking)
    assert re.search(rf"System time +: {re.escape(said)} of NTP time", tracking)
    # The bound that the kernel is told: half of delay, and the precision.
    (delay_s,) = re.findall(r"Root delay +: ([0-9.]+)", tracking)
    (dispersion_s,) = re.findall(r"Root dispersion +: ([0-9.]+)", tracking)
    assert float(delay_s) / 2 + float(dispersion_s) >= 0.6


def test_a_chronyd_that_was_restarted_gets_the_next_offer() -> None:
    """Nothing is kept of the socket that went with the old one."""
    with Chronyd({"GNSS": shipped()}) as chronyd:
        clock = RefClock(chronyd.socket("GNSS"))
        assert clock.offer(time.time_ns(), 0)
        chronyd.stop()
        assert not clock.offer(time.time_ns(), 0)
        chronyd.start()
        assert clock.offer(time.time_ns(), 0)


@pytest.mark.parametrize(
    ("offsets_s", "expected"),
    [
        ({"GNSS": 0.3, "NTPA": 0.0}, {"GNSS": "-", "NTPA": "*"}),
        ({"GNSS": 3600, "NTPA": 0.0}, {"GNSS": "x", "NTPA": "x"}),
        ({"GNSS": 3600, "NTPA": 0.0, "NTPB": 0.0}, {"GNSS": "x", "NTPA": "*", "NTPB": "+"}),
    ],
    ids=["agreeing", "one against one", "two against one"],
)
def test_who_is_believed_is_as_the_comment_says(
    offsets_s: dict[str, float], expected: dict[str, str]
) -> None:
    """Servers steer alone; one that contradicts stops the clock's discipline, two outvote."""
    options = {name: shipped() if name == "GNSS" else SERVER for name in offsets_s}
    offsets_ns = {name: int(offset_s * SECOND_NS) for name, offset_s in offsets_s.items()}
    wanted = sorted(expected.items())

    def settled() -> bool:  # of two equal servers either may lead
        states = chronyd.states()
        if states.get("NTPA") == "+":
            states |= {"NTPA": states["NTPB"], "NTPB": "+"}
        return sorted(states.items()) == wanted

    with Chronyd(options) as chronyd:
        chronyd.feed(offsets_ns, until=settled)
        synchronised = "Not synchronised" not in chronyd.ask("tracking")
    assert synchronised == ("*" in expected.values())


def test_what_sourcestats_shows_is_what_offset_takes() -> None:
    """A receiver that is late by 0.3 s, as shown beside a server, is right with that as offset."""
    shown = []
    for options in (shipped(), f"{shipped()} offset -0.3"):
        with Chronyd({"GNSS": options, "NTPA": SERVER}) as chronyd:
            offsets_ns = {"GNSS": SECOND_NS * 3 // 10, "NTPA": 0}
            chronyd.feed(offsets_ns, until=lambda: chronyd.states().get("NTPA") == "*")
            stats = [line.split(",") for line in chronyd.ask("-c sourcestats").splitlines()]
            shown += [float(offset_s) for name, *_, offset_s, _ in stats if name == "GNSS"]
    assert shown == [pytest.approx(-0.3, abs=0.01), pytest.approx(0, abs=0.01)]


# --- who may write to the socket ------------------------------------------------------------------


@contextmanager
def another(uid: int, gid: int) -> Iterator[None]:
    """This process as somebody without privileges, for a moment."""
    os.setegid(gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as chronyd has it on a terminal")
def test_the_agents_group_may_set_the_clock_and_nobody_else() -> None:
    """By the commands of the drop-in; without them the agent may not."""
    unit = (BOARDS / "chrony-edge-agent.conf").read_text(encoding="utf-8")
    commands = re.findall(r"(?m)^ExecStartPost=-!(.+)$", unit)
    assert len(commands) == 2
    agent, agents, stranger = 64_001, 64_002, 64_003
    with Chronyd({"GNSS": shipped()}) as chronyd:
        chronyd.folder.chmod(0o755)
        clock = RefClock(chronyd.socket("GNSS"))
        with another(agent, agents):
            assert not clock.offer(time.time_ns(), 0)
        for command in commands:
            path = command.replace("/run/chrony.gnss.sock", str(chronyd.socket("GNSS")))
            subprocess.run(path.replace("edge-agent", str(agents)).split(), check=True)
        with another(agent, agents):
            assert clock.offer(time.time_ns(), 0)
        with another(agent, stranger):
            assert not clock.offer(time.time_ns(), 0)
