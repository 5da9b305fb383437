"""`lakemon plugins new`: each kind of plugin is found, works and holds its contract as it is written."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from lakemon_templates import PLUGIN_KINDS, plugin


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    """Runs `lakemon plugins new` in a folder; returns that folder."""
    folder = tmp_path_factory.mktemp("plugins")

    def run(*arguments):
        command = [sys.executable, "-m", "lakemon_core", "plugins", "new", *arguments]
        return folder, subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    return run


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
def test_a_new_plugin_is_active_and_passes_its_tests(new, tmp_path, kind):
    folder, told = new(f"night-{kind}", "--kind", kind)
    assert told.returncode == 0, told.stderr
    distribution = folder / f"lakemon-night-{kind}"
    environment = install(distribution, tmp_path / "site")
    listed = subprocess.run(
        [sys.executable, "-m", "lakemon_core", "plugins", "check", f"night-{kind}"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stdout
    assert "status        active" in listed.stdout
    quick = ("-k", "says_what_it_is or ledger_notes or comes_again") if kind == "backend" else ()
    passes(distribution, environment, *quick)


@pytest.mark.slow
def test_a_new_backend_passes_all_its_tests(new, tmp_path):
    folder, _ = new("whole-backend", "--kind", "backend")
    distribution = folder / "lakemon-whole-backend"
    passes(distribution, install(distribution, tmp_path / "site"))


@pytest.mark.parametrize("kind", PLUGIN_KINDS)
def test_its_code_is_clean(new, kind):
    folder, _ = new(f"clean-{kind}", "--kind", kind)
    for check in (["format", "--check"], ["check", "--select", "E,F,UP,B"]):
        command = [sys.executable, "-m", "ruff", *check, "--isolated", "--line-length", "110", "."]
        done = subprocess.run(
            command, cwd=folder / f"lakemon-clean-{kind}", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


WRONG = {
    "no name for an entry point": ("Night Watch", "LM163 'Night Watch' cannot be"),
    "the name of another": ("email", "LM163 'email' is the name of the alert sink of lakemon-email"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_name_is_refused(new, kind):
    name, said = WRONG[kind]
    folder, told = new(name)
    assert told.returncode == 2
    assert told.stderr.startswith(said)
    assert not (folder / f"lakemon-{name}").exists()


def test_a_dry_run_writes_nothing_and_a_second_run_overwrites_nothing(new):
    folder, told = new("day-watch", "--dry-run")
    assert "would write lakemon-day-watch/pyproject.toml" in told.stdout
    assert not (folder / "lakemon-day-watch").exists()
    new("day-watch")
    assert "LM186" in new("day-watch")[1].stderr


def test_a_long_name_and_one_that_ends_like_its_kind_make_good_classes():
    assert "class TeamPagerSink(" in plugin("team-pager", "sink")["src/lakemon_team_pager/__init__.py"]
    assert "class PagerSink(" in plugin("pager-sink", "sink")["src/lakemon_pager_sink/__init__.py"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(LookupError, match="there are hook"):
        plugin("x", "hok")
