"""Tables of three models: late flights, air time, and departures to come, each with its training data."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def moments(rng: np.random.Generator, first: datetime, rows: int) -> pa.Array:
    """Times of one day, in order."""
    seconds = np.sort(rng.integers(0, 86_400, rows)).tolist()
    return pa.array([first + timedelta(seconds=at) for at in seconds], pa.timestamp("us", "UTC"))


def flights(seed: int, rows: int, day: datetime | None = None) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {} if day is None else {"timestamp": moments(rng, day, rows)}
    return columns | {
        "model_id": rng.choice(["1", "2"], rows),
        "distance": rng.normal(900 + 20 * seed, 250, rows).round(3),
        "origin": rng.choice(["JFK", "LGA", "EWR"], rows),
    }


def late(seed: int, rows: int, day: datetime | None = None) -> pa.Table:
    """A classification: some rows wait for their label."""
    rng, columns = np.random.default_rng(seed + 100), flights(seed, rows, day)
    proba = rng.beta(2, 2, rows)
    truth = rng.random(rows) < proba
    answers = {
        "prediction": np.where(proba > 0.5, "yes", "no"),
        "proba": proba,
        "late": pa.array(np.where(truth, "yes", "no"), mask=rng.random(rows) < 0.1),
    }
    return pa.table(columns | answers)


def air_time(seed: int, rows: int, day: datetime | None = None) -> pa.Table:
    """A regression."""
    rng, columns = np.random.default_rng(seed + 200), flights(seed, rows, day)
    truth = columns["distance"] / 8 + rng.normal(0, 6, rows)
    labels = pa.array(truth, mask=rng.random(rows) < 0.1)
    return pa.table(columns | {"prediction": columns["distance"] / 8 + 2, "air_time": labels})


def departures(first: datetime, days: int, *, forecast: bool) -> pa.Table:
    """A forecast, one and two days ahead, of two airports; without `forecast` the history."""
    rng = np.random.default_rng(days)
    rows: list[dict[str, Any]] = []
    for day in (first + timedelta(days=number) for number in range(days)):
        for origin, level in (("JFK", 300.0), ("LGA", 200.0)):
            actual = level + 30 * (day.weekday() > 4) + rng.normal(0, 10)
            if not forecast:
                rows.append({"timestamp": day, "origin": origin, "departures": actual})
            for horizon in (1, 2) if forecast else ():
                guess = level + rng.normal(0, 15)
                rows.append({
                    "timestamp": day, "model_id": "1", "origin": origin, "horizon": horizon,
                    "issued": day - timedelta(days=horizon), "prediction": guess, "lo": guess - 20,
                    "hi": guess + 20, "departures": actual,
                })  # fmt: skip
    return pa.Table.from_pylist(rows)


def looked_back_at() -> list[datetime]:
    """Days that the last three are compared with: one of last year, and two of last week."""
    return [TODAY - timedelta(days=back) for back in (4 + 364, 11, 10)]


def data() -> dict[str, pa.Table]:
    """Three days of predictions and a baseline for each model; `air_time` has a day from long ago, too."""
    days = [TODAY - timedelta(days=back) for back in (4, 3, 2)]
    monday = TODAY - timedelta(days=TODAY.weekday() + 14)
    long_ago = TODAY - timedelta(days=40)
    return {
        "late_logs": pa.concat_tables([late(at, 100, day) for at, day in enumerate(looked_back_at() + days)]),
        "late_training": late(7, 300),
        "air_time_logs": pa.concat_tables(
            [air_time(at, 120, day) for at, day in enumerate([long_ago, *days])]
        ),
        "air_time_training": air_time(7, 300),
        "departures_logs": departures(monday, 14, forecast=True),
        "departures_training": departures(monday - timedelta(weeks=8), 56, forecast=False),
    }
