"""A table whose rows come in any order: late labels, backfills, several writers."""

import numpy as np
import pyarrow as pa
import pytest

RUN = ("table_version", "config_hash", "monitor_version", "logging_table_commit_version")
KEYS = ("window", "version", "log_type", "drift_type", "column_name")


def statistics(shop, table):
    """Rows of a metric table in one order, without what names the run."""
    rows = shop.table(f"mlops_dev.monitoring.inference_logs_{table}").to_pylist()
    kept = [{name: value for name, value in row.items() if name not in RUN} for row in rows]
    return sorted(kept, key=lambda row: [str(row.get(key)) for key in KEYS])


@pytest.fixture(scope="module")
def shuffled(shop, shop_data, project):
    """The shop with the same rows, days and versions mixed."""
    order = np.random.default_rng(8).permutation(len(shop_data["logs"]))
    made = project(
        "shuffled",
        (shop.folder / "monitoring_config.yml").read_text(),
        {
            "mlops_dev.shop.inference_logs": shop_data["logs"].take(pa.array(order)),
            "mlops_dev.shop.training": shop_data["training"],
        },
    )
    made.lakemon("run", "--stages", "monitor")
    return made


@pytest.mark.parametrize("table", ["profile_metrics", "drift_metrics"])
def test_the_order_of_rows_changes_no_number(shop, shuffled, table):
    expected, found = statistics(shop, table), statistics(shuffled, table)
    assert len(found) == len(expected) > 0
    for row, other in zip(expected, found, strict=True):
        assert other.keys() == row.keys()
        for name, value in row.items():
            if isinstance(value, float):
                assert other[name] == pytest.approx(value, rel=1e-12), (name, row["column_name"])
            elif name not in {"intervals", "roc_auc_score", "precision", "recall", "f1_score"}:
                assert other[name] == value, (name, row["column_name"])
