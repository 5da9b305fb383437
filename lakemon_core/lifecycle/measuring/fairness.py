"""Fairness of a classification model: the rows of a Boolean slice against the rest. Pure.

Each measure is a difference, protected group less the rest, by class, one against all others; 0 is parity.
Definitions: Verma and Rubin, "Fairness Definitions Explained", 2018.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.columns import Summary

Rates = dict[str, float]


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows of one group that have a label and a prediction.

    Attributes:
        rows: all of them.
        predicted: by prediction.
        labelled: by label.
        right: those that are predicted as labelled, by class.
    """

    rows: int
    predicted: Mapping[str, int]
    labelled: Mapping[str, int]
    right: Mapping[str, int]

    @classmethod
    def of(cls, confusion: Iterable[Mapping[str, Any]] | None) -> Tally:
        """Reads `confusion_matrix` of the profile table."""
        predicted, labelled, right = Counter[str](), Counter[str](), Counter[str]()
        for cell in confusion or ():
            predicted[cell["prediction"]] += cell["count"]
            labelled[cell["label"]] += cell["count"]
            right[cell["label"]] += cell["count"] if cell["label"] == cell["prediction"] else 0
        return cls(labelled.total(), predicted, labelled, right)

    def precision(self, name: str) -> float | None:
        """Share of a class among the rows predicted so."""
        return _share(self.right.get(name, 0), self.predicted.get(name, 0))

    def recall(self, name: str) -> float | None:
        """Share of the rows of a class that are predicted so."""
        return _share(self.right.get(name, 0), self.labelled.get(name, 0))

    def false_positive_rate(self, name: str) -> float | None:
        """Share of the rows of other classes that are predicted as this one."""
        wrong = self.predicted.get(name, 0) - self.right.get(name, 0)
        return _share(wrong, self.rows - self.labelled.get(name, 0))

    @property
    def classes(self) -> set[str]:
        """Classes that are predicted or labelled."""
        return {*self.predicted, *self.labelled}


def fairness_fields() -> list[tuple[str, pa.DataType]]:
    """Returns the four columns of the profile table: class → difference."""
    import pyarrow as pa

    names = ("predictive_parity", "predictive_equality", "equal_opportunity", "statistical_parity")
    return [(name, pa.map_(pa.string(), pa.float64())) for name in names]


def fairness(
    protected: Mapping[str, Any], rest: Mapping[str, Any], predicted: tuple[Summary | None, Summary | None]
) -> dict[str, Rates | None]:
    """Returns the four measures; one that no class has is None.

    Args:
        protected: quality values of the rows for which the slice is true.
        rest: of those for which it is false.
        predicted: summaries of the prediction column of both; statistical parity needs no labels.
    """
    one, other = Tally.of(protected.get("confusion_matrix")), Tally.of(rest.get("confusion_matrix"))
    classes = sorted(one.classes | other.classes)
    found = {
        "predictive_parity": _differences(classes, one.precision, other.precision),
        "predictive_equality": _differences(classes, one.false_positive_rate, other.false_positive_rate),
        "equal_opportunity": _differences(classes, one.recall, other.recall),
    }
    here, there = (_shares(summary) for summary in predicted)
    parity = {name: here.get(name, 0.0) - there.get(name, 0.0) for name in sorted(here.keys() | there.keys())}
    found["statistical_parity"] = parity if here and there else {}
    return {name: rates or None for name, rates in found.items()}


def _differences(
    classes: Iterable[str], one: Callable[[str], float | None], other: Callable[[str], float | None]
) -> Rates:
    pairs = ((name, one(name), other(name)) for name in classes)
    return {name: here - there for name, here, there in pairs if here is not None and there is not None}


def _shares(summary: Summary | None) -> Rates:
    """Share of each predicted class among all predictions."""
    from lakemon_core.profiling.columns import CategoricalSummary

    if not isinstance(summary, CategoricalSummary) or not summary.count:
        return {}
    shares = (summary.counts / summary.count).tolist()
    return dict(zip(summary.levels.to_pylist(), shares, strict=True))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
