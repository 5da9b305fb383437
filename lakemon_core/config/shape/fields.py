"""Field types of the sections, and how a validator says what is wrong.

A validator raises `wrong(code, expected, cure)`. The reader gets `CODE place path is VALUE; EXPECTED CURE`.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from lakemon_core.config.source.tree import Scalar, written
from lakemon_core.domain.errors import UsageError, did_you_mean
from lakemon_core.domain.names import TableName, check_part, plain
from lakemon_core.domain.rule import AlarmBudget
from lakemon_core.domain.window import GRANULARITIES, Granularity

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

_Items = TypeVar("_Items")
_DURATION = re.compile(r"([1-9]\d{0,5})\s*(m|h|d|w|minutes?|hours?|days?|weeks?)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BUDGET = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)\s*(?:per|a|/)\s*(day|week|month|year)")
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*(MB|GB)")
_BYTES = {"MB": 10**6, "GB": 10**9}
_LEAST_MEMORY = 512 * 10**6
_PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_GRANULARITY_MEANT = {
    **dict.fromkeys(("5min", "5minute", "5m"), "5 minutes"),
    **dict.fromkeys(("30min", "30minute", "30m"), "30 minutes"),
    **dict.fromkeys(("h", "hour", "hours", "hourly"), "1 hour"),
    **dict.fromkeys(("d", "day", "days", "daily"), "1 day"),
    **dict.fromkeys(("w", "week", "weeks", "weekly", "7days", "7d"), "1 week"),
    **dict.fromkeys(("month", "months", "monthly"), "1 month"),
    **dict.fromkeys(("y", "year", "years", "yearly"), "1 year"),
}
_QUARTZ = re.compile(r"[0-9A-Z*?,/#LW-]+", re.IGNORECASE)


class Section(BaseModel):
    """Parent of all sections of a config: unknown keys are errors.

    The texts below its fields describe them in the JSON Schema. Source is read for that schema only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Returns the schema of a section with what its fields mean."""
        found = handler(core_schema)
        keys = handler.resolve_ref_schema(found)["properties"]
        for name, text in cls.meanings().items():
            keys[cls.model_fields[name].alias or name].setdefault("description", text)
        return found

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Returns field → the text that stands below it in the source."""
        found: dict[str, str] = {}
        for section in (one for one in reversed(cls.__mro__) if issubclass(one, Section)):
            (definition,) = ast.parse(inspect.getsource(section)).body
            assert isinstance(definition, ast.ClassDef)
            for field, text in pairwise(definition.body):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(value=str(meaning))):
                        found[name] = inspect.cleandoc(meaning)
                    case _:
                        pass
        return found


@dataclass(frozen=True, slots=True)
class Known:
    """What one part of a config needs to know of the others while it is validated.

    Attributes:
        sinks: names and types of sinks that `recipients` may name.
        metrics: names of `custom_metrics`.
        granularities: of the monitoring section.
        references: names of `monitoring.references`.
        has_model: the config names a model.
        has_label: the model has a `label_col`.
    """

    sinks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    granularities: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    has_model: bool = True
    has_label: bool = True


def known(info: ValidationInfo) -> Known:
    """Returns what was handed in for this validation."""
    return info.context if isinstance(info.context, Known) else Known()


def wrong(code: str, expected: str, cure: str = "") -> PydanticCustomError:
    """Returns the error a validator raises; `expected` is a sentence, the value stands before it."""
    return PydanticCustomError(code, "{expected}", {"expected": expected, "cure": cure})  # pyright: ignore[reportArgumentType] - codes are not literals


def _no_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise wrong("LM114", "it must be a number.")
    return value


def _no_percent(value: object) -> object:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    if found:
        raise wrong("LM114", "it must be a number.", f"Did you mean {float(found[1]) / 100:g}?")
    return _no_boolean(value)


def _to_text(value: Scalar) -> object:
    return written(value) if isinstance(value, int | float) else value


def _check_part(text: str) -> None:
    try:
        check_part(text, "")
    except UsageError as error:
        raise wrong("LM120", "it is no name;", error.cure) from None


def _one_level(text: str) -> str:
    if "." in text:
        raise wrong("LM120", "it must be one name without dots.")
    _check_part(text)
    return text


def _table_name(text: str) -> str:
    try:
        TableName.parse(text, catalog="catalog", schema="schema")
    except UsageError as error:
        reason = "it is no name;" if error.code == "LM120" else "it is no table name;"
        raise wrong(error.code, reason, error.cure) from None
    return text


def _model_name(text: str) -> str:
    parts = text.split(".")
    if len(parts) not in {1, 3} or not all(parts):
        raise wrong("LM120", "it is no model name;", "write name, or catalog.schema.name.")
    for part in parts:
        _check_part(part)
    return text


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise wrong("LM117", "it must be a length of time,", "e.g. 1 day, 12 hours or 30 minutes.")
    return text


def is_duration(text: str) -> bool:
    """Whether `duration_of` can read a text."""
    return _DURATION.fullmatch(text) is not None


def duration_of(text: str) -> timedelta:
    """Returns the length of time that a valid `Duration` writes."""
    found = _DURATION.fullmatch(text)
    assert found is not None
    return timedelta(**{_UNITS[found[2][0]]: int(found[1])})


