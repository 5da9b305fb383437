"""The resolved config of one environment: which model, tables, columns, windows, rules and sinks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from lakemon_core.domain.lookback import CALENDAR, Lookback
from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import AlarmBudget, Rule
from lakemon_core.domain.window import Granularity

_INDEX = re.compile(r"__index_level_\d+__")


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column of the inference table plays which part.

    Attributes:
        timestamp: event time of the prediction.
        model_id: version of the model that answered.
        prediction: the prediction.
        prediction_proba: probability of the positive class, or a map class → probability; optional.
        label: ground truth; optional, may arrive late.
        features: the inputs; empty means all columns without another role.
        categorical: columns to treat as categories whatever their type.
        request_id: with `row_index` the key of a row.
        row_index: position of the row in its request.
        others: further columns that are no features, e.g. label keys.
        probabilities: columns of probabilities by class, where no single one stands for all.
    """

    timestamp: str = "timestamp"
    model_id: str = "model_id"
    prediction: str = "prediction"
    prediction_proba: str | None = None
    label: str | None = None
    features: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    request_id: str = "request_id"
    row_index: str = "row_index"
    others: tuple[str, ...] = ()
    probabilities: tuple[str, ...] = ()

    @property
    def predicted(self) -> tuple[str, ...]:
        """All columns that the model answers with: prediction and probabilities."""
        proba = (self.prediction_proba,) if self.prediction_proba else ()
        return (self.prediction, *proba, *self.probabilities)

    @property
    def named(self) -> tuple[str, ...]:
        """All columns that play a part other than feature."""
        parts = (
            self.timestamp, self.model_id, *self.predicted, self.label, self.request_id, self.row_index,
            *self.others,
        )  # fmt: skip
        return tuple(part for part in parts if part)

    def feature_columns(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Returns the features among the columns of a table, in the table's order.

        The nameless index of a pandas frame, as it lies in Parquet files, is one only where it is named.
        """
        if self.features:
            return tuple(column for column in columns if column in set(self.features))
        others = set(self.named)
        return tuple(column for column in columns if column not in others and not _INDEX.fullmatch(column))


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """The model that is monitored.

    Attributes:
        name: registered as `catalog.schema.name`, or the full three-level name.
        type: entry point of group `lakemon.model_types`.
        version: number, alias or `latest`.
        settings: the keys of `model:` that belong to the type, for its own `Config`.
    """

    name: str
    type: str
    version: str = "latest"
    settings: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class ServingSpec:
    """The serving endpoint.

    Attributes:
        endpoint_name: name of the endpoint.
        workload_size: Small, Medium or Large.
        scale_to_zero: may scale to zero when idle.
        environment_vars: of the served model; values may be secret references.
        traffic: version → percent; empty means all to the deployed version.
        trust_model: load models that are stored as pickle or code.
        on_failure: `rollback` or `keep` when validation fails.
        timeout_seconds: deadline for READY.
        port: port of the local server; 0 means a free one.
    """

    endpoint_name: str
    workload_size: str = "Small"
    scale_to_zero: bool = True
    environment_vars: Mapping[str, str] = field(default_factory=dict[str, str])
    traffic: Mapping[str, int] = field(default_factory=dict[str, int])
    trust_model: bool = False
    on_failure: str = "rollback"
    timeout_seconds: float = 2700.0
    port: int = 0


@dataclass(frozen=True, slots=True)
class Maturity:
    """When the quality of a window is judged: enough labels are in, or nobody waits for more.

    Attributes:
        share: of the labels, 0 to 1.
        after: time since the window's end.
    """

    share: float = 0.9
    after: timedelta = timedelta(days=7)

    def reached(self, share: float, end: datetime, now: datetime) -> bool:
        """Whether a window that ended at `end` is mature with this share of its labels."""
        return share >= self.share or now >= end + self.after


@dataclass(frozen=True, slots=True)
class LabelSpec:
    """Where labels come from.

    Attributes:
        table: the label table.
        on: key columns in both tables.
        label_col: the label's column in the label table.
        timestamp_col: when the label arrived; the last one wins. Optional.
        mature_at: quality is judged from then on.
    """

    table: TableName
    on: tuple[str, ...]
    label_col: str
    timestamp_col: str | None = None
    mature_at: Maturity = Maturity()

    @property
    def arrival(self) -> str | None:
        """Column of the inference table that says when a row had its first label; None without times."""
        return f"{self.label_col}_arrived_at" if self.timestamp_col else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the inference table that labels need, and that are no features."""
        return (*self.on, self.arrival) if self.arrival else self.on


@dataclass(frozen=True, slots=True)
class InferenceTableSpec:
    """The inference table and its payload table.

    Attributes:
        name: the unpacked table.
        payload: the raw requests and responses.
        enabled: payload logging is switched on.
        retention_days: older rows are deleted; None keeps all.
        labels: late labels; None where the inference table has them already.
        key: columns whose values no two rows should share; empty means request id and row index.
    """

    name: TableName
    payload: TableName
    enabled: bool = True
    retention_days: int | None = None
    labels: LabelSpec | None = None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A team's own words: Jinja templates of the title and of each line; an empty one keeps the built-in."""

    title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitoringSpec:
    """What is measured and judged.

    Attributes:
        output_schema: schema of the metric tables.
        granularities: lengths of windows.
        baseline_table: reference data; None leaves out BASELINE drift.
        baseline_version: its version; None takes the newest.
        references: earlier windows that rules may compare with, by name.
        slicing_exprs: Databricks SQL expressions.
        custom_metrics: Databricks' definitions.
        schedule: quartz cron and time zone; used by scheduled deployments.
        rules: rules of the config; empty means the defaults of the model type.
        psi_smoothing: `add_half` (default) or `clip` (1e-4).
        alarm_budget: false alarms that people put up with; None judges by limits and 5 % levels alone.
        message: words of messages; None takes the built-in ones.
        memory: bytes that measuring may take, libraries included.
        report_url: where people publish the report; empty means the dashboard of the backend.
    """

    output_schema: str
    granularities: tuple[Granularity, ...]
    baseline_table: TableName | None = None
    slicing_exprs: tuple[str, ...] = ()
    custom_metrics: tuple[Mapping[str, object], ...] = ()
    schedule: Mapping[str, str] | None = None
    rules: tuple[Rule, ...] = ()
    psi_smoothing: str = "add_half"
    baseline_version: int | None = None
    references: tuple[Lookback, ...] = ()
    alarm_budget: AlarmBudget | None = None
    message: MessageTemplate | None = None
    memory: int = 2 * 10**9
    report_url: str = ""

    @property
    def lookbacks(self) -> tuple[Lookback, ...]:
        """The references of the config, and those of the calendar that a rule asks for."""
        asked = {rule.compare for rule in self.rules}
        return (*self.references, *(one for one in CALENDAR if one.name in asked))


@dataclass(frozen=True, slots=True)
class SinkSpec:
    """A named alert sink: `type` is an entry point of group `lakemon.alert_sinks`; the rest is its own."""

    name: str
    type: str
    settings: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """`disabled` plugins by name; `settings` by plugin name; `autoload` takes installed hook plugins in."""

    disabled: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    autoload: bool = True


@dataclass(frozen=True, slots=True)
class Monitor:
    """One environment of one config, resolved.

    Attributes:
        environment: its name.
        backend: entry point of group `lakemon.backends`.
        catalog: catalog of model and tables.
        schema: schema of model and tables.
        model: the model; None in a config that names none (an early user's file): then the call names it.
        serving: None for a batch inference table.
        inference_table: where predictions lie.
        monitoring: what is measured and judged.
        sinks: by name.
        plugins: what is on and off.
        backend_settings: keys that belong to the backend.
        source: the config file; None when it came from Python.
        config_hash: SHA-256 (12 hex digits) of the resolved config; secrets enter as references.
    """

    environment: str
    backend: str
    catalog: str
    schema: str
    model: ModelSpec | None
    serving: ServingSpec | None
    inference_table: InferenceTableSpec
    monitoring: MonitoringSpec
    sinks: Mapping[str, SinkSpec] = field(default_factory=dict[str, SinkSpec])
    plugins: PluginSpec = PluginSpec()
    backend_settings: Mapping[str, object] = field(default_factory=dict[str, object])
    source: Path | None = None
    config_hash: str = ""

    @property
    def model_name(self) -> str:
        """The registered name, `catalog.schema.name`."""
        name = self.model.name if self.model else ""
        return name if name.count(".") == 2 else f"{self.catalog}.{self.schema}.{name}"

    def metric_table(self, kind: str) -> TableName:
        """Returns the table `<output_schema>.<inference table>_<kind>`; kind e.g. `profile_metrics`."""
        return self.inference_table.name.sibling(schema=self.monitoring.output_schema, suffix=f"_{kind}")
