"""Commands at work on a batch inference table: files in, a run, incidents, files out."""

import json
import shutil
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CONFIG = """
model: {name: risk, type: classification, label_col: label}
environments:
  dev:
    catalog: lab
    schema: risk
    inference_table: {name: logs}
    monitoring:
      output_schema: monitoring
      granularities: ["1 day"]
      baseline_table: training
      alerts: [{metric: feature_drift.amount, threshold: 0.2, statistic: psi}]
sinks:
  desk: {type: file}
"""
DAY = 86_400_000_000
FIRST = 20_454 * DAY

SLEEPER = """
    import time
    from lakemon_core import hookimpl

    @hookimpl
    def lakemon_analyze(context):
        print("sleeping", flush=True)
        time.sleep(60)
"""
FAILING = """
    from lakemon_core import hookimpl

    @hookimpl
    def {hook}(context):
        raise RuntimeError("not today")
"""


def rows(days: int, shift: float) -> pa.Table:
    """Predictions of some days, 200 a day; `amount` lies `shift` higher than in training."""
    random = np.random.default_rng(7)
    count = 200 * days
    amount = random.normal(100 + shift, 10, count)
    late = (random.random(count) < 0.5).astype(int)
    times = FIRST + np.arange(count) * (DAY // 200)
    return pa.table(
        {
            "request_id": [f"r{number}" for number in range(count)],
            "row_index": np.zeros(count, dtype=int),
            "timestamp": pa.array(times, pa.timestamp("us", "UTC")),
            "model_id": ["1"] * count,
            "amount": amount,
            "prediction": late,
            "label": late,
        }
    )


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A folder with a config and its two tables, made once."""
    folder = tmp_path_factory.mktemp("furnished")
    (folder / "monitoring_config.yml").write_text(CONFIG)
    for name, table in (("training", rows(3, 0)), ("logs", rows(2, 50))):
        pq.write_table(table, folder / f"{name}.parquet")
        line = [sys.executable, "-m", "lakemon_core", "table", "import", name, f"{name}.parquet", "-q"]
        subprocess.run(line, cwd=folder, check=True)
    return folder


@pytest.fixture
def project(folder, furnished):
    """A copy of that folder, for one test."""
    shutil.copytree(furnished, folder, dirs_exist_ok=True)
    return folder


def test_a_run_measures_opens_an_incident_and_the_second_changes_nothing(project, lakemon):
    first = lakemon("run", "--output", "json").document
    assert [stage["name"] for stage in first["stages"]] == [
        "deploy",
        "validate",
        "monitor",
        "analyze",
        "alert",
    ]
    assert (first["status"], first["exit_code"]) == ("done", 0)
    assert [incident["status"] for incident in first["incidents"]] == ["open"]
    assert [delivery["status"] for delivery in first["deliveries"]] == ["delivered"]
    before = lakemon("table", "list", "--output", "json").document
    second = lakemon("run", "--fail-on", "critical", "--output", "json")
    assert second.code == second.document["exit_code"] == 1
    assert second.document["deliveries"] == []
    assert lakemon("table", "list", "--output", "json").document == before


def test_the_text_of_a_run_tells_stages_incidents_and_tables_and_keeps_progress_apart(project, lakemon):
    told = lakemon("run")
    assert told.code == 0
    for part in ("✓   monitor", "open: PSI of amount", "lab.monitoring.logs_drift_metrics", "done, run "):
        assert part in told.stdout
    assert "measuring" in told.stderr
    assert "measuring" not in told.stdout
    assert lakemon("run", "-q").stderr == ""


def test_a_plan_and_a_dry_run_say_the_same_and_do_nothing(project, lakemon):
    planned = lakemon("plan", "--output", "json").document
    assert planned == lakemon("run", "--dry-run", "--output", "json").document
    assert [stage["name"] for stage in planned["stages"]] == [
        "deploy",
        "validate",
        "monitor",
        "analyze",
        "alert",
    ]
    assert "measure 2 windows" in lakemon("plan").stdout
    assert lakemon("status", "--output", "json").document["runs"] == []


def test_only_the_stages_that_are_asked_for_run_in_their_order(project, lakemon):
    ran = lakemon("run", "--stages", "analyze,monitor", "--output", "json").document["stages"]
    assert [stage["name"] for stage in ran] == ["monitor", "analyze"]
    assert [stage["name"] for stage in lakemon("validate", "--output", "json").document["stages"]] == [
        "validate"
    ]


def test_what_stands_around_a_run(project, lakemon):
    assert lakemon("alert", "-q", "--output", "json").document["stages"][0]["name"] == "alert"
    assert lakemon("run", "-q").code == 0
    listed = lakemon("alert", "list", "--output", "json").document
    assert [incident["status"] for incident in listed["incidents"]] == ["open"]
    assert [event["transition"] for event in listed["events"]] == ["opened"]
    status = lakemon("status", "--output", "json").document
    assert [run["status"] for run in status["runs"]] == ["done", "done"]
    assert status["incidents"][0]["severity"] == "critical"
    assert status["messages"] == []
    assert lakemon("alert", "flush").stdout == "nothing is due\n"
    assert lakemon("alert", "test", "desk", "--output", "json").document["status"] == "delivered"
    assert 'Did you mean "desk"' in lakemon("alert", "test", "dsk").stderr
    checks = {check["name"]: check for check in lakemon("doctor", "--output", "json").document["checks"]}
    assert all(check["ok"] for check in checks.values())
    assert checks["tables"]["detail"] == "5 tables"
    assert lakemon("stop").stdout == "no model server was running\n"


def test_the_console_scripts_take_catalog_and_schema_from_the_call(project, lakemon):
    options = ("--catalog", "lab", "--schema", "elsewhere", "--git-sha", "abc", "--output", "json")
    told = lakemon(*options, program="validate_inference_table")
    assert told.code == 3
    assert told.document["tables"]["inference"] == "lab.elsewhere.logs"
    assert (
        lakemon("--output", "json", program="refresh_all_monitors").document["stages"][0]["status"] == "done"
    )
    found = lakemon("--output", "json", program="analyze_drift").document["findings"]
    recent = lakemon("--days", "1", "--output", "json", program="analyze_drift").document["findings"]
    assert (len(found), recent) == (1, [])


@pytest.mark.parametrize(
    ("hook", "code"),
    [("lakemon_validate", 3), ("lakemon_monitor", 3), ("lakemon_analyze", 0), ("lakemon_alert", 0)],
)
def test_a_plugin_that_fails_is_named_and_its_hook_says_what_follows(project, lakemon, install, hook, code):
    install("acme", {"lakemon.plugins": {"grumpy": "acme_grumpy"}}, acme_grumpy=FAILING.format(hook=hook))
    told = lakemon("run", "--trace-hooks", "--output", "json")
    assert told.code == code
    assert f"{hook} lakemon.plugins:grumpy failed" in told.stderr
    assert "RuntimeError: not today" in json.dumps(told.document["stages"])


def test_a_broken_plugin_stops_the_run_only_when_the_config_names_it(project, lakemon, install):
    install("acme", {"lakemon.plugins": {"grumpy": "acme_grumpy"}}, acme_grumpy="1 / 0")
    assert "LM202" in str(lakemon("run", "--output", "json").document["notes"])
    config = project / "monitoring_config.yml"
    config.write_text(config.read_text() + "plugins: {settings: {grumpy: {}}}\n")
    told = lakemon("run", "--output", "json")
    assert (told.code, told.error["code"]) == (2, "LM202")


def test_an_interrupted_run_holds_the_workspace_until_it_ends_and_the_next_finishes(
    project, command, lakemon, install
):
    install("acme", {"lakemon.plugins": {"sleepy": "acme_sleepy"}}, acme_sleepy=SLEEPER)
    line, settings = command("run", "-q")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)
    assert process.stdout.readline() == "sleeping\n"
    busy = lakemon("run", "--no-plugins", "-q", "--output", "json")
    assert (busy.code, busy.error["code"]) == (75, "LM601")
    assert str(process.pid) in busy.error["what"] + busy.error["where"]
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.startswith("LM190 interrupted")
    assert lakemon("status", "--output", "json").document["runs"][0]["status"] == "interrupted"
    finished = lakemon("run", "--no-plugins", "-q", "--output", "json").document
    assert finished["status"] == "done"
    assert len(finished["incidents"]) == 1


def test_serve_runs_the_model_server_until_it_is_interrupted(project, command, lakemon):
    line, settings = command("serve")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings)
    seen = next(filter(None, (lakemon("status", "--output", "json").document["server"] for _ in range(60))))
    assert seen["pid"] == process.pid
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "")
    assert stderr.startswith("serving ")
    assert lakemon("status", "--output", "json").document["server"] is None


def test_tables_go_in_and_out_without_a_config(folder, lakemon):
    pq.write_table(pa.table({"x": [1.5, float("nan"), None], "name": ["a", "é", "z"]}), folder / "in.parquet")
    assert lakemon("table", "import", "a.b.c", "in.parquet", "--output", "json").document["inserted"] == 3
    again = lakemon("table", "import", "a.b.c", "in.parquet")
    assert "holds in.parquet already" in again.stdout
    shown = lakemon("table", "show", "a.b.c", "--limit", "1", "--output", "json").document
    assert shown["columns"] == {"x": "double", "name": "string"}
    assert shown["rows"] == [{"x": 1.5, "name": "a"}]
    sql = "SELECT x, name FROM a.b.c ORDER BY name"
    assert lakemon("query", sql, "--output", "json").document["rows"] == [
        {"x": 1.5, "name": "a"}, {"x": None, "name": "z"}, {"x": None, "name": "é"},
    ]  # fmt: skip
    assert "é" in lakemon("query", sql).stdout
    assert lakemon("table", "export", "a.b.c", "out.parquet", "--output", "json").document["rows"] == 3
    assert pq.read_table(folder / "out.parquet").num_rows == 3


@pytest.mark.parametrize(
    ("arguments", "code", "cure"),
    [
        (["table", "show", "a.b.d"], "LM301", "lakemon table import a.b.d FILE"),
        (["table", "show", "c"], "LM301", "table import"),
        (["query", "DROP TABLE a.b.c"], "LM310", ""),
        (["table", "import", "a.b.c", "nowhere.parquet"], "LM3", ""),
        (["table", "import", "a/b", "nowhere.parquet"], "LM12", ""),
    ],
)
def test_what_cannot_be_done_with_tables_is_said_with_its_cure(lakemon, arguments, code, cure):
    told = lakemon(*arguments, "--output", "json")
    assert told.code in {2, 3}
    assert told.error["code"].startswith(code)
    assert cure in told.error["cure"]


def test_init_writes_a_config_that_loads_and_says_what_to_change(folder, lakemon):
    written = lakemon("init", "project", "--output", "json").document
    assert written["open"]
    config = folder / "project/monitoring_config.yml"
    assert lakemon("config", "check", str(config), "--output", "json").document["open"] == written["open"]
    again = lakemon("init", "project")
    assert again.code == 2
    assert "LM186" in again.stderr
    config.write_text("mine")
    assert lakemon("init", "project", "--force").code == 0
    assert config.read_text() != "mine"


def test_config_show_fills_in_defaults_and_hides_secrets(folder, lakemon):
    secret = "sinks: {mail: {type: email, host: h, from: a@b.c, password: '${secret:smtp/password}'}}"
    (folder / "monitoring_config.yml").write_text(CONFIG.split("sinks:", maxsplit=1)[0] + secret)
    told = lakemon("config", "show", LAKEMON_SECRET_SMTP_PASSWORD="hunter2")
    assert told.code == 0
    assert "min_samples: 30" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_config_check_says_everything_at_once_with_its_place(folder, lakemon):
    (folder / "monitoring_config.yml").write_text(
        CONFIG.replace("threshold: 0.2", "treshold: 0.2").replace("catalog: lab", "catalog: 7.5")
    )
    told = lakemon("config", "check", "--output", "json")
    assert told.code == 2
    problems = told.error["problems"]
    assert len(problems) >= 2
    assert all(problem["file"].endswith("monitoring_config.yml") and problem["line"] for problem in problems)
    text = lakemon("config", "check").stderr.splitlines()
    assert len(text) == len(problems)


def test_windows_of_rows_have_no_last_week(folder, lakemon):
    rule = "{metric: prediction_drift, threshold: 0.2, compare: last_week, granularity: 500 rows}, "
    text = CONFIG.replace('["1 day"]', '["1 day", "500 rows"]').replace("alerts: [", f"alerts: [{rule}")
    (folder / "monitoring_config.yml").write_text(text)
    told = lakemon("config", "check", "--output", "json")
    (problem,) = told.error["problems"]
    assert (told.code, problem["code"]) == (2, "LM453")
    assert problem["path"].endswith("alerts.0.compare")


def test_config_schema_holds_what_installed_plugins_add(folder, lakemon):
    assert lakemon("config", "schema", "--file", "schema.json").code == 0
    schema = json.loads((folder / "schema.json").read_text())
    assert schema["$schema"].endswith("2020-12/schema")
    assert "prediction_proba_col" in json.dumps(schema)
