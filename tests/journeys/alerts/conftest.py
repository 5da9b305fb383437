"""A small batch table whose days and rules a test makes up, and `lakemon` by command line.

The command lines run in this process, for starting Python and its imports would be most of the time.
"""

import json
import sys
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakemon_core.cli.main import call

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
def project(tmp_path, monkeypatch, capfd):
    """A folder in which `lakemon(...)` runs, and `day(number, nulls)` adds a day of 100 rows and
    runs."""

    class Project:
        folder = tmp_path

        def config(self, more="", sinks="desk: {type: file}"):
            text = CONFIG.format(more=more, sinks=sinks)
            (tmp_path / "monitoring_config.yml").write_text(text)

        def lakemon(self, *arguments, code=0):
            capfd.readouterr()
            ended = call([*arguments, "--output", "json"])
            said = capfd.readouterr()
            assert ended == code, said.err
            return json.loads(said.out)

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

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    project = Project()
    project.config()
    return project
