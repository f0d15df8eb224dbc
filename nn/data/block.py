"""Block: consecutive rows in one set of arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LARGEST_WEIGHT = 1e9  # of a row: more than any use needs, safe to sum in float32


class Block(NamedTuple):
    """Rows in one set of arrays: the unit of work of each map stage."""

    rows: np.ndarray  # (n,) int64, ascending: global row numbers, on which all random numbers depend
    inputs: np.ndarray  # (n, ...) uint8 or float32, not scaled
    labels: np.ndarray  # (n,) integers: class numbers; or float64: values of a target
    weights: np.ndarray | None = None  # (n,), or None: every row has weight 1
    validation: bool = False  # whether these are validation rows, which are measured but not learned from

    def take(self, chosen: np.ndarray | slice) -> Block:
        """Return the chosen rows: a mask, indices or a slice."""
        weights = None if self.weights is None else self.weights[chosen]
        rows, inputs, labels = self.rows[chosen], self.inputs[chosen], self.labels[chosen]
        return Block(rows, inputs, labels, weights, self.validation)