def _budget(text: str) -> str:
    if not _BUDGET.fullmatch(text):
        raise wrong("LM117", "it must be a number per time,", "e.g. 1 per week.")
    return text


def budget_of(text: str) -> AlarmBudget:
    """Returns the budget that a valid `BudgetText` writes."""
    found = _BUDGET.fullmatch(text)
    assert found is not None
    return AlarmBudget(float(found[1]), _PERIODS[found[2]])


def _memory(text: str) -> str:
    if not _SIZE.fullmatch(text):
        raise wrong("LM117", "it must be a size in MB or GB,", "e.g. 2 GB.")
    if bytes_of(text) < _LEAST_MEMORY:
        raise wrong("LM112", "it must be at least 512 MB: the libraries alone take most of that.")
    return text


def bytes_of(text: str) -> int:
    """Returns the bytes that a valid `MemoryText` writes."""
    found = _SIZE.fullmatch(text)
    assert found is not None
    return round(float(found[1]) * _BYTES[found[2]])


def _template(text: str) -> str:
    from lakemon_core.alerting.messages.template import problem_of

    problem = problem_of(text) if text else ""
    if problem:
        raise wrong("LM117", f"it is no template for a message: {problem}.")
    return text


def _never_or_duration(text: str) -> str:
    if text != "never" and not _DURATION.fullmatch(text):
        raise wrong("LM117", "it must be never or a length of time,", "e.g. 1 day.")
    return text


def _quartz(text: str) -> str:
    fields = text.split()
    if len(fields) not in {6, 7} or not all(_QUARTZ.fullmatch(field) for field in fields):
        cure = "seconds minutes hours day-of-month month day-of-week, e.g. 0 0 6 * * ?."
        raise wrong("LM117", "it must be a Quartz cron expression of 6 or 7 fields:", cure)
    return text


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        raise wrong(
            "LM115", "it is no time zone.", did_you_mean(text, sorted(available_timezones()))
        ) from None
    return text


def _granularity(text: str) -> str:
    try:
        Granularity(text)
    except UsageError:
        meant = _GRANULARITY_MEANT.get(re.sub(r"[\s_]+|^1", "", text.casefold())) or _rows_meant(text)
        cure = f'Did you mean "{meant}"?' if meant else did_you_mean(text, [*GRANULARITIES, "10000 rows"])
        raise wrong("LM113", "it is no granularity.", cure) from None
    return text


def _rows_meant(text: str) -> str | None:
    """Reads 10_000 rows, 10,000 row and 10k rows as what they mean."""
    found = re.fullmatch(r"([\d\s_,.']+)(k?)\s*rows?", text.strip().casefold())
    number = int(re.sub(r"\D", "", found[1]) + found[2].replace("k", "000")) if found else 0
    return f"{number} rows" if number else None


def _not_empty(items: _Items) -> _Items:
    if not items:
        raise wrong("LM112", "it must not be empty.")
    return items


def _no_repeats(items: tuple[str, ...]) -> tuple[str, ...]:
    for item in items:
        if items.count(item) > 1:
            raise wrong("LM118", f'it holds "{plain(item)}" twice.')
    return items


def _matching(pattern: str, expected: str) -> tuple[AfterValidator, object]:
    """Returns what makes a text field hold to a pattern, and say in words what it wants."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise wrong("LM112", expected)
        return text

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^{pattern}$"})


Number = Annotated[float, BeforeValidator(_no_percent), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(_no_boolean)]
Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], AfterValidator(_not_empty), Field(json_schema_extra={"minItems": 1})]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_no_boolean)]
Percent = Annotated[int, Field(ge=0, le=100), BeforeValidator(_no_boolean)]
AnyText = Annotated[str, BeforeValidator(_to_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text that may be written as a number or Boolean."""
Level = Annotated[str, AfterValidator(_one_level)]
"""A catalog or schema."""
TableText = Annotated[str, AfterValidator(_table_name)]
"""A table by one to three levels."""
ModelText = Annotated[str, AfterValidator(_model_name)]
Duration = Annotated[str, AfterValidator(_duration)]
GranularityText = Annotated[str, AfterValidator(_granularity)]
BudgetText = Annotated[str, AfterValidator(_budget)]
MemoryText = Annotated[str, AfterValidator(_memory)]
TemplateText = Annotated[str, AfterValidator(_template)]
NeverOrDuration = Annotated[str, AfterValidator(_never_or_duration)]
Granularities = Annotated[
    tuple[GranularityText, ...],
    AfterValidator(_not_empty),
    AfterValidator(_no_repeats),
    Field(json_schema_extra={"minItems": 1}),
]
Identifier = Annotated[
    str, *_matching(r"[A-Za-z_][A-Za-z0-9_]*", "it must consist of letters, digits and _, no digit first.")
]
EndpointText = Annotated[
    str,
    *_matching(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", "it must consist of at most 63 letters, digits, - and _."),
]
WebLink = Annotated[
    str, *_matching(r"https?://[^\s<>]+", "it must be an address that begins with https:// or http://.")
]
NameText = Annotated[str, *_matching(r"[\w-]+", "it must consist of letters, digits, - and _.")]
VersionText = Annotated[
    str,
    BeforeValidator(_to_text),
    *_matching(r"[\w.@-]+", "it must be a number, an alias or latest."),
    WithJsonSchema({"type": ["string", "integer"]}),
]
Quartz = Annotated[str, AfterValidator(_quartz)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
