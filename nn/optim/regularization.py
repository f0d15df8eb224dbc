"""Add the size of the weights to the cost: l1 sum |W| + l2/2 sum W^2, over weights and not over biases or scales.

l2 is ridge regression's and weight decay's penalty (Hoerl and Kennard, 1970; Krogh and Hertz, 1992), l1 the lasso's
(Tibshirani, 1996). The penalty does not depend on the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from nn.core import tree
from nn.core.constraints import NON_NEGATIVE, check_fields
from nn.layers.base import is_weight


@dataclass(frozen=True)
class Penalty:
    """The coefficients of the l1 and l2 penalties, which are added to the mean loss of a row."""

    l1: Annotated[float, NON_NEGATIVE] = 0.0
    l2: Annotated[float, NON_NEGATIVE] = 0.0

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, params: tree.Tree) -> float:
        """Return l1 sum |W| + l2/2 sum W^2, in float64."""
        weights = [w for layer in params for key, w in layer.items() if is_weight(key)]
        absolute = sum(float(np.abs(w).sum(dtype=np.float64)) for w in weights) if self.l1 else 0.0
        squares = tree.dot(weights, weights) if self.l2 else 0.0
        return self.l1 * absolute + self.l2 / 2 * squares

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def add_gradient(self, params: tree.Tree, grads: tree.Tree, weight: float) -> list[dict[str, np.ndarray]]:
        """Add the penalty's gradient, l1 sign(W) + l2 W, to gradients summed over rows of that weight."""
        return [
            {
                key: g + self._gradient(params[i][key], weight) if is_weight(key) else g
                for key, g in layer.items()
            }
            for i, layer in enumerate(grads)
        ]

    def _gradient(self, w: np.ndarray, weight: float) -> np.ndarray:
        gradient = w * w.dtype.type(self.l2 * weight)
        if self.l1:
            gradient += np.sign(w) * w.dtype.type(self.l1 * weight)
        return gradient
