"""Rows that lie together in memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LARGEST_WEIGHT = 1e9  # of a row; far beyond any use, and safe to sum in float32


class Block(NamedTuple):
    """Rows that lie together in memory: a unit of work for one call of each layer."""

    rows: np.ndarray  # (n,) int64: global row numbers, the keys of all randomness
    inputs: np.ndarray  # (n, ...) uint8 or float32, not scaled
    labels: np.ndarray  # (n,) whole numbers
    weights: np.ndarray | None = None  # (n,) or None where every row weighs 1
    validation: bool = False  # whether these rows are measured only, never learned from

    def take(self, chosen: np.ndarray | slice) -> Block:
        """The chosen rows, by mask, index or slice."""
        weights = None if self.weights is None else self.weights[chosen]
        rows, inputs, labels = self.rows[chosen], self.inputs[chosen], self.labels[chosen]
        return Block(rows, inputs, labels, weights, self.validation)
