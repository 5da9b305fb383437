"""CI files: build, test, and a deployment for each environment, from its branch, with its identity."""

import pytest
from lakemon_templates import CI, PROJECT_PATHS, project

AZURE, GITHUB = "azure-pipelines.yml", ".github/workflows/monitoring.yml"
DEPLOYMENTS = {"dev": "develop", "aut": "develop", "prod": "main"}


@pytest.fixture(scope="module")
def stages(parsed):
    """The stages of the Azure pipeline by name."""
    return {stage["stage"]: stage for stage in parsed[AZURE]["stages"]}


@pytest.fixture(scope="module")
def jobs(parsed):
    """The jobs of the GitHub workflow by name."""
    return parsed[GITHUB]["jobs"]


def steps_of(stage):
    """The steps of an Azure stage with one job."""
    (job,) = stage["jobs"]
    return job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]


def scripts_of(steps):
    """Everything that steps run in a shell."""
    return "\n".join(str(step.get("script") or step.get("run") or "") for step in steps)


def test_azure_builds_tests_and_deploys_in_this_order(stages):
    assert list(stages) == ["Build", "Test", "DeployDev", "DeployAut", "DeployProd"]
    after = {name: stage.get("dependsOn") for name, stage in stages.items()}
    assert after == {
        "Build": None,
        "Test": "Build",
        "DeployDev": "Test",
        "DeployAut": "DeployDev",
        "DeployProd": "Test",
    }


def test_azure_builds_with_uv_and_tests_the_config(stages):
    assert "uv build --wheel" in scripts_of(steps_of(stages["Build"]))
    tested = scripts_of(steps_of(stages["Test"]))
    assert "uv run lakemon config check" in tested
    assert "uv run pytest" in tested


@pytest.mark.parametrize(("target", "branch"), DEPLOYMENTS.items())
def test_azure_deploys_each_environment_from_its_branch_as_its_service_principal(stages, target, branch):
    stage = stages[f"Deploy{target.title()}"]
    assert f"'refs/heads/{branch}'" in stage["condition"]
    assert "succeeded()" in stage["condition"]
    assert stage["variables"] == [{"group": f"flight-delays-monitoring-{target}"}]
    (job,) = stage["jobs"]
    assert job["environment"] == target
    deploy = steps_of(stage)[-1]
    assert set(deploy["env"]) == {"ARM_TENANT_ID", "ARM_CLIENT_ID", "ARM_CLIENT_SECRET"}
    for verb in ("bundle validate", "bundle deploy", "bundle run serving_deployment"):
        assert f"databricks {verb} -t {target}\n" in deploy["script"]


def test_github_builds_tests_and_deploys_in_this_order(jobs):
    assert {name: job.get("needs") for name, job in jobs.items()} == {
        "build": None, "test": "build",
        "deploy-dev": "test", "deploy-aut": "deploy-dev", "deploy-prod": "test",
    }  # fmt: skip
    assert "uv build --wheel" in scripts_of(jobs["build"]["steps"])
    assert "uv run lakemon config check" in scripts_of(jobs["test"]["steps"])


@pytest.mark.parametrize(("target", "branch"), DEPLOYMENTS.items())
def test_github_deploys_each_environment_from_its_branch_without_a_stored_secret(
    parsed, jobs, target, branch
):
    job = jobs[f"deploy-{target}"]
    assert f"refs/heads/{branch}'" in job["if"]
    assert "github.event_name == 'push'" in job["if"]
    assert job["environment"] == target
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert job["env"]["DATABRICKS_AUTH_TYPE"] == "github-oidc"
    assert "secrets." not in str(parsed[GITHUB])
    ran = scripts_of(job["steps"]).splitlines()
    assert f"databricks bundle deploy -t {target}" in ran
    assert f"databricks bundle run serving_deployment -t {target}" in ran


def test_github_gives_no_job_more_than_it_needs(parsed, jobs):
    assert parsed[GITHUB]["permissions"] == {"contents": "read"}
    assert [name for name, job in jobs.items() if "permissions" in job] == [
        "deploy-dev",
        "deploy-aut",
        "deploy-prod",
    ]


def test_pull_requests_are_built_and_tested(parsed):
    assert parsed[AZURE]["pr"]["branches"]["include"] == ["develop", "main"]
    assert parsed[GITHUB]["on"]["pull_request"]["branches"] == ["develop", "main"]


def test_every_file_that_ci_and_jobs_name_is_in_the_project(files):
    assert {
        "monitoring_config.yml",
        "databricks.yml",
        "pyproject.toml",
        "tests/test_config.py",
    } <= files.keys()


def test_pre_commit_checks_the_config(parsed):
    (repository,) = parsed[".pre-commit-config.yaml"]["repos"]
    entries = {hook["id"]: hook["entry"] for hook in repository["hooks"]}
    assert entries["config"] == "uv run lakemon config check"


@pytest.mark.parametrize("ci", CI)
def test_only_the_chosen_ci_is_written(ci):
    made = project(ci)
    assert {AZURE, GITHUB} & made.keys() == CI[ci].keys()
    assert (AZURE in made["README.md"], GITHUB in made["README.md"]) == (AZURE in made, GITHUB in made)


def test_every_file_with_places_to_change_is_looked_at(files):
    marked = {path for path, text in files.items() if "# UPDATE:" in text}
    assert marked - {"monitoring_config.yml"} <= set(PROJECT_PATHS)


@pytest.mark.parametrize("wrong", [{"ci": "jenkins"}, {"modle_name": "x"}])
def test_unknown_choices_are_refused(wrong):
    with pytest.raises(LookupError, match=r"there are|they have"):
        project(**wrong)
