"""Measure how far outputs are from labels: loss(outputs, labels) -> a sum over the rows, and its gradient.

mse            L = 1/2 sum_n sum_k (out - onehot)^2        outputs are sigmoids
cross-entropy  L = - sum_n log softmax(logits)[label]      outputs are logits
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class HalfSquaredError:
    """Half the sum of squared differences between outputs and one-hot labels."""

    name: ClassVar[str] = "mse"

    def value(self, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Sum over the rows of outputs (n, k) against labels (n,), row by row times weights (n,)."""
        error = self._error(outputs, labels)  # (n, k)
        per_row = 0.5 * np.einsum("nk,nk->n", error, error, dtype=np.float64)
        return float(per_row.sum() if weights is None else per_row @ weights)

    def grad(self, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """d loss / d outputs = outputs - onehot, (n, k)."""
        return _weighted(self._error(outputs, labels), weights)

    def link(self, outputs: np.ndarray) -> np.ndarray:
        """Sigmoid outputs, divided by their sum: shares that add up to 1 and keep the order, (n, k)."""
        total = outputs.sum(axis=1, keepdims=True)
        return outputs / np.maximum(total, np.finfo(outputs.dtype).tiny)

    def _error(self, outputs, labels):
        error = outputs.copy()
        error[np.arange(len(labels)), labels] -= 1
        return error


@dataclass(frozen=True)
class CrossEntropy:
    """Negative log-likelihood of the labels under softmax(logits) (Bridle, 1990)."""

    name: ClassVar[str] = "cross-entropy"

    def value(self, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
        """Sum over the rows of logits (n, k) against labels (n,), row by row times weights (n,).

        log sum exp is taken of logits less their row's maximum, so no logit overflows it.
        """
        shifted = outputs - outputs.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(shifted).sum(axis=1, dtype=np.float64))  # (n,)
        per_row = log_sum - shifted[np.arange(len(labels)), labels]
        return float(per_row.sum() if weights is None else per_row @ weights)

    def grad(self, outputs: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """d loss / d logits = softmax(logits) - onehot, (n, k)."""
        dout = self.link(outputs)
        dout[np.arange(len(labels)), labels] -= 1
        return _weighted(dout, weights)

    def link(self, outputs: np.ndarray) -> np.ndarray:
        """softmax(logits): probabilities, (n, k)."""
        shares = outputs - outputs.max(axis=1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares


Loss = HalfSquaredError | CrossEntropy
LOSSES: dict[str, type[Loss]] = {loss.name: loss for loss in (HalfSquaredError, CrossEntropy)}


def _weighted(dout, weights):
    if weights is not None:
        dout *= weights[:, None].astype(dout.dtype, copy=False)
    return dout
