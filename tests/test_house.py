"""The rules of the house: style, types, layers, sizes, names. Each test is one rule."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("lakemon_core", "config_templates/lakemon_templates", *(
    str(path.parent.relative_to(ROOT)) for path in sorted(ROOT.glob("plugins/*/lakemon_*/__init__.py"))
))  # fmt: skip
NOT_OURS = {
    ".git",
    ".venv",
    ".uv",
    ".nox",
    ".lakemon",
    ".hypothesis",
    "dist",
    "build",
    "node_modules",
    "__pycache__",
    "uv.lock",
}
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 50
BANNED_NAMES = {"utils", "common", "helpers", "base", "manager", "handler", "context", "misc", "shared"}


def modules() -> list[Path]:
    """All modules of our packages."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds source: not what tools or the benchmark leave behind."""
    left_behind = folder.name in NOT_OURS or folder.name.endswith(("_cache", ".egg-info"))
    return not left_behind and folder != ROOT / "benchmarks" / "data"


@cache
def files() -> tuple[Path, ...]:
    """All files of the repository that are ours, without what tools leave behind."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if _is_ours(Path(folder, name)))
        ours = (name for name in sorted(names) if name not in NOT_OURS and not name.endswith(".so"))
        found += [Path(folder, name) for name in ours]
    return tuple(found)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path))


def run(*command: str) -> None:
    """Runs a tool of this environment from the root; fails with all that it says."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_finds_nothing():
    run("ruff", "check", "--no-cache", ".")


def test_ruff_would_format_nothing():
    run("ruff", "format", "--check", "--no-cache", ".")


def test_pyright_finds_nothing():
    run("pyright")


def test_arrows_point_down():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_under_the_import_rules():
    settings = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"]
    assert {Path(package).name for package in PACKAGES} - {"lakemon_templates"} == set(
        settings["root_packages"]
    )


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_are_short_and_well_named(module):
    assert len(text_of(module).splitlines()) <= MOST_LINES_OF_A_MODULE
    assert module.stem not in BANNED_NAMES
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MOST_LINES_OF_A_FUNCTION, f"{node.name} has {length} lines"


def test_no_python_file_is_longer_than_a_module_may_be():
    lines = {path: len(text_of(path).splitlines()) for path in files() if path.suffix == ".py"}
    assert not {path: length for path, length in lines.items() if length > MOST_LINES_OF_A_MODULE}


def name_of(module: Path) -> str:
    """The dotted name a module is imported by."""
    package = next(ROOT / package for package in PACKAGES if module.is_relative_to(ROOT / package))
    parts = module.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_at_the_top(module: Path, known: set[str]) -> set[str]:
    """Our modules that are imported when this one is: not those in functions or for types only."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree_of(module)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            deeper = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= deeper or {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def test_no_module_imports_itself_in_the_end():
    known = {name_of(module) for module in modules()}
    graph = {name_of(module): imports_at_the_top(module, known) for module in modules()}
    while leaves := [name for name, imported in graph.items() if not imported & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"these import each other in a circle: {sorted(graph)}"


def test_folders_that_lie_on_the_path_by_chance_are_never_imported():
    by_chance = {"plugins", "tests", "config_templates", "examples", "benchmarks"}
    for module in (path for path in files() if path.suffix == ".py"):
        for node in ast.walk(tree_of(module)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not by_chance & {name.partition(".")[0] for name in names}, module


EXCEPTION = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore)(?P<rest>.*)")
REASONED = re.compile(r"(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|\[[\w\-, ]+\])\s+-\s+\S+")


def test_every_exception_to_a_rule_names_the_rule_and_says_why():
    bare = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in files()
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (found := EXCEPTION.search(line)) and not REASONED.match(found["rest"])
    ]
    assert not bare, "\n".join(bare)


REGISTRIES = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "--index" + "-url", "extra" + "-index")
PATHS_OF_THIS_MACHINE = (f"/{'work'}/", f"/{'opt'}/wheels", f"/{'root'}/", f"/{'home'}/")


@pytest.mark.parametrize("words", [REGISTRIES, PATHS_OF_THIS_MACHINE], ids=["registries", "paths"])
def test_no_file_names_a_registry_or_a_path_of_one_machine(words):
    named = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if any(word in line for word in words)
    ]
    assert not named, "\n".join(named)


def test_all_distributions_have_one_version_and_ask_for_each_other_in_it():
    projects = [tomllib.loads(text_of(path))["project"] for path in ROOT.glob("plugins/*/pyproject.toml")]
    root = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    major, minor, _ = root["version"].split(".")
    for project in projects:
        assert project["version"] == root["version"]
        assert f"lakemon>={major}.{minor},<{major}.{int(minor) + 1}" in project["dependencies"]


def test_the_lock_holds_everything_that_is_asked_for():
    settings = [
        tomllib.loads(text_of(path)) for path in (ROOT / "pyproject.toml", *ROOT.glob("*/*/pyproject.toml"))
    ]
    asked = [name for each in settings for name in each["project"].get("dependencies", ())]
    asked += settings[0]["dependency-groups"]["dev"]
    asked += [name for names in settings[0]["project"]["optional-dependencies"].values() for name in names]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace(".", "-") for requirement in asked}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", text_of(ROOT / "requirements.lock"), re.MULTILINE))
    assert {name for name in names if not name.startswith("lakemon")} - locked == set()


def test_the_version_of_the_package_is_that_of_its_distribution():
    import lakemon_core

    root = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert lakemon_core.__version__ == root["version"]
