"""`edge-agent site set` as it is typed, on real files."""

import os
from pathlib import Path

import pytest
from builders import agent_toml
from surveying import NEARBY, TYPED, failed, run
from test_kelurahan import CSV, KAMPEONAHO

from edge_agent import config

TO_WRITE = "write into its [site]: latitude = -5.3694400, longitude = 122.6939600"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A terminal whose site was typed some 50 m off."""
    return agent_toml(tmp_path, site=NEARBY)


def test_a_typed_position_is_written(path: Path) -> None:
    """Seven decimals, the radius only if it is given, the distance to the old position said."""
    result = run("site", "set", *TYPED, "--config", path)
    assert result.exit_code == 0, result.output
    assert "latitude = -5.3694400 # old\nlongitude = 122.6939600\n" in path.read_text()
    assert "radius_m" not in path.read_text()
    assert ": 49.1 m away" in result.stdout
    assert "WARNING" not in result.stdout
    assert "says so already" in run("site", "set", *TYPED, "--config", path).stdout
    assert run("site", "set", *TYPED, "--radius-m", 150, "--config", path).exit_code == 0
    assert config.load(path).site.radius_m == 150


def test_another_terminals_file_is_noticed(path: Path) -> None:
    """Farther than the old radius; and in another time zone."""
    result = run(
        "site", "set", "--latitude", "-1.61818", "--longitude", "103.59979", "--config", path
    )
    assert "is this the right terminal's file?" in result.stdout
    assert "Asia/Makassar is not kept at longitude 103.60" in result.stdout


def test_few_decimals_are_warned_of(path: Path) -> None:
    """Two of them are worth half a kilometre."""
    result = run("site", "set", "--latitude", "-5.37", "--longitude", "122.69396", "--config", path)
    assert "WARNING    too few decimals: it may be 557 m off" in result.stdout


def test_a_site_outside_its_kelurahan_is_warned_of_and_written(path: Path, tmp_path: Path) -> None:
    """The office may stand in another one; somebody shall look."""
    table = tmp_path / "kelurahan.csv"
    table.write_text(CSV)
    where = ("--kelurahan", KAMPEONAHO, "--table", table, "--config", path)
    result = run("site", "set", *TYPED, *where)
    assert result.exit_code == 0
    assert "outside kelurahan 74.72.04.1003 (Kampeonaho, Bungi); it fits" in result.stdout
    inside = ("--latitude", "-5.34109", "--longitude", "122.70914")
    assert "outside kelurahan" not in run("site", "set", *inside, *where).stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'site = {id="a", name="b", zone="Asia/Makassar", latitude=-5.1, longitude=122.1}',
            TO_WRITE,
        ),
        ('[site]\nid = "a"\nname = """\n[site]\n"""', "site.name"),
        (f'[panel]\nfile = """\n[site]\nlatitude = 1\n"""\n[site]\n{NEARBY}', TO_WRITE),
    ],
    ids=["inline", "a name over lines", "a text that looks like the table"],
)
def test_a_file_that_lines_cannot_change_stays_as_it_was(
    tmp_path: Path, text: str, said: str
) -> None:
    """One line with what to write by hand, or what is wrong with the file anyway."""
    path, whole = tmp_path / "agent.toml", f'terminal = "a"\nbroker = {{host = "x"}}\n{text}\n'
    path.write_text(whole)
    assert said in failed(run("site", "set", *TYPED, "--config", path))
    assert path.read_text() == whole
    assert [one.name for one in tmp_path.iterdir()] == ["agent.toml"]


def test_a_link_is_followed_and_stays_a_link(path: Path, tmp_path: Path) -> None:
    """The file that it leads to is replaced, beside which the old one is kept."""
    link = tmp_path / "etc" / "agent.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    assert run("site", "set", *TYPED, "--config", link).exit_code == 0
    assert link.is_symlink()
    assert "-5.3694400" in path.read_text()
    assert path.with_name("agent.toml.before").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_said_before_the_survey(path: Path) -> None:
    """Use sudo."""
    path.parent.chmod(0o500)
    try:
        assert "use sudo" in failed(run("site", "survey", "--minutes", 60, "--config", path))
        assert "use sudo" in failed(run("site", "set", *TYPED, "--config", path))
    finally:
        path.parent.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_owner_and_group_are_kept(path: Path) -> None:
    """The agent reads it as another user than the one who ran sudo."""
    os.chown(path, 1234, 2345)
    assert run("site", "set", *TYPED, "--config", path).exit_code == 0
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)
