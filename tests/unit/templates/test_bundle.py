"""The bundle: valid for the Databricks CLI's own schema, and its jobs call scripts that exist."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from lakemon_core.cli import scripts

SCHEMA = Path(__file__).parents[4] / "shared/reference/bundle_schema.json"
WORKFLOWS = "resources/workflows"
JOBS = {
    "serving_deployment": ["deploy_serving", "validate_inference_table", "setup_monitoring"],
    "monitoring_refresh": ["refresh_all_monitors", "analyze_drift", "send_alerts"],
}


@pytest.fixture(scope="module")
def jobs(parsed):
    """The jobs of the bundle by name."""
    return {name: parsed[f"{WORKFLOWS}/{name}.yml"]["resources"]["jobs"][name] for name in JOBS}


@pytest.fixture(scope="module")
def validator():
    """Checks a file of a bundle against the schema that the Databricks CLI publishes."""
    if not SCHEMA.exists():
        pytest.skip("the schema of `databricks bundle schema` does not lie beside this clone")
    text = SCHEMA.read_text(encoding="utf-8")
    python = text.replace(r"[\\p{L}\\p{N}]", "[a-zA-Z0-9]").replace(r"\\p{L}", "[a-zA-Z]")
    return jsonschema.Draft202012Validator(json.loads(python))


@pytest.mark.parametrize("path", ["databricks.yml", *(f"{WORKFLOWS}/{name}.yml" for name in JOBS)])
def test_every_file_of_the_bundle_is_valid(parsed, validator, path):
    assert [error.message for error in validator.iter_errors(parsed[path])] == []


@pytest.mark.parametrize("path", ["databricks.yml", "resources/workflows/serving_deployment.yml"])
def test_a_bundle_for_a_batch_table_is_valid(validator, path):
    from lakemon_templates import project

    text = project("azure", model_name="air_time", model_type="regression", serving=False)[path]
    validator.validate(YAML(typ="safe", pure=True).load(text))


def test_the_schema_refuses_a_misspelt_key(parsed, validator):
    wrong = json.loads(json.dumps(parsed["databricks.yml"]).replace('"run_as"', '"runas"'))
    assert list(validator.iter_errors(wrong))


def test_there_are_targets_for_dev_aut_and_prod(parsed):
    targets = parsed["databricks.yml"]["targets"]
    assert {name: target["mode"] for name, target in targets.items()} == {
        "dev": "development", "aut": "production", "prod": "production"
    }  # fmt: skip
    assert [name for name, target in targets.items() if target.get("default")] == ["dev"]
    assert all("service_principal_name" in targets[name]["run_as"] for name in ("aut", "prod"))


def test_the_config_has_the_environments_that_the_bundle_has_targets_for(parsed):
    environments = parsed["monitoring_config.yml"]["environments"]
    assert set(environments) - {"local"} == set(parsed["databricks.yml"]["targets"])


def test_every_variable_that_the_bundle_uses_is_declared(files, parsed):
    bundle = {path: text for path, text in files.items() if path.startswith(("databricks", "resources"))}
    used = {part.split("}")[0] for text in bundle.values() for part in text.split("${var.")[1:]}
    assert used == set(parsed["databricks.yml"]["variables"])


@pytest.mark.parametrize("name", JOBS)
def test_a_job_calls_our_scripts_one_after_the_other(jobs, name):
    tasks = jobs[name]["tasks"]
    assert [task["python_wheel_task"]["entry_point"] for task in tasks] == JOBS[name]
    assert {task["python_wheel_task"]["package_name"] for task in tasks} == {"lakemon"}
    before = [[each["task_key"] for each in task.get("depends_on", [])] for task in tasks]
    assert before == [[], [tasks[0]["task_key"]], [tasks[1]["task_key"]]]


def test_each_script_is_called_by_one_task():
    assert sorted(name for names in JOBS.values() for name in names) == sorted(scripts.SCRIPTS)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_serverless_and_takes_the_wheel_of_the_project(jobs, name):
    job = jobs[name]
    (environment,) = job["environments"]
    assert {task["environment_key"] for task in job["tasks"]} == {environment["environment_key"]}
    assert not {"job_clusters", "existing_cluster_id", "new_cluster"} & set(json.dumps(job).split('"'))
    (wheel,) = environment["spec"]["dependencies"]
    assert (Path(WORKFLOWS) / wheel).parts == ("resources", "workflows", "..", "..", "dist", "*.whl")


def test_metrics_are_refreshed_every_day_at_an_hour_of_each_environment(parsed, jobs):
    schedule = jobs["monitoring_refresh"]["schedule"]
    assert schedule["quartz_cron_expression"] == "${var.refresh_cron}"
    bundle = parsed["databricks.yml"]
    hours = [
        bundle["variables"]["refresh_cron"]["default"],
        bundle["targets"]["aut"]["variables"]["refresh_cron"],
    ]
    assert all(hour.endswith("* * ?") for hour in hours)
    assert "schedule" not in jobs["serving_deployment"]


def parameters(job):
    """Entry point and parameters of each task, with the bundle's references as texts."""
    return [
        (task["python_wheel_task"]["entry_point"], task["python_wheel_task"]["parameters"])
        for task in job["tasks"]
    ]


@pytest.mark.parametrize("name", JOBS)
def test_every_option_in_a_job_exists(jobs, name):
    for script, words in parameters(jobs[name]):
        command = get_command(scripts.app_of(script))
        parsed = command.make_context(script, [str(word) for word in words])
        assert parsed.params["environment"] == "${bundle.target}"
        assert str(parsed.params["config"]).endswith("monitoring_config.yml")


def test_a_misspelt_option_would_be_noticed(jobs):
    command = get_command(scripts.app_of("deploy_serving"))
    with pytest.raises(Exception, match="No such option"):
        command.make_context("deploy_serving", ["--git-shaa", "x"])


def test_the_dependencies_of_the_wheel_bring_the_databricks_backend(files):
    import tomllib

    project = tomllib.loads(files["pyproject.toml"])["project"]
    assert project["name"] == "flight-delays-monitoring"
    assert project["dependencies"] == ["lakemon[databricks]>=0.1,<0.2"]


@pytest.mark.parametrize(
    "name", ["Flight delays", "7", "ümläut", "a/b; rm -rf /", 'x"y', "${var.x}", "- - -"]
)
def test_any_name_of_a_model_makes_valid_files(name):
    from lakemon_templates import project

    made = project("both", model_name=name)
    package = next(path.split("/")[1] for path in made if path.startswith("src/"))
    assert package.isidentifier()
    assert package.isascii()
    for path, text in made.items():
        if path.endswith((".yml", ".yaml")):
            YAML(typ="safe", pure=True).load(text)
