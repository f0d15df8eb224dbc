"""Add the size of the weights to the cost: l1 sum |W| + l2/2 sum W^2, over weights and not over biases or scales.

l2 is ridge regression's and weight decay's penalty (Hoerl and Kennard, 1970; Krogh and Hertz, 1992), l1 the lasso's
(Tibshirani, 1996). It is the driver's work: the penalty knows no rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn import tree
from nn.layers.layer import is_weight
from nn.records import Tally
from nn.training import Measure


@dataclass(frozen=True)
class Penalty:
    """How strongly the weights' sizes count against the mean loss of a row."""

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self):
        for name in ("l1", "l2"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} must be a finite number of at least 0, got {value!r}")

    def value(self, params: tree.Tree) -> float:
        """l1 sum |W| + l2/2 sum W^2, in float64."""
        weights = [w for layer in params for key, w in layer.items() if is_weight(key)]
        absolute = sum(float(np.abs(w).sum(dtype=np.float64)) for w in weights) if self.l1 else 0.0
        squares = tree.dot(weights, weights) if self.l2 else 0.0
        return self.l1 * absolute + self.l2 / 2 * squares

    def added_to(self, measure: Measure) -> Measure:
        """`measure` with the penalty in every row's loss and the gradients to match."""
        if not (self.l1 or self.l2):
            return measure
        return lambda params, draw: self.applied(params, measure(params, draw))

    def applied(self, params: Any, tally: Tally) -> Tally:
        """What was measured at `params`, with the penalty in every row's loss and the gradients to match."""
        return self.priced(params, self.sloped(params, tally))

    def priced(self, params: Any, tally: Tally) -> Tally:
        """The tally with the penalty of `params` in every row's loss."""
        if not (self.l1 or self.l2):
            return tally
        penalty = self.value(params)
        return tally._replace(
            train=tally.train.with_penalty(penalty), validation=tally.validation.with_penalty(penalty)
        )

    def sloped(self, params: Any, tally: Tally) -> Tally:
        """The tally with the penalty's slope at `params` in its gradients, as every row that sent some carries it."""
        if tally.grads is None or not (self.l1 or self.l2):
            return tally
        return tally._replace(grads=self._with_slopes(params, tally.grads, tally.weight))

    def _with_slopes(self, params: tree.Tree, grads: tree.Tree, weight: float) -> list[dict[str, np.ndarray]]:
        """Gradients summed over rows of that weight, each row with d penalty / d W = l1 sign(W) + l2 W."""
        return [
            {
                key: g + self._slope(params[i][key], weight) if is_weight(key) else g
                for key, g in layer.items()
            }
            for i, layer in enumerate(grads)
        ]

    def _slope(self, w: np.ndarray, weight: float) -> np.ndarray:
        slope = w * w.dtype.type(self.l2 * weight)
        if self.l1:
            slope += np.sign(w) * w.dtype.type(self.l1 * weight)
        return slope
