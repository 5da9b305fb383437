"""How often the default rules cry wolf, on data in which nothing ever changes.

Run `python benchmarks/false_alarms.py [--days 200] [--rows 50 200 1000] [--cases forecasting]`. Each day is a
window, measured by `lakemon run` and replayed by `lakemon backtest`. Prints alerts a year, by case and rule.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
BASELINE_ROWS = 5000
Maker = Callable[[np.random.Generator, int], dict[str, np.ndarray]]

CONFIG = """\
model: {{name: calm, {model}}}
environments:
  dev:
    catalog: calm
    schema: data
    monitoring: {{output_schema: out, baseline_table: training, granularities: ["1 day"]}}
"""


def features(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    """Twenty columns as they come: smooth, long tails, counts, mostly zero, flags, few and many levels."""
    heavy = {f"amount_{i}": rng.lognormal(3, 1.0 + i / 2, rows) for i in range(3)}
    smooth = {f"x_{i}": rng.normal(0, 1, rows) for i in range(5)}
    counts = {f"count_{i}": rng.poisson(2 * (i + 1), rows) for i in range(3)}
    zeros = {f"zero_{i}": np.where(rng.random(rows) < 0.9, 0.0, rng.exponential(5, rows)) for i in range(2)}
    flags = {f"flag_{i}": rng.random(rows) < (0.5, 0.02)[i] for i in range(2)}
    few = {f"kind_{i}": rng.choice(list("abcde"), rows, p=[0.5, 0.3, 0.15, 0.04, 0.01]) for i in range(2)}
    ranks = {size: np.minimum(rng.zipf(1.6, rows), size).astype(str) for size in (50, 400)}
    many = {f"town_{size}": np.char.add("t", found) for size, found in ranks.items()}
    even = {"shop": np.char.add("s", rng.integers(0, 100, rows).astype(str))}
    return heavy | smooth | counts | zeros | flags | few | many | even


def classes(share: float, skill: float) -> Maker:
    """Two classes, right probabilities; `share` positive at the mean score, `skill` spreads the scores."""

    def made(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        logit = np.log(share / (1 - share)) + skill * rng.normal(0, 1, rows)
        proba = 1 / (1 + np.exp(-logit))
        label = np.where(rng.random(rows) < proba, "yes", "no")
        return {"proba": proba, "prediction": np.where(proba > 0.5, "yes", "no"), "label": label}

    return made


def numbers(noise: float) -> Maker:
    """A regression whose errors are `noise` times the spread of what it explains; intervals of 80 %."""

    def made(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
        prediction = 100 + 30 * rng.normal(0, 1, rows)
        half = 1.2815515655446004 * noise * 30
        label = prediction + noise * 30 * rng.normal(0, 1, rows)
        return {"prediction": prediction, "label": label, "lo": prediction - half, "hi": prediction + half}

    return made


_CLASSES = "type: classification, prediction_proba_col: proba, positive_class: 'yes'"
_FORECASTS = (
    "type: forecasting, series_col: series, horizon_col: horizon, issued_at_col: issued, season_length: 7,"
    " quantile_cols: {0.1: lo, 0.9: hi}"
)
_NUMBERS = "type: regression, quantile_cols: {0.1: lo, 0.9: hi}"
CASES: dict[str, tuple[str, Maker]] = {
    "classification, 35 % positive": (_CLASSES, classes(0.3, 1.5)),
    "classification, 7 % positive": (_CLASSES, classes(0.03, 1.5)),
    "classification, hard question": (_CLASSES, classes(0.3, 0.6)),
    "regression": (_NUMBERS, numbers(0.7)),
    "regression, noisy": (_NUMBERS, numbers(3.0)),
}


def project(folder: Path, case: str, rows: int, days: int) -> None:
    """Writes a project whose every day is drawn from what its training data was drawn from."""
    model, maker = CASES[case]
    rng = np.random.default_rng(rows)
    for name, count in (("training", BASELINE_ROWS), ("inference_logs", days * rows)):
        columns = {**features(rng, count), **maker(rng, count)}
        if name == "inference_logs":
            day = np.repeat(np.arange(days), rows)
            columns["timestamp"] = np.datetime64(FIRST.replace(tzinfo=None)) + day.astype("timedelta64[D]")
        table = pa.table({key: pa.array(values) for key, values in columns.items()})
        pq.write_table(table, folder / f"{name}.parquet")
    (folder / "monitoring_config.yml").write_text(CONFIG.format(model=f"{model}, label_col: label"))


def forecasts(folder: Path, series: int, days: int) -> None:
    """Forecasts a week ahead of series with a weekly pattern: the mean of four weeks, intervals of 80 %."""
    rng = np.random.default_rng(series)
    past, horizons = 140, 7
    week = 100 + 20 * rng.normal(0, 1, (series, 7))
    total = past + days + horizons
    actual = week[:, np.arange(total) % 7] + 10 * rng.normal(0, 1, (series, total))
    start = FIRST - timedelta(days=past)
    rows: dict[str, list[object]] = {
        name: [] for name in ("timestamp", "series", "horizon", "issued", "prediction", "lo", "hi", "label")
    }
    for day in range(past, past + days):
        said = np.mean([actual[:, day - 7 * k] for k in range(1, 5)], axis=0)
        half = 1.2815515655446004 * 10 * np.sqrt(1.25)
        for horizon in range(1, horizons + 1):
            for one in range(series):
                values = (
                    start + timedelta(days=day), f"s{one}", horizon, start + timedelta(days=day - horizon),
                    said[one], said[one] - half, said[one] + half, actual[one, day],
                )  # fmt: skip
                for name, value in zip(rows, values, strict=True):
                    rows[name].append(value)
    pq.write_table(pa.table(rows), folder / "inference_logs.parquet")
    history = {
        "timestamp": [start + timedelta(days=day) for day in range(past) for _ in range(series)],
        "series": [f"s{one}" for _ in range(past) for one in range(series)],
        "label": [actual[one, day] for day in range(past) for one in range(series)],
    }
    pq.write_table(pa.table(history), folder / "training.parquet")
    (folder / "monitoring_config.yml").write_text(CONFIG.format(model=f"{_FORECASTS}, label_col: label"))


def alerts_of(folder: Path) -> Counter[str]:
    """Measures and replays; returns the number of alerts by rule."""

    def lakemon(*arguments: str) -> str:
        command = [str(Path(sys.executable).with_name("lakemon")), *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout

    for table in ("inference_logs", "training"):
        lakemon("table", "import", f"calm.data.{table}", f"{table}.parquet")
    lakemon("run", "--output", "json")
    told = json.loads(lakemon("backtest", "--output", "json"))
    return Counter(alert["rule"] for alert in told["alerts"])


def main() -> None:
    """Prints a line a case and size: alerts a year by rule."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=200)
    options.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1000])
    options.add_argument("--cases", default="")
    chosen = options.parse_args()
    for rows in chosen.rows:
        for case in (*CASES, "forecasting"):
            if chosen.cases not in case:
                continue
            with tempfile.TemporaryDirectory() as name:
                if case in CASES:
                    project(Path(name), case, rows, chosen.days)
                else:
                    forecasts(Path(name), max(1, rows // 7), chosen.days)
                told(case, rows, alerts_of(Path(name)), chosen.days)


def told(case: str, rows: int, alerts: Counter[str], days: int) -> None:
    """Prints one line."""
    by_rule = ", ".join(f"{rule} {count}" for rule, count in sorted(alerts.items())) or "none"
    year = sum(alerts.values()) * 365 / days
    print(f"{case}; {rows} rows a day; {year:.1f} alerts a year; in {days} days: {by_rule}", flush=True)


if __name__ == "__main__":
    main()
