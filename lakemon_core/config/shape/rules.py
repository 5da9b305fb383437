"""A rule of `alerts:`, and what is known of the metrics and statistics it may name."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
)

from lakemon_core.config.shape.fields import (
    Duration,
    NeverOrDuration,
    Number,
    Section,
    Text,
    Whole,
    duration_of,
    known,
    wrong,
)
from lakemon_core.domain.errors import did_you_mean
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Compare, Quorum, Rule
from lakemon_core.domain.run import Severity

DRIFT_METRICS = ("prediction_drift", "feature_drift", "label_drift")
_BY_COLUMN = (
    "feature_drift", "null_rate", "new_categories", "new_category_share", "out_of_range", "type_change",
)  # fmt: skip
_SHARES = (
    "null_rate", "new_category_share", "out_of_range", "type_change", "duplicates", "label_coverage",
    "accuracy", "balanced_accuracy", "f1", "precision", "recall", "roc_auc", "average_precision",
    "ece", "ece_equal_mass", "ece_excess", "coverage",
)  # fmt: skip
_NOT_NEGATIVE = (
    "row_count", "row_count_ratio", "gaps", "label_delay_p50", "label_delay_p90",
    "freshness", "new_categories", "log_loss", "rmse", "mse", "mae", "mape", "smape", "wape",
    "mase", "rmsse", "pinball", "winkler", "sharpness", "revision", "relative_revision",
)  # fmt: skip
_HIGHEST = {"brier": 2}
"""Highest value of metrics that start at 0 and are no shares: with more than two classes Brier's is 2."""
METRICS = (
    *DRIFT_METRICS,
    *_SHARES,
    *_NOT_NEGATIVE,
    *_HIGHEST,
    "r2",
    "skill",
    "brier_skill",
    "kappa",
    "bias",
    "relative_bias",
    "tracking_signal",
)
"""Metrics of lakemon and its own model types; plugins and `custom_metrics` add others."""

_BOUNDED = ("js_distance", "tv_distance", "l_infinity_distance", "ks_test", "cramers_v")
STATISTICS = ("psi", *_BOUNDED, "chi_squared_test", "wasserstein_distance")

BUILT_IN_SINKS = ("console", "file")

_OTHER_NAMES = {
    "accuracy_score": "accuracy", "f1_score": "f1", "auc": "roc_auc", "roc_auc_score": "roc_auc",
    "brier_score": "brier", "brier_skill_score": "brier_skill", "cohen_kappa": "kappa",
    "expected_calibration_error": "ece",
    "root_mean_squared_error": "rmse", "mean_squared_error": "mse", "mean_average_error": "mae",
    "mean_absolute_error": "mae", "mean_absolute_percentage_error": "mape", "r2_score": "r2",
    "pinball_loss": "pinball", "quantile_loss": "pinball",
    "percent_null": "null_rate", "data_drift": "feature_drift",
    "population_stability_index": "psi", "js": "js_distance", "tv": "tv_distance", "ks": "ks_test",
    "linf": "l_infinity_distance", "chi2": "chi_squared_test", "wasserstein": "wasserstein_distance",
    "wasserstein_normalized": "wasserstein_distance",
}  # fmt: skip
_METRIC = re.compile(r"[A-Za-z_]\w*(\..+)?")
_OF = re.compile(r"([1-9]\d?)\s*of\s*([1-9]\d?)")
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_EMAIL = re.compile(r"[^@\s:<>,;]+@[^@\s:<>,;]+")


def _for_windows(value: object) -> object:
    """`2` is 2 of 2, `2 of 3` is 2 of 3."""
    found = _OF.fullmatch(value) if isinstance(value, str) else None
    if found:
        m, n = int(found[1]), int(found[2])
    elif isinstance(value, int | str) and re.fullmatch(r"[1-9]\d?", str(value)):
        m = n = int(value)
    else:
        raise wrong("LM117", "it counts windows:", 'write 2, or "2 of 3".')
    if m > n:
        raise wrong("LM112", "it wants more windows than it looks at.", f'Did you mean "{n} of {m}"?')
    return m, n


ForWindows = Annotated[
    tuple[int, int],
    BeforeValidator(_for_windows),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+\s*of\s*\d+$"}]}
    ),
]


def _at_least(value: object) -> object:
    """`3` is three columns, `10 %` a share of them."""
    found = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if found and 0 < float(found[1]) <= 100:
        return Quorum(share=float(found[1]) / 100)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return Quorum(count=value)
    if isinstance(value, Quorum):
        return value
    raise wrong("LM117", "it counts columns, or is a share of them:", "write 3, or 10 %.")


AtLeast = Annotated[
    Quorum,
    PlainValidator(_at_least),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
            ]
        }
    ),
]


def _recipient(recipient: str, info: ValidationInfo) -> str:
    sinks = (*BUILT_IN_SINKS, *known(info).sinks)
    sink, colon, target = recipient.partition(":")
    if not colon and "@" in recipient:
        if not _EMAIL.fullmatch(recipient):
            raise wrong("LM122", "it is no e-mail address.")
    elif sink not in sinks:
        raise wrong("LM122", f'no sink is named "{plain(sink)}".', did_you_mean(sink, sinks))
    elif colon and not target.strip():
        raise wrong("LM122", "a target must follow the colon,", f"e.g. {sink}:#ml.")
    return recipient


