"""Count hits and misses: confusion matrix (rows are the truth), precision, recall and F1 per class.

precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)
A ratio whose denominator is 0 is 0, as in scikit-learn's zero_division=0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ClassMetrics(NamedTuple):
    """One class's precision, recall, F1 (fractions) and support (rows that truly are of it)."""

    precision: float
    recall: float
    f1: float
    support: int


def confusion(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    """Count pairs: entry (i, j) is how many rows of class i were predicted j, (k, k) int64."""
    pairs = labels.astype(np.int64) * classes + predictions
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def accuracy(matrix: np.ndarray) -> float:
    """The share of rows on the diagonal; 0 of no rows."""
    return _ratio(np.trace(matrix), matrix.sum())


def per_class(matrix: np.ndarray) -> list[ClassMetrics]:
    """Precision, recall, F1 and support of every class of a confusion matrix (k, k)."""
    hits, truths, claims = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return [
        ClassMetrics(_ratio(hit, claimed), _ratio(hit, true), _ratio(2 * hit, claimed + true), int(true))
        for hit, true, claimed in zip(hits, truths, claims, strict=True)
    ]


def macro(metrics: list[ClassMetrics]) -> tuple[float, float, float]:
    """The plain mean over the classes of (precision, recall, F1)."""
    count = len(metrics)
    return (
        sum(m.precision for m in metrics) / count,
        sum(m.recall for m in metrics) / count,
        sum(m.f1 for m in metrics) / count,
    )


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
