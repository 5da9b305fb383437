"""A batch inference table as most teams have it: six days of predictions in Parquet, and a baseline."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CONFIG = """\
model:
  name: churn
  type: classification
  timestamp_col: at
  model_id_col: version
  prediction_col: predicted
  prediction_proba_col: proba
  label_col: churned
  positive_class: "yes"
environments:
  dev:
    catalog: mlops_dev
    schema: shop
    monitoring:
      baseline_table: training
      granularities: ["1 day"]
      alerts:
        - {metric: feature_drift, threshold: 0.2, recipients: [team@example.com]}
        - {metric: roc_auc, threshold: 0.6}
"""
FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 6
DRIFTS_FROM = 4


def predictions(rng: np.random.Generator, day: int | None, rows: int) -> pa.Table:
    """Rows of one day; `day=None` makes baseline rows. From day 4 on `amount` and `city` drift."""
    drifts = day is not None and day >= DRIFTS_FROM
    amount = rng.lognormal(3.0 + (0.8 if drifts else 0.0), 0.6, rows)
    amount[rng.random(rows) < 0.02] = np.nan
    cities = ["Rome", "Oslo", "Kyōto 'x'", "Lima"]
    city = rng.choice(cities, rows, p=[0.1, 0.2, 0.3, 0.4] if drifts else [0.4, 0.3, 0.2, 0.1])
    truth = rng.random(rows) < 1 / (1 + np.exp(-(np.nan_to_num(amount, nan=20.0) - 22) / 12))
    noise = rng.normal(0, 0.25, rows)
    proba = np.clip(np.where(truth, 0.6, 0.4) + noise, 0.001, 0.999)
    columns: dict[str, pa.Array] = {
        "amount": pa.array(amount, mask=rng.random(rows) < 0.03),
        "age": pa.array(rng.integers(18, 80, rows)),
        "city": pa.array(city, mask=rng.random(rows) < 0.01),
        "active": pa.array(rng.random(rows) < 0.7),
        "joined": pa.array(
            [FIRST_DAY - timedelta(days=int(d)) for d in rng.integers(1, 900, rows)],
            pa.timestamp("us", "UTC"),
        ),
        "constant": pa.array(np.full(rows, 7.0)),
        "empty": pa.array([None] * rows, pa.float64()),
        "version": pa.array(rng.choice(["1", "2"], rows)),
        "predicted": pa.array(np.where(proba > 0.5, "yes", "no")),
        "proba": pa.array(proba),
        "churned": pa.array(np.where(truth, "yes", "no"), mask=rng.random(rows) < 0.1),
    }
    if day is not None:
        seconds = np.sort(rng.integers(0, 86_400, rows))
        at = [FIRST_DAY + timedelta(days=day, seconds=int(second)) for second in seconds]
        columns = {"at": pa.array(at, pa.timestamp("us", "UTC")), **columns}
    return pa.table(columns)


class Shop:
    """A project folder and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lakemon(self, *arguments: str, code: int = 0) -> str:
        """Runs one command as a user would; returns stdout."""
        done = subprocess.run(
            [Path(sys.executable).with_name("lakemon"), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"{arguments} gave {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command and does not wait for it."""
        command = [str(Path(sys.executable).with_name("lakemon")), *arguments]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def json(self, *arguments: str, code: int = 0) -> dict:
        """Runs one command with `--output json`; returns its document."""
        return json.loads(self.lakemon(*arguments, "--output", "json", code=code))

    def table(self, name: str) -> pa.Table:
        """Reads a table with plain delta-rs, which knows nothing of lakemon."""
        from deltalake import DeltaTable

        return DeltaTable(self.folder / ".lakemon" / "tables" / Path(*name.split("."))).to_pyarrow_table()

    def versions(self) -> dict[str, int]:
        """The newest version of every table."""
        from deltalake import DeltaTable

        logs = sorted((self.folder / ".lakemon" / "tables").glob("*/*/*/_delta_log"))
        return {log.parent.name: DeltaTable(log.parent).version() for log in logs}

    def mails(self) -> list[Path]:
        """The .eml files that were written so far."""
        return sorted((self.folder / ".lakemon" / "outbox").glob("*.eml"))


@pytest.fixture(scope="session")
def shop_data() -> dict[str, pa.Table]:
    """Six days and a baseline, always the same."""
    rng = np.random.default_rng(20260302)
    days = [predictions(rng, day, 900 + 50 * day) for day in range(DAYS)]
    return {"logs": pa.concat_tables(days), "training": predictions(rng, None, 4000)}


def new_shop(folder: Path, data: dict[str, pa.Table]) -> Shop:
    """Writes config and Parquet files and imports them through the command line."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder)
    (folder / "monitoring_config.yml").write_text(CONFIG, encoding="utf-8")
    pq.write_table(data["logs"], folder / "logs.parquet")
    pq.write_table(data["training"], folder / "training.parquet")
    shop.lakemon("table", "import", "mlops_dev.shop.inference_logs", "logs.parquet")
    shop.lakemon("table", "import", "mlops_dev.shop.training", "training.parquet")
    return shop


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, dict[str, pa.Table]], Shop]:
    """Makes a project of its own: a config, and tables that are imported from Parquet files."""

    def new(name: str, config: str, tables: dict[str, pa.Table]) -> Shop:
        made = Shop(tmp_path_factory.mktemp(name))
        (made.folder / "monitoring_config.yml").write_text(config, encoding="utf-8")
        for table, rows in tables.items():
            pq.write_table(rows, made.folder / f"{table}.parquet")
            made.lakemon("table", "import", table, f"{table}.parquet")
        return made

    return new


@pytest.fixture
def fresh_shop(tmp_path: Path, shop_data: dict[str, pa.Table]) -> Shop:
    """A shop in which nothing has run yet."""
    return new_shop(tmp_path / "shop", shop_data)


@pytest.fixture(scope="session")
def untouched_shop(tmp_path_factory: pytest.TempPathFactory, shop_data: dict[str, pa.Table]) -> Shop:
    """The shop after its first `lakemon run`; nobody runs anything in it, others take a copy."""
    shop = new_shop(tmp_path_factory.mktemp("shop") / "untouched", shop_data)
    shop.first = shop.json("run")
    return shop


@pytest.fixture(scope="session")
def copy_of_shop(untouched_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Shop]:
    """Makes a shop of its own that has had its first `lakemon run`."""

    def copied() -> Shop:
        folder = tmp_path_factory.mktemp("shop") / "copy"
        shutil.copytree(untouched_shop.folder, folder)
        shop = Shop(folder)
        shop.first = untouched_shop.first
        return shop

    return copied


@pytest.fixture(scope="session")
def shop(copy_of_shop: Callable[[], Shop]) -> Shop:
    """The shop after its first `lakemon run`; tests of several modules may have run it again."""
    return copy_of_shop()
