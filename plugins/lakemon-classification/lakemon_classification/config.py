"""The keys of `model:` that a classification model has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Self

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from lakemon_core.domain.errors import did_you_mean
from lakemon_core.ports import PluginConfig

ClassName = StrictBool | StrictInt | StrictFloat | StrictStr
ColumnName = Annotated[str, Field(min_length=1)]

_POSITIVE = {frozenset({"0", "1"}): "1", frozenset({"false", "true"}): "true", frozenset({"-1", "1"}): "1"}
"""Pairs of classes of which everybody knows which one is positive."""


def evidently_positive(classes: Collection[str]) -> str | None:
    """Returns the positive one of classes that everybody knows: 0 and 1, -1 and 1, booleans; else None."""
    return next((positive for pair, positive in _POSITIVE.items() if pair.issuperset(classes)), None)


def class_text(value: object) -> str:
    """Returns a class as categories of the metric tables have it: `3` for 3.0, `true` for True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


class ClassificationConfig(PluginConfig):
    """Columns and classes of a classification model."""

    timestamp_col: str = Field("timestamp", min_length=1, description="Event time of the prediction.")
    model_id_col: str = Field("model_id", min_length=1, description="Version of the model that answered.")
    prediction_col: str = Field("prediction", min_length=1, description="The predicted class.")
    prediction_proba_col: str | None = Field(
        None,
        min_length=1,
        description="Probability of the positive class, a map class → probability, or a list in the order of "
        "`classes`.",
    )
    prediction_proba_cols: dict[ClassName, ColumnName] = Field(
        default_factory=dict,
        description="Columns of the probabilities by class, e.g. {no: p_no, yes: p_yes}; instead of "
        "prediction_proba_col.",
    )
    label_col: str | None = Field(None, min_length=1, description="The true class; may arrive late.")
    features: tuple[str, ...] = Field((), description="Inputs; default: all columns without another role.")
    categorical: tuple[str, ...] = Field(
        (), description="Columns to treat as categories whatever their type."
    )
    classes: tuple[ClassName, ...] | None = Field(
        None, min_length=2, description="All classes, in the order of the model's probabilities."
    )
    positive_class: ClassName | None = Field(
        None, description="The class that probabilities are of; default: the second of two `classes`."
    )
    request_id_col: str = Field("request_id", min_length=1, description="Id of the scoring request.")
    row_index_col: str = Field("row_index", min_length=1, description="Position of the row in its request.")

    @model_validator(mode="after")
    def _one_part_a_column(self) -> Self:
        seen: dict[str, str] = {}
        for key, column in self._parts():
            if column in seen:
                raise ValueError(f"{key} and {seen[column]} both name column {column!r}")
            seen[column] = key
        for column in self.features:
            if column in seen:
                raise ValueError(f"features lists {column!r}, which is {seen[column]}")
        return self

    @model_validator(mode="after")
    def _classes_fit(self) -> Self:
        names = self.class_texts
        if len(set(names)) < len(names):
            raise ValueError("classes names a class twice")
        if self.positive_class is None:
            return self
        positive = class_text(self.positive_class)
        if len(names) > 2:
            raise ValueError(f"positive_class needs two classes, but classes names {len(names)}")
        if names and positive not in names:
            raise ValueError(
                f"positive_class {positive!r} is none of the classes. {did_you_mean(positive, names)}"
            )
        return self

    @model_validator(mode="after")
    def _probabilities_fit(self) -> Self:
        names = [class_text(name) for name in self.prediction_proba_cols]
        if not names:
            return self
        if self.prediction_proba_col:
            raise ValueError("prediction_proba_col and prediction_proba_cols are both set: keep one")
        if len(names) < 2:
            raise ValueError("prediction_proba_cols needs two classes; prediction_proba_col takes one column")
        if len(set(names)) < len(names):
            raise ValueError("prediction_proba_cols names a class twice")
        known = self.class_texts or names
        for name in names:
            if name not in known:
                raise ValueError(
                    f"prediction_proba_cols: {name!r} is none of the classes. {did_you_mean(name, known)}"
                )
        for name in (*known, *filter(None, [self.positive_text])):
            if name not in names:
                raise ValueError(f"prediction_proba_cols names no column for class {name!r}")
        return self

    def _parts(self) -> Iterator[tuple[str, str]]:
        keys = ("timestamp", "model_id", "prediction", "prediction_proba", "label", "request_id", "row_index")
        for key in keys:
            if column := getattr(self, f"{key}_col"):
                yield f"{key}_col", column
        for name, column in self.proba_columns.items():
            yield f"prediction_proba_cols.{name}", column

    @property
    def class_texts(self) -> tuple[str, ...]:
        """The configured classes as text; empty when there are none."""
        return tuple(class_text(name) for name in self.classes or ())

    @property
    def positive_text(self) -> str | None:
        """The configured positive class as text, or the second of two classes; else None."""
        if self.positive_class is not None:
            return class_text(self.positive_class)
        return self.class_texts[1] if len(self.class_texts) == 2 else None

    @property
    def proba_columns(self) -> dict[str, str]:
        """Class as text → column of its probability; empty when there is one column for all or none."""
        return {class_text(name): column for name, column in self.prediction_proba_cols.items()}

    @property
    def score_col(self) -> str | None:
        """The column that stands for the probabilities: the one for all, or that of the positive class."""
        columns = self.proba_columns
        positive = self.positive_text or (evidently_positive(columns) if columns else None)
        return columns.get(positive) if columns and positive else self.prediction_proba_col
