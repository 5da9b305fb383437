"""NannyML: univariate drift by three methods, missing and unseen values, summary statistics, performance.

All rows, one chunk a day, against the whole baseline. No drift against the previous day, one model.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

from peers import CATEGORICAL, FEATURES, LABEL, NUMERIC, PREDICTION, PROBA, TIMESTAMP

CHUNKS = {"timestamp_column_name": TIMESTAMP, "chunk_period": "D"}
SUMMARIES = (
    nannyml.SummaryStatsAvgCalculator,
    nannyml.SummaryStatsStdCalculator,
    nannyml.SummaryStatsMedianCalculator,
    nannyml.SummaryStatsSumCalculator,
)


def calculators() -> list[Any]:
    """Returns everything that is fitted on the baseline and then measures the days."""
    drift = nannyml.UnivariateDriftCalculator(
        column_names=FEATURES,
        continuous_methods=["kolmogorov_smirnov", "jensen_shannon", "wasserstein"],
        categorical_methods=["chi2", "jensen_shannon", "l_infinity"],
        **CHUNKS,
    )
    quality = nannyml.PerformanceCalculator(
        problem_type="classification_binary",
        metrics=["accuracy", "precision", "recall", "f1", "roc_auc"],
        y_true=LABEL,
        y_pred=PREDICTION,
        y_pred_proba=PROBA,
        **CHUNKS,
    )
    return [
        drift,
        nannyml.MissingValuesCalculator(column_names=FEATURES, **CHUNKS),
        nannyml.UnseenValuesCalculator(column_names=CATEGORICAL, **CHUNKS),
        *(summary(column_names=NUMERIC, **CHUNKS) for summary in SUMMARIES),
        quality,
    ]


def measure(folder: Path) -> list[pd.DataFrame]:
    """Returns a frame of each calculator: a row a day."""
    baseline = pd.read_parquet(folder / "baseline.parquet")
    logs = pd.read_parquet(folder / "logs")
    return [each.fit(baseline).calculate(logs).filter(period="analysis").to_df() for each in calculators()]


if __name__ == "__main__":
    for frame in measure(Path(sys.argv[1])):
        print(frame.shape)
