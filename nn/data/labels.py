"""Labels in numeric text -> class numbers or targets, on the executors; and the labels of classes, on the driver."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import csv
from nn.data.csv import LineError
from nn.data.decoding import ClassLabels, Label

CLASSIFICATION, REGRESSION = TASKS = ("classification", "regression")
SHOWN = 10  # labels in a message


class LabelReader(NamedTuple):
    """How the labels of a set are read: those of a training set as they are, those of a test set as its classes.

    `classes` and `values` are those of the training set, or of `owner`: class numbers below `classes`, or the labels
    `values` (k,) in order. `hint` says what to do about another label.
    """

    task: str = CLASSIFICATION
    classes: int | None = None
    values: tuple[Label, ...] | None = None
    owner: str = "the training set"
    hint: str = ""

    @property
    def is_regression(self) -> bool:
        """Return whether labels are targets."""
        return self.task == REGRESSION

    def read(self, values: np.ndarray, line: int) -> np.ndarray | LineError:
        """Return labels (n,) for rows (n, 1) or one-hot (n, k): targets float64, class numbers int16, or whole numbers.

        Whole numbers that are no class numbers come from training sets alone. `line` is that of the first row.
        """
        if self.is_regression:
            if values.shape[1] > 1:
                return LineError(line, "one target", f"{values.shape[1]} values")
            return values[:, 0].astype(np.float64)
        if self.values is None and self.classes is None:
            return csv.to_whole_labels(values, line)
        labels = (
            csv.to_labels(values, line, self.classes or 0)
            if self.values is None
            else self._known(values, line)
        )
        return labels._replace(hint=self.hint or labels.hint) if isinstance(labels, LineError) else labels

    def _known(self, values: np.ndarray, line: int) -> np.ndarray | LineError:
        if values.shape[1] > 1:
            return LineError(line, "one label", f"{values.shape[1]} values")
        labels = values[:, 0]
        # Names, or numbers that float32 does not tell apart: the reader of CSV has them.
        if any(isinstance(value, str) or abs(value) >= csv.EXACT for value in self.values or ()):
            return LineError(line, self.expected, f"{labels[0]:g}", in_cell=True)
        known = np.array(self.values, np.float64)
        codes = np.minimum(np.searchsorted(known, labels), len(known) - 1)
        good = known[codes] == labels
        if not good.all():
            row = int(np.argmin(good))
            return LineError(line + row, self.expected, f"{labels[row]:g}")
        return codes.astype(np.int16)

    @property
    def expected(self) -> str:
        """Return which labels rows may have, for a message."""
        if self.values is None:
            return f"a class number in 0..{(self.classes or csv.MAX_CLASSES) - 1}"
        return f"one of the labels of {self.owner} ({shown(self.values)})"

    @property
    def advice(self) -> str:
        """Return the hint as the end of a message."""
        return f"; {self.hint}" if self.hint else ""


def shown(labels: tuple[Label, ...]) -> str:
    """Return labels for a message."""
    return ", ".join(map(str, labels[:SHOWN])) + (", ..." if len(labels) > SHOWN else "")


def decoder_of(labels: np.ndarray, argument: str) -> tuple[ClassLabels, np.ndarray]:
    """Return the labels of the classes for whole numbers (n,), and the class number of each row (n,) int16.

    Numbers whose smallest is 0 are class numbers. Raises DataError for more classes than a network may have.
    """
    if labels.min() == 0:
        return ClassLabels(), labels.astype(np.int16)
    values, codes = np.unique(labels, return_inverse=True)
    if len(values) < 2:
        raise DataError(f"{argument}: expected at least 2 classes, found class {values[0]} alone")
    refuse_many(len(values), argument)
    return ClassLabels(tuple(values.tolist())), codes.astype(np.int16)


def refuse_many(count: int, argument: str) -> None:
    """Raise DataError for labels of more classes than a network may have."""
    if count > csv.MAX_CLASSES:
        raise DataError(
            f"{argument}: expected labels of at most {csv.MAX_CLASSES:,} classes, found {count:,} different ones; "
            "measured values are learned with --task regression"
        )
