"""Tables stay quick to read: small files are compacted, and nothing notices."""

import pyarrow as pa
from deltalake import DeltaTable

from lakemon_core.domain.names import TableName

CONFIG = """\
model: {name: m, type: classification, prediction_col: p, features: [x], label_col: y}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs, labels: {table: labels, on: [id], label_col: y}}
    monitoring:
      alerts: [{metric: row_count, threshold: 1}]
"""


def row(number: int) -> pa.Table:
    at = pa.array([1_700_000_000_000_000 + number * 3_600_000_000], pa.timestamp("us", "UTC"))
    return pa.table({"timestamp": at, "p": ["yes"], "x": [float(number)], "id": [str(number)]})


def test_many_small_files_become_one_and_a_second_refresh_changes_nothing(lake):
    made = lake(CONFIG, labels=pa.table({"id": ["3"], "y": ["no"]}))
    for number in range(40):
        made.append("logs", row(number))
    monitored, _ = made.refresh()
    assert monitored.detail["tables_compacted"] == ["c.s.logs"]
    assert sorted(one["x"] for one in made.rows("logs", "s")) == [float(number) for number in range(40)]
    before = made.versions()
    again, _ = made.refresh()
    assert made.versions() == before
    assert again.detail["windows"] == 0
    assert "tables_compacted" not in again.detail


def test_what_came_after_a_compaction_is_measured_alone(lake):
    made = lake(CONFIG)
    for number in range(40):
        made.append("logs", row(number))
    made.refresh()
    made.append("logs", row(39))
    monitored, _ = made.refresh()
    assert len(monitored.windows["1 day"]) == 1


def test_files_of_the_last_seven_days_stay_for_those_who_read_old_versions(lake):
    made = lake(CONFIG)
    for number in range(40):
        made.append("logs", row(number))
    made.refresh()
    info = made.session.backend.tables.info(TableName("c", "s", "logs"))
    assert DeltaTable(info.location, version=10).to_pyarrow_table().num_rows == 11
