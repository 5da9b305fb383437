"""The sections of `monitoring_config.yml`; their docstrings are the reference and the JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import InitErrorDetails

from lakemon_core.config.shape.fields import (
    AnyText,
    BudgetText,
    Duration,
    EndpointText,
    Granularities,
    Identifier,
    Level,
    MemoryText,
    ModelText,
    NameText,
    Number,
    Percent,
    Positive,
    Quartz,
    Section,
    TableText,
    TemplateText,
    Text,
    Texts,
    TimeZone,
    VersionText,
    WebLink,
    Whole,
    known,
    wrong,
)
from lakemon_core.config.shape.rules import METRICS, RuleSection
from lakemon_core.domain.errors import did_you_mean
from lakemon_core.domain.rule import Compare, Rule, keeps_quiet


class ModelSection(Section):
    """The model that is monitored; keys that are not listed here belong to its type."""

    model_config = ConfigDict(extra="allow")

    name: ModelText = Field(examples=["flight_delays"])
    """Registered as `catalog.schema.name`; or the full three-level name."""
    type: Text = Field(examples=["classification"])
    """Model type: classification, or what plugins add."""
    version: VersionText = "latest"
    """A version number, an alias such as `champion`, or `latest`."""


class ServingSection(Section):
    """The serving endpoint. Leave the section out to monitor a batch inference table."""

    endpoint_name: EndpointText | None = Field(default=None, validate_default=True, examples=["flights-dev"])
    """Letters, digits, - and _; default `<model name>-<environment>`."""
    workload_size: Literal["Small", "Medium", "Large"] = "Small"
    """Compute of the endpoint: Small, Medium or Large."""
    scale_to_zero: bool = True
    """The endpoint may scale to zero when it is idle."""
    environment_vars: dict[Identifier, AnyText] = Field(default_factory=dict)
    """Environment variables of the served model; values may be `${secret:scope/key}`."""
    traffic: dict[str, Percent] = Field(default_factory=dict)
    """Model version → percent of the requests; default all to the deployed version."""
    trust_model: bool = False
    """Load models that are stored as pickle or code."""
    on_failure: Literal["rollback", "keep"] = "rollback"
    """What happens to the endpoint when validation fails: rollback or keep."""
    timeout_seconds: Number = Field(2700.0, gt=0)
    """How long to wait until the endpoint is ready."""
    port: Whole = Field(0, ge=0, le=65535)
    """Port of the local server; 0 takes a free one."""

    @field_validator("endpoint_name")
    @classmethod
    def _can_be_named(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None and not known(info).has_model:
            raise wrong("LM111", "it is needed where no model is named;", "e.g. endpoint_name: flights-dev.")
        return name

    @field_validator("traffic")
    @classmethod
    def _is_whole(cls, traffic: dict[str, int]) -> dict[str, int]:
        total = sum(traffic.values())
        if traffic and total != 100:
            raise wrong("LM112", f"its percents sum to {total}, not 100.")
        return traffic


class MatureAtSection(Section):
    """From when on the quality of a window is judged; what comes first counts."""

    share: Number = Field(default=0.9, ge=0, le=1)
    """This share of the window's rows has a label."""
    after: Duration = "7 days"
    """The window ended this long ago."""


class LabelsSection(Section):
    """Labels that arrive late, in a table of their own."""

    table: TableText = Field(examples=["flight_labels"])
    """The label table, by one to three levels."""
    on: Texts = ("request_id",)
    """Key columns, in both tables."""
    label_col: Text | None = Field(None, validate_default=True, examples=["late"])
    """The label's column in the label table; default the model's `label_col`."""
    timestamp_col: Text | None = None
    """When the label arrived; the last one wins."""
    mature_at: MatureAtSection = MatureAtSection()
    """Until then rules on quality say unknown."""

    @field_validator("label_col")
    @classmethod
    def _is_known(cls, column: str | None, info: ValidationInfo) -> str | None:
        if column is None and not known(info).has_label:
            raise wrong("LM111", "it is needed where model.label_col is not given;", "e.g. label_col: late.")
        return column


class InferenceTableSection(Section):
    """The table with one row per prediction."""

    name: TableText = "inference_logs"
    """By one to three levels; catalog and schema of the environment come first."""
    payload: TableText | None = None
    """Raw requests and responses of a served model; default `<name>_payload`."""
    enabled: bool = True
    """Requests to the endpoint are logged."""
    retention_days: Positive | None = None
    """Older rows are deleted; default all are kept."""
    labels: LabelsSection | None = None
    """Late labels; leave out when the inference table holds them."""
    key: tuple[Text, ...] = ()
    """Columns whose values no two rows should share, for `duplicates`; default request id and row index."""


