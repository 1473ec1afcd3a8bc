"""By hand there and back: a real agent, a stick that is a directory, the central's own commands."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from builders import TERMINAL, agent_toml, punch, stamp
from carried import PRIVATE, PUBLIC
from click.testing import CliRunner, Result
from test_cli_status import agent, eventually, status
from wall import Wall

from edge_agent.central.store import Store
from edge_agent.cli import cli
from edge_agent.contract import messages
from edge_agent.errors import EdgeAgentError
from edge_agent.events import Asked
from edge_agent.journal import Journal
from edge_agent.ports.control import DONE, REFUSED
from edge_agent.ranges import Ranges
from edge_agent.records import Signal

MOST = 2**53 - 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A terminal without a network, whose journal has 700 punches."""
    (tmp_path / "organisation.pub").write_text(PUBLIC + "\n")
    path = agent_toml(tmp_path, broker='host = "127.0.0.1"\nport = 1')
    text = path.read_text().replace(
        "[files]\n", f'[files]\norganisation_key = "{tmp_path}/organisation.pub"\n'
    )
    path.write_text(text)
    with closing(Journal(tmp_path / "journal.db", TERMINAL)) as journal:
        for number in range(700):
            journal.append(punch(), stamp(number))
    return path


@pytest.fixture
def central(tmp_path: Path) -> Path:
    key = tmp_path / "organisation.key"
    key.write_text(PRIVATE + "\n")
    path = tmp_path / "central.toml"
    path.write_text(f'database = "{tmp_path}/central.db"\norganisation_key = "{key}"\n')
    return path


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def well(*words: str | Path) -> str:
    done = run(*words)
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


def export(path: Path, stick: Path, *more: str) -> str:
    return well("export", "--config", path, "--bundle", stick, *more)


def take(central: Path, *paths: Path) -> str:
    return well("central", "import", "--config", central, *paths)


def test_the_receipt_comes_home_by_the_same_stick(path: Path, central: Path, stick: Path) -> None:
    """Out beside a running agent, in at the central, back: and the agent says received."""
    with agent(path):
        assert "carry it to the central" in export(path, stick)
        said = take(central, stick)
        assert "0 known" in said
        assert f"{TERMINAL}-" in said
        assert ".receipt" in said
        home = export(path, stick)
        assert "the central has everything up to entry 70" in home
        found = eventually(
            lambda: status(path), lambda one: one["last"] and one["last"]["journal"]["received"]
        )
        assert found["last"]["journal"]["received"] >= 701
        assert found["stored"]["received"] >= 701
        assert found["last"]["journal"]["backlog"] <= 2
    assert "0 new" in take(central, stick).splitlines()[0]


def test_without_an_agent_the_receipt_waits(path: Path, central: Path, stick: Path) -> None:
    """It is said, and the export goes on."""
    with agent(path):
        pass
    export(path, stick)
    take(central, stick)
    assert "will be taken when the agent runs" in export(path, stick)
    with agent(path):
        assert "the central has everything up to" in export(path, stick)


def test_a_forged_receipt_makes_the_agent_believe_nothing(path: Path, stick: Path) -> None:
    """Without the chain's head it is refused; what its head does not prove is not believed."""
    with agent(path):
        with closing(Journal(path.with_name("journal.db"), TERMINAL)) as journal:
            genesis, name = journal.head_at(0), journal.journal
        assert genesis
        claims = (
            messages.Receipt(TERMINAL, name, 700, "ab" * 32, 700, ()),
            messages.Receipt(TERMINAL, name, MOST, "ab" * 32, MOST, ()),
            messages.Receipt(TERMINAL, name, 0, genesis.hex(), 700, ((1, 1),)),
        )
        for number, claim in enumerate(claims):
            (stick / f"{number}.receipt").write_bytes(messages.encode_receipt(claim))
        (stick / "z.receipt").write_bytes(b"{" * 9000)
        said = export(path, stick)
        assert "head: at 700" in said
        assert "future" in said
        assert "up to entry 0" in said
        assert "z.receipt: passed over" in said
        assert status(path)["stored"]["received"] == 0
    assert "nothing to carry" not in said


def wall_with(tmp_path: Path, count: int) -> tuple[Wall, list[bytes]]:
    wall = Wall(tmp_path)
    for number in range(count):
        wall.window.appended(wall.journal.append(punch(), stamp(number)).seq)
    heads = [wall.journal.head_at(seq) for seq in range(wall.journal.last_seq + 1)]
    return wall, [head for head in heads if head]


def tell(wall: Wall, **words: str) -> tuple[str, str]:
    wall.answered.pop(7, None)
    wall.turn(Asked(7, words))
    return wall.answered[7][-1]


def test_an_old_receipt_takes_nothing_back(tmp_path: Path) -> None:
    """What came over the broker since stays received."""
    wall, heads = wall_with(tmp_path, 20)
    old = messages.Receipt(TERMINAL, wall.journal.journal, 5, heads[5].hex(), 5, ())
    wall.window.receipt(
        replace(old, upto=10, head=heads[10].hex(), last=20, missing=((11, 14),)), 0
    )
    text = messages.encode_receipt(old).decode()
    assert tell(wall, do="receipt", receipt=text) == (
        "the central has everything up to entry 10",
        DONE,
    )
    assert wall.window.received == Ranges([(1, 10), (15, 20)])
    newer = messages.encode_receipt(replace(old, upto=12, head=heads[12].hex(), last=12)).decode()
    tell(wall, do="receipt", receipt=newer)
    assert wall.window.received == Ranges([(1, 12), (15, 20)])
    assert not wall.window.unsent.covers(12, 12)
    assert wall.journal.received() == 12


