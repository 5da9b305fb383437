"""People take incidents on and keep some quiet, by command line, over several runs."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CONFIG = """
model: {{name: risk, type: classification}}
environments:
  dev:
    catalog: lab
    schema: risk
    inference_table: {{name: logs}}
    monitoring:
      granularities: ["1 day"]
      alerts:
        - {{metric: null_rate, column: amount, threshold: 0.3, warn: 0.1, id: nulls{more}}}
sinks:
  desk: {{type: file}}
"""
FIRST = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    """A folder in which `lakemon(...)` runs, and `day(number, nulls)` adds a day of 100 rows."""

    class Project:
        folder = tmp_path

        def config(self, more=""):
            (tmp_path / "monitoring_config.yml").write_text(CONFIG.format(more=more))

        def lakemon(self, *arguments, code=0):
            done = subprocess.run(
                [sys.executable, "-m", "lakemon_core", *arguments, "--output", "json"],
                cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            return json.loads(done.stdout)

        def day(self, number, nulls):
            start = FIRST + timedelta(days=number)
            rows = {
                "request_id": [f"{number}-{row}" for row in range(100)],
                "row_index": [0] * 100,
                "timestamp": [start + timedelta(minutes=row) for row in range(100)],
                "model_id": ["1"] * 100,
                "prediction": ["a", "b"] * 50,
                "amount": [None] * nulls + [1.0] * (100 - nulls),
            }
            pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
            self.lakemon("table", "import", "logs", "rows.parquet")
            return self.lakemon("run")

        def mails(self):
            return len(list((tmp_path / ".lakemon/outbox").glob("*.eml")))

        def incident(self):
            (one,) = self.lakemon("alert", "list")["incidents"]
            return one

    project = Project()
    project.config()
    return project


def test_an_acknowledged_incident_is_told_again_only_when_it_gets_worse(project):
    project.day(0, nulls=20)
    assert project.mails() == 1
    done = project.lakemon(
        "alert", "ack", project.incident()["id"][:6], "--author", "ann", "--reason", "on it"
    )
    assert done["acknowledged_by"] == "ann: on it"
    assert done["deliveries"] == [{"sink": "desk", "status": "delivered"}]
    assert project.incident()["status"] == "acknowledged"
    assert project.mails() == 2
    project.day(1, nulls=20)
    assert project.mails() == 2
    project.day(2, nulls=50)
    assert project.mails() == 3
    assert (project.incident()["status"], project.incident()["severity"]) == ("open", "critical")


def test_a_silence_keeps_quiet_until_it_is_ended(project):
    made = project.lakemon("alert", "silence", "--rule", "nulls", "--for", "2 days", "--reason", "backfill")
    ran = project.day(0, nulls=50)
    assert [one["status"] for one in ran["incidents"]] == ["open"]
    assert project.mails() == 0
    assert project.incident()["status"] == "open, silenced"
    assert [one["reason"] for one in project.lakemon("alert", "list")["silences"]] == ["backfill"]
    project.lakemon("alert", "silence", "--end", made["id"])
    assert project.lakemon("alert")["deliveries"][0]["status"] == "delivered"
    assert project.mails() == 1
    assert project.lakemon("alert", "list")["silences"] == []


def test_a_silence_says_what_it_needs(project):
    def refused(*arguments):
        return project.lakemon("alert", "silence", *arguments, code=2)["error"]["code"]

    assert refused("--for", "2 days", "--reason", "x") == "LM127"
    assert refused("--rule", "nulls", "--reason", "x") == "LM127"
    assert refused("--rule", "nulls", "--for", "2 days") == "LM127"
    assert refused("--rule", "nulls", "--until", "2020-01-01", "--reason", "x") == "LM127"
    assert refused("--end", "123456") == "LM126"
    assert refused("abcdef", "--for", "2 days", "--reason", "x") == "LM126"
    assert project.lakemon("alert", "ack", "abcdef", code=2)["error"]["code"] == "LM126"


def test_missing_data_is_told_once_and_so_is_its_end(project):
    project.config(", expect_every: 1 day")
    ran = project.day(0, nulls=0)
    (late,) = ran["incidents"]
    assert late["title"].startswith("hours without data ")
    assert project.mails() == 1
    assert project.lakemon("run")["deliveries"] == []
