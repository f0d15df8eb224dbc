"""Scores of two classes by their probabilities: ROC AUC and log loss. Both are of sums, so that blocks add up.

ROC AUC = (pairs of a row of class 1 above a row of class 0, pairs of equal probability count half) / all such pairs:
the statistic of Mann and Whitney (1947), and the area under the ROC curve (Hanley and McNeil, 1982).
log loss = - sum log(probability of the row's class) / n
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Rows up to which the ROC AUC is exact: their probabilities come to the driver, 20 MB.
MOST_RANKED = 5_000_000
LEAST = float(np.finfo(np.float32).eps)  # probabilities are clipped to LEAST..1-LEAST in the logarithm
HALF = int(np.float32(0.5).view(np.int32) >> 15)  # bins up to a probability of 1/2, exclusive
BINS = 2 * HALF + 2


class Ranking(NamedTuple):
    """The probabilities of class 1 by the true class, of rows that add up in any grouping.

    Either the probabilities themselves, for an exact ROC AUC, or their counts in BINS bins, 1 MB: then a pair within a
    bin counts half. The width of a bin is 1/256 of the distance to 0 or to 1.
    """

    # Of each class, (m,) each.
    probabilities: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]] = ((), ())
    counts: np.ndarray | None = None  # (2, BINS) int64
    loss: float = 0.0  # the sum of the log losses

    def __add__(self, other: Ranking) -> Ranking:  # type: ignore[override]
        zeros, ones = (a + b for a, b in zip(self.probabilities, other.probabilities, strict=True))
        counts = self.counts if other.counts is None else other.counts
        if self.counts is not None and other.counts is not None:
            counts = self.counts + other.counts
        return Ranking((zeros, ones), counts, self.loss + other.loss)

    @property
    def roc_auc(self) -> float | None:
        """Return the area under the ROC curve; None where one of the classes has no rows."""
        if self.counts is not None:
            return area(self.counts)
        zeros, ones = (np.concatenate([np.empty(0, np.float32), *parts]) for parts in self.probabilities)
        distinct, places = np.unique(np.concatenate([zeros, ones]), return_inverse=True)
        places = places.reshape(-1)
        counts = [np.bincount(part, minlength=len(distinct)) for part in np.split(places, [len(zeros)])]
        return area(np.array(counts))


def ranking(probabilities: np.ndarray, labels: np.ndarray, exact: bool) -> Ranking:
    """Return the ranking of rows with probabilities (n, 2) for labels (n,) 0 or 1."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -float(np.log(np.clip(chosen, LEAST, 1 - LEAST)).sum())
    ones = np.ascontiguousarray(probabilities[:, 1], np.float32)
    if exact:
        return Ranking(((ones[labels == 0],), (ones[labels == 1],)), None, loss)
    cells = labels.astype(np.int64) * BINS + bins(ones)
    return Ranking(counts=np.bincount(cells, minlength=2 * BINS).reshape(2, BINS), loss=loss)


def bins(ones: np.ndarray) -> np.ndarray:
    """Return the bin of each probability of class 1 (n,) float32, (n,) int64: it does not fall as the other rises.

    The bits of a positive float32 rise with its value; the first 17 hold 8 binary digits. Above 1/2 those of the
    distance to 1 are used.
    """
    low = ones < 0.5
    cells = np.where(low, ones, np.float32(1) - ones).view(np.int32).astype(np.int64) >> 15
    return np.where(low, cells, BINS - 1 - cells)


def area(counts: np.ndarray) -> float | None:
    """Return the ROC AUC of counts (2, m) of the rows of each class, by rising probability of class 1."""
    zeros, ones = counts.astype(np.float64)
    pairs = zeros.sum() * ones.sum()
    if not pairs:
        return None
    return float(ones @ (np.cumsum(zeros) - zeros / 2) / pairs)
