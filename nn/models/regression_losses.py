"""Losses of a regression: loss(outputs, targets) -> the sum over the rows, and its gradient.

Outputs and targets are (n, m). Targets are standardized, so that a delta or a learning rate suits all units.

mse             L = sum (out - target)^2                                  its minimum is the mean
absolute-error  L = sum |out - target|                                    its minimum is the median
huber           L = sum 1/2 e^2 where |e| <= delta, else delta (|e| - delta/2)       (Huber, 1964)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from nn.core.constraints import POSITIVE
from nn.models.losses import Loss, Rows, total, weight_inplace


@dataclass(frozen=True)
class RegressionLoss(Loss):
    """Base class: a loss of the differences between outputs and targets, with one output unit per target."""

    is_regression: ClassVar[bool] = True

    def of_errors(self, errors: np.ndarray) -> np.ndarray:
        """Return the loss of each difference, float64, in the shape of `errors`."""
        raise NotImplementedError

    def slope(self, errors: np.ndarray) -> np.ndarray:
        """Return the derivative of `of_errors`, in the dtype of `errors`."""
        raise NotImplementedError

    def value(self, outputs: np.ndarray, labels: np.ndarray, weights: Rows | None = None) -> float:
        """Return the loss of outputs (n, m) for targets (n, m): the sum over the rows, in float64."""
        return total(self.of_errors(_errors(outputs, labels)).sum(axis=1), weights)

    def grad(self, outputs: np.ndarray, labels: np.ndarray, weights: Rows | None = None) -> np.ndarray:
        """Return d loss / d outputs, (n, m), in the dtype of the outputs."""
        return weight_inplace(self.slope(_errors(outputs, labels)), weights)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs: the predicted targets, standardized, (n, m)."""
        return outputs

    def correct(self, outputs: np.ndarray, labels: np.ndarray) -> int:
        """Return 0: values are near, not correct."""
        return 0

    def classes(self, units: int) -> int:
        """Return the number of targets m."""
        return units


@dataclass(frozen=True)
class SquaredError(RegressionLoss):
    """The sum of squared differences."""

    name: ClassVar[str] = "mse"

    def of_errors(self, errors: np.ndarray) -> np.ndarray:
        """Return e^2."""
        return np.square(errors, dtype=np.float64)

    def slope(self, errors: np.ndarray) -> np.ndarray:
        """Return 2 e."""
        return 2 * errors


@dataclass(frozen=True)
class AbsoluteError(RegressionLoss):
    """The sum of absolute differences: few large errors count less than with squares."""

    name: ClassVar[str] = "absolute-error"

    def of_errors(self, errors: np.ndarray) -> np.ndarray:
        """Return |e|."""
        return np.abs(errors, dtype=np.float64)

    def slope(self, errors: np.ndarray) -> np.ndarray:
        """Return the sign of e, 0 at 0."""
        return np.sign(errors)


@dataclass(frozen=True)
class Huber(RegressionLoss):
    """Half the square of small differences, a straight line for those above `delta` standard deviations of the target.

    Raises ValueError for a `delta` that is not a finite number above 0.
    """

    name: ClassVar[str] = "huber"
    positional: ClassVar[tuple[str, ...]] = ("delta",)
    delta: Annotated[float, POSITIVE] = 1.0

    def of_errors(self, errors: np.ndarray) -> np.ndarray:
        """Return e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)."""
        sizes = np.abs(errors, dtype=np.float64)
        small = np.minimum(sizes, self.delta)
        return small * (sizes - small / 2)

    def slope(self, errors: np.ndarray) -> np.ndarray:
        """Return e, clipped to -delta..delta."""
        return np.clip(errors, -self.delta, self.delta)


def _errors(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return outputs - targets.astype(outputs.dtype, copy=False)


REGRESSION_LOSSES: dict[str, type[Any]] = {loss.name: loss for loss in (SquaredError, AbsoluteError, Huber)}
