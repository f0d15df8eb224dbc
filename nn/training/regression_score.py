"""The score of a regression: sums of errors in the unit of the target, which add up over blocks.

RMSE = sqrt(sum e^2 / n)    MAE = sum |e| / n    R^2 = 1 - sum e^2 / sum (actual - mean)^2    e = prediction - actual
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from nn.core.random import PICTURE, uniform
from nn.data.block import Block
from nn.data.decoding import TargetScale
from nn.models.sequential import Sequential

FIRST, EXAMPLES = 10, 40  # rows that are shown: the first ones, and all
SAMPLE = 2000  # rows of a picture


class ValueExample(NamedTuple):
    """One row with its prediction, in the unit of the target."""

    row: int
    actual: float
    prediction: float
    inputs: np.ndarray  # (d,) as read, not scaled

    @property
    def error(self) -> float:
        """Return the prediction less the actual value."""
        return self.prediction - self.actual


class Sample(NamedTuple):
    """The SAMPLE rows with the smallest hashes of their row numbers, (m,) each, whatever blocks they come in."""

    rows: np.ndarray  # int64
    actual: np.ndarray  # float64
    predicted: np.ndarray  # float64

    def __add__(self, other: Sample) -> Sample:  # type: ignore[override]
        return sample_of(*map(np.concatenate, zip(self, other, strict=True)))

    def sorted(self) -> Sample:
        """Return the sample by row."""
        order = np.argsort(self.rows)
        return Sample(*(values[order] for values in self))


def sample_of(rows: np.ndarray, actual: np.ndarray, predicted: np.ndarray) -> Sample:
    """Return the sample of rows."""
    if len(rows) > SAMPLE:
        chosen = np.argsort(uniform(0, PICTURE, 0, rows), kind="stable")[:SAMPLE]
        rows, actual, predicted = rows[chosen], actual[chosen], predicted[chosen]
    return Sample(rows, actual, predicted)


def r_squared(squared: float, deviations: float) -> float:
    """Return the share of the variance that is explained. Where all values are equal: 1 without errors, else 0.

    squared: the sum of squared errors; deviations: the sum of squared deviations from the mean.
    """
    if not deviations:
        return 0.0 if squared else 1.0
    return 1.0 - squared / deviations


class RegressionScore(NamedTuple):
    """The predictions of a network for some rows. Scores add up in row order. Errors are in the unit of the target."""

    rows: int
    loss: float  # summed over the rows, of standardized values
    absolute: float  # sum |e|
    squared: float  # sum e^2
    mean: float  # of the actual values
    deviations: float  # the sum of their squared deviations from the mean
    largest: tuple[ValueExample, ...]  # with the largest errors, largest first
    first: tuple[ValueExample, ...]
    sample: Sample

    def __add__(self, other: RegressionScore) -> RegressionScore:  # type: ignore[override]
        rows = self.rows + other.rows
        step, share = other.mean - self.mean, other.rows / rows  # merged as in nn/data/statistics.py
        return RegressionScore(
            rows,
            self.loss + other.loss,
            self.absolute + other.absolute,
            self.squared + other.squared,
            self.mean + step * share,
            self.deviations + other.deviations + step * step * self.rows * share,
            _largest(self.largest + other.largest),
            (self.first + other.first)[:EXAMPLES],
            self.sample + other.sample,
        )

    def sums_alone(self) -> RegressionScore:
        """Return the score without rows and without what there is of each row."""
        return self._replace(largest=(), first=(), sample=Sample(*(values[:0] for values in self.sample)))

    @property
    def about(self) -> dict[str, float]:
        """Return the score that the model file keeps."""
        return {"test_rmse": self.rmse}

    @property
    def cost(self) -> float:
        """Return the mean loss per row."""
        return self.loss / self.rows

    @property
    def rmse(self) -> float:
        """Return the root of the mean squared error."""
        return math.sqrt(self.squared / self.rows)

    @property
    def mae(self) -> float:
        """Return the mean absolute error."""
        return self.absolute / self.rows

    @property
    def r2(self) -> float:
        """Return the share of the variance that is explained, as `r_squared` does."""
        rounding = self.rows * (1e-15 * self.mean) ** 2  # of the mean of equal values
        return r_squared(self.squared, self.deviations if self.deviations > rounding else 0.0)

    def rmse_of(self, constant: float) -> float:
        """Return the RMSE of always predicting one value."""
        return math.sqrt(self.deviations / self.rows + (constant - self.mean) ** 2)

    @property
    def examples(self) -> tuple[ValueExample, ...]:
        """Return examples: the largest errors come first, then the first of the other rows."""
        largest = self.largest[: max(EXAMPLES - FIRST, EXAMPLES - len(self.first))]
        rows = {example.row for example in largest}
        return (*largest, *(example for example in self.first if example.row not in rows))[:EXAMPLES]


def _largest(examples: tuple[ValueExample, ...]) -> tuple[ValueExample, ...]:
    """Return at most EXAMPLES examples with the largest errors, largest first; of equal errors, the first rows."""
    return tuple(sorted(examples, key=lambda example: -abs(example.error))[:EXAMPLES])


def score_values(model: Sequential, params: Any, block: Block) -> RegressionScore:
    """Score one block of values of a target."""
    assert isinstance(model.decoder, TargetScale)
    outputs = model.forward(params.value, block.inputs)  # (n, 1)
    predicted = model.decoder.decode(model.loss.predict(outputs))
    actual = block.labels.astype(np.float64)
    errors, mean = predicted - actual, float(actual.mean())

    def examples(rows: np.ndarray) -> tuple[ValueExample, ...]:
        return tuple(
            ValueExample(int(block.rows[i]), float(actual[i]), float(predicted[i]), block.inputs[i].ravel())
            for i in rows
        )

    return RegressionScore(
        len(errors),
        model.loss.value(outputs, model.targets(actual)),
        float(np.abs(errors).sum()),
        float(errors @ errors),
        mean,
        float(np.square(actual - mean).sum()),
        examples(np.argsort(-np.abs(errors), kind="stable")[:EXAMPLES]),
        examples(np.arange(len(errors))[:EXAMPLES]),
        sample_of(block.rows, actual, predicted),
    )
