from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors, Problem

FULL = """\
model:
  name: flight_delays            # registered as <catalog>.<schema>.<name>
  type: classification
  version: champion              # number, alias, or latest (default)
  timestamp_col: ts
  model_id_col: model_version
  prediction_col: prediction
  prediction_proba_col: proba
  label_col: late
  features: [carrier, dep_hour]
  categorical: [dest]
environments:
  dev:
    backend: local
    catalog: mlops_dev
    schema: flights
    serving:
      {endpoint_name: flights-dev, workload_size: Small, scale_to_zero: true, environment_vars: {},
       traffic: {}}
    inference_table:
      name: inference_logs
      enabled: true
      retention_days: 90
      labels: {table: flight_labels, on: [request_id], label_col: late, timestamp_col: arrived_at}
    monitoring:
      output_schema: monitoring
      granularities: ["1 day", "1 week"]
      baseline_table: training_data
      slicing_exprs: ["origin", "distance > 1000"]
      custom_metrics:
        - {type: aggregate, name: long_share, input_columns: [":table"], definition: "avg(distance > 1000)",
           output_data_type: double}
      schedule: {quartz_cron_expression: "0 0 6 * * ?", timezone_id: UTC}
      alerts:
        - metric: prediction_drift
          threshold: 0.1
          recipients: [your-team@example.com, ml-alerts, "slack:#ml"]
        - metric: feature_drift.dep_hour
          statistic: js_distance
          threshold: 0.3
          warn: 0.2
          recover: 0.15
          for: 2 of 3
          severity: warning
          compare: last_week
          granularity: 1 week
          owner: flights
          runbook: https://example.com/drift
          on_no_data: alert
          id: departure
          slice: origin=JFK
          min_samples: 100
          group_by: [model]
          renotify_after: 1 day
          expect_every: 1 day
        - {metric: long_share, threshold: 40}
    local: {port: 8001}
sinks:
  email: {type: email, host: ${env:SMTP_HOST}, from: lakemon@example.com}
  ml-alerts: {type: slack, webhook_url: ${secret:slack/ml-alerts}}
  risk: {type: teams, workflow_url: ${secret:teams/risk}}
  oncall: {type: python, target: "team_sinks:PagerSink"}
plugins: {disabled: [night_watch], settings: {day_watch: {level: 2}}}
"""


@pytest.fixture
def full_text() -> str:
    return FULL


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a config and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "monitoring_config.yml"
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def problems(config_file: Callable[[str], Path]) -> Callable[..., list[Problem]]:
    """Loads a config that is wrong and returns its problems, the file's name without its folder."""

    def of(text: str, environment: str | None = None) -> list[Problem]:
        with pytest.raises(ConfigErrors) as caught:
            load(config_file(text), environment)
        return list(caught.value.problems)

    return of
