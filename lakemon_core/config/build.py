"""From validated sections to the Monitor: defaults that depend on each other, full table names, the hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lakemon_core.config.shape.fields import budget_of, bytes_of, duration_of
from lakemon_core.config.shape.sections import (
    AlertsSection,
    EnvironmentSection,
    InferenceTableSection,
    LabelsSection,
    ModelSection,
    MonitoringSection,
    ResolvedConfig,
    ServingSection,
)
from lakemon_core.config.show import config_hash
from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.monitor import (
    InferenceTableSpec,
    LabelSpec,
    Maturity,
    MessageTemplate,
    ModelSpec,
    Monitor,
    MonitoringSpec,
    PluginSpec,
    ServingSpec,
    SinkSpec,
)
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import AlarmBudget
from lakemon_core.domain.window import Granularity


def monitor_of(
    config: ResolvedConfig, environment: str, backend_settings: Mapping[str, Any], source: Path | None = None
) -> Monitor:
    """Returns the Monitor of one environment, its config hash included."""
    section = config.environments[environment]
    model = config.model
    monitor = Monitor(
        environment=environment,
        backend=section.backend,
        catalog=section.catalog,
        schema=section.schema_,
        model=_model(model) if model else None,
        serving=_serving(section.serving, model, environment) if section.serving else None,
        inference_table=_inference_table(section.inference_table, section, model),
        monitoring=_monitoring(section.monitoring, section),
        sinks={
            name: SinkSpec(name, sink.type, sink.model_extra or {}) for name, sink in config.sinks.items()
        },
        plugins=PluginSpec(config.plugins.disabled, config.plugins.settings, config.plugins.autoload),
        backend_settings=backend_settings,
        source=source,
    )
    return replace(monitor, config_hash=config_hash(monitor))


def _model(section: ModelSection) -> ModelSpec:
    return ModelSpec(section.name, section.type, section.version, section.model_extra or {})


def _serving(section: ServingSection, model: ModelSection | None, environment: str) -> ServingSpec:
    short_name = model.name.rpartition(".")[2] if model else ""
    default_name = re.sub(r"[^A-Za-z0-9_-]", "-", f"{short_name}-{environment}")[:63]
    return ServingSpec(
        endpoint_name=section.endpoint_name or default_name,
        workload_size=section.workload_size,
        scale_to_zero=section.scale_to_zero,
        environment_vars=section.environment_vars,
        traffic=section.traffic,
        trust_model=section.trust_model,
        on_failure=section.on_failure,
        timeout_seconds=section.timeout_seconds,
        port=section.port,
    )


def _inference_table(
    section: InferenceTableSection, environment: EnvironmentSection, model: ModelSection | None
) -> InferenceTableSpec:
    name = _table(section.name, environment)
    payload = _table(section.payload, environment) if section.payload else name.sibling(suffix="_payload")
    labels = _labels(section.labels, environment, model) if section.labels else None
    return InferenceTableSpec(name, payload, section.enabled, section.retention_days, labels, section.key)


def _labels(section: LabelsSection, environment: EnvironmentSection, model: ModelSection | None) -> LabelSpec:
    of_model = (model.model_extra or {}).get("label_col") if model else None
    return LabelSpec(
        table=_table(section.table, environment),
        on=section.on,
        label_col=section.label_col or str(of_model),
        timestamp_col=section.timestamp_col,
        mature_at=Maturity(section.mature_at.share, duration_of(section.mature_at.after)),
    )


def _monitoring(section: MonitoringSection, environment: EnvironmentSection) -> MonitoringSpec:
    baseline = section.baseline_table
    return MonitoringSpec(
        output_schema=section.output_schema,
        granularities=tuple(Granularity(text) for text in section.granularities),
        baseline_table=_table(baseline, environment) if baseline else None,
        slicing_exprs=section.slicing_exprs,
        custom_metrics=tuple(metric.model_dump() for metric in section.custom_metrics),
        schedule=section.schedule.model_dump() if section.schedule else None,
        rules=tuple(one.rule() for one in section.rules),
        psi_smoothing=section.psi_smoothing,
        baseline_version=section.baseline_version,
        references=tuple(Lookback(one.name, one.windows, one.offset) for one in section.references),
        alarm_budget=_budget(section.alerts),
        message=_message(section.alerts),
        memory=bytes_of(section.memory),
        report_url=section.report_url or "",
    )


def _budget(alerts: object) -> AlarmBudget | None:
    return budget_of(alerts.budget) if isinstance(alerts, AlertsSection) and alerts.budget else None


def _message(alerts: object) -> MessageTemplate | None:
    if not isinstance(alerts, AlertsSection) or not (alerts.title or alerts.lines):
        return None
    return MessageTemplate(alerts.title, alerts.lines)


def _table(text: str, environment: EnvironmentSection) -> TableName:
    return TableName.parse(text, catalog=environment.catalog, schema=environment.schema_)
