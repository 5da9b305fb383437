"""`--help` and its like answer without heavy libraries: seen on `sys.modules` in fresh processes."""

import json
import os
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


@pytest.mark.parametrize(("own", "expected"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_a_command_lets_no_threads_of_linear_algebra_wait_unless_it_is_told_to(own, expected):
    code = """
import os, sys
from lakemon_core.cli.main import main
sys.argv = ["lakemon", "--version"]
try:
    main()
finally:
    print(os.environ["OPENBLAS_NUM_THREADS"], file=sys.stderr)
"""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment | own, capture_output=True, text=True, check=True)
    assert done.stderr.split() == [expected]


CONFIG = """\
model: {name: trips, type: classification}
environments:
  dev: {catalog: c, schema: s, inference_table: {name: logs}, monitoring: {}}
"""


def test_a_refresh_with_nothing_to_do_imports_no_library_of_statistics_frames_or_pages(tmp_path):
    config = tmp_path / "monitoring_config.yml"
    config.write_text(CONFIG, encoding="utf-8")
    rows = tmp_path / "rows.csv"
    rows.write_text("timestamp,prediction\n2026-03-02T00:00:00Z,1\n", encoding="utf-8")
    at = ["--config", str(config)]
    modules_after("table", "import", "c.s.logs", str(rows), *at)
    refresh = ["run", "--stages", "monitor", *at]
    modules_after(*refresh)
    assert not {"scipy", "pandas", "jinja2", "mlflow", "duckdb"} & modules_after(*refresh)
