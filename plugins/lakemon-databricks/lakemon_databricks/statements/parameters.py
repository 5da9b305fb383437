"""Values of a statement, as named parameters with their types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks.sdk.service.sql import StatementParameterListItem

Value = str | bool | int | float | Decimal | datetime | date | None
"""What a parameter may hold; the API knows neither arrays nor structs: they go as JSON text."""


def parameter_items(values: Mapping[str, Value]) -> list[StatementParameterListItem]:
    """Returns the parameters as the API takes them: every value as text beside the name of its type."""
    from databricks.sdk.service.sql import StatementParameterListItem

    return [
        StatementParameterListItem(name=name, value=_text(value), type=_type(value))
        for name, value in values.items()
    ]


def _type(value: Value) -> str:
    match value:
        case None | str():
            return "STRING"
        case bool():
            return "BOOLEAN"
        case int():
            return "BIGINT" if -(2**63) <= value < 2**63 else "DECIMAL(38,0)"
        case float():
            return "DOUBLE"
        case Decimal():
            return f"DECIMAL(38,{max(0, -int(value.as_tuple().exponent))})"
        case datetime():
            return "TIMESTAMP"
        case _:
            return "DATE"


def _text(value: Value) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case datetime():
            return moment_text(value)
        case _:
            return str(value)


def moment_text(moment: datetime) -> str:
    """Returns a moment as ISO 8601 in UTC; a naive one is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


@dataclass(slots=True)
class Binding:
    """Collects the values of one statement: each becomes a parameter, none is ever pasted."""

    values: dict[str, Value] = field(default_factory=dict[str, Value])

    def add(self, value: Value) -> str:
        """Takes a value; returns how the statement writes it."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f":{name}"
