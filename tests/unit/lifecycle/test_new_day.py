"""One more day costs what that day costs: what it is compared with is read, but not judged again."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.lifecycle.monitor import monitor

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
PLAIN = """\
model: {name: delays, type: classification, model_id_col: version, prediction_proba_col: proba,
        label_col: late}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs}
    monitoring:
      baseline_table: training
      granularities: ["1 day", "1 week"]
      references: [{name: trailing, windows: 2, offset: 2}]
      slicing_exprs: [city]
      custom_metrics:
        - {type: aggregate, name: squared_avg, input_columns: [miles, ":table"], definition: "avg(age * age)"}
"""
COMPARED = """\
        - {type: drift, name: accuracy_delta, input_columns: [":table"],
           definition: "{{current_df}}.accuracy_score - {{base_df}}.accuracy_score"}
        - {type: drift, name: squared_ratio, input_columns: [miles],
           definition: "{{current_df}}.squared_avg / {{base_df}}.squared_avg"}
"""


def trips(seed: int, rows: int, day: int | None = None) -> pa.Table:
    rng = np.random.default_rng(seed)
    late = rng.random(rows) < 0.5
    columns = {
        "miles": pa.array(rng.normal(100, 20, rows), mask=rng.random(rows) < 0.1),
        "age": pa.array(rng.integers(20, 40, rows)),
        "city": pa.array(rng.choice(["Rome", "Oslo"], rows)),
        "version": pa.array(rng.choice(["1", "2"], rows)),
        "prediction": pa.array(np.where(rng.random(rows) < 0.8, late, ~late)),
        "proba": pa.array(rng.random(rows)),
        "late": pa.array(late, mask=rng.random(rows) < 0.2),
    }
    if day is None:
        return pa.table(columns)
    moments = [FIRST_DAY + timedelta(days=day, seconds=second) for second in range(rows)]
    return pa.table({"timestamp": pa.array(moments, pa.timestamp("us", "UTC")), **columns})


DAYS = [trips(day, 120 + 10 * day, day) for day in range(6)]


def metric_rows(lake) -> list[str]:
    """All rows of both metric tables, as texts in order, but for the version that they were measured at."""
    rows = [row for kind in ("profile", "drift") for row in lake.rows(f"logs_{kind}_metrics")]
    assert len(rows) > 600
    return sorted(repr(row | {"table_version": None}) for row in rows)


@pytest.mark.parametrize("config", [PLAIN, PLAIN + COMPARED])
def test_one_more_day_leaves_the_rows_that_measuring_everything_gives(lake, config):
    grown = lake(config, logs=pa.concat_tables(DAYS[:-1]), training=trips(99, 300))
    assert monitor(grown.context).detail["windows"] == 6
    grown.append("logs", DAYS[-1])
    assert monitor(grown.context).detail["windows"] == 2
    whole = lake(config, logs=pa.concat_tables(DAYS), training=trips(99, 300))
    monitor(whole.context)
    assert metric_rows(grown) == metric_rows(whole)


@pytest.mark.parametrize(("config", "judged"), [(PLAIN, {0}), (PLAIN + COMPARED, {0, 1, 2, 3})])
def test_references_are_judged_only_where_a_metric_of_two_groups_may_ask(lake, monkeypatch, config, judged):
    days = config.replace(', "1 week"', "")
    shop = lake(days, logs=pa.concat_tables(DAYS[:-1]), training=trips(99, 300))
    monitor(shop.context)
    shop.append("logs", DAYS[-1])
    context = shop.context
    quality, sizes = context.model_type.quality, []

    def counted(rows: pa.Table):
        sizes.append(len(rows))
        return quality(rows)

    monkeypatch.setattr(context.model_type, "quality", counted)
    monitor(context)
    compared_with = [len(DAYS[5]), len(DAYS[4]), len(DAYS[2]) + len(DAYS[3]), 300]
    assert {place for place, rows in enumerate(compared_with) if rows in sizes} == judged


def test_a_column_of_a_window_is_read_once(lake, monkeypatch):
    shop = lake(PLAIN, logs=pa.concat_tables(DAYS), training=trips(99, 300))
    tables = shop.session.backend.tables
    by_column, opened, read = tables.by_column, [], []

    def watched(name, **asked):
        found = by_column(name, **asked)
        number, column = len(opened), found.column
        opened.append(found)
        monkeypatch.setattr(found, "column", lambda one: (read.append((number, one)), column(one))[1])
        return found

    monkeypatch.setattr(tables, "by_column", watched)
    monitor(shop.context)
    assert {one for _, one in read} == set(DAYS[0].column_names)
    assert len(opened) >= 2
    assert len(read) == len(set(read))