class ScheduleSection(Section):
    """When a scheduled deployment refreshes."""

    quartz_cron_expression: Quartz = Field(examples=["0 0 6 * * ?"])
    """Quartz cron with seconds, e.g. `0 0 6 * * ?` for daily at six."""
    timezone_id: TimeZone = "UTC"
    """Name of the time zone."""


def _short_metric_type(value: object) -> object:
    """Takes the names of Databricks' enums too, e.g. `CUSTOM_METRIC_TYPE_AGGREGATE`."""
    enum, _, kind = value.rpartition("CUSTOM_METRIC_TYPE_") if isinstance(value, str) else ("", "", "")
    return kind.lower() if kind and enum in {"", "DATA_PROFILING_"} else value


MetricType = Annotated[Literal["aggregate", "derived", "drift"], BeforeValidator(_short_metric_type)]


class CustomMetricSection(Section):
    """A metric of your own, as Databricks data profiling defines it."""

    type: MetricType = Field(examples=["aggregate"])
    """aggregate reads the table, derived reads other metrics, drift reads two windows."""
    name: Identifier = Field(examples=["squared_avg"])
    """Column of the metric tables, and the name for rules."""
    input_columns: Texts = Field(examples=[[":table"]])
    """Columns it is computed for; `:table` for the whole table."""
    definition: Text = Field(examples=["avg({{input_column}})"])
    """SQL expression with Jinja parameters."""
    output_data_type: Text = "double"
    """Spark type of the value, or the JSON of a StructField."""


class ReferenceSection(Section):
    """Earlier windows, taken together, that rules may compare with."""

    name: Identifier = Field(examples=["last_month"])
    """What a rule's `compare` names."""
    windows: Whole = Field(1, ge=1, le=1000)
    """How many windows are taken together."""
    offset: Whole = Field(1, ge=1, le=10_000)
    """How many windows back the newest of them lies; 1 is the window just before."""

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name != name.lower():
            raise wrong("LM112", "it must be lower case.", f"Did you mean {name.lower()}?")
        if name in (*Compare, "consecutive"):
            raise wrong("LM118", "that is always there.", "Choose another name.")
        return name


def _have_own_names(rules: tuple[RuleSection, ...]) -> tuple[RuleSection, ...]:
    names = [one.rule().name for one in rules]
    _refuse_repeated(names, 0, "metric", "a rule before it has the same name.", "Give it an `id`.")
    _refuse_circles([one.rule() for one in rules])
    return rules


Rules = Annotated[tuple[RuleSection, ...], AfterValidator(_have_own_names)]


class AlertsSection(Section):
    """Rules, and how many false alarms people put up with."""

    budget: BudgetText | None = None
    """False alarms while nothing changes, e.g. `1 per week`: it makes the levels that all rules keep to."""
    rules: Rules = ()
    """Rules; without any, those of the model type hold."""
    title: TemplateText = ""
    """Title of messages as a Jinja template; default the built-in one."""
    lines: tuple[TemplateText, ...] = ()
    """Lines of messages as Jinja templates; default the built-in ones."""


def _form(alerts: object) -> str:
    return "a mapping" if isinstance(alerts, dict | AlertsSection) else "a list"


Alerts = Annotated[
    Annotated[Rules, Tag("a list")] | Annotated[AlertsSection, Tag("a mapping")], Discriminator(_form)
]


