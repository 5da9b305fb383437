"""The examples work: each plugin's own tests pass with the plugin installed."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def install(example: Path, site: Path) -> None:
    """Lays the distribution into a folder as an installer would: its module, METADATA and entry points."""
    project = tomllib.loads((example / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [f"[{group}]\n{name} = {value}" for group, entries in project["entry-points"].items()
             for name, value in entries.items()]  # fmt: skip
    (info / "entry_points.txt").write_text("\n".join(lines))
    for module in example.glob("*.py"):
        if module.name != "conftest.py":
            shutil.copy(module, site)


def test_the_example_plugin_passes_its_own_tests(tmp_path, monkeypatch):
    example = tmp_path / "plugin_hello"
    shutil.copytree(ROOT / "examples/plugin_hello", example)
    install(example, tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=example, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 passed" in done.stdout
