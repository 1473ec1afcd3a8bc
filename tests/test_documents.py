"""Documentation that fails: what the README and the examples say is true of the program."""

import re
import tomllib
from pathlib import Path

import click
import pytest
from conftest import ROOT

from edge_agent import config, devices, profile, shape
from edge_agent.central import settings
from edge_agent.cli import cli

README = (ROOT / "README.md").read_text(encoding="utf-8")


def _resolve(words: list[str]) -> click.Command:
    """The command that `words` name; arguments that follow it are ignored."""
    found: click.Command = cli
    for word in words:
        if not isinstance(found, click.Group):
            break
        inner = found.get_command(click.Context(found), word)
        assert inner is not None, f"edge-agent {' '.join(words)}: there is no {word}"
        found = inner
    return found


def _quoted_commands() -> list[list[str]]:
    """Every ``edge-agent ...`` of the README's code, as words up to the first argument."""
    found = []
    for code in re.findall(r"```[a-z]*\n(.*?)```|`([^`]+)`", README, re.DOTALL):
        for line in "".join(code).splitlines():
            said = re.match(r"\s*(?:sudo )?edge-agent((?: [a-z][a-z-]*)+)(?=\s|$)", line)
            if said:
                found.append(said[1].split())
    return found


@pytest.mark.parametrize("words", _quoted_commands(), ids=" ".join)
def test_a_command_of_the_readme_exists(words: list[str]) -> None:
    """Each command that a reader could type is one that the program has."""
    assert not isinstance(_resolve(words), click.Group) or len(words) == 1


def test_every_command_is_in_the_readme() -> None:
    """What the program can do is said at its front door."""
    said = {" ".join(words[:2]) for words in _quoted_commands()}
    said |= {words[0] for words in _quoted_commands()}
    for name in cli.list_commands(click.Context(cli)):
        assert name in said, name


def test_the_scripts_of_the_readme_exist_and_can_be_run() -> None:
    """./scripts/NAME in the README is an executable file."""
    named = set(re.findall(r"\./scripts/([a-z-]+)", README))
    assert {"demo", "test", "check", "bench"} <= named
    for name in named:
        assert (ROOT / "scripts" / name).stat().st_mode & 0o111, name


def test_the_rooms_of_the_readme_are_those_of_the_program() -> None:
    """The picture of the house has each room once and no other."""
    house = README.split("## The house")[1].split("```")[1]
    drawn = set(re.findall(r"^  ([a-z]+)/ ", house, re.MULTILINE))
    built = {path.parent.name for path in (ROOT / "edge_agent").glob("*/__init__.py")}
    assert drawn == built


def _uncommented(path: Path) -> str:
    """The example with its commented keys and tables in force."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(re.sub(r"^# (?=\[|[a-z_]+ = )", "", line) for line in lines)


@pytest.mark.parametrize(
    ("name", "kind"), [("agent.toml", config.Config), ("central.toml", settings.Settings)]
)
def test_an_example_configuration_loads_with_and_without_its_comments(
    name: str, kind: type
) -> None:
    """What the examples show as defaults are keys that exist, with values that are allowed."""
    path = ROOT / "firmware_configs" / "examples" / name
    shape.load(kind, tomllib.loads(path.read_text(encoding="utf-8")))
    shape.load(kind, tomllib.loads(_uncommented(path)))


def test_the_examples_show_every_key() -> None:
    """A technician finds in the example all that can be set."""
    text = (ROOT / "firmware_configs" / "examples" / "agent.toml").read_text(encoding="utf-8")
    tables = (config.Site, config.Broker, config.Scanner, config.Gnss, config.Panel, config.Rules)
    for table in (*tables, config.Files):
        for key in table.__dataclass_fields__:
            if key != "file":  # of the simulated panel, which is no technician's business
                assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), f"{table}.{key}"


def test_every_shipped_profile_parses() -> None:
    """A profile that ships can be named in a configuration, and says what it was tried with."""
    assert {"rdm6300", "id12la", "text-line"} <= set(profile.known("scanners"))
    for name in profile.known("scanners"):
        assert profile.scanner(name).verified
    for name in profile.known("gnss"):
        assert profile.gnss(name).verified


def test_the_model_that_the_readme_adds_is_read(tmp_path: Path) -> None:
    """The profile in the README loads, and makes of the README's line what it should."""
    (added,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    (line,) = re.findall(r"`(Card UID: [0-9A-F ]+)`", README)
    path = tmp_path / "added.toml"
    path.write_text(added, encoding="utf-8")
    model = profile.read(path, profile.ScannerProfile)
    scans = list(devices.scanner_decoder(model).feed(line.encode() + b"\r\n"))
    assert [one.credential for one in scans] == ["14443a:04C63A63110189"]
