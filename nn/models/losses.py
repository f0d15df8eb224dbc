"""Measure how far outputs are from labels: loss(outputs, labels) -> a sum over the rows, and its gradient.

mse                   L = 1/2 sum_n sum_k (out - onehot)^2                           outputs are sigmoids
cross-entropy         L = - sum_n sum_k target log softmax(logits)                   outputs are logits
binary-cross-entropy  L = - sum_n (target log p + (1 - target) log(1 - p))           p = sigmoid(the only output)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

Rows = np.ndarray  # (n,)


@dataclass(frozen=True)
class Loss:
    """A loss whose outputs are one number a class, the largest of which decides; others override what differs.

    Wherever `weights` (n,) are given, each row counts that many times. Zero rows cost 0.
    """

    name: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()  # the fields that nn.core.spec reads from the first value

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Sum over the rows of outputs (n, units) against labels (n,), in float64."""
        raise NotImplementedError

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """d loss / d outputs, (n, units), in the outputs' dtype."""
        raise NotImplementedError

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """`value` and `grad`, sharing what both compute."""
        return self.value(outputs, labels, weights), self.grad(outputs, labels, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs (n, units) into shares of the classes, (n, k); each row sums to 1."""
        raise NotImplementedError

    def predict(self, outputs: np.ndarray) -> Rows:
        """The class of each row, (n,) int64."""
        return np.argmax(outputs, axis=1).astype(np.int64, copy=False)

    def units(self, classes: int) -> int:
        """How many output units the loss needs; ValueError for a number of classes that it cannot part."""
        return classes

    def classes(self, units: int) -> int:
        """How many classes so many output units tell apart; ValueError for a width that the loss cannot read."""
        return units

    def check_labels(self, labels: np.ndarray) -> None:
        """Raise ValueError for class numbers (n,) that the loss cannot learn."""


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the sum of squared differences between outputs and one-hot labels."""

    name: ClassVar[str] = "mse"

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """1/2 sum (out - onehot)^2."""
        return self._value(self._error(outputs, labels), weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """The difference, out - onehot."""
        return _weighted(self._error(outputs, labels), weights)

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Both from one difference."""
        error = self._error(outputs, labels)  # (n, k)
        return self._value(error, weights), _weighted(error, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs divided by their sum, which keeps their order; a row with a negative one is raised to 0 first."""
        shares = outputs - np.minimum(outputs.min(axis=1, keepdims=True), 0)  # (n, k)
        total = shares.sum(axis=1, keepdims=True)
        shares += total == 0  # a row of nothing but zeros prefers no class
        shares /= np.where(total == 0, outputs.shape[1], total)
        return shares

    def _error(self, outputs: np.ndarray, labels: Rows) -> np.ndarray:
        error = outputs.copy()
        error[np.arange(len(labels)), labels] -= 1
        return error

    def _value(self, error: np.ndarray, weights: Rows | None) -> float:
        return _total(0.5 * np.einsum("nk,nk->n", error, error, dtype=np.float64), weights)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Negative log-likelihood of the labels under softmax(logits) (Bridle, 1990).

    `smoothing` s aims at (1 - s) onehot + s / k instead of the one-hot label, so that no logit is driven
    without end (Szegedy et al., 2016).
    """

    name: ClassVar[str] = "cross-entropy"
    positional: ClassVar[tuple[str, ...]] = ("smoothing",)
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_smoothing(self.smoothing)

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Sum of log sum exp(logits) - target . logits, taken of logits less their row's maximum: none overflows."""
        shifted = _shifted(outputs)
        sums = np.exp(shifted).sum(axis=1, dtype=np.float64)  # (n,)
        return self._value(shifted, sums, labels, weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """softmax(logits) - target."""
        return self.value_and_grad(outputs, labels, weights)[1]

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Both from the same exponentials."""
        shifted = _shifted(outputs)
        shares = np.exp(shifted)  # (n, k)
        sums = shares.sum(axis=1, dtype=np.float64)  # (n,)
        value = self._value(shifted, sums, labels, weights)
        shares /= sums[:, None].astype(shares.dtype)
        if self.smoothing:
            shares -= self.smoothing / outputs.shape[1]
        shares[np.arange(len(labels)), labels] -= 1 - self.smoothing
        return value, _weighted(shares, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """softmax(logits): probabilities, (n, k)."""
        shares = _shifted(outputs)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def _value(self, shifted: np.ndarray, sums: Rows, labels: Rows, weights: Rows | None) -> float:
        per_row = np.log(sums)  # (n,) float64: a loss far below one is the difference of two numbers near it
        per_row -= (1 - self.smoothing) * shifted[np.arange(len(labels)), labels]
        if self.smoothing:
            per_row -= self.smoothing * shifted.mean(axis=1, dtype=np.float64)
        return _total(per_row, weights)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Negative log-likelihood of labels 0 and 1 under p = sigmoid(logit), one output unit (n, 1).

    `smoothing` s aims at label (1 - s) + s / 2. One number a row is worked out in float64, which costs
    nothing that shows.
    """

    name: ClassVar[str] = "binary-cross-entropy"
    positional: ClassVar[tuple[str, ...]] = ("smoothing",)
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        _check_smoothing(self.smoothing)

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Sum of max(z, 0) - z target + log(1 + exp(-|z|)), which overflows for no logit z."""
        z, small = self._parts(outputs)
        return self._value(z, small, labels, weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """The difference, p - target."""
        return self.value_and_grad(outputs, labels, weights)[1]

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Both from the same exponentials."""
        z, small = self._parts(outputs)
        dout = np.where(z > 0, 1, small) / (1 + small) - self._targets(labels)  # (n,)
        dout = dout.astype(outputs.dtype, copy=False)[:, None]
        return self._value(z, small, labels, weights), _weighted(dout, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """[1 - p, p], (n, 2), each without cancellation."""
        z, small = self._parts(outputs)
        shares = np.stack([np.where(z > 0, small, 1), np.where(z > 0, 1, small)], axis=1)
        shares /= (1 + small)[:, None]
        return shares.astype(outputs.dtype, copy=False)

    def predict(self, outputs: np.ndarray) -> Rows:
        """1 where the logit is above 0."""
        return (outputs[:, 0] > 0).astype(np.int64)

    def units(self, classes: int) -> int:
        """One unit tells two classes apart."""
        if classes != 2:
            raise ValueError(f"{self.name} needs 2 classes, got {classes}; use cross-entropy")
        return 1

    def check_labels(self, labels: Rows) -> None:
        """Only 0 and 1 can be learned."""
        found = np.unique(labels)
        if len(found) == 2 and found.max() > 1:
            raise ValueError(f"{self.name}: expected labels 0 and 1, found {found[0]} and {found[1]}")

    def classes(self, units: int) -> int:
        """Two classes, from one unit."""
        if units != 1:
            raise ValueError(f"{self.name} needs 1 output unit, got {units}")
        return 2

    def _parts(self, outputs: np.ndarray) -> tuple[Rows, Rows]:
        z = outputs[:, 0].astype(np.float64)
        return z, np.exp(-np.abs(z))  # (n,), (n,)

    def _targets(self, labels: Rows) -> Rows:
        return labels * (1 - self.smoothing) + self.smoothing / 2

    def _value(self, z: Rows, small: Rows, labels: Rows, weights: Rows | None) -> float:
        return _total(np.maximum(z, 0) - z * self._targets(labels) + np.log1p(small), weights)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (HalfSquaredError, CrossEntropy, BinaryCrossEntropy)
}


def _check_smoothing(smoothing: float) -> None:
    if isinstance(smoothing, bool) or not isinstance(smoothing, (int, float)) or not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be in [0, 1), got {smoothing!r}")


def _shifted(outputs: np.ndarray) -> np.ndarray:
    # NumPy's maximum along rows of ten costs six times that down columns; the copy is cheap beside it.
    return outputs - np.ascontiguousarray(outputs.T).max(axis=0)[:, None]  # (n, k)


def _weighted(dout: np.ndarray, weights: Rows | None) -> np.ndarray:
    if weights is not None:
        dout *= weights[:, None].astype(dout.dtype, copy=False)
    return dout


def _total(per_row: Rows, weights: Rows | None) -> float:
    return float(per_row.sum() if weights is None else per_row @ weights)
