"""A small batch table whose days and rules a test makes up, and `lakemon` by command line."""

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
  {sinks}
"""
FIRST = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    """A folder in which `lakemon(...)` runs, and `day(number, nulls)` adds a day of 100 rows and
    runs."""

    class Project:
        folder = tmp_path

        def config(self, more="", sinks="desk: {type: file}"):
            text = CONFIG.format(more=more, sinks=sinks)
            (tmp_path / "monitoring_config.yml").write_text(text)

        def lakemon(self, *arguments, code=0):
            done = subprocess.run(
                [sys.executable, "-m", "lakemon_core", *arguments, "--output", "json"],
                cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
            return json.loads(done.stdout)

        def load(self, number, nulls):
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

        def day(self, number, nulls, code=0):
            self.load(number, nulls)
            return self.lakemon("run", code=code)

        def mails(self):
            return len(list((tmp_path / ".lakemon/outbox").glob("*.eml")))

        def incident(self):
            (one,) = self.lakemon("alert", "list")["incidents"]
            return one

    project = Project()
    project.config()
    return project
