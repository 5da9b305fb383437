"""The most common way in: a batch inference table, imported from Parquet, measured against its baseline."""

import email
import email.policy
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
DRIFTS_FROM = 4
DAYS = 6
NUMERIC = ["amount", "age", "proba", "constant"]
CATEGORICAL = ["city", "active", "predicted", "churned"]


def day_rows(data, day, version="*"):
    frame = data["logs"].to_pandas()
    start = FIRST_DAY + timedelta(days=day)
    frame = frame[(frame["at"] >= start) & (frame["at"] < start + timedelta(days=1))]
    return frame if version == "*" else frame[frame["version"] == version]


def one(rows, **wanted):
    found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, f"{len(found)} rows for {wanted}"
    return found[0]


@pytest.fixture(scope="session")
def drift(shop):
    return shop.table("mlops_dev.monitoring.inference_logs_drift_metrics").to_pylist()


@pytest.fixture(scope="session")
def profile(shop):
    return shop.table("mlops_dev.monitoring.inference_logs_profile_metrics").to_pylist()


def drift_row(drift, day, column, kind="BASELINE", version="*"):
    start = FIRST_DAY + timedelta(days=day)
    found = [
        row
        for row in drift
        if row["window"]["start"] == start
        and row["column_name"] == column
        and row["drift_type"] == kind
        and row["version"] == version
    ]
    assert len(found) == 1
    return found[0]


def test_all_stages_end_well_and_name_their_tables(shop):
    assert [stage["name"] for stage in shop.first["stages"]] == [
        "deploy",
        "validate",
        "monitor",
        "analyze",
        "alert",
    ]
    assert {stage["status"] for stage in shop.first["stages"]} <= {"done", "nothing to do"}
    assert shop.first["stages"][0]["status"] == "nothing to do"
    assert shop.first["status"] == "done"
    for name in shop.first["tables"].values():
        assert shop.table(name).num_rows > 0


@pytest.mark.parametrize("column", NUMERIC)
@pytest.mark.parametrize("day", range(DAYS))
def test_numeric_drift_agrees_with_scipy(shop_data, drift, day, column):
    now = day_rows(shop_data, day)[column].dropna().to_numpy(float)
    then = shop_data["training"].column(column).to_pandas().dropna().to_numpy(float)
    row = drift_row(drift, day, column)
    ks = stats.ks_2samp(now, then)
    assert row["ks_test"]["statistic"] == pytest.approx(ks.statistic, rel=1e-9, abs=1e-12)
    n, m = len(now), len(then)
    assert row["ks_test"]["pvalue"] == pytest.approx(
        stats.kstwo.sf(ks.statistic, round(n * m / (n + m))), rel=1e-6, abs=1e-300
    )
    assert row["wasserstein_distance"] == pytest.approx(
        stats.wasserstein_distance(now, then), rel=1e-9, abs=1e-12
    )


def psi(then, now):
    p, q = (counts + 0.5 for counts in (np.asarray(then, float), np.asarray(now, float)))
    p, q = p / p.sum(), q / q.sum()
    return float(np.sum((q - p) * np.log(q / p)))


@pytest.mark.parametrize("column", ["amount", "age", "proba"])
@pytest.mark.parametrize("day", range(DAYS))
def test_numeric_psi_uses_baseline_deciles(shop_data, drift, day, column):
    now = day_rows(shop_data, day)[column].dropna().to_numpy(float)
    then = shop_data["training"].column(column).to_pandas().dropna().to_numpy(float)
    edges = np.unique(np.quantile(then, np.linspace(0, 1, 11)))
    edges[0], edges[-1] = -np.inf, np.inf
    counts = [np.histogram(values, edges)[0] for values in (then, now)]
    row = drift_row(drift, day, column)
    assert row["population_stability_index"] == pytest.approx(psi(*counts), rel=1e-9)
    shares = [c / c.sum() for c in counts]
    assert row["js_distance"] == pytest.approx(jensenshannon(*shares, base=2), rel=1e-9)
    assert row["tv_distance"] == pytest.approx(0.5 * np.abs(shares[0] - shares[1]).sum(), rel=1e-9)


@pytest.mark.parametrize("column", CATEGORICAL)
@pytest.mark.parametrize("day", range(DAYS))
def test_categorical_drift_agrees_with_scipy(shop_data, drift, day, column):
    now = day_rows(shop_data, day)[column].dropna().astype(str)
    then = shop_data["training"].column(column).to_pandas().dropna().astype(str)
    levels = sorted(set(now) | set(then))
    counts = np.array([[(values == level).sum() for level in levels] for values in (then, now)], float)
    row = drift_row(drift, day, column)
    chi2 = stats.chi2_contingency(counts)
    assert row["chi_squared_test"]["statistic"] == pytest.approx(chi2.statistic, rel=1e-9)
    assert row["chi_squared_test"]["pvalue"] == pytest.approx(chi2.pvalue, rel=1e-9, abs=1e-300)
    p, q = counts / counts.sum(axis=1, keepdims=True)
    assert row["js_distance"] == pytest.approx(jensenshannon(p, q, base=2), rel=1e-9)
    assert row["tv_distance"] == pytest.approx(0.5 * np.abs(p - q).sum(), rel=1e-9)
    assert row["l_infinity_distance"] == pytest.approx(np.abs(p - q).max(), rel=1e-9)
    assert row["population_stability_index"] == pytest.approx(psi(*counts), rel=1e-9)


