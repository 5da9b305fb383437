"""Evidently: the presets of drift, data summary and classification, one report a day.

It measures the whole baseline again in every report, which takes long; therefore it gets a few days, and
what each of them took is written into a file.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pandas as pd
from evidently import BinaryClassification, DataDefinition, Dataset, Report
from evidently.presets import ClassificationPreset, DataDriftPreset, DataSummaryPreset

from peers import CATEGORICAL, FEATURES, LABEL, NUMERIC, PREDICTION, PROBA

COLUMNS = [*FEATURES, PREDICTION, PROBA, LABEL]
DEFINITION = DataDefinition(
    numerical_columns=NUMERIC,
    categorical_columns=CATEGORICAL,
    classification=[
        BinaryClassification(target=LABEL, prediction_labels=PREDICTION, prediction_probas=PROBA)
    ],
)


def measure(folder: Path, days: int) -> list[dict[str, float]]:
    """Returns the seconds of wall clock and of CPU that each of the first `days` took, reading included."""
    report = Report(
        [DataDriftPreset(columns=FEATURES), DataSummaryPreset(columns=FEATURES), ClassificationPreset()]
    )
    baseline = _read(folder / "baseline.parquet")
    costs = []
    for day in sorted((folder / "logs").iterdir())[:days]:
        wall, cpu = time.perf_counter(), time.process_time()
        print(day.stem, len(report.run(_read(day), baseline).dict()["metrics"]), "metrics")
        costs.append({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu})
    return costs


def _read(path: Path) -> Dataset:
    return Dataset.from_pandas(pd.read_parquet(path, columns=COLUMNS), DEFINITION)


if __name__ == "__main__":
    Path(sys.argv[3]).write_text(json.dumps(measure(Path(sys.argv[1]), int(sys.argv[2]))))
