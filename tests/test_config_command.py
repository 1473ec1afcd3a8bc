"""Mistakes in files, through the real command line: one line on standard error, exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from builders import SMALLEST, agent_toml

from edge_agent.cli import main
from edge_agent.errors import ConfigError
from edge_agent.terminal import assembly

CERTIFICATE_CASES = {
    "no such file": b"",
    "not a certificate": b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n",
}


def edge_agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The real program, in a process of its own."""
    command = [sys.executable, "-m", "edge_agent", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def only_line(text: str) -> str:
    """The one line of `text`, which is no traceback."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("edge-agent: ")
    assert "Traceback" not in text
    return lines[0]


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"broker": 'host = "127.0.0.1"\nprot = 1883'}, 'did you mean "port"?'),
        ({"rules": "duplicate_s = -1"}, "key rules.duplicate_s: found -1"),
        (
            {"[scanner]": 'name = "front"\nport = "/dev/x"\nprofile = "rdm630"'},
            " rdm6300,",
        ),
        ({"gnss": 'port = "/dev/x"\nprofile = "ubx"'}, " nmea,"),
        ({"panel": 'kind = "gpio"\ngreen = 17'}, "install the extra [gpio]"),
    ],
)
def test_run_refuses_in_one_line(tmp_path: Path, tables: dict[str, str], said: str) -> None:
    """No log line, no traceback, nothing on standard output."""
    done = edge_agent("run", "--config", str(agent_toml(tmp_path, **tables)))
    assert said in only_line(done.stderr)
    assert done.stdout == ""
    assert done.returncode == (1 if "panel" in tables else 2)


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["roster", "roster.json"],
        ["enrol", "card", "--person", "p-1"],
        ["enrol", "finger", "--person", "p-1"],
        ["enrol", "forget", "door"],
        ["site", "survey"],
        ["site", "set", "--latitude", "-5.36944", "--longitude", "122.69396"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"terminal = 7", "key terminal: found 7"),
        (b"\xff\xfe", "not UTF-8"),
        (b"terminal", "not TOML"),
        (None, "No such file"),
    ],
)
def test_every_command_that_reads_the_configuration_refuses_alike(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    data: bytes | None,
    said: str,
) -> None:
    """The same line and the same exit code from each of them."""
    path = tmp_path / "agent.toml"
    if data is not None:
        path.write_bytes(data)
    monkeypatch.setattr(sys, "argv", ["edge-agent", *command, "--config", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    shown = capsys.readouterr()
    assert said in only_line(shown.err)
    assert shown.out == ""


def refusal(path: Path) -> str:
    """Why the agent does not begin to run; found before anything is made or opened."""
    with pytest.raises(ConfigError) as caught:
        assembly.run(path)
    assert str(caught.value).isprintable()
    assert not (path.parent / "journal.db").exists()
    return str(caught.value)


def test_a_missing_credential_key_says_how_to_make_one(tmp_path: Path) -> None:
    """The file, the cause and the command."""
    path = agent_toml(tmp_path)
    (tmp_path / "credential.key").unlink()
    said = refusal(path)
    assert f"read the credential key {tmp_path}/credential.key: No such file" in said
    assert "edge-agent central new-key" in said


@pytest.mark.parametrize("data", [b"", b"5a" * 31, b"5g" * 32, b"\xff" * 64, b"5a" * 33])
def test_a_key_that_is_no_key_is_not_shown(tmp_path: Path, data: bytes) -> None:
    """What is wrong is said; what stands there might be most of a key and is not."""
    path = agent_toml(tmp_path)
    (tmp_path / "credential.key").write_bytes(data)
    said = refusal(path)
    assert "credential key" in said
    assert "5a5a" not in said


@pytest.mark.parametrize("data", [b"", b"5a" * 31, b"5g" * 32, b"\xff" * 64])
def test_a_seal_key_that_is_no_key_is_not_replaced(tmp_path: Path, data: bytes) -> None:
    """A terminal must not silently become another one."""
    path = agent_toml(tmp_path)
    key = tmp_path / "seal.key"
    key.write_bytes(data)
    assert "seal key" in refusal(path)
    assert key.read_bytes() == data


@pytest.mark.parametrize("data", CERTIFICATE_CASES.values(), ids=CERTIFICATE_CASES)
@pytest.mark.parametrize("key", ["ca_file", "both"])
def test_certificates_are_tried_before_the_first_connection(
    tmp_path: Path, key: str, data: bytes
) -> None:
    """A wrong file is said now, not at three in the morning when the link comes back."""
    pem = tmp_path / "x.pem"
    if data:
        pem.write_bytes(data)
    keys = ["ca_file"] if key == "ca_file" else ["cert_file", "key_file"]
    lines = "\n".join(f'{one} = "{pem}"' for one in keys)
    said = refusal(agent_toml(tmp_path, broker=f"{SMALLEST['broker']}\ntls = true\n{lines}"))
    assert str(pem) in said
    assert "check broker.ca_file" in said


@pytest.mark.parametrize("data", [None, b"\xff"])
def test_a_password_file_is_read_before_the_first_connection(
    tmp_path: Path, data: bytes | None
) -> None:
    """Missing or not text: the file and the key that names it."""
    password = tmp_path / "password"
    if data is not None:
        password.write_bytes(data)
    lines = f'{SMALLEST["broker"]}\nusername = "bungi-1"\npassword_file = "{password}"'
    said = refusal(agent_toml(tmp_path, broker=lines))
    assert str(password) in said
    assert "check broker.password_file" in said


def test_a_journal_where_no_directory_can_be_made_is_one_line(tmp_path: Path) -> None:
    """A file stands where the journal's directory should be."""
    (tmp_path / "data").write_text("a file")
    path = agent_toml(
        tmp_path,
        files=(
            f'journal = "{tmp_path}/data/journal.db"\nseal_key = "{tmp_path}/seal.key"\n'
            f'credential_key = "{tmp_path}/credential.key"\nstatus = "{tmp_path}/status.json"'
        ),
    )
    done = edge_agent("run", "--config", str(path))
    assert f"lock the journal {tmp_path}/data/journal.db.lock" in only_line(done.stderr)
    assert done.returncode == 1
