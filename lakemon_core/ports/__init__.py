"""What lakemon asks of the world: backend, tables, registry, serving, ledger, model type and alert sink.

A plugin author implements one of three classes, `Backend`, `ModelType` or `AlertSink`;
`lakemon_core.testing` holds a contract suite for each. The Protocols are the rooms of a backend.
"""

from lakemon_core.domain.panels import PanelSpec
from lakemon_core.ports.alert_sink import AlertSink, SinkCheck, SinkSetup
from lakemon_core.ports.backend import Backend, BackendCheck, BackendSetup
from lakemon_core.ports.expressions import Expressions
from lakemon_core.ports.lake_profiles import LakeMetrics, LakeProfiles
from lakemon_core.ports.ledger import Ledger
from lakemon_core.ports.measured import Distribution, Measured, MeasuredWindow, MetricSpec
from lakemon_core.ports.model_config import NumericModelConfig, NumericModelType
from lakemon_core.ports.model_type import ModelType, QualityMetric, QualityResult
from lakemon_core.ports.serving import (
    PROBE_PREFIX,
    EndpointState,
    LoggedRequest,
    ModelServer,
    ModelVersion,
    PayloadHealth,
    Registry,
    ServerState,
    Serving,
    ServingResponse,
    UnpackResult,
)
from lakemon_core.ports.setting import API_VERSION, Clock, PluginConfig, Progress, Secrets
from lakemon_core.ports.tables import (
    Adjustment,
    ClosableColumns,
    Condition,
    ReadsByColumn,
    TableFiles,
    TableInfo,
    Tables,
    WriteResult,
)
from lakemon_core.ports.web_apps import WEB_APPS, WebAppSetup

__all__ = [
    "API_VERSION",
    "PROBE_PREFIX",
    "WEB_APPS",
    "Adjustment",
    "AlertSink",
    "Backend",
    "BackendCheck",
    "BackendSetup",
    "Clock",
    "ClosableColumns",
    "Condition",
    "Distribution",
    "EndpointState",
    "Expressions",
    "LakeMetrics",
    "LakeProfiles",
    "Ledger",
    "LoggedRequest",
    "Measured",
    "MeasuredWindow",
    "MetricSpec",
    "ModelServer",
    "ModelType",
    "ModelVersion",
    "NumericModelConfig",
    "NumericModelType",
    "PanelSpec",
    "PayloadHealth",
    "PluginConfig",
    "Progress",
    "QualityMetric",
    "QualityResult",
    "ReadsByColumn",
    "Registry",
    "Secrets",
    "ServerState",
    "Serving",
    "ServingResponse",
    "SinkCheck",
    "SinkSetup",
    "TableFiles",
    "TableInfo",
    "Tables",
    "UnpackResult",
    "WebAppSetup",
    "WriteResult",
]
