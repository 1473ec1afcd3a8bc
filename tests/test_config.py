"""``agent.toml`` and the profiles: strict, and every mistake is one line that says what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import agent_toml
from config_samples import BOARD_PROFILE, FULL, GNSS_PROFILE, SCANNER_PROFILE
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from wrong_keys import Wrong, changed, every_wrong, keys, to_toml

from edge_agent import config, profile, toml_file
from edge_agent.errors import ConfigError

KINDS: list[tuple[Any, dict[str, Any]]] = [
    (config.Config, FULL),
    (profile.ScannerProfile, SCANNER_PROFILE),
    (profile.GnssProfile, GNSS_PROFILE),
    (profile.BoardProfile, BOARD_PROFILE),
]
WRONGS = [
    pytest.param(kind, wrong, id=f"{kind.__name__}-{wrong.key}-{wrong.what}")
    for kind, good in KINDS
    for wrong in every_wrong(kind, good)
]


def refusal(path: Path, kind: Any = config.Config) -> str:
    """What a person is told about this file; one line that cannot steer a screen."""
    with pytest.raises(ConfigError) as caught:
        config.load(path) if kind is config.Config else toml_file.read(path, kind, "read")
    line = str(caught.value)
    assert line.isprintable(), line  # so neither a line end nor an escape sequence
    assert str(path) in line
    assert caught.value.exit_code == 2
    return line


def refused(tmp_path: Path, table: dict[str, Any], kind: Any = config.Config) -> str:
    path = tmp_path / "agent.toml"
    path.write_text(to_toml(table), encoding="utf-8")
    return refusal(path, kind)


def test_a_full_configuration_loads(tmp_path: Path) -> None:
    """Every key arrives where it belongs."""
    path = tmp_path / "agent.toml"
    path.write_text(to_toml(FULL), encoding="utf-8")
    loaded = config.load(path)
    for key_path, _, _, _ in keys(config.Config, FULL):
        found, wanted = loaded, FULL
        for step in key_path:
            found = found[step] if isinstance(step, int) else getattr(found, step)  # type: ignore[index]
            wanted = wanted[step]  # type: ignore[index]
        if not isinstance(wanted, dict | list):
            assert found == wanted
    assert (loaded.site.lat_e7, loaded.site.lon_e7) == (-53_694_000, 1_226_940_000)
    assert [one.name for one in loaded.scanner] == ["front", "rear"]


def test_the_smallest_configuration_loads_with_its_defaults(tmp_path: Path) -> None:
    """Only terminal, site and broker must be said."""
    loaded = config.load(agent_toml(tmp_path))
    assert (loaded.broker.port, loaded.broker.protocol) == (1883, "5")
    assert (loaded.scanner, loaded.gnss, loaded.panel.kind) == ((), None, "console")


@pytest.mark.parametrize(("kind", "wrong"), WRONGS)
def test_each_key_wrong_in_turn_is_one_line_that_names_it(
    tmp_path: Path, kind: Any, wrong: Wrong
) -> None:
    """File, key, what was found, what is allowed, and the key that was probably meant."""
    line = refused(tmp_path, wrong.table, kind)
    assert f"key {wrong.key}: found " in line
    said, _, allowed = line.partition("allowed: ")
    assert allowed
    assert ("found nothing" in said) == (wrong.what == "missing")
    meant = f'(did you mean "{wrong.nearest}"?)'
    assert (meant in allowed) == (wrong.what == "unknown"), line


def test_an_error_says_what_it_found(tmp_path: Path) -> None:
    """The value as it stands in the file, and the bounds."""
    line = refused(tmp_path, changed(FULL, ("broker", "port"), 70_000, "").table)
    assert line.endswith(
        "key broker.port: found 70000; allowed: a whole number, 1 <= value <= 65535"
    )
    line = refused(tmp_path, changed(FULL, ("broker", "protocol"), "4", "").table)
    assert line.endswith('found "4"; allowed: a string, one of "5", "3.1.1"')
    line = refused(tmp_path, changed(FULL, ("scanner",), FULL["scanner"] * 5, "").table)
    assert line.endswith("key scanner: found a list of 10; allowed: a list of at most 8 items")


def test_a_missing_key_is_not_explained_by_one_that_is_there(tmp_path: Path) -> None:
    """Latitude is missing; that longitude is there is right and no slip of the pen."""
    line = refused(tmp_path, changed(FULL, ("site", "latitude"), None, "").table)
    assert "did you mean" not in line


CROSS_CHECKS: list[tuple[str, list[tuple[tuple[str | int, ...], Any]], str]] = [
    ("no such zone", [(("site", "zone"), "Asia/Baubau")], "site.zone"),
    ("a zone that leaves its folder", [(("site", "zone"), "../../etc/hostname")], "site.zone"),
    ("a zone that is a folder", [(("site", "zone"), "Asia")], "site.zone"),
    ("a zone of two lines", [(("site", "zone"), "Asia/\nMakassar")], "site.zone"),
    ("no zone", [(("site", "zone"), "")], "site.zone"),
    ("one port twice", [(("scanner", 1, "port"), "/dev/serial/by-id/a")], "scanner[1].port"),
    ("a scanner's port for gnss", [(("gnss", "port"), "/dev/serial/by-id/a")], "gnss.port"),
    (
        "one port of two lines twice",
        [(("scanner", 0, "port"), "/dev/\nx"), (("scanner", 1, "port"), "/dev/\nx")],
        "scanner[1].port",
    ),
    (
        "a scanner's port for the modem",
        [(("network", "modem"), "/dev/serial/by-id/a")],
        "network.modem",
    ),
    (
        "the receiver's port for the modem",
        [(("network", "modem"), "/dev/serial/by-id/c")],
        "network.modem",
    ),
    ("a scanner called as the modem", [(("scanner", 0, "name"), "modem")], "scanner[0].name"),
    ("one name twice", [(("scanner", 1, "name"), "front")], "scanner[1].name"),
    ("a scanner's name for gnss", [(("gnss", "name"), "front")], "gnss.name"),
    ("waits upside down", [(("rules", "retry_first_s"), 40.0)], "rules.retry_first_s"),
    ("one pin twice", [(("panel", "red"), 17)], "panel"),
    ("no green lamp", [(("panel", "green"), None)], "panel.green"),
    (
        "simulated into nothing",
        [(("panel", "kind"), "simulated"), (("panel", "file"), None)],
        "panel.file",
    ),
    ("a certificate without its key", [(("broker", "key_file"), None)], "broker.key_file"),
    ("a key without its certificate", [(("broker", "cert_file"), None)], "broker.cert_file"),
    ("certificates without TLS", [(("broker", "tls"), False)], "broker.tls"),
    ("a password of nobody", [(("broker", "username"), None)], "broker.username"),
]


@pytest.mark.parametrize(
    ("changes", "key"), [one[1:] for one in CROSS_CHECKS], ids=[one[0] for one in CROSS_CHECKS]
)
def test_what_no_single_key_can_say_is_said_with_one(
    tmp_path: Path, changes: list[tuple[tuple[str | int, ...], Any]], key: str
) -> None:
    """Keys that contradict each other are refused in the same form."""
    table = FULL
    for path, value in changes:
        table = changed(table, path, value, "").table
    line = refused(tmp_path, table)
    assert f"key {key}: found " in line
    assert "allowed: " in line


FILES: list[tuple[str, bytes, str]] = [
    ("not UTF-8", b'terminal = "\xff"', "not UTF-8"),
    ("not TOML", b"terminal =", "not TOML"),
    ("a NUL", b"terminal\x00 = 1", "not TOML"),
    ("an escape sequence", b"\x1b[2J = 1", "not TOML"),
    ("a key twice", b"a = 1\na = 2\n", "not TOML"),
    ("a number of 5000 digits", b"terminal = " + b"9" * 5000, "not TOML"),
    ("a hexadecimal one", b"terminal = 0x" + b"f" * 5000, "20000 bits"),
    ("3000 brackets", b"terminal = " + b"[" * 3000, "not TOML"),
    ("a key of two lines", b'"\\u001b[2J\\na\\u2028" = 1', "an unknown key"),
    ("a long key", b"k" * 100_000 + b" = 1", "an unknown key"),
    ("a long value", b'terminal = "' + b"v" * 100_000 + b'"', '...";'),
    ("a date", b"terminal = 2026-11-21", "found 2026-11-21"),
    ("nothing", b"", "key terminal: found nothing"),
]


@pytest.mark.parametrize(
    ("data", "cause"), [one[1:] for one in FILES], ids=[one[0] for one in FILES]
)
def test_a_file_that_is_no_configuration_is_one_short_line(
    tmp_path: Path, data: bytes, cause: str
) -> None:
    """Whatever is in it, its reader's screen is safe."""
    path = tmp_path / "agent.toml"
    path.write_bytes(data)
    line = refusal(path)
    assert cause in line
    assert len(line) < 600 + len(str(path))


