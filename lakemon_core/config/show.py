"""A resolved config as plain values, as YAML, and as the hash of what it measures and judges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from lakemon_core.config.explain import is_secret
from lakemon_core.config.source.resolve import REFERENCE
from lakemon_core.domain.monitor import InferenceTableSpec, Monitor, MonitoringSpec, ServingSpec
from lakemon_core.domain.rule import Compare, Quorum, Rule

HIDDEN = "********"


def show(monitor: Monitor) -> str:
    """Returns the resolved config as YAML that loads again; secrets are references or hidden."""
    stream = StringIO()
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 100
    yaml.dump(resolved(monitor), stream)
    return f"# config_hash: {monitor.config_hash}\n{stream.getvalue()}"


def resolved(monitor: Monitor) -> dict[str, Any]:
    """Returns the resolved config in the shape of the file, as plain JSON values; secrets are hidden."""
    environment: dict[str, Any] = {
        "backend": monitor.backend,
        "catalog": monitor.catalog,
        "schema": monitor.schema,
        "serving": _serving(monitor.serving) if monitor.serving else None,
        "inference_table": _inference_table(monitor.inference_table),
        "monitoring": _monitoring(monitor.monitoring),
        monitor.backend: dict(monitor.backend_settings) or None,
    }
    model = monitor.model
    whole: dict[str, Any] = {
        "model": {"name": model.name, "type": model.type, "version": model.version, **model.settings}
        if model
        else None,
        "environments": {monitor.environment: environment},
        "sinks": {name: {"type": sink.type, **sink.settings} for name, sink in monitor.sinks.items()},
        "plugins": {
            "disabled": list(monitor.plugins.disabled),
            "settings": {name: dict(values) for name, values in monitor.plugins.settings.items()},
            "autoload": monitor.plugins.autoload,
        },
    }
    return _plain(whole)


def config_hash(monitor: Monitor) -> str:
    """Returns SHA-256 (12 hex digits) of everything that changes what is measured or judged.

    Who is told and how, where results are written, the endpoint and the model's version play no part.
    """
    monitoring = monitor.monitoring
    parts = {
        "model": [monitor.model.name, monitor.model.type, monitor.model.settings] if monitor.model else None,
        "inference_table": str(monitor.inference_table.name),
        "labels": _labels(monitor.inference_table),
        "key": monitor.inference_table.key,
        "measures": {
            "granularities": [str(granularity) for granularity in monitoring.granularities],
            "baseline": [str(monitoring.baseline_table), monitoring.baseline_version],
            "references": [[one.name, one.windows, one.offset] for one in monitoring.references],
            "slicing_exprs": monitoring.slicing_exprs,
            "custom_metrics": monitoring.custom_metrics,
            "psi_smoothing": monitoring.psi_smoothing,
        },
        **({"alarm_budget": str(monitoring.alarm_budget)} if monitoring.alarm_budget else {}),
        "rules": sorted((rule.name, rule.hash) for rule in monitoring.rules),
        "plugins": [sorted(monitor.plugins.disabled), monitor.plugins.settings, monitor.plugins.autoload],
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _serving(spec: ServingSpec) -> dict[str, Any]:
    return {
        "endpoint_name": spec.endpoint_name,
        "workload_size": spec.workload_size,
        "scale_to_zero": spec.scale_to_zero,
        "environment_vars": dict(spec.environment_vars),
        "traffic": dict(spec.traffic),
        "trust_model": spec.trust_model,
        "on_failure": spec.on_failure,
        "timeout_seconds": spec.timeout_seconds,
        "port": spec.port,
    }


def _inference_table(spec: InferenceTableSpec) -> dict[str, Any]:
    return {
        "name": str(spec.name),
        "payload": str(spec.payload),
        "enabled": spec.enabled,
        "retention_days": spec.retention_days,
        "labels": _labels(spec),
        "key": list(spec.key),
    }


def _labels(spec: InferenceTableSpec) -> dict[str, Any] | None:
    labels = spec.labels
    if labels is None:
        return None
    return {
        "table": str(labels.table),
        "on": list(labels.on),
        "label_col": labels.label_col,
        "timestamp_col": labels.timestamp_col,
        "mature_at": {"share": labels.mature_at.share, "after": _written(labels.mature_at.after)},
    }


def _written(length: timedelta) -> str:
    """Returns a length of time as a config writes it, in the greatest unit that is whole."""
    minutes = length // timedelta(minutes=1)
    units = {"days": 24 * 60, "hours": 60, "minutes": 1}
    unit = next(unit for unit, size in units.items() if minutes % size == 0)
    return f"{minutes // units[unit]} {unit}"


def _monitoring(spec: MonitoringSpec) -> dict[str, Any]:
    return {
        "output_schema": spec.output_schema,
        "granularities": [str(granularity) for granularity in spec.granularities],
        "baseline_table": str(spec.baseline_table) if spec.baseline_table else None,
        "baseline_version": spec.baseline_version,
        "references": [
            {"name": one.name, "windows": one.windows, "offset": one.offset} for one in spec.references
        ],
        "slicing_exprs": list(spec.slicing_exprs),
        "custom_metrics": [dict(metric) for metric in spec.custom_metrics],
        "schedule": dict(spec.schedule) if spec.schedule else None,
        "alerts": _alerts(spec),
        "psi_smoothing": spec.psi_smoothing,
        "memory": f"{spec.memory / 10**6:.12g} MB",
        "report_url": spec.report_url or None,
    }


def _alerts(spec: MonitoringSpec) -> Any:
    rules = [_rule(rule) for rule in spec.rules]
    budget = spec.alarm_budget
    told = {"title": spec.message.title, "lines": list(spec.message.lines)} if spec.message else {}
    if budget is None and not told:
        return rules
    allowed = f"{budget.alarms / (budget.per / timedelta(days=365)):g} per year" if budget else None
    return {"budget": allowed, "rules": rules} | told


def _rule(rule: Rule) -> dict[str, Any]:
    """Returns a rule with what differs from its defaults."""
    m, n = rule.for_windows
    values: dict[str, Any] = {
        "metric": rule.metric,
        "threshold": "auto" if rule.is_automatic else rule.threshold,
        "id": rule.id,
        "statistic": rule.statistic,
        "op": rule.op,
        "compare": str(rule.compare) if rule.compare != Compare.BASELINE else None,
        "column": rule.column,
        "slice": rule.slice,
        "warn": rule.warn,
        "recover": rule.recover,
        "for": f"{m} of {n}" if (m, n) != (1, 1) else None,
        "min_samples": rule.min_samples,
        "severity": rule.severity.value,
        "granularity": rule.granularity,
        "recipients": list(rule.recipients),
        "owner": rule.owner,
        "runbook": rule.runbook,
        "on_no_data": rule.on_no_data,
        "on_error": rule.on_error,
        "model_version": rule.model_version,
        "at_least": _quorum(rule.at_least) if rule.at_least else None,
        "expect_every": _written(rule.expect_every) if rule.expect_every else None,
        "renotify_after": _written(rule.renotify_after) if rule.renotify_after else None,
        "escalate_after": _written(rule.escalate_after) if rule.escalate_after else None,
        "group_by": list(rule.group_by) if rule.group_by != ("model",) else None,
        "inhibits": list(rule.inhibits),
    }
    return {key: value for key, value in values.items() if value not in (None, "", [])}


def _quorum(quorum: Quorum) -> int | str:
    return quorum.count or f"{100 * quorum.share:g} %"


def _plain(value: Any, keys: tuple[str, ...] = ()) -> Any:
    """Returns mappings without empty keys, lists for tuples, and hides what is secret."""
    if isinstance(value, Mapping):
        return {key: _plain(item, (*keys, key)) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item, keys) for item in value]
    if isinstance(value, str) and value and not REFERENCE.fullmatch(value):
        return HIDDEN if any(map(is_secret, keys)) or _is_secret_url(value, keys) else value
    return value


def _is_secret_url(value: str, keys: tuple[str, ...]) -> bool:
    """A URL with a login, or the URL of a sink: whoever knows its path can post there."""
    _, is_url, rest = value.partition("://")
    host, _, path = rest.partition("/")
    return bool(is_url) and ("@" in host or (bool(path) and keys[:1] == ("sinks",)))
