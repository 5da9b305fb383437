"""Labels that come late: immature windows are not judged, restated values stay, any order ends the same."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.rule import Status

CONFIG = """\
model: {name: m, type: classification, prediction_col: p, label_col: y, features: [x], positive_class: "yes"}
environments:
  dev:
    catalog: c
    schema: s
    inference_table:
      name: logs
      labels: {table: labels, on: [id], timestamp_col: came, mature_at: {share: 0.9, after: 3 days}}
    monitoring:
      alerts:
        - {metric: accuracy, threshold: 0.8, min_samples: 5}
        - {metric: row_count, threshold: 1}
"""
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def predictions(days: int, a_day: int = 10) -> pa.Table:
    at = [FIRST + DAY * (i // a_day) + timedelta(hours=1) for i in range(days * a_day)]
    return pa.table(
        {
            "id": [f"r{i}" for i in range(len(at))],
            "timestamp": pa.array(at, pa.timestamp("us", "UTC")),
            "p": ["yes"] * len(at),
            "x": [float(i % 3) for i in range(len(at))],
        }
    )


def labels(*rows: tuple[int, str, float]) -> pa.Table:
    """Number of the row, label, and days after the row's prediction at which it came."""
    at = [FIRST + DAY * (i // 10) + timedelta(hours=1) + DAY * days for i, _, days in rows]
    return pa.table(
        {
            "id": [f"r{i}" for i, _, _ in rows],
            "y": [label for _, label, _ in rows],
            "came": pa.array(at, pa.timestamp("us", "UTC")),
        }
    )


def verdicts(analyzed, rule: str) -> list:
    return [(one.status, one.reason) for one in analyzed.verdicts if one.rule.name == rule]


def test_quality_is_judged_when_enough_labels_are_in(lake):
    made = lake(CONFIG, logs=predictions(1), labels=labels(*((i, "no", 0.5) for i in range(6))))
    _, early = made.refresh(FIRST + DAY)
    reason = "60 % of labels are in, waits for 90 % or 2026-03-06"
    assert verdicts(early, "accuracy") == [(Status.UNKNOWN, reason)]
    assert verdicts(early, "row_count") == [(Status.OK, "")]
    made.append("labels", labels(*((i, "no", 0.9) for i in range(6, 9))))
    _, enough = made.refresh(FIRST + DAY)
    assert verdicts(enough, "accuracy") == [(Status.BREACHED, "")]
    assert made.alert(enough).detail["opened"] == 1


def test_quality_is_judged_when_nobody_waits_for_more(lake):
    made = lake(CONFIG, logs=predictions(1), labels=labels(*((i, "no", 0.5) for i in range(6))))
    _, waiting = made.refresh(FIRST + 4 * DAY - timedelta(seconds=1))
    _, over = made.refresh(FIRST + 4 * DAY)
    assert [verdicts(one, "accuracy")[0][0] for one in (waiting, over)] == [Status.UNKNOWN, Status.BREACHED]


def test_a_restated_old_window_pages_nobody_and_both_values_stay(lake):
    good = labels(*((i, "yes", 0.5) for i in range(20)))
    made = lake(CONFIG, logs=predictions(2), labels=good)
    _, analyzed = made.refresh(FIRST + 2 * DAY)
    made.alert(analyzed)
    made.append("labels", labels(*((i, "no", 1.5) for i in range(10))))
    _, restated = made.refresh(FIRST + 3 * DAY)
    assert made.signals("accuracy") == {(FIRST, ":table"): 0.0, (FIRST + DAY, ":table"): 1.0}
    assert made.alert(restated).events == ()
    history = [
        (row["as_of"], row["window"]["start"], row["value"])
        for row in made.rows("logs_quality_history")
        if row["metric"] == "accuracy" and row["model_id"] == "*"
    ]
    assert sorted(history) == [
        (FIRST + 2 * DAY, FIRST, 1.0),
        (FIRST + 2 * DAY, FIRST + DAY, 1.0),
        (FIRST + 3 * DAY, FIRST, 0.0),
    ]


def test_a_refresh_without_new_labels_changes_no_table(lake):
    made = lake(CONFIG, logs=predictions(2), labels=labels((0, "yes", 1), (11, "no", 2)))
    made.refresh()
    before = made.versions()
    made.refresh(FIRST + 20 * DAY)
    assert made.versions() == before


def test_how_late_labels_come_is_a_signal_of_each_window(lake):
    came = labels(*((i, "yes", days) for i, days in enumerate([0.5, 1, 1.5, 2, 8])), (0, "no", 9))
    made = lake(CONFIG, logs=predictions(1), labels=came)
    made.refresh()
    place = (FIRST, ":table")
    assert made.signals("label_coverage")[place] == 0.5
    assert made.signals("label_delay_p50")[place] == pytest.approx(1.5)
    assert made.signals("label_delay_p90")[place] == pytest.approx(2 + 0.6 * 6)
    curve = {
        row["statistic"]: row["value"]
        for row in made.rows("logs_signals")
        if row["signal"] == "label_delay_curve"
    }
    assert curve == {
        "1 days": 0.2,
        "2 days": 0.4,
        "3 days": 0.4,
        "7 days": 0.4,
        "14 days": 0.5,
        "30 days": 0.5,
    }


def test_when_labels_came_is_no_feature(lake):
    made = lake(CONFIG.replace("features: [x], ", ""), logs=predictions(1), labels=labels((0, "yes", 1)))
    made.refresh()
    assert {row["column_name"] for row in made.rows("logs_profile_metrics")} == {":table", "p", "x", "y"}


EVENTS = st.lists(
    st.tuples(st.integers(0, 24), st.sampled_from(["yes", "no"]), st.integers(0, 5)), min_size=1, max_size=12
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=EVENTS, data=st.data())
def test_labels_in_any_order_late_and_doubled_end_as_if_they_had_been_there(lake, events, data):
    twice = [*events, *events[: len(events) // 2]]
    order = data.draw(st.permutations(twice))
    cut = data.draw(st.integers(1, len(order)))
    split = data.draw(st.integers(1, 19))
    rows = predictions(2)
    slow = lake(CONFIG, logs=rows.slice(0, split), labels=labels(*order[:cut]))
    slow.refresh()
    slow.append("logs", rows.slice(split))
    if order[cut:]:
        slow.append("labels", labels(*order[cut:]))
    slow.refresh()
    at_once = lake(CONFIG, logs=rows, labels=labels(*events))
    at_once.refresh()
    for table in ("logs_profile_metrics", "logs_drift_metrics", "logs_signals"):
        assert plain(slow.rows(table)) == plain(at_once.rows(table))
    for made in (slow, at_once):
        newest = {}
        for row in sorted(made.rows("logs_quality_history"), key=lambda row: row["table_version"]):
            newest[row["window"]["start"], row["model_id"], row["metric"]] = row["value"]
        told = {
            (row["window"]["start"], row["model_id"], row["signal"]): row["value"]
            for row in made.rows("logs_signals")
            if row["maturity"] is not None and row["value"] is not None
        }
        assert newest.items() >= told.items()


def plain(rows: list[dict]) -> list[str]:
    return sorted(
        str({name: value for name, value in row.items() if name != "table_version"}) for row in rows
    )


def by_date(moment: datetime) -> tuple[pa.Table, pa.Table]:
    """Two predictions of a day, whose key is a date, and their label, whose key is a moment."""
    days = pa.array([FIRST.date()] * 2, pa.date32())
    logs = pa.table({"timestamp": days, "p": ["yes", "no"], "x": [1.0, 2.0]})
    label = {"timestamp": pa.array([moment], pa.timestamp("us")), "y": ["yes"], "came": [FIRST + DAY]}
    return logs, pa.table(label)


def test_a_date_and_its_midnight_are_one_key(lake):
    logs, label = by_date(FIRST)
    made = lake(CONFIG.replace("[id]", "[timestamp]"), logs=logs, labels=label)
    monitored, _ = made.refresh()
    assert monitored.detail["labels_merged"] == 2
    assert made.signals("accuracy") == {(FIRST, ":table"): 0.5}


def test_a_key_that_is_a_date_here_and_a_time_of_day_there_is_named(lake):
    logs, label = by_date(FIRST + timedelta(hours=6))
    made = lake(CONFIG.replace("[id]", "[timestamp]"), logs=logs, labels=label)
    with pytest.raises(DataError, match=r"LM303 c\.s\.labels key 'timestamp' has times of day"):
        made.refresh()
