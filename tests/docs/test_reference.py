"""Whatever a person can name is documented: hooks, commands, options, exit codes, errors, keys, columns."""

import ast
import dataclasses
import inspect
import re
import shlex
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from lakemon_core import hookspecs
from lakemon_core.cli.lazy import COMMANDS, load
from lakemon_core.cli.main import app
from lakemon_core.cli.scripts import SCRIPTS
from lakemon_core.domain.run import ExitCode

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference"
PACKAGES = ["lakemon_core", "config_templates/lakemon_templates", *ROOT.glob("plugins/*/lakemon_*")]


@cache
def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The part of a page below a heading, up to the next one of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    assert f"\n{heading}\n" in text, f"no heading {heading!r}"
    return re.split(rf"\n#{{1,{level}}} ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1)[0]


def sources() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("hook", hookspecs.HOOKS)
def test_every_hook_is_documented_with_its_arguments_and_its_context(hook):
    signature = inspect.signature(getattr(hookspecs.LakemonHooks, hook))
    arguments = [name for name in signature.parameters if name != "self"]
    text = section(page("hooks.md"), f"### {hook}({', '.join(arguments)})")
    for name in arguments:
        assert f"`{name}: {signature.parameters[name].annotation}`" in text
    if signature.return_annotation != "None":
        assert f"`{signature.return_annotation}`" in text


def test_every_field_of_every_context_is_documented():
    text = section(page("hooks.md"), "## Contexts")
    common = {field.name for field in dataclasses.fields(hookspecs.RunContext)}
    for name, context in inspect.getmembers(hookspecs, inspect.isclass):
        if issubclass(context, hookspecs.RunContext):
            own = {field.name for field in dataclasses.fields(context)} - (
                common if name != "RunContext" else set()
            )
            assert f"`{name}`" in text
            assert {field for field in own if f"`{field}`" not in text} == set()


def test_the_deadlines_of_hooks_are_documented():
    from lakemon_core.pipeline.run import OBSERVER_SECONDS
    from lakemon_core.pipeline.stages import STAGES

    for work in STAGES.values():
        assert f"Deadline {work.deadline:g} s" in section(page("hooks.md"), f"### {work.hook}(context)")
    assert f"they have {OBSERVER_SECONDS:g} seconds" in page("hooks.md")


def commands() -> list[tuple[str, object]]:
    """Every command that can be called, by its path."""
    found = []
    for name in COMMANDS:
        command = load(name)
        inner = getattr(command, "commands", None)
        found += [(f"{name} {part}", each) for part, each in inner.items()] if inner else [(name, command)]
    return found


@pytest.mark.parametrize(("path", "command"), commands(), ids=[path for path, _ in commands()])
def test_every_command_is_documented_with_every_argument_and_option(path, command):
    text = section(page("cli.md"), f"### lakemon {path}")
    named = [parameter.metavar or parameter.opts[0] for parameter in command.params
             if parameter.param_type_name == "argument"]  # fmt: skip
    named += [parameter.opts[0] for parameter in command.params if parameter.param_type_name != "argument"]
    missing = [name for name in named if not re.search(rf"\[?{re.escape(name)}[ \]\n]", text)]
    assert not [name for name in missing if name != "--help"]


def test_every_option_stands_in_a_table_with_its_short_form():
    for _, command in commands():
        for parameter in command.params:
            if parameter.param_type_name != "argument":
                for option in parameter.opts:
                    assert option in {"--help", *re.findall(r"-{1,2}[a-z][a-z-]*", page("cli.md"))}


def test_the_options_of_lakemon_itself_are_documented():
    from typer.main import get_command

    for parameter in get_command(app).params:
        assert parameter.opts[0] == "--help" or f"`{parameter.opts[0]}`" in page("cli.md")


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_console_script_is_documented(script):
    assert f"| `{script}` | {SCRIPTS[script][0].value}" in section(page("cli.md"), "## Console scripts")


def test_no_command_is_documented_that_is_not_there():
    documented = set(re.findall(r"^### lakemon (.+)$", page("cli.md"), re.MULTILINE))
    assert documented == {path for path, _ in commands()}


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: code.name)
def test_every_exit_code_is_documented(code):
    assert f"| {int(code)} | {code.name} |" in page("exit-codes.md")


def error_codes_in_use() -> dict[str, str]:
    """Every LMnnn that stands as a text of its own in the code, with a place."""
    found = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(r"LM\d{3}", str(node.value)):
                found[str(node.value)] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def documented_error_codes() -> list[str]:
    pages = [*REFERENCE.glob("errors.d/*.md"), *REFERENCE.glob("errors.md")]
    return [
        code for each in pages for code in re.findall(r"^\| (LM\d{3}) \|", each.read_text(), re.MULTILINE)
    ]


