"""The full job, through the door that everybody uses: `lakemon run --stages monitor` on the local backend."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CONFIG = """\
model:
  name: bench
  type: classification
  timestamp_col: ts
  model_id_col: model_version
  prediction_col: prediction
  prediction_proba_col: proba
  label_col: label
environments:
  dev:
    catalog: bench
    schema: logs
    monitoring:
      output_schema: monitoring
      granularities: ["1 day"]
      baseline_table: training_data
"""
"""Features are all columns without another role: every column but timestamp and model version is measured."""

SLICED = '      slicing_exprs: ["c00"]\n'
"""A further line of the config: slices by a column of four values."""


def prepare(home: Path, inference_logs: Path, training_data: Path, extra: str = "") -> None:
    """Makes a fresh workspace in `home` whose two tables are Delta folders used in place."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "monitoring_config.yml").write_text(CONFIG + extra)
    for name, folder in (("inference_logs", inference_logs), ("training_data", training_data)):
        subprocess.run(
            [*_lakemon("table", "import"), f"bench.logs.{name}", str(folder), *_at(home)], check=True
        )


def command(home: Path) -> list[str]:
    """Returns the command that brings the metric tables of a workspace up to date."""
    return [*_lakemon("run"), "--stages", "monitor", "--quiet", *_at(home)]


def _lakemon(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("lakemon")), *words]


def _at(home: Path) -> list[str]:
    return ["--config", str(home / "monitoring_config.yml")]
