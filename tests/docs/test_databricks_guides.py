"""What the guides on Databricks show works: configs load, grants are those that are needed, code runs."""

import re
from pathlib import Path

import pytest
from lakemon_databricks.preflight.grants import needs
from lakemon_templates import CI, PLUGIN_KINDS, names, project
from ruamel.yaml import YAML

from lakemon_core.config import load_all
from lakemon_core.domain.run import HookStatus
from lakemon_core.testing.plugin import Host

ROOT = Path(__file__).parents[2]
GUIDES = ("databricks", "migration-quality-monitor", "migration-mlops-stacks")


def blocks(page, language):
    """The code blocks of a language in a guide, without their indentation."""
    text = (ROOT / f"docs/guide/{page}.md").read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def configs():
    """Every config that a guide shows, by guide."""
    return [(page, body) for page in GUIDES for body in blocks(page, "yaml") if body.startswith("model:")]


@pytest.mark.parametrize(("page", "body"), configs(), ids=[page for page, _ in configs()])
def test_every_config_in_a_guide_loads(page, body, tmp_path):
    path = tmp_path / "monitoring_config.yml"
    path.write_text(body, encoding="utf-8")
    assert load_all(path)


def test_every_guide_shows_a_config():
    assert {page for page, _ in configs()} == set(GUIDES)


def granted(sql):
    """What GRANT statements give, as (grant, kind, name)."""
    found = re.findall(r"GRANT (.+?) ON (CATALOG|SCHEMA|FUNCTION|TABLE) (\S+) TO", sql)
    return {
        (grant.replace(" ", "_"), kind, name) for list_, kind, name in found for grant in list_.split(", ")
    }


@pytest.mark.parametrize("serving", [True, False])
def test_the_guide_grants_what_a_run_needs_and_nothing_else(serving, tmp_path):
    (sql,) = [block for block in blocks("databricks", "sql") if "GRANT" in block]
    (config,) = [body for page, body in configs() if page == "databricks"]
    path = tmp_path / "monitoring_config.yml"
    path.write_text(config if serving else re.sub(r"  serving: .*\n", "", config), encoding="utf-8")
    monitor = load_all(path)["dev"].monitor
    wanted = {(grant, need.kind, need.name) for need in needs(monitor, "lakemon") for grant in need.grants}
    of_a_batch_table = {one for one in granted(sql) if one[2].endswith("inference_logs")}
    of_a_served_model = {one for one in granted(sql) if one[1] == "FUNCTION" or one[2].endswith("_payload")}
    assert wanted <= granted(sql)
    assert granted(sql) - wanted <= (of_a_batch_table if serving else of_a_served_model)


def test_schemas_that_are_granted_are_made_before():
    (sql,) = [block for block in blocks("databricks", "sql") if "GRANT" in block]
    made = set(re.findall(r"CREATE SCHEMA IF NOT EXISTS (\S+);", sql))
    assert made == {name for _, kind, name in granted(sql) if kind == "SCHEMA"}


def test_the_hook_that_retrains_fits_and_starts_nothing_while_nothing_opens():
    (source,) = blocks("migration-mlops-stacks", "python")
    (body,) = [block for block in blocks("migration-mlops-stacks", "yaml") if block.startswith("plugins:")]
    settings = YAML(typ="safe", pure=True).load(body)["plugins"]["settings"]["retrain"]
    made: dict = {}
    exec(source, made)
    host = Host()
    host.use(made["Retrain"](), settings, name="retrain")
    (outcome,) = host.call("lakemon_alert")
    assert outcome.status is HookStatus.OK, outcome.error


def test_the_bundle_parts_of_the_guide_declare_what_the_jobs_use():
    (body,) = [block for block in blocks("migration-mlops-stacks", "yaml") if "artifacts:" in block]
    parts = YAML(typ="safe", pure=True).load(body)
    whole = YAML(typ="safe", pure=True).load(project()["databricks.yml"])
    assert parts["variables"].keys() == whole["variables"].keys()
    assert parts["artifacts"] == whole["artifacts"]
    assert "resources/workflows/*.yml" in parts["include"]


def reference():
    return (ROOT / "docs/reference/templates.md").read_text(encoding="utf-8")


def test_every_template_and_every_file_of_a_project_is_documented():
    written = reference()
    assert [name for name in names() if f"`{name}`" not in written] == []
    files = {path if not path.startswith("src/") else "src/" for path in project("both")}
    assert [path for path in files if f"`{path}`" not in written] == []
    assert [ci for ci in CI if f"`{ci}`" not in written] == []


def test_every_kind_of_plugin_is_documented():
    guide = (ROOT / "docs/guide/write-a-plugin.md").read_text(encoding="utf-8")
    assert [kind.group for kind in PLUGIN_KINDS.values() if f"`{kind.group}`" not in guide] == []
