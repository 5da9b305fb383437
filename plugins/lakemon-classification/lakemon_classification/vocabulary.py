"""The classes of labels, predictions and probabilities, read as one set of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_classification.config import ClassificationConfig, evidently_positive

Codes = npt.NDArray[np.int64]

_TRUTH = {"false": "0", "true": "1"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The classes that occur, and how to read them.

    Attributes:
        classes: those that occur among labels and predictions or are configured, sorted.
        positive: the positive class; None when there are more than two, or it is not known which it is.
        binary: there are two classes, or one of them is configured as positive.
        truth: `true` and `false` read as these; empty when they stand for themselves.
    """

    classes: tuple[str, ...]
    positive: str | None
    binary: bool
    truth: dict[str, str]

    @classmethod
    def of(cls, words: Iterable[str], config: ClassificationConfig) -> Vocabulary:
        """Learns the classes from the words of all columns and of the config.

        Classes are compared by text: 1, 1.0 and "1" are one class. Booleans meet texts in any case ("True"),
        and 0 and 1 where the other column holds nothing else.
        """
        known = {*words, *config.class_texts, *filter(None, [config.positive_text])}
        truth = _truth(known)
        classes = {_read(word, truth) for word in known}
        binary = config.positive_class is not None or len(config.class_texts or classes) <= 2
        positive = _positive(classes, config.positive_text, truth) if binary else None
        classes |= {positive} if positive else set()
        return cls(tuple(sorted(classes)), positive, binary, truth)

    @property
    def undecided(self) -> str:
        """Why the positive class is not known; empty when it is, or there are more than two classes."""
        if not self.binary or self.positive is not None:
            return ""
        names = ", ".join(map(repr, self.classes))
        return f"set model.positive_class: which of {names} is positive is not known"

    @property
    def places(self) -> dict[str, int]:
        """The position of every class."""
        return {name: position for position, name in enumerate(self.classes)}

    def place(self, name: str) -> int:
        """Returns the position of a class."""
        return self.classes.index(name)

    def read(self, word: str) -> str:
        """Returns the class that a word stands for."""
        return _read(word, self.truth)

    def positions(self, names: Sequence[str]) -> Codes:
        """Returns the position in `classes` of each name, -1 where it is none of them, and a -1 for null."""
        place = self.places
        return np.array([*(place.get(self.read(name), -1) for name in names), -1], dtype=np.int64)


def _truth(words: set[str]) -> dict[str, str]:
    folded = {word.casefold() for word in words}
    if folded <= set(_TRUTH):
        return {"false": "false", "true": "true"}
    return _TRUTH if folded & set(_TRUTH) and folded <= {*_TRUTH, *_TRUTH.values()} else {}


def _read(word: str, truth: dict[str, str]) -> str:
    return truth.get(word.casefold(), word)


def _positive(classes: set[str], configured: str | None, truth: dict[str, str]) -> str | None:
    if configured is not None:
        return _read(configured, truth)
    return evidently_positive(classes)
