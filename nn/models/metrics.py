"""Classification metrics: confusion matrix (rows: true class), accuracy, precision, recall and F1 per class.

precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)
A ratio with denominator 0 is 0, as with scikit-learn's zero_division=0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ClassMetrics(NamedTuple):
    """Precision, recall and F1 (in 0..1) of one class, and its support: the number of rows of that class."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return the confusion matrix (k, k) int64: entry (i, j) is the number of rows of class i predicted as j."""
    pairs = labels.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def accuracy(matrix: np.ndarray) -> float:
    """Return the fraction of rows on the diagonal; 0 for no rows."""
    return _ratio(np.trace(matrix), matrix.sum())


def per_class(matrix: np.ndarray) -> list[ClassMetrics]:
    """Return precision, recall, F1 and support of every class of a confusion matrix (k, k)."""
    correct, support, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        ClassMetrics(_ratio(tp, claimed), _ratio(tp, rows), _ratio(2 * tp, claimed + rows), int(rows))
        for tp, rows, claimed in zip(correct, support, predicted, strict=True)
    ]


def macro(metrics: list[ClassMetrics]) -> tuple[float, float, float]:
    """Return the macro averages of (precision, recall, F1): unweighted means over the classes."""
    count = len(metrics)
    return (
        sum(m.precision for m in metrics) / count,
        sum(m.recall for m in metrics) / count,
        sum(m.f1 for m in metrics) / count,
    )


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
