"""Statistics of the columns of a table: sums over rows that add up, for standardization.

Counts, means and squared deviations are merged pairwise (Chan, Golub and LeVeque, 1979), which loses no digits where a
mean is large beside its deviation. Missing values (NaN) are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from nn.data.block import Block


class ColumnStatistics(NamedTuple):
    """Statistics of c columns, float64 (c,) each. The statistics of two sets of rows add up to those of both."""

    rows: int
    counts: np.ndarray  # values, without missing values
    mean: np.ndarray  # 0 for a column without values
    squares: np.ndarray  # sum of squared deviations from the mean
    low: np.ndarray  # inf for a column without values
    high: np.ndarray  # -inf for a column without values

    def __add__(self, other: ColumnStatistics) -> ColumnStatistics:  # type: ignore[override]  # not a tuple's +
        counts = self.counts + other.counts
        share = other.counts / np.maximum(counts, 1)
        step = other.mean - self.mean
        return ColumnStatistics(
            self.rows + other.rows,
            counts,
            self.mean + step * share,
            self.squares + other.squares + step * step * self.counts * share,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    @property
    def deviation(self) -> np.ndarray:
        """Return the standard deviation of each column (c,), of the population as StandardScaler's in scikit-learn."""
        return np.sqrt(self.squares / np.maximum(self.counts, 1))

    @property
    def missing_values(self) -> np.ndarray:
        """Return the number of missing values of each column (c,)."""
        return self.rows - self.counts


def column_statistics(inputs: np.ndarray) -> ColumnStatistics:
    """Return the statistics of the columns of rows (n, c) in which NaN is a missing value."""
    values = inputs.astype(np.float64)
    filled = ~np.isnan(values)
    counts = filled.sum(axis=0).astype(np.float64)
    mean = np.where(filled, values, 0).sum(axis=0) / np.maximum(counts, 1)
    deviations = np.where(filled, values - mean, 0)
    return ColumnStatistics(
        len(values),
        counts,
        mean,
        np.einsum("nc,nc->c", deviations, deviations),
        np.where(filled, values, np.inf).min(axis=0, initial=np.inf),
        np.where(filled, values, -np.inf).max(axis=0, initial=-np.inf),
    )


def partition_statistics(blocks: Iterable[Block]) -> Iterator[ColumnStatistics]:
    """Yield the statistics of the training rows of a partition, if it has some."""
    total = None
    for block in blocks:
        if not block.validation:
            statistics = column_statistics(block.inputs)
            total = statistics if total is None else total + statistics
    if total is not None:
        yield total
