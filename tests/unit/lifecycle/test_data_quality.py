"""Signals of data quality: strange values, other types, volume, gaps and duplicates."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from lakemon_core.domain.rule import Status

CONFIG = """\
model: {name: m, type: classification, prediction_col: p, features: [x, city]}
environments:
  dev:
    catalog: c
    schema: s
    inference_table: {name: logs, KEY}
    monitoring:
      baseline_table: training
      alerts:
        - {metric: out_of_range.x, threshold: 0.1, min_samples: 1}
        - {metric: new_category_share, threshold: 0.4, min_samples: 1}
        - {metric: type_change, threshold: 0}
        - {metric: row_count_ratio, threshold: 0.5}
        - {metric: gaps, threshold: 0}
        - {metric: duplicates, threshold: 0, min_samples: 1}
"""
FIRST = datetime(2026, 3, 2, tzinfo=UTC)


def config(key: str = "key: [order]") -> str:
    return CONFIG.replace("KEY", key)


def day(number: int, xs: list[float], cities: list[str | None], orders: list[int]) -> pa.Table:
    at = [FIRST + timedelta(days=number, hours=1)] * len(xs)
    return pa.table(
        {
            "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
            "p": ["yes"] * len(xs),
            "x": pa.array(xs, pa.float64()),
            "city": cities,
            "order": orders,
        }
    )


TRAINING = pa.table(
    {"p": ["yes"] * 3, "x": pa.array([0, 5, 10], pa.int64()), "city": ["Rome", "Oslo", "Rome"]}
)
STRANGE = day(5, [-1.0, 0.0, 10.0, 10.5, 4.0], ["Rome", "Lima", "Lima", None, "Oslo"], [1, 1, 2, 2, 2])
USUAL = pa.concat_tables(
    day(number, [float(i % 10) for i in range(20)], ["Rome"] * 20, list(range(20))) for number in range(4)
)


@pytest.fixture
def refreshed(lake):
    made = lake(config(), logs=pa.concat_tables([USUAL, STRANGE]), training=TRAINING)
    return made, made.refresh()[1]


def test_each_window_has_its_signals(refreshed):
    made, _ = refreshed
    strange = FIRST + timedelta(days=5)
    assert made.signals("out_of_range") == {
        **{(FIRST + timedelta(days=number), "x"): 0.0 for number in range(4)},
        (strange, "x"): pytest.approx(0.4),
    }
    assert made.signals("new_category_share")[strange, "city"] == pytest.approx(0.5)
    assert made.signals("duplicates")[strange, ":table"] == pytest.approx(3 / 5)
    assert made.signals("duplicates")[FIRST, ":table"] == 0
    assert {column: value for (_, column), value in made.signals("type_change").items()} == {
        "x": 1.0,
        "city": 0.0,
        "p": 0.0,
    }
    methods = {row["method"] for row in made.rows("logs_signals") if row["signal"] == "type_change"}
    assert methods == {"type_change:1", "type_change:1 bigint -> double"}


def test_rules_judge_them(refreshed):
    _, analyzed = refreshed
    last = {(one.rule.name, one.signal.column): one for one in analyzed.verdicts}
    breached = {name for (name, _), one in last.items() if one.status is Status.BREACHED}
    assert breached == {
        "out_of_range.x",
        "new_category_share",
        "type_change",
        "row_count_ratio",
        "gaps",
        "duplicates",
    }
    assert last["row_count_ratio", ":table"].signal.value == 0.25
    assert last["gaps", ":table"].signal.value == 1


def test_volume_needs_windows_before_it(refreshed):
    _, analyzed = refreshed
    first = next(one for one in analyzed.verdicts if one.rule.name == "row_count_ratio")
    assert (first.status, first.reason) == (Status.UNKNOWN, "fewer than 3 windows lie before it")


def test_duplicates_without_a_key_say_why(lake):
    made = lake(config(key="enabled: true"), logs=USUAL, training=TRAINING)
    _, analyzed = made.refresh()
    found = {one.reason for one in analyzed.verdicts if one.rule.name == "duplicates"}
    assert found == {"the table has no column 'request_id'"}


def test_a_key_that_is_configured_is_no_feature(lake):
    made = lake(config().replace("features: [x, city]", "features: []"), logs=USUAL, training=TRAINING)
    made.refresh()
    assert {row["column_name"] for row in made.rows("logs_profile_metrics")} == {":table", "p", "x", "city"}


def test_a_rule_that_newly_asks_gets_its_signals_for_old_windows(lake, tmp_path):
    from lakemon_core.lifecycle.analyze import rules_of
    from lakemon_core.lifecycle.signalling.table import SignalTable

    quiet = config(key="enabled: true").replace(
        "        - {metric: duplicates, threshold: 0, min_samples: 1}\n", ""
    )
    made = lake(quiet, logs=USUAL, training=TRAINING)
    made.refresh()
    assert made.signals("duplicates") == {}
    asking = [*rules_of(made.context), *rules_of(lake(config(), logs=USUAL, training=TRAINING).context)]
    SignalTable(made.context).bring_up((), asking)
    assert len(made.signals("duplicates")) == 4