@given(st.binary(max_size=200))
def test_no_file_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Random bytes are refused in the same way."""
    path = tmp_path_factory.getbasetemp() / "random.toml"
    path.write_bytes(data)
    refusal(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing one, and a directory in its place."""
    assert "No such file" in refusal(tmp_path / "nowhere.toml")
    assert "Is a directory" in refusal(tmp_path)


def test_the_digest_says_whether_the_file_changed(tmp_path: Path) -> None:
    """SHA-256 of its bytes: 64 digits, other bytes other digits."""
    path = agent_toml(tmp_path)
    before = config.digest(path)
    path.write_bytes(path.read_bytes() + b"# changed\n")
    assert len(before) == 64
    assert before != config.digest(path)


PROFILES: dict[str, Callable[[str], Any]] = {
    "scanners": profile.scanner,
    "gnss": profile.gnss,
    "boards": profile.board,
}


def shipped(folder: str) -> list[str]:
    return sorted(path.stem for path in (ROOT / "firmware_configs" / folder).glob("*.toml"))


@pytest.mark.parametrize("folder", PROFILES)
def test_every_shipped_profile_parses(folder: str) -> None:
    """Each says what it is, how to wire it and what it was verified with."""
    assert shipped(folder)
    for name in shipped(folder):
        found = PROFILES[folder](name)
        assert found.title
        assert found.wiring
        assert found.verified


