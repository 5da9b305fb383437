"""`--help` and its like answer without heavy libraries: seen on `sys.modules` in fresh processes."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "mlflow", "databricks", "pandas", "numpy", "sklearn", "scipy", "pyarrow", "duckdb", "deltalake", "polars",
    "httpx", "requests", "starlette", "uvicorn", "matplotlib",
}  # fmt: skip

PROBE = """
import json, sys
from lakemon_core.cli.main import call
code = call({arguments!r})
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules_after(*arguments: str) -> set[str]:
    """The modules in memory after one command line, in a process of its own."""
    command = [sys.executable, "-c", PROBE.format(arguments=list(arguments))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(modules)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"], [], ["--version"], ["run", "--help"], ["alert", "--help"], ["table", "import", "--help"],
        ["demo", "--help"], ["plugins", "list"], ["plugins", "list", "--output", "json"],
        ["config", "schema"], ["config", "--help"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_heavy_library_is_imported(arguments):
    heavy = {name.partition(".")[0] for name in modules_after(*arguments)} & HEAVY
    assert not heavy


def test_help_imports_few_modules():
    assert len(modules_after("--help")) <= 450


def test_the_version_imports_few_modules():
    assert len(modules_after("--version")) <= 220


def test_help_imports_no_command():
    assert not [name for name in modules_after("--help") if name.startswith("lakemon_core.cli.commands")]


def test_importing_the_package_is_light():
    code = "import lakemon_core, sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in json.loads(done.stdout)} & HEAVY
