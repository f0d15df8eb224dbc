"""The columns that a network gives for each row: predictions as the user's data names them, or a layer's outputs.

prediction                          the label of the most probable class, or the predicted value
probability_NAME (k columns)        the probability of each class, on request
top1, top1_probability, top2, ...   the most probable classes in falling order, on request
layerN_0, layerN_1, ...             instead of all these: the outputs of layer N, images as h, w, c
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Number, TableEncoder
from nn.models.sequential import Params, Sequential

# Types, as Spark names them.
LONG, DOUBLE, FLOAT, STRING, BOOLEAN = ("long", "double", "float", "string", "boolean")


class OutputColumn(NamedTuple):
    """The name and the type of a column of predictions."""

    name: str
    type: str


@dataclass(frozen=True)
class OutputTable:
    """Base class: columns that a network gives for each row of a block."""

    model: Sequential

    @property
    def last(self) -> int | None:
        """Return the number of the layer whose outputs give the columns; None for the last."""
        return None

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """Return the columns in their order."""
        raise NotImplementedError

    def values(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) each, for outputs (n, ...) of the layer."""
        raise NotImplementedError

    def predict(self, params: Params, inputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) each, for rows of a block (n, ...).

        Raises ValueError for rows that the encoder does not accept (`usable_rows`).
        """
        return self.values(self.model.forward(params, inputs, self.last))

    def arrays(self, params: Params, inputs: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the columns, n values each, and of which rows the model can predict, (n,) bool.

        It cannot where the encoder does not accept a row, and where outputs are not finite. There the values of the
        columns stand for nothing.
        """
        usable = usable_rows(self.model, inputs)
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = self._outputs(params, inputs if usable.all() else inputs[usable])
            columns = self.values(outputs)
        is_finite = np.isfinite(outputs).all(axis=tuple(range(1, outputs.ndim)))
        if usable.all() and len(inputs):
            return columns, is_finite
        places = np.maximum(np.cumsum(usable) - 1, 0)  # a usable row stands for each of the others
        return [column[places] for column in columns], usable & is_finite[places]

    def _outputs(self, params: Params, rows: np.ndarray) -> np.ndarray:
        """Return the outputs of the layer for rows; for none, a row of zeros, which has the shape of all others."""
        if len(rows):
            return self.model.forward(params, rows, self.last)
        return np.zeros((1, *self.model.output_shapes()[(self.last or 0) - 1]), np.float32)

    def cells(self, params: Params, inputs: np.ndarray) -> list[list[Any]]:
        """Return the columns as lists of n Python values; None in rows that the model cannot predict."""
        columns, usable = self.arrays(params, inputs)
        found = [column.tolist() for column in columns]
        for row in np.flatnonzero(~usable).tolist():
            for cells in found:
                cells[row] = None
        return found


@dataclass(frozen=True)
class LayerTable(OutputTable):
    """The outputs of a layer, a column of float32 each; `number` counts layers from 1, as messages do."""

    number: int

    @property
    def last(self) -> int:
        """Return the number of the layer."""
        return self.number

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """Return the columns in their order."""
        width = math.prod(self.model.output_shapes()[self.number - 1])
        return tuple(OutputColumn(f"layer{self.number}_{index}", FLOAT) for index in range(width))

    def values(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) each, for outputs (n, ...) of the layer."""
        return list(outputs.reshape(len(outputs), math.prod(outputs.shape[1:])).T)


@dataclass(frozen=True)
class PredictionTable(OutputTable):
    """Which columns of predictions a network gives.

    Raises ValueError for probabilities of a regression, and for more top classes than there are.
    """

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

    def values(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) each, for the outputs (n, units) of the network."""
        if self.is_regression:
            assert isinstance(self.model.decoder, TargetScale)
            return [self.model.decoder.decode(self.model.loss.predict(outputs))]
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


def usable_rows(model: Sequential, inputs: np.ndarray) -> np.ndarray:
    """Return of which rows of a block (n, ...) the model can predict, (n,) bool.

    Not of rows with an infinite value, which stands for a cell that is no number, with a missing value that the model
    does not fill, or with an unknown category where the model has no input for it.
    """
    rows = inputs.reshape(len(inputs), math.prod(inputs.shape[1:]))
    if rows.dtype.kind != "f":
        return np.ones(len(rows), bool)
    usable = ~np.isinf(rows).any(axis=1)
    missing_values = np.isnan(rows)
    encoder = model.encoder
    if not isinstance(encoder, TableEncoder):
        return usable & ~missing_values.any(axis=1)
    for index, column in enumerate(encoder.columns):
        has_fill = column.fill is not None if isinstance(column, Number) else column.fill
        if not has_fill:
            usable &= ~missing_values[:, index]
        if not isinstance(column, Number) and not column.other:
            usable &= ~(rows[:, index] < 0)
    return usable