def test_the_longest_receipt_fits_through_the_socket(path: Path, stick: Path) -> None:
    """64 gaps of the longest numbers, as the central may write them."""
    with agent(path):
        with closing(Journal(path.with_name("journal.db"), TERMINAL)) as journal:
            head, name = journal.head_at(3), journal.journal
        assert head
        missing = tuple((MOST - 2 * n, MOST - 2 * n) for n in range(64, 0, -1))
        claim = messages.Receipt(TERMINAL, name, 3, head.hex(), MOST, missing)
        (stick / "x.receipt").write_bytes(messages.encode_receipt(claim))
        assert "future" in export(path, stick)


def test_the_panel_says_when_to_pull_the_stick(tmp_path: Path) -> None:
    """Amber, green, red, with texts; anything else is not known."""
    wall, _ = wall_with(tmp_path, 1)
    for show in (Signal.CARRYING, Signal.CARRIED, Signal.UNCARRIED):
        assert tell(wall, do="light", show=show.value) == (show.value, DONE)
        assert wall.shown[-1].signal is show
    assert wall.shown[-2].lines == ("Selesai disalin", "Boleh dicabut")
    assert tell(wall, do="light", show="stored")[1] == REFUSED
    assert tell(wall, do="receipt", receipt="\ud800")[1] == REFUSED


def lit(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_an_export_with_the_light_shows_what_it_does(path: Path, stick: Path) -> None:
    """Amber while it is written; green only when it is told to; red for whatever goes wrong."""
    with agent(path) as process:
        export(path, stick, "--light", "carry")
        assert "Jangan dicabut" in lit(process)
        well("export", "--config", path, "--light", "pull")
        assert "Boleh dicabut" in lit(process)
        failed = run("export", "--config", path, "--bundle", stick / "no" / "x", "--light", "carry")
        assert isinstance(failed.exception, EdgeAgentError)
        assert "Jangan dicabut" in lit(process)
        assert "GAGAL DISALIN" in lit(process)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("organisation.pub", None, "new-organisation-key"),
        ("organisation.pub", "00" * 32, "organisation's key"),
        ("organisation.pub", "short", "64 lower-case hex digits"),
        ("seal.key", None, "start the agent once"),
        ("journal.db", None, "no such file"),
    ],
)
def test_what_an_export_needs_is_said_in_one_line(
    path: Path, stick: Path, name: str, data: str | None, said: str
) -> None:
    """And the stick stays as it is; no key is made in passing."""
    path.with_name("seal.key").write_text("42" * 32)
    if data is None:
        path.with_name(name).unlink()
    else:
        path.with_name(name).write_text(data)
    failed = run("export", "--config", path, "--bundle", stick).exception
    assert isinstance(failed, EdgeAgentError)
    assert said in str(failed)
    assert "\n" not in str(failed)
    assert list(stick.iterdir()) == []
    assert data is not None or not path.with_name(name).exists()


def test_an_import_goes_on_behind_what_it_cannot_take(
    path: Path, central: Path, stick: Path
) -> None:
    """A foreign file is said and passed over; the exit code tells."""
    path.with_name("seal.key").write_text("42" * 32)
    (stick / "a.bundle").write_bytes(b"a holiday")
    export(path, stick)
    done = run("central", "import", "--config", central, stick)
    assert done.exit_code == 1
    assert "a.bundle: it does not begin like one" in done.output
    assert "700 new" in done.output
    with Store(path.with_name("central.db")) as store:
        assert store.db.execute("SELECT count(*) FROM entry").fetchone() == (700,)
    empty = stick / "empty"
    empty.mkdir()
    nothing = run("central", "import", "--config", central, empty)
    assert isinstance(nothing.exception, EdgeAgentError)


def test_an_import_of_what_was_cut_or_refused_ends_with_1(
    path: Path, central: Path, stick: Path
) -> None:
    """Whoever runs it by a script learns that something is missing, and what."""
    path.with_name("seal.key").write_text("42" * 32)
    with closing(Journal(path.with_name("journal.db"), TERMINAL)) as journal:
        for number in range(700, 1200):  # more than one record holds
            journal.append(punch(), stamp(number))
    export(path, stick)
    (file,) = stick.iterdir()
    whole = file.read_bytes()
    for data, said in (
        (whole[:300], "CUT before the first record\nSTICK: its entries are missing still"),
        (whole[:-60], "CUT after record 1\nreceipt: RECEIPT\nSTICK: entries 1-200 are missing"),
        (whole[:-1] + b"x", "1 x record"),
    ):
        file.write_bytes(data)
        done = run("central", "import", "--config", central, file)
        receipt = file.with_name(f"{file.name.rsplit('-', 2)[0]}.receipt")
        assert done.exit_code == 1
        assert said in done.output.replace(str(file), "STICK").replace(str(receipt), "RECEIPT")
    file.write_bytes(whole[:-60])
    assert "1,000 entries lie in" in export(path, stick)  # it goes on in another bundle
    said = take(central, stick)
    assert "CUT after record 1" in said
    assert "what was cut off is here by another way" in said
    assert "missing" not in said


def test_ctrl_c_leaves_a_stick_that_goes_on(path: Path, stick: Path) -> None:
    """A real process, a real signal: exit 130, no traceback, and then the rest."""
    path.with_name("seal.key").write_text("42" * 32)
    os.mkfifo(stick / "a.receipt")  # no file: passed over
    command = [sys.executable, "-m", "edge_agent", "export", "--config", str(path)]
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path.with_name("control")))
        busy.listen()
        more = ("--bundle", str(stick), "--light", "carry")
        process = subprocess.Popen([*command, *more], stderr=subprocess.PIPE, text=True)
        caller, _ = busy.accept()  # it waits for an answer that does not come
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    caller.close()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "700 entries" in export(path, stick)
