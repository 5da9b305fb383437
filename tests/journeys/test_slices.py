"""Slices of a batch table: columns, conditions and calculations, held against group-bys of pandas."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
SLICES = ["origin", "distance > 12", "concat(origin, '/', carrier)", "floor(age / 20)"]
CONFIG = """\
model: {name: delays, type: classification, model_id_col: version, label_col: late,
        features: [origin, carrier, distance, age]}
environments:
  dev:
    catalog: lake
    schema: air
    monitoring:
      baseline_table: training
      SLICES
      alerts:
        - {metric: feature_drift, column: distance, threshold: 0.5, slice: "origin=JFK"}
        - {metric: accuracy, threshold: 0.5, slice: "distance > 12=true"}
"""
SLICED = CONFIG.replace("SLICES", f"slicing_exprs: {SLICES}")
METRICS = "lake.monitoring.inference_logs"


def flights(seed: int, rows: int, day: int | None = None) -> pa.Table:
    """Rows of one day, or of the baseline; on day 2 flights from JFK go farther."""
    rng = np.random.default_rng(seed)
    origin = rng.choice(["JFK", "LGA", "EWR"], rows, p=[0.5, 0.3, 0.2])
    distance = rng.normal(10, 3, rows) + np.where((origin == "JFK") & (day == 2), 6, 0)
    distance[rng.random(rows) < 0.05] = np.nan
    late = rng.random(rows) < 0.4
    columns = {
        "origin": pa.array(origin, mask=rng.random(rows) < 0.03),
        "carrier": pa.array(rng.choice(["AA", "UA"], rows)),
        "distance": pa.array(distance, mask=rng.random(rows) < 0.04),
        "age": pa.array(rng.integers(18, 80, rows)),
        "tail": pa.array([f"N{number:03}" for number in np.minimum(rng.geometric(0.02, rows), 240)]),
        "version": pa.array(rng.choice(["1", "2"], rows)),
        "prediction": pa.array(np.where(rng.random(rows) < 0.75, late, ~late)),
        "late": pa.array(late, mask=rng.random(rows) < 0.1),
    }
    if day is not None:
        seconds = np.sort(rng.integers(0, 86_400, rows))
        at = [FIRST_DAY + timedelta(days=day, seconds=int(second)) for second in seconds]
        columns = {"timestamp": pa.array(at, pa.timestamp("us", "UTC")), **columns}
    return pa.table(columns)


LOGS = pa.concat_tables([flights(day, 400 + 50 * day, day) for day in range(3)])
TRAINING = flights(99, 1500)
TABLES = {"lake.air.inference_logs": LOGS, "lake.air.training": TRAINING}


@pytest.fixture(scope="session")
def sliced(project):
    made = project("sliced", SLICED, TABLES)
    made.first = made.json("run")
    return made


@pytest.fixture(scope="session")
def profile(sliced):
    return sliced.table(f"{METRICS}_profile_metrics").to_pylist()


@pytest.fixture(scope="session")
def drift(sliced):
    return sliced.table(f"{METRICS}_drift_metrics").to_pylist()


def frame(table: pa.Table, day: int | None = None, version: str = "*") -> pd.DataFrame:
    """Rows as pandas sees them, with the value of every slice; nulls and NaN of `distance` stay apart."""
    found = pd.DataFrame({name: table.column(name).to_pylist() for name in table.schema.names}, dtype=object)
    routes = zip(found["origin"], found["carrier"], strict=True)
    more = {
        "origin/carrier": [None if start is None else f"{start}/{by}" for start, by in routes],
        "far": [None if x is None else str(np.isnan(x) or x > 12).lower() for x in found["distance"]],
        "decade": [str(age // 20) for age in found["age"]],
    }
    found = found.assign(**{name: pd.Series(values, dtype=object) for name, values in more.items()})
    if day is not None:
        start = FIRST_DAY + timedelta(days=day)
        found = found[[start <= at < start + timedelta(days=1) for at in found["timestamp"]]]
    return found if version == "*" else found[found["version"] == version]


PANDAS_COLUMN = dict(zip(SLICES, ["origin", "far", "origin/carrier", "decade"], strict=True))


def parts(found: pd.DataFrame, key: str) -> dict[str, pd.DataFrame]:
    column = PANDAS_COLUMN[key]
    return {value: found[found[column] == value] for value in sorted(set(found[column]) - {None})}


def at(day: int | None):
    return None if day is None else FIRST_DAY + timedelta(days=day)


def picked(rows, key, day, version, column):
    """Slice value → row."""
    return {
        row["slice_value"]: row
        for row in rows
        if row["slice_key"] == key
        and row["version"] == version
        and row["column_name"] == column
        and (row["window"]["start"] if row["window"] else None) == at(day)
    }


@pytest.mark.parametrize("version", ["*", "1"])
@pytest.mark.parametrize("day", [0, 2, None])
@pytest.mark.parametrize("key", SLICES)
def test_each_slice_holds_what_a_group_by_holds(profile, key, day, version):
    expected = parts(frame(TRAINING if day is None else LOGS, day, version), key)
    rows = picked(profile, key, day, version, ":table")
    ages = picked(profile, key, day, version, "age")
    distances = picked(profile, key, day, version, "distance")
    assert rows.keys() == expected.keys()
    for value, part in expected.items():
        numbers = np.array([x for x in part["distance"] if x is not None and not np.isnan(x)], float)
        assert rows[value]["count"] == len(part)
        assert ages[value]["avg"] == pytest.approx(part["age"].astype(float).mean(), rel=1e-12)
        assert distances[value]["num_nulls"] == sum(x is None for x in part["distance"])
        assert distances[value]["num_nan"] == sum(x is not None and np.isnan(x) for x in part["distance"])
        assert distances[value]["max"] == (numbers.max() if len(numbers) else None)
        judged = part[[label is not None for label in part["late"]]]
        right = (judged["late"] == judged["prediction"]).mean()
        assert rows[value]["accuracy_score"] == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("key", ["floor(age / 20)"])
@pytest.mark.parametrize("statistic", ["count", "num_nulls", "num_nan", "num_zeros"])
def test_slices_that_cover_all_rows_sum_to_the_whole(profile, key, statistic):
    for day in (0, 1, 2, None):
        for version in ("*", "1", "2"):
            (whole,) = picked(profile, None, day, version, "distance").values()
            rows = picked(profile, key, day, version, "distance").values()
            assert sum(row[statistic] for row in rows) == whole[statistic]


def test_rows_whose_slice_is_null_are_in_no_slice(profile):
    (whole,) = picked(profile, None, 0, "*", ":table").values()
    rows = picked(profile, "origin", 0, "*", ":table").values()
    nulls = sum(origin is None for origin in frame(LOGS, 0)["origin"])
    assert whole["count"] - sum(row["count"] for row in rows) == nulls > 0


def test_a_hundred_values_are_sliced_and_the_rest_is_told(project):
    config = CONFIG.replace("SLICES", "slicing_exprs: [tail]").replace(
        "[origin, carrier, distance, age]", "[age]"
    )
    columns = ["timestamp", "age", "tail", "prediction"]
    few = {"lake.air.inference_logs": LOGS.slice(0, 400).select(columns)}
    few["lake.air.training"] = TRAINING.select(columns[1:])
    many = project("many", config.replace("label_col: late,", ""), few)
    stages = many.json("run")["stages"]
    found = {row["slice_value"] for row in many.table(f"{METRICS}_profile_metrics").to_pylist()} - {None}
    tails = [tail for table in few.values() for tail in table["tail"].to_pylist()]
    counts = pd.Series(tails).value_counts()
    hundredth = counts.iloc[99]
    assert len(found) == 100
    assert set(counts[counts > hundredth].index) <= found <= set(counts[counts >= hundredth].index)
    detail = next(stage["detail"] for stage in stages if stage["name"] == "monitor")
    assert detail["values_not_sliced"] == {
        "tail": f"{len(counts) - 100} values beyond the 100 most frequent are not sliced"
    }


def numbers(part: pd.DataFrame) -> np.ndarray:
    return np.array([x for x in part["distance"] if x is not None and not np.isnan(x)], float)


@pytest.mark.parametrize("key", ["origin", "concat(origin, '/', carrier)"])
def test_a_slice_drifts_against_the_same_slice(drift, key):
    now, base = parts(frame(LOGS, 2), key), parts(frame(TRAINING), key)
    before = parts(frame(LOGS, 1), key)
    for kind, references in (("BASELINE", base), ("CONSECUTIVE", before)):
        rows = [row for row in drift if row["drift_type"] == kind]
        found = picked(rows, key, 2, "*", "distance")
        assert found.keys() == now.keys() & references.keys()
        for value, row in found.items():
            expected = stats.ks_2samp(numbers(now[value]), numbers(references[value])).statistic
            assert row["ks_test"]["statistic"] == pytest.approx(expected, rel=1e-9)


def test_fairness_is_the_difference_between_a_condition_and_the_rest(profile):
    found = parts(frame(LOGS, 0), "distance > 12")
    row = picked(profile, "distance > 12", 0, "*", ":table")
    rates = {}
    for group, part in found.items():
        judged = part[[label is not None for label in part["late"]]]
        truth, answer = judged["late"].astype(bool), judged["prediction"].astype(bool)
        rates[group] = {
            "predictive_parity": truth[answer].mean(),
            "predictive_equality": answer[~truth].mean(),
            "equal_opportunity": answer[truth].mean(),
            "statistical_parity": part["prediction"].astype(bool).mean(),
        }
    for name, protected in rates["true"].items():
        assert dict(row["true"][name])["true"] == pytest.approx(protected - rates["false"][name], abs=1e-12)
        assert row["false"][name] is None
    assert all(one["predictive_parity"] is None for one in profile if one["slice_key"] == "origin")


def test_a_rule_on_a_slice_judges_that_slice_only(sliced):
    opened = [one for one in sliced.first["incidents"] if one["status"] == "open"]
    assert [(one["rule"], one["slice"]) for one in opened] == [
        ("feature_drift/distance/origin=JFK", "origin=JFK")
    ]


def test_a_second_run_changes_nothing(sliced):
    before = sliced.versions()
    again = sliced.json("run")
    assert next(one["status"] for one in again["stages"] if one["name"] == "monitor") == "nothing to do"
    assert sliced.versions() == before


def test_slices_that_are_added_later_are_measured_for_all_windows_and_change_no_whole(project, profile):
    later = project("later", CONFIG.replace("SLICES", ""), TABLES)
    later.lakemon("run")
    whole = later.table(f"{METRICS}_profile_metrics").to_pylist()
    (later.folder / "monitoring_config.yml").write_text(SLICED, encoding="utf-8")
    later.lakemon("run")
    now = later.table(f"{METRICS}_profile_metrics").to_pylist()

    def comparable(rows, sliced):
        wanted = (row for row in rows if (row["slice_key"] is not None) is sliced)
        return sorted(repr(row | {"config_hash": "", "table_version": 0}) for row in wanted)

    assert comparable(whole, sliced=True) == []
    assert comparable(now, sliced=False) == comparable(whole, sliced=False)
    assert comparable(now, sliced=True) == comparable(profile, sliced=True)


def test_a_new_day_adds_the_rows_that_a_full_measurement_has(project, sliced):
    grown = project("grown", SLICED, TABLES | {"lake.air.inference_logs": LOGS.slice(0, 850)})
    grown.lakemon("run")
    pq.write_table(LOGS.slice(850), grown.folder / "more.parquet")
    grown.lakemon("table", "import", "lake.air.inference_logs", "more.parquet", "--mode", "append")
    grown.lakemon("run")
    for kind in ("profile", "drift"):
        tables = [
            shop.table(f"{METRICS}_{kind}_metrics").drop_columns(["table_version"]).to_pylist()
            for shop in (grown, sliced)
        ]
        one, other = (sorted(map(repr, rows)) for rows in tables)
        assert one == other
