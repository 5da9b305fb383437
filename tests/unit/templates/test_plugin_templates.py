"""`lakemon plugins new`: each kind of plugin is found, works and holds its contract as it is written."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from lakemon_templates import PLUGIN_KINDS, plugin

from lakemon_core.cli.main import call


@pytest.fixture
def new(tmp_path, monkeypatch, capfd):
    """Runs `lakemon plugins new` in an empty folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: (call(["plugins", "new", *arguments]), *capfd.readouterr())


def install(distribution: Path, site: Path) -> dict[str, str]:
    """Lays a distribution into a folder as an installer would; returns the environment that sees it."""
    project = tomllib.loads((distribution / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    ((group, entries),) = project["entry-points"].items()
    ((name, target),) = entries.items()
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n")
    shutil.copytree(distribution / "src", site, dirs_exist_ok=True)
    return {**os.environ, "PYTHONPATH": str(site)}


def passes(distribution: Path, environment: dict[str, str], *options: str) -> None:
    """Runs the tests of a distribution; fails with what they say."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    done = subprocess.run(
        command, cwd=distribution, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_a_new_plugin_passes_its_tests(new, tmp_path, kind):
    code, _, stderr = new(f"night-{kind}", "--kind", kind)
    assert code == 0, stderr
    distribution = tmp_path / f"lakemon-night-{kind}"
    quick = ("-k", "says_what_it_is or ledger_notes or comes_again") if kind == "backend" else ()
    passes(distribution, install(distribution, tmp_path / "site"), *quick)


def test_new_plugins_of_all_kinds_are_active(new, tmp_path):
    for kind in PLUGIN_KINDS:
        new(f"night-{kind}", "--kind", kind)
        environment = install(tmp_path / f"lakemon-night-{kind}", tmp_path / "site")
    command = [sys.executable, "-m", "lakemon_core", "plugins", "list", "--output", "json"]
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    found = {row["name"]: row for row in json.loads(told.stdout)["plugins"]}
    assert {found[f"night-{kind}"]["status"] for kind in PLUGIN_KINDS} == {"active"}
    assert found["night-hook"]["hooks"] == ["lakemon_validate", "lakemon_report_panels"]


@pytest.mark.slow
def test_a_new_backend_passes_all_its_tests(new, tmp_path):
    new("whole-backend", "--kind", "backend")
    distribution = tmp_path / "lakemon-whole-backend"
    passes(distribution, install(distribution, tmp_path / "site"))


def test_their_code_is_clean(new, tmp_path):
    for kind in PLUGIN_KINDS:
        new(f"clean-{kind}", "--kind", kind)
    for check in (["format", "--check"], ["check", "--select", "E,F,UP,B"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", "--line-length", "110", "."]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


WRONG = {
    "no name for an entry point": ("Night Watch", "LM163 'Night Watch' cannot be"),
    "the name of another": ("email", "LM163 'email' is the name of the alert sink of lakemon-email"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_name_is_refused(new, tmp_path, kind):
    name, said = WRONG[kind]
    code, _, stderr = new(name)
    assert code == 2
    assert stderr.startswith(said)
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_writes_nothing_and_a_second_run_overwrites_nothing(new, tmp_path):
    assert "would write lakemon-day-watch/pyproject.toml" in new("day-watch", "--dry-run")[1]
    assert not (tmp_path / "lakemon-day-watch").exists()
    new("day-watch")
    assert "LM186" in new("day-watch")[2]


def test_a_name_of_two_words_and_one_that_ends_like_its_kind_make_good_classes():
    assert "class TeamPagerSink(" in plugin("team-pager", "sink")["src/lakemon_team_pager/__init__.py"]
    assert "class PagerSink(" in plugin("pager-sink", "sink")["src/lakemon_pager_sink/__init__.py"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(LookupError, match="there are hook"):
        plugin("x", "hok")
