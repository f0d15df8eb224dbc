"""The columns of a table of predictions: what a trained network says of each row, as the user's data names it.

prediction                          the label of the most probable class, or the predicted value
probability_NAME (k columns)        the probability of each class, on request
top1, top1_probability, top2, ...   the most probable classes in falling order, on request
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Number, TableEncoder
from nn.models.sequential import Params, Sequential

LONG, DOUBLE, STRING, BOOLEAN = "long", "double", "string", "boolean"  # types, as Spark names them


class OutputColumn(NamedTuple):
    """The name and the type of a column of predictions."""

    name: str
    type: str


@dataclass(frozen=True)
class PredictionTable:
    """Which columns of predictions a network gives.

    Raises ValueError for probabilities of a regression, and for more top classes than there are.
    """

    model: Sequential
    probabilities: bool = False
    top: int = 0

    def __post_init__(self) -> None:
        if self.is_regression and (self.probabilities or self.top):
            raise ValueError(
                "expected a model of classes for probabilities and top, found one of a regression"
            )
        if self.top > self.model.classes:
            raise ValueError(f"top: expected at most {self.model.classes} classes, got {self.top}")

    @property
    def is_regression(self) -> bool:
        """Return whether predictions are values."""
        return isinstance(self.model.decoder, TargetScale)

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """Return the columns in their order."""
        if self.is_regression:
            return (OutputColumn("prediction", DOUBLE),)
        label = self._label_type
        found = [OutputColumn("prediction", label)]
        if self.probabilities:
            found += [
                OutputColumn(f"probability_{name}", DOUBLE) for name in self._labels.names(self.model.classes)
            ]
        for number in range(1, self.top + 1):
            found += [OutputColumn(f"top{number}", label), OutputColumn(f"top{number}_probability", DOUBLE)]
        return tuple(found)

    @property
    def _labels(self) -> ClassLabels:
        assert isinstance(self.model.decoder, ClassLabels)
        return self.model.decoder

    @property
    def _label_type(self) -> str:
        labels = self._labels.labels
        if labels is None:
            return LONG
        types = set(map(type, labels))  # names, booleans or numbers: labels are of one kind
        return {bool: BOOLEAN, int: LONG, str: STRING}.get(types.pop(), DOUBLE) if len(types) == 1 else DOUBLE

    def predict(self, params: Params, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) each, for rows of a block (n, ...).

        Raises ValueError for rows that the encoder does not accept (`usable_rows`).
        """
        if self.is_regression:
            assert isinstance(self.model.decoder, TargetScale)
            return [self.model.decoder.decode(self.model.predict(params, inputs))]
        outputs = self.model.forward(params, inputs)
        labels = self._labels.decode(self.model.loss.predict(outputs))
        if not (self.probabilities or self.top):
            return [labels]
        probabilities = self.model.loss.probabilities(outputs).astype(np.float64)  # (n, k)
        found = [labels]
        if self.probabilities:
            found += list(probabilities.T)
        # A stable sort: of equally probable classes the first comes first, as in the prediction.
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : self.top]  # (n, top)
        for numbers in order.T:
            found += [self._labels.decode(numbers), probabilities[np.arange(len(numbers)), numbers]]
        return found

    def cells(self, params: Params, inputs: np.ndarray) -> list[list[Any]]:
        """Return the columns as lists of n Python values; None in rows that the model cannot predict."""
        usable = usable_rows(self.model, inputs)
        if usable.all():
            return [column.tolist() for column in self.predict(params, inputs)]
        found: list[list[Any]] = [[None] * len(inputs) for _ in self.columns]
        places = np.flatnonzero(usable).tolist()
        if places:
            for cells, column in zip(found, self.predict(params, inputs[usable]), strict=True):
                for place, value in zip(places, column.tolist(), strict=True):
                    cells[place] = value
        return found


def usable_rows(model: Sequential, inputs: np.ndarray) -> np.ndarray:
    """Return of which rows of a block (n, ...) the model can predict, (n,) bool.

    Not of rows with an infinite value, which stands for a cell that is no number, with a gap that the model does not
    fill, or with an unknown category where the model has no input for it.
    """
    rows = inputs.reshape(len(inputs), -1)
    if rows.dtype.kind != "f":
        return np.ones(len(rows), bool)
    usable = ~np.isinf(rows).any(axis=1)
    gaps = np.isnan(rows)
    encoder = model.encoder
    if not isinstance(encoder, TableEncoder):
        return usable & ~gaps.any(axis=1)
    for index, column in enumerate(encoder.columns):
        has_fill = column.fill is not None if isinstance(column, Number) else column.fill
        if not has_fill:
            usable &= ~gaps[:, index]
        if not isinstance(column, Number) and not column.other:
            usable &= ~(rows[:, index] < 0)
    return usable