@pytest.mark.parametrize("day", range(1, DAYS))
@pytest.mark.parametrize("version", ["*", "1", "2"])
def test_consecutive_drift_compares_with_the_day_before(shop_data, drift, day, version):
    now = day_rows(shop_data, day, version)["amount"].dropna().to_numpy(float)
    then = day_rows(shop_data, day - 1, version)["amount"].dropna().to_numpy(float)
    row = drift_row(drift, day, "amount", "CONSECUTIVE", version)
    assert row["ks_test"]["statistic"] == pytest.approx(stats.ks_2samp(now, then).statistic, rel=1e-9)
    assert row["avg_delta"] == pytest.approx(now.mean() - then.mean(), rel=1e-9)
    assert row["window_cmp"]["start"] == FIRST_DAY + timedelta(days=day - 1)


@pytest.mark.parametrize("day", range(DAYS))
@pytest.mark.parametrize("version", ["*", "1", "2"])
def test_quality_agrees_with_scikit_learn(shop_data, profile, day, version):
    rows = day_rows(shop_data, day, version)
    known = rows[rows["churned"].notna()]
    start = FIRST_DAY + timedelta(days=day)
    row = next(
        row
        for row in profile
        if row["column_name"] == ":table"
        and row["log_type"] == "INPUT"
        and row["window"]["start"] == start
        and row["version"] == version
    )
    truth, guess, proba = known["churned"], known["predicted"], known["proba"].to_numpy()
    assert row["count"] == len(rows)
    assert row["accuracy_score"] == pytest.approx(accuracy_score(truth, guess), rel=1e-9)
    assert row["f1_score"]["macro"] == pytest.approx(f1_score(truth, guess, average="macro"), rel=1e-9)
    assert row["f1_score"]["weighted"] == pytest.approx(f1_score(truth, guess, average="weighted"), rel=1e-9)
    binary = (truth == "yes").astype(int)
    assert row["roc_auc_score"]["macro"] == pytest.approx(roc_auc_score(binary, proba), rel=1e-9)
    assert row["log_loss"] == pytest.approx(log_loss(binary, proba), rel=1e-9)


@pytest.mark.parametrize("day", range(DAYS))
def test_profile_statistics_agree_with_numpy(shop_data, profile, day):
    rows = day_rows(shop_data, day)
    start = FIRST_DAY + timedelta(days=day)
    row = next(
        row
        for row in profile
        if row["column_name"] == "age"
        and row["log_type"] == "INPUT"
        and row["window"]["start"] == start
        and row["version"] == "*"
    )
    age = rows["age"].to_numpy(float)
    assert row["avg"] == pytest.approx(age.mean(), rel=1e-12)
    assert row["stddev"] == pytest.approx(age.std(ddof=1), rel=1e-9)
    assert row["median"] == np.median(age)
    assert row["distinct_count"] == len(np.unique(age))
    assert row["percent_null"] == 0.0


def test_what_cannot_be_computed_says_why(profile, drift):
    empty = next(row for row in profile if row["column_name"] == "empty" and row["log_type"] == "INPUT")
    assert empty["avg"] is None
    assert "avg" in dict(empty["reasons"])
    gone = drift_row(drift, 0, "empty")
    assert gone["ks_test"] is None
    assert "ks_test" in dict(gone["reasons"])


def test_drift_opens_an_incident_once_and_mails_it(shop):
    opened = [one for one in shop.first["incidents"] if one["status"] == "open"]
    assert {"amount", "city"} <= {one["column"] for one in opened}
    amount = next(one for one in opened if one["column"] == "amount")
    assert amount["opened_at"].startswith((FIRST_DAY + timedelta(days=DRIFTS_FROM)).date().isoformat())
    assert shop.first["deliveries"]
    assert {delivery["status"] for delivery in shop.first["deliveries"]} == {"delivered"}
    texts = [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in shop.mails()
    ]
    assert any("amount" in message.get_body(("plain",)).get_content() for message in texts)


def test_the_same_run_again_changes_nothing_and_sends_nothing(shop):
    versions, mails = shop.versions(), shop.mails()
    second = shop.json("run")
    assert second["status"] == "done"
    assert {stage["status"] for stage in second["stages"][:4]} == {"done", "nothing to do"}
    assert second["deliveries"] == []
    assert shop.versions() == versions
    assert shop.mails() == mails
