"""`lakemon init`: flags in a script, all files or none, nothing overwritten unasked."""

import json
import os
from types import SimpleNamespace

import pytest

from lakemon_core.cli.main import call

DATABRICKS = ("--backend", "databricks", "--ci", "both")


@pytest.fixture
def inside(folder, monkeypatch, capfd):
    """Runs one command line in this process, in an empty folder."""
    monkeypatch.chdir(folder)

    def run(*arguments):
        code = call(arguments)
        stdout, stderr = capfd.readouterr()
        document = json.loads(stdout) if "json" in arguments else {}
        return SimpleNamespace(
            code=code, stdout=stdout, stderr=stderr, document=document, error=document.get("error")
        )

    return run


def tree(folder):
    """All files below a folder, path → text."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and ".lakemon" not in path.parts
    }


@pytest.mark.parametrize("backend", ["local", "databricks"])
@pytest.mark.parametrize("kind", ["classification", "regression", "forecasting"])
@pytest.mark.parametrize("source", ["--serving", "--batch"])
def test_every_config_passes_config_check(inside, kind, source, backend):
    assert inside("init", "--type", kind, source, "--model", "air time", "--backend", backend).code == 0
    checked = inside("config", "check", "--output", "json").document
    assert checked["environments"] == [*["local"] * (backend != "local"), "dev", "aut", "prod"]


def test_flags_stand_in_the_config(folder, inside):
    inside("init", "--model", "churn", "--schema", "shop", "--catalog", "lake", "--email", "ml@example.com")
    text = (folder / "monitoring_config.yml").read_text()
    for part in ("name: churn", "schema: shop", "catalog: lake_aut", "team: ml@example.com"):
        assert part in text


def test_what_an_option_has_said_is_no_place_to_change(folder, inside):
    said = ("--model", "churn", "--schema", "shop", "--catalog", "lake", "--email", "ml@example.com")
    before = inside("init", "before", *DATABRICKS, "--output", "json").document["open"]
    after = inside("init", "after", *DATABRICKS, *said, "--output", "json").document["open"]
    gone = {place["what"] for place in before} - {place["what"] for place in after}
    assert gone == {
        "the registered name of your model", "who is told", "who looks after the jobs",
        "the schema of your model and its tables",
        "the catalog of dev", "the catalog of aut", "the catalog of prod",
    }  # fmt: skip
    assert not [line for line in (folder / "after/monitoring_config.yml").read_text().splitlines()
                if line != line.rstrip()]  # fmt: skip


def test_a_batch_project_has_no_deployment_and_an_azure_one_has_addresses_of_azure(folder, inside):
    assert inside("init", *DATABRICKS, "--batch", "--ci", "azure").code == 0
    job = (folder / "resources/workflows/serving_deployment.yml").read_text()
    assert "deploy_serving" not in job
    assert job.count("task_key: validate") == 2  # the task, and what set-up waits for
    assert (folder / "databricks.yml").read_text().count(".azuredatabricks.net  # UPDATE:") == 3


def test_what_is_left_to_change_is_listed_by_file_and_line_until_it_is_changed(folder, inside):
    written = inside("init", *DATABRICKS, "--output", "json").document
    left = inside("config", "check", "-e", "local", "--output", "json").document["open"]
    assert left == written["open"]
    assert {"monitoring_config.yml", "databricks.yml", "azure-pipelines.yml"} < {
        place["file"] for place in left
    }
    for place in left:
        line = (folder / place["file"]).read_text().splitlines()[place["line"] - 1]
        assert line.endswith(f"# UPDATE: {place['what']}")
    pipeline = folder / "azure-pipelines.yml"
    pipeline.write_text(pipeline.read_text().replace("# UPDATE:", "#"))
    told = inside("config", "check", "-e", "local")
    assert "databricks.yml:29 address of the workspace" in told.stdout
    assert "azure-pipelines.yml" not in told.stdout


def test_a_databricks_project_has_config_bundle_jobs_and_ci(folder, inside):
    document = inside("init", *DATABRICKS, "--model", "Air time", "--output", "json").document
    assert sorted(tree(folder)) == document["files"] == [
        ".github/workflows/monitoring.yml", ".gitignore", ".pre-commit-config.yaml", "README.md",
        "azure-pipelines.yml", "databricks.yml", "monitoring_config.yml", "pyproject.toml",
        "resources/workflows/monitoring_refresh.yml", "resources/workflows/serving_deployment.yml",
        "src/air_time_monitoring/__init__.py", "tests/test_config.py",
    ]  # fmt: skip


def test_a_dry_run_says_what_it_would_write_and_writes_nothing(folder, inside):
    told = inside("init", "project", *DATABRICKS, "--dry-run")
    assert told.code == 0
    assert "would write project/databricks.yml" in told.stdout
    assert "databricks.yml:29 address of the workspace" in told.stdout
    assert list(folder.iterdir()) == []


def test_one_file_that_is_there_stops_all(folder, inside):
    (folder / "databricks.yml").write_text("mine")
    told = inside("init", *DATABRICKS)
    assert told.code == 2
    assert "LM186 databricks.yml is there already" in told.stderr
    assert tree(folder) == {"databricks.yml": "mine"}
    assert inside("init", *DATABRICKS, "--dry-run").code == 2


def test_keep_writes_the_others_only(folder, inside):
    (folder / "pyproject.toml").write_text("mine")
    document = inside("init", *DATABRICKS, "--keep", "--output", "json").document
    assert document["kept"] == ["pyproject.toml"]
    assert (folder / "pyproject.toml").read_text() == "mine"
    assert (folder / "databricks.yml").exists()


def test_force_overwrites(folder, inside):
    (folder / "databricks.yml").write_text("mine")
    assert inside("init", *DATABRICKS, "--force").code == 0
    assert "targets:" in (folder / "databricks.yml").read_text()


@pytest.mark.parametrize("option", ["--force", "--keep"])
def test_a_folder_in_the_place_of_a_file_is_never_replaced(folder, inside, option):
    (folder / "databricks.yml").mkdir()
    told = inside("init", *DATABRICKS, option)
    assert told.code == 2
    assert "LM162 databricks.yml is a folder" in told.stderr
    assert [path.name for path in folder.iterdir()] == ["databricks.yml"]


def test_when_one_file_cannot_be_written_everything_is_as_before(folder, inside):
    (folder / "monitoring_config.yml").write_text("mine")
    (folder / "src").write_text("a file where a folder goes")
    before = tree(folder)
    told = inside("init", *DATABRICKS, "--force")
    assert told.code == 2
    assert "LM161" in told.stderr
    assert "nothing was changed" in told.stderr
    assert tree(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == ["monitoring_config.yml", "src"]


def test_a_link_is_replaced_and_what_it_leads_to_stays(folder, tmp_path, inside):
    elsewhere = tmp_path / "elsewhere.yml"
    elsewhere.write_text("mine")
    (folder / "monitoring_config.yml").symlink_to(elsewhere)
    assert inside("init").code == 2
    assert inside("init", "--force").code == 0
    assert elsewhere.read_text() == "mine"
    assert not (folder / "monitoring_config.yml").is_symlink()


WRONG = {
    "a type that is not installed": (["--type", "classifcation"], "LM201", "classification"),
    "a schema that cannot be": (["--schema", "a/b"], "LM160", ""),
    "an address that is none": (["--email", "somebody"], "LM160", ""),
    "a template that is not there": (["--template", "regresion_model"], "LM185", "regression_model"),
    "a backend that is not there": (["--backend", "snowflake"], "LM180", ""),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_is_refused_before_anything_is_written(folder, inside, kind):
    arguments, code, cure = WRONG[kind]
    told = inside("init", *arguments, "--output", "json")
    assert told.code == 2
    assert told.error["code"] == code
    assert cure in told.error["cure"]
    assert list(folder.iterdir()) == []


def test_a_template_is_a_config_of_its_own(folder, inside):
    assert inside("init", "--template", "regression_model", "--backend", "databricks").code == 0
    assert list(tree(folder)) == ["monitoring_config.yml"]


def test_without_a_model_the_run_says_how_to_make_one(lakemon):
    lakemon("init", *DATABRICKS, "--model", "churn", "--schema", "shop")
    told = lakemon("run", "-e", "local", "--output", "json")
    assert told.code == 3
    reason = str(told.document["stages"][0]["detail"])
    assert "LM401" in reason
    assert 'registered_model_name="mlops_dev.shop.churn"' in reason


def test_without_a_table_the_run_says_how_to_bring_one(lakemon):
    lakemon("init", "--batch", "--model", "churn", "--schema", "shop")
    told = lakemon("run", "--output", "json")
    assert told.code == 3
    assert "lakemon table import mlops_dev.shop.inference_logs FILE" in str(
        told.document["stages"][1]["detail"]
    )


@pytest.mark.parametrize("script", ["deploy_serving", "refresh_all_monitors"])
def test_the_scripts_of_the_jobs_take_the_project_as_it_is(lakemon, folder, script):
    lakemon("init", *DATABRICKS, "--batch")
    told = lakemon(
        "--config", str(folder / "monitoring_config.yml"), "--environment", "local", program=script
    )
    assert ("LM301" in told.stdout) == (script == "refresh_all_monitors")
    assert told.code == (3 if script == "refresh_all_monitors" else 0)


def test_a_script_returns_when_all_is_well_and_exits_only_with_an_error(monkeypatch, capsys):
    from lakemon_core.cli import scripts

    monkeypatch.setattr("sys.argv", ["deploy_serving", "--help"])
    assert scripts.deploy_serving() is None
    assert "--git-sha" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["deploy_serving", "--config", os.devnull])
    with pytest.raises(SystemExit) as ended:
        scripts.deploy_serving()
    assert ended.value.code == 2


def test_a_script_works_outside_the_main_thread_where_jobs_may_call_it(capsys):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(call, ["--version"]).result() == 0
    assert "lakemon 0." in capsys.readouterr().out
