"""Loss functions: loss(outputs, labels) -> the sum over the rows, and its gradient.

mse                   L = 1/2 sum_n sum_k (out - onehot)^2                     outputs in (0, 1), of sigmoid units
cross-entropy         L = - sum_n sum_k target log softmax(logits)             outputs are logits
binary-cross-entropy  L = - sum_n (target log p + (1 - target) log(1 - p))     p = sigmoid(logit), one output unit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from nn.core.constraints import FROM_0_BELOW_1, check_fields

Rows = np.ndarray  # (n,)


@dataclass(frozen=True)
class Loss:
    """Base class: a loss with one output unit per class, the largest of which is the prediction.

    Losses override what differs. With `weights` (n,), each row's loss is multiplied by its weight. The loss of no rows
    is 0. nn.models.contract.check_loss checks a loss.
    """

    name: ClassVar[str]
    # The fields that the first value of its word gives (nn.core.spec).
    positional: ClassVar[tuple[str, ...]] = ()
    is_regression: ClassVar[bool] = False  # whether labels are values (n, m) and not class numbers (n,)

    def __post_init__(self) -> None:
        check_fields(self)

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Return the loss of outputs (n, units) for labels (n,): the sum over the rows, in float64."""
        raise NotImplementedError

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """Return d loss / d outputs, (n, units), in the dtype of the outputs."""
        raise NotImplementedError

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Return (`value`, `grad`); losses override it to compute their common parts once."""
        return self.value(outputs, labels, weights), self.grad(outputs, labels, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Convert outputs (n, units) to class probabilities (n, k); each row sums to 1."""
        raise NotImplementedError

    def predict(self, outputs: np.ndarray) -> Rows:
        """Return the predicted class of each row, (n,) int64."""
        return np.argmax(outputs, axis=1).astype(np.int64, copy=False)

    def correct(self, outputs: np.ndarray, labels: Rows) -> int:
        """Return the number of rows whose label is predicted."""
        return int(np.count_nonzero(self.predict(outputs) == labels))

    def units(self, classes: int) -> int:
        """Return the number of output units. Raises ValueError for a number of classes that it does not support."""
        return classes

    def classes(self, units: int) -> int:
        """Return the number of classes for a number of output units. Raises ValueError if it does not fit the loss."""
        return units

    def check_labels(self, labels: np.ndarray) -> None:
        """Raise ValueError for class numbers (n,) that the loss does not support."""


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the sum of squared differences between outputs and one-hot labels."""

    name: ClassVar[str] = "mse"

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Return 1/2 sum (out - onehot)^2."""
        return self._value(self._error(outputs, labels), weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """Return out - onehot."""
        return weight_inplace(self._error(outputs, labels), weights)

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Return both, from one array of differences."""
        error = self._error(outputs, labels)  # (n, k)
        return self._value(error, weights), weight_inplace(error, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Divide outputs by their sum; add a constant before to a row with negative outputs, so that its least is 0."""
        shares = outputs - np.minimum(outputs.min(axis=1, keepdims=True), 0)  # (n, k)
        total = shares.sum(axis=1, keepdims=True)
        shares += total == 0  # a row of zeros: the same probability for each class
        shares /= np.where(total == 0, outputs.shape[1], total)
        return shares

    def _error(self, outputs: np.ndarray, labels: Rows) -> np.ndarray:
        error = outputs.copy()
        error[np.arange(len(labels)), labels] -= 1
        return error

    def _value(self, error: np.ndarray, weights: Rows | None) -> float:
        return total(0.5 * np.einsum("nk,nk->n", error, error, dtype=np.float64), weights)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Negative log-likelihood of the labels under softmax(logits) (Bridle, 1990).

    With label smoothing s, the target is (1 - s) onehot + s / k instead of the one-hot label, so that logits stay
    bounded (Szegedy et al., 2016). Raises ValueError for a `smoothing` outside [0, 1).
    """

    name: ClassVar[str] = "cross-entropy"
    positional: ClassVar[tuple[str, ...]] = ("smoothing",)
    smoothing: Annotated[float, FROM_0_BELOW_1] = 0.0

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Return the sum of log sum exp(logits) - target . logits; the row maximum is subtracted against overflow."""
        shifted = _shifted(outputs)
        sums = np.exp(shifted).sum(axis=1, dtype=np.float64)  # (n,)
        return self._value(shifted, sums, labels, weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """Return softmax(logits) - target."""
        return self.value_and_grad(outputs, labels, weights)[1]

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Return both, from the same exponentials."""
        shifted = _shifted(outputs)
        shares = np.exp(shifted)  # (n, k)
        sums = shares.sum(axis=1, dtype=np.float64)  # (n,)
        value = self._value(shifted, sums, labels, weights)
        shares /= sums[:, None].astype(shares.dtype)
        if self.smoothing:
            shares -= self.smoothing / outputs.shape[1]
        shares[np.arange(len(labels)), labels] -= 1 - self.smoothing
        return value, weight_inplace(shares, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return softmax(logits), (n, k)."""
        shares = _shifted(outputs)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares

    def _value(self, shifted: np.ndarray, sums: np.ndarray, labels: Rows, weights: Rows | None) -> float:
        per_row = np.log(sums)  # (n,) float64: a small loss is the difference of two larger numbers
        per_row -= (1 - self.smoothing) * shifted[np.arange(len(labels)), labels]
        if self.smoothing:
            per_row -= self.smoothing * shifted.mean(axis=1, dtype=np.float64)
        return total(per_row, weights)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """Negative log-likelihood of labels 0 and 1 under p = sigmoid(logit), with one output unit, (n, 1).

    With label smoothing s, the target is label (1 - s) + s / 2. Computed in float64, which takes no measurable time for
    one number per row. Raises ValueError for a `smoothing` outside [0, 1).
    """

    name: ClassVar[str] = "binary-cross-entropy"
    positional: ClassVar[tuple[str, ...]] = ("smoothing",)
    smoothing: Annotated[float, FROM_0_BELOW_1] = 0.0

    def value(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> float:
        """Return the sum of max(z, 0) - z target + log(1 + exp(-|z|)), which never overflows; z is the logit."""
        z, small = self._parts(outputs)
        return self._value(z, small, labels, weights)

    def grad(self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None) -> np.ndarray:
        """Return p - target."""
        return self.value_and_grad(outputs, labels, weights)[1]

    def value_and_grad(
        self, outputs: np.ndarray, labels: Rows, weights: Rows | None = None
    ) -> tuple[float, np.ndarray]:
        """Return both, from the same exponentials."""
        z, small = self._parts(outputs)
        dout = np.where(z > 0, 1, small) / (1 + small) - self._targets(labels)  # (n,)
        dout = dout.astype(outputs.dtype, copy=False)[:, None]
        return self._value(z, small, labels, weights), weight_inplace(dout, weights)

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return [1 - p, p], (n, 2), each computed without cancellation."""
        z, small = self._parts(outputs)
        shares = np.stack([np.where(z > 0, small, 1), np.where(z > 0, 1, small)], axis=1)
        shares /= (1 + small)[:, None]
        return shares.astype(outputs.dtype, copy=False)

    def predict(self, outputs: np.ndarray) -> Rows:
        """Return 1 where the logit is above 0, else 0."""
        return (outputs[:, 0] > 0).astype(np.int64)

    def units(self, classes: int) -> int:
        """Return 1 unit for 2 classes. Raises ValueError for another number of classes."""
        if classes != 2:
            raise ValueError(f"{self.name} needs 2 classes, got {classes}; use cross-entropy")
        return 1

    def check_labels(self, labels: np.ndarray) -> None:
        """Raise ValueError for two classes other than 0 and 1."""
        distinct = np.unique(labels)
        if len(distinct) == 2 and distinct.max() > 1:
            raise ValueError(f"{self.name}: expected labels 0 and 1, found {distinct[0]} and {distinct[1]}")

    def classes(self, units: int) -> int:
        """Return 2 classes for 1 unit. Raises ValueError for another number of units."""
        if units != 1:
            raise ValueError(f"{self.name} needs 1 output unit, got {units}")
        return 2

    def _parts(self, outputs: np.ndarray) -> tuple[Rows, Rows]:
        z = outputs[:, 0].astype(np.float64)
        return z, np.exp(-np.abs(z))  # (n,), (n,)

    def _targets(self, labels: Rows) -> Rows:
        return labels * (1 - self.smoothing) + self.smoothing / 2

    def _value(self, z: Rows, small: Rows, labels: Rows, weights: Rows | None) -> float:
        return total(np.maximum(z, 0) - z * self._targets(labels) + np.log1p(small), weights)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (HalfSquaredError, CrossEntropy, BinaryCrossEntropy)
}


def _shifted(outputs: np.ndarray) -> np.ndarray:
    # The maximum along rows of 10 takes six times as long as along columns, the copy included.
    return outputs - np.ascontiguousarray(outputs.T).max(axis=0)[:, None]  # (n, k)


def weight_inplace(dout: np.ndarray, weights: Rows | None) -> np.ndarray:
    """Multiply the gradient of each row (n, ...) by its weight."""
    if weights is not None:
        dout *= weights[:, None].astype(dout.dtype, copy=False)
    return dout


def total(per_row: Rows, weights: Rows | None) -> float:
    """Return the sum of the losses of rows (n,), weighted."""
    return float(per_row.sum() if weights is None else per_row @ weights)