def _automatic(value: object, number: ValidatorFunctionWrapHandler) -> float:
    return math.nan if value == "auto" else number(value)


Threshold = Annotated[
    Number,
    WrapValidator(_automatic),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"const": "auto"}]}),
]
VersionOrAll = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    WithJsonSchema({"type": ["string", "integer"]}),
    Field(min_length=1),
]
Recipient = Annotated[str, AfterValidator(_recipient)]


class RuleSection(Section):
    """When a number becomes an incident; only `metric` and `threshold` are needed."""

    metric: str = Field(examples=["prediction_drift"])
    """`prediction_drift`, `feature_drift` (any feature), `feature_drift.COLUMN`, `label_drift`, `null_rate`,
    `row_count`, `freshness`, `new_categories`, a quality metric, `estimated_*`, or a custom metric."""
    statistic: str | None = None
    """Statistic of drift; default psi for numeric, js_distance for categorical columns."""
    op: Literal[">", ">=", "<", "<="] | None = None
    """How the value is compared with the threshold; default by the metric's direction."""
    threshold: Threshold = Field(examples=[0.1])
    """Critical limit; shares lie between 0 and 1. `auto` takes what the windows before make usual."""
    warn: Number | None = None
    """Limit for severity warning."""
    recover: Number | None = None
    """The value must pass this limit to resolve; default the threshold itself."""
    compare: str = Compare.BASELINE.value
    """What drift is measured against: baseline, previous, last_week, last_year or one of `references`."""
    column: Text | None = None
    """Only this column."""
    slice: Text | None = None
    """Only this slice, `key=value`, or every value of it, `key=*`; default the whole table."""
    model_version: VersionOrAll = "*"
    """Only this version, `each` for every one, or `*` (default) for all together."""
    at_least: AtLeast | None = None
    """So many columns must breach together, `3` or `10 %`, as one incident; default one incident a column."""
    for_windows: ForWindows = Field((1, 1), alias="for")
    """How many of the last windows must breach: `2`, or `2 of 3`."""
    min_samples: Whole = Field(30, ge=0)
    """Fewer rows give the verdict unknown."""
    severity: Severity = Severity.CRITICAL
    """Severity of a breach of the threshold: info, warning or critical."""
    granularity: str | None = None
    """Windows it judges; default the first of `granularities`."""
    recipients: tuple[Recipient, ...] = ()
    """E-mail addresses, names of sinks, or `sink:target`, e.g. `slack:#ml`; default every sink."""
    owner: str = ""
    """Who is responsible; stands in the message."""
    runbook: str = ""
    """A link that helps; stands in the message."""
    on_no_data: Literal["keep", "alert", "ok"] = "keep"
    """Windows that hold nothing to judge: keep leaves all as it is, alert opens an incident of its own, ok
    counts them as healthy."""
    on_error: Literal["keep", "alert"] = "keep"
    """Values that could not be computed although there was data: keep or alert."""
    id: Text | None = None
    """Stable name; default made of metric, statistic, column, slice and compare."""
    group_by: tuple[Literal["model", "rule", "column", "slice", "model_version"], ...] = ("model",)
    """Incidents that share all of these go out as one message."""
    renotify_after: NeverOrDuration = "never"
    """An open incident that nobody acknowledged is told again after this time."""
    escalate_after: NeverOrDuration = "never"
    """An open incident that nobody acknowledged becomes critical after this time."""
    expect_every: Duration | None = None
    """Data must come at least this often; else an incident opens."""
    inhibits: tuple[Text, ...] = ()
    """Names or metrics of rules whose openings are not told while an incident of this rule is open."""

    @field_validator("metric")
    @classmethod
    def _is_a_metric(cls, metric: str, info: ValidationInfo) -> str:
        base, dot, column = metric.partition(".")
        base = base.removeprefix("estimated_")
        if base in METRICS or base in known(info).metrics:
            if dot and (not column or base not in _BY_COLUMN):
                raise wrong("LM116", "only some metrics take a column:", f"they are {', '.join(_BY_COLUMN)}.")
            return metric
        names = (*METRICS, *known(info).metrics)
        meant = _meant(base, names)
        if meant:
            raise wrong(
                "LM116", "no metric has that name.", f'Did you mean "{metric.replace(base, meant, 1)}"?'
            )
        if not _METRIC.fullmatch(metric):
            raise wrong("LM116", "it is no name of a metric.", did_you_mean(base, names))
        return metric

    @field_validator("statistic")
    @classmethod
    def _is_a_statistic(cls, statistic: str | None) -> str | None:
        if statistic is None or statistic in STATISTICS:
            return statistic
        meant = _meant(statistic, STATISTICS)
        cure = f'Did you mean "{meant}"?' if meant else did_you_mean(statistic, STATISTICS)
        raise wrong("LM115", "no statistic has that name.", cure)

    @field_validator("threshold", "warn", "recover")
    @classmethod
    def _lies_in_range(cls, limit: float | None, info: ValidationInfo) -> float | None:
        if limit is None or "metric" not in info.data:
            return limit
        subject, low, high = _range(info.data["metric"], info.data.get("statistic"))
        if low is not None and limit < low:
            between = f"lies between {low:g} and {high:g}." if high is not None else "is never negative."
            raise wrong("LM112", f'"{subject}" {between}')
        if high is not None and limit > high:
            cure = f"Did you mean {limit / 100:g}?" if low == 0 and limit <= 100 else ""
            between = f"lies between {low:g} and {high:g}." if low is not None else f"is at most {high:g}."
            raise wrong("LM112", f'"{subject}" {between}', cure)
        return limit

    @field_validator("warn", "recover")
    @classmethod
    def _is_milder(cls, limit: float | None, info: ValidationInfo) -> float | None:
        threshold, metric = info.data.get("threshold"), str(info.data.get("metric"))
        op = info.data.get("op") or (">" if metric.partition(".")[0] in (*DRIFT_METRICS, "null_rate") else "")
        if limit is None or threshold is None or not op:
            return limit
        if limit > threshold if op[0] == ">" else limit < threshold:
            side = "above" if op[0] == ">" else "below"
            raise wrong("LM112", f"it must not lie {side} the threshold {threshold:g}.")
        return limit

    @field_validator("compare")
    @classmethod
    def _is_a_reference(cls, compare: str, info: ValidationInfo) -> str:
        names = (*(one.value for one in Compare), *known(info).references)
        if compare in names:
            return compare
        raise wrong("LM115", f"it must be one of {', '.join(names)}.", did_you_mean(compare, names))

    @field_validator("granularity")
    @classmethod
    def _is_measured(cls, granularity: str | None, info: ValidationInfo) -> str | None:
        measured = known(info).granularities
        if granularity is None or not measured or granularity in measured:
            return granularity
        raise wrong("LM113", "`granularities` does not list it.", did_you_mean(granularity, measured))

    @field_validator("at_least")
    @classmethod
    def _is_about_columns(cls, quorum: Quorum | None, info: ValidationInfo) -> Quorum | None:
        metric = str(info.data.get("metric"))
        if quorum is not None and (metric not in _BY_COLUMN or info.data.get("column")):
            raise wrong(
                "LM123", "only a rule about all columns can count them:", f"of {', '.join(_BY_COLUMN)}."
            )
        return quorum

    @field_validator("slice")
    @classmethod
    def _is_a_slice(cls, slice_: str | None) -> str | None:
        if slice_ and not re.fullmatch(r"[^=]+=.*", slice_):
            raise wrong("LM117", "it must be key=value,", "e.g. origin=JFK, or origin=* for each.")
        return slice_

    def rule(self) -> Rule:
        """Returns the rule as the engine takes it."""
        return Rule(
            metric=self.metric,
            threshold=self.threshold,
            id=self.id or "",
            statistic=self.statistic,
            op=self.op,
            compare=self.compare,
            column=self.column,
            slice=self.slice,
            warn=self.warn,
            recover=self.recover,
            for_windows=self.for_windows,
            min_samples=self.min_samples,
            severity=self.severity,
            granularity=self.granularity,
            recipients=self.recipients,
            owner=self.owner,
            runbook=self.runbook,
            on_no_data=self.on_no_data,
            on_error=self.on_error,
            model_version=self.model_version,
            at_least=self.at_least,
            expect_every=duration_of(self.expect_every) if self.expect_every else None,
            renotify_after=_after(self.renotify_after),
            escalate_after=_after(self.escalate_after),
            group_by=self.group_by,
            inhibits=self.inhibits,
        )