class MonitoringSection(Section):
    """What is measured and judged."""

    output_schema: Level = "monitoring"
    """Schema of the metric tables."""
    granularities: Granularities = ("1 day",)
    """Lengths of the windows: strings of Databricks data profiling, or so many rows, as `10000 rows`."""
    baseline_table: TableText | None = None
    """Reference data; without it drift is measured against the previous window only."""
    baseline_version: Whole | None = Field(default=None, ge=0)
    """Version of the baseline table; default the newest."""
    references: tuple[ReferenceSection, ...] = ()
    """Earlier windows that rules may compare with, by name."""
    slicing_exprs: tuple[Text, ...] = ()
    """Slices in Databricks SQL: columns or conditions."""
    custom_metrics: tuple[CustomMetricSection, ...] = ()
    """Metrics of your own."""
    schedule: ScheduleSection | None = None
    """When a scheduled deployment refreshes."""
    alerts: Alerts = ()
    """Rules, or `rules` with a `budget` of false alarms; without any rules, those of the model type hold."""
    psi_smoothing: Literal["add_half", "clip"] = "add_half"
    """How PSI treats empty bins: ½ is added to each, or shares are clipped at 1e-4."""
    memory: MemoryText = "2 GB"
    """What measuring may take, libraries included; larger windows are measured some columns at a time."""
    report_url: WebLink | None = None
    """Where you publish the report; messages link to it. Default: the dashboard of the backend."""

    @field_validator("references")
    @classmethod
    def _are_told_apart(cls, references: tuple[ReferenceSection, ...]) -> tuple[ReferenceSection, ...]:
        _refuse_repeated([one.name for one in references], 0, "name", "another reference has that name.")
        return references

    @field_validator("custom_metrics")
    @classmethod
    def _are_new_names(cls, metrics: tuple[CustomMetricSection, ...]) -> tuple[CustomMetricSection, ...]:
        names = [*METRICS, *(metric.name for metric in metrics)]
        _refuse_repeated(names, len(METRICS), "name", "another metric has that name.")
        return metrics

    @property
    def rules(self) -> tuple[RuleSection, ...]:
        """The rules, however they are written."""
        return self.alerts.rules if isinstance(self.alerts, AlertsSection) else self.alerts


class EnvironmentSection(Section):
    """One environment: where model and tables lie, and what differs there.

    A key named like the backend holds the backend's own settings. `model` and `variables` stand here too, to
    override those at the top.
    """

    backend: Text = "local"
    """Backend: local, or what plugins add."""
    catalog: Level = Field(examples=["mlops_dev"])
    """Catalog of model and tables."""
    schema_: Level = Field(alias="schema", examples=["flights"])
    """Schema of model and tables."""
    serving: ServingSection | None = None
    """The endpoint; leave out to monitor a batch inference table."""
    inference_table: InferenceTableSection = InferenceTableSection()
    """The table with one row per prediction."""
    monitoring: MonitoringSection = MonitoringSection()
    """What is measured and judged."""


class SinkSection(Section):
    """A named channel that reaches people; keys other than `type` belong to the type."""

    model_config = ConfigDict(extra="allow")

    type: Text = Field(examples=["email"])
    """Sink type: console, file, email, python (with `target`), or what plugins add."""


class PluginsSection(Section):
    """Which plugins are on, and their settings."""

    disabled: tuple[Text, ...] = ()
    """Plugins that are not loaded, by name."""
    settings: dict[str, dict[str, object]] = Field(default_factory=dict)
    """Settings of hook plugins, by plugin name."""
    autoload: bool = True
    """Installed hook plugins take part without being named."""


class ResolvedConfig(Section):
    """The config of one environment after overlay and references."""

    model: ModelSection | None = None
    """The model that is monitored."""
    sinks: dict[NameText, SinkSection] = Field(default_factory=dict)
    """Where alerts go, by name."""
    plugins: PluginsSection = PluginsSection()
    """Which plugins are on, and their settings."""
    environments: dict[NameText, EnvironmentSection]
    """The environments by name, e.g. dev, aut, prod."""


def _refuse_repeated(names: list[str], first: int, key: str, expected: str, cure: str = "") -> None:
    """Raises LM118 at `key` of every item whose name occurs before it; items start at `first`."""
    errors = [
        InitErrorDetails(type=wrong("LM118", expected, cure), loc=(index - first, key), input=names[index])
        for index in range(first, len(names))
        if names[index] in names[:index]
    ]
    if errors:
        raise ValidationError.from_exception_data("names", errors)


def _refuse_circles(rules: list[Rule]) -> None:
    """Raises LM124 at `inhibits` that names no rule, LM125 where rules inhibit each other in a circle."""
    errors: list[InitErrorDetails] = []
    names = sorted({name for rule in rules for name in (rule.name, rule.metric)})
    for index, rule in enumerate(rules):
        for place, other in enumerate(rule.inhibits):
            if other not in names:
                told = wrong("LM124", "no rule has that name or metric.", did_you_mean(other, names))
                errors.append(InitErrorDetails(type=told, loc=(index, "inhibits", place), input=other))
        if not errors and keeps_quiet(rule, rule, rules):
            told = wrong("LM125", "these rules would keep each other quiet.", "Take one of them away.")
            errors.append(InitErrorDetails(type=told, loc=(index, "inhibits"), input=list(rule.inhibits)))
            break
    if errors:
        raise ValidationError.from_exception_data("inhibits", errors)