def test_every_error_code_is_documented():
    missing = {
        code: place for code, place in error_codes_in_use().items() if code not in documented_error_codes()
    }
    assert not missing


def test_no_error_code_is_documented_twice_or_without_use():
    documented = documented_error_codes()
    assert sorted(set(documented)) == sorted(documented)
    assert not set(documented) - set(error_codes_in_use())


def test_every_error_code_lies_in_the_range_of_its_class():
    ranges = {"PluginError": "LM2", "DataError": "LM3", "ModelError": "LM4", "DeliveryError": "LM5",
              "WorkspaceError": "LM6", "WorkspaceBusy": "LM6", "UsageError": "LM1"}  # fmt: skip
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.func.id} {node.args[0].value}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ranges
        and node.args and isinstance(node.args[0], ast.Constant)
        and not str(node.args[0].value).startswith(ranges[node.func.id])
    ]  # fmt: skip
    assert not wrong


def test_every_environment_variable_is_documented():
    used = {
        name.rstrip("_") for path in sources() for name in re.findall(r"LAKEMON_[A-Z_]+", path.read_text())
    }
    documented = section(page("cli.md"), "## Environment variables")
    assert {name for name in used if f"`{name}" not in documented} == set()


def keys_of(schema: dict, found: set[str]) -> set[str]:
    """All property names of a JSON Schema, at any depth."""
    for name, inner in schema.get("properties", {}).items():
        found.add(name)
        keys_of(inner, found)
    for part in ("items", "additionalProperties", "then", "if"):
        if isinstance(schema.get(part), dict):
            keys_of(schema[part], found)
    for part in ("allOf", "anyOf", "oneOf"):
        for inner in schema.get(part, []):
            keys_of(inner, found)
    for inner in schema.get("$defs", {}).values():
        keys_of(inner, found)
    return found


def test_every_config_key_is_documented():
    from lakemon_core.config.schema import json_schema
    from lakemon_core.pipeline.plugins import discover

    plugins = discover(no_plugins=True)
    groups = {
        "model_types": "lakemon.model_types",
        "sinks": "lakemon.alert_sinks",
        "backends": "lakemon.backends",
    }
    schema = json_schema(**{part: plugins.configs(group) for part, group in groups.items()})
    written = set(
        re.findall(
            r"[a-z][a-z0-9_]*",
            page("config.md") + page("alerts.md") + page("metrics.md") + page("databricks.md"),
        )
    )
    assert keys_of(schema, set()) - written == set()


@pytest.mark.parametrize("kind", ["profile", "drift", "signals"])
def test_every_column_of_the_metric_tables_is_documented(kind):
    from lakemon_core.profiling import schemas

    names = getattr(schemas, f"{kind}_schema")("id column").names
    text = page("tables.md")
    assert [name for name in names if f"`{name}`" not in text and name != "id column"] == []
    assert "| the model id column |" in text


@pytest.mark.parametrize("name", ["classification", "regression", "forecasting"])
def test_every_metric_of_a_model_type_and_its_column_are_documented(name):
    (found,) = entry_points(group="lakemon.model_types", name=name)
    kind = found.load()
    model_type = kind(kind.Config())
    columns = [column for column, _ in model_type.quality_fields()]
    assert [column for column in columns if f"`{column}`" not in page("tables.md")] == []
    text = section(page("metrics.md"), f"## {name.title()}")
    assert [metric.name for metric in model_type.metrics if f"`{metric.name}`" not in text] == []


def links(path: Path) -> list[str]:
    return re.findall(r"\]\(([^)#:]+\.(?:md|py|yml|toml))(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))


PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("examples/**/*.md"),
    *ROOT.glob("plugins/*/*.md"),
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    assert [link for link in links(path) if not (path.parent / link).exists()] == []


def test_ci_runs_the_test_command_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"uv/bin/uv (run .*pytest.*)", readme)
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8")
    (run,) = [shlex.split(line) for line in ci.splitlines() if line.startswith("uv run ")]
    assert run[1:-1] == shlex.split(command)
    assert run[-1] == "$@"


def test_every_nox_session_says_in_one_line_what_it_does():
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert len(sessions) >= 8
    assert [node.name for node in sessions if "\n" in (ast.get_docstring(node) or "\n")] == []


def test_the_guide_shows_the_example_plugin_as_it_is():
    example = (ROOT / "examples/plugin_hello/lakemon_hello.py").read_text(encoding="utf-8")
    guide = (ROOT / "docs/guide/write-a-plugin.md").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)[0]
    without_docstrings = re.sub(r'\n *""".*?"""\n', "\n", example, flags=re.DOTALL).split('"""\n\n', 1)[-1]
    assert ast.dump(_bare(shown)) == ast.dump(_bare(without_docstrings))


def _bare(source: str) -> ast.Module:
    """The tree of a module without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body.pop(0)
    return tree