def _after(text: str) -> timedelta | None:
    return None if text == "never" else duration_of(text)


def _range(metric: str, statistic: str | None) -> tuple[str, float | None, float | None]:
    """Returns what a limit is a value of, and the lowest and highest value it can take."""
    base = metric.partition(".")[0].removeprefix("estimated_")
    if base in DRIFT_METRICS:
        return (statistic or base), 0, (1 if statistic in _BOUNDED else None)
    if base in _SHARES:
        return base, 0, 1
    if base in _NOT_NEGATIVE or base in _HIGHEST:
        return base, 0, _HIGHEST.get(base)
    return base, None, (1 if base in {"r2", "skill", "brier_skill", "kappa"} else None)


def _meant(given: str, names: Sequence[str]) -> str:
    """Returns the known name that a given one is a slip of, or an empty string.

    A slip is another library's name, other case or dashes, or one edit (two from eight letters on).
    """
    folded = given.casefold().replace("-", "_").replace(" ", "_")
    if len(folded) > 64:
        return ""
    if folded in names:
        return folded
    if _OTHER_NAMES.get(folded) in names:
        return _OTHER_NAMES[folded]
    allowed = 0 if len(given) < 3 else 1 if len(given) < 8 else 2
    distance, nearest = min((_edits(folded, name), name) for name in names)
    return nearest if distance <= allowed else ""


def _edits(a: str, b: str) -> int:
    """Returns the edit distance; two letters swapped count as one edit (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