@pytest.mark.parametrize("folder", PROFILES)
def test_an_unknown_profile_names_the_known_ones(folder: str) -> None:
    """A technician sees what there is, and where to add one."""
    with pytest.raises(ConfigError, match="there is no such file") as caught:
        PROFILES[folder]("rdm6301")
    known = caught.value.hint.removeprefix("known: ").partition(";")[0].split(", ")
    assert set(shipped(folder)) <= set(known)
    assert f"/etc/edge-agent/firmware_configs/{folder}/rdm6301.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ('decoder = "pn532"\nbaud = 115200\nconfirm = 2', "confirm"),
        ('decoder = "fingerprint"\nbaud = 57600\nconfirm = 3', "confirm"),
        (
            'decoder = "text"\nbaud = 9600\ntechnology = "14443a"\ntext.format = "w26"',
            "text.format",
        ),
        ('decoder = "text"\nbaud = 9600\ntext.format = "hex"', "technology"),
        ('decoder = "pn532"\nbaud = 115200\nidentify.ask = "00"', "identify.answer"),
        ('decoder = "text"\nbaud = 9600\ntext.pattern = "("', "text.pattern"),
    ],
)
def test_a_profile_that_could_never_work_is_refused(tmp_path: Path, lines: str, key: str) -> None:
    """What parses and would read nothing for ever is one line that says why."""
    path = tmp_path / "ours.toml"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        profile.read(path, profile.ScannerProfile)
    assert f"key {key}:" in str(caught.value)
