"""A trained network with its parameters, to predict with and to save: a classifier or a regressor."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.core import files
from nn.core.errors import DataError
from nn.data.arrays import as_numbers, check_values
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.tables import pack_for, pack_rows
from nn.models import model_file
from nn.models.sequential import Params, Sequential

PART = 1024  # rows at a time: the outputs of the layers of a convolutional network are large


@dataclass(frozen=True, eq=False)
class _Network:
    """What classifiers and regressors have in common: a network, its parameters, and what its layers give."""

    model: Sequential
    params: Params
    about: dict[str, Any] = field(default_factory=dict)  # how it was trained, from the file

    def layer_outputs(self, inputs: Any, layer: int | str) -> np.ndarray:
        """Return the outputs of a layer for rows, (n, *the layer's output shape) float32: features of the rows.

        layer: its number from 1, its name ("relu") or its word ("dense:64"). Raises ValueError for a layer that the
        network does not have, and for a name that several layers have.
        """
        number = self.model.layer_number(layer)
        return _apply(self.model, self.params, lambda outputs: outputs, inputs, number)

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file atomically; `nn.load` reads it."""
        model_file.save(path, self.model, self.params, self.about)


@dataclass(frozen=True, eq=False)
class Classifier(_Network):
    """Predict the classes of rows as the user has them: the model encodes them as in training.

    Rows are an array (n, ...), or a table with the columns of the training rows, in any order: a dict, a NumPy
    structured array, a pandas or an Arrow table. Raises ValueError for rows of another width, for columns that are
    missing, and for values that are not finite or not within float32.
    """

    @property
    def classes(self) -> int:
        """The number of classes k."""
        return self.model.classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the probabilities."""
        return self._labels.names(self.classes)

    def predict(self, inputs: Any) -> np.ndarray:
        """Return the label of the most probable class of each row, (n,), as the training data has it."""
        return self._labels.decode(self.predict_index(inputs))

    def predict_index(self, inputs: Any) -> np.ndarray:
        """Return the number of the most probable class of each row, (n,) int64."""
        return _apply(self.model, self.params, self.model.loss.predict, inputs)

    def predict_proba(self, inputs: Any) -> np.ndarray:
        """Return the class probabilities of each row, (n, k); each row sums to 1."""
        return _apply(self.model, self.params, self.model.loss.probabilities, inputs)

    @property
    def _labels(self) -> ClassLabels:
        assert isinstance(self.model.decoder, ClassLabels)
        return self.model.decoder


@dataclass(frozen=True, eq=False)
class Regressor(_Network):
    """Predict the target of rows, in its unit. Rows are as for a Classifier."""

    def predict(self, inputs: Any) -> np.ndarray:
        """Return the predicted value of each row, (n,) float64."""
        assert isinstance(self.model.decoder, TargetScale)
        return self.model.decoder.decode(_apply(self.model, self.params, self.model.loss.predict, inputs))


Predictor = Classifier | Regressor


def predictor(model: Sequential, params: Params, about: dict[str, Any] | None = None) -> Predictor:
    """Return the predictor of a trained network."""
    kind = Regressor if model.loss.is_regression else Classifier
    return kind(model, params, about or {})


def content_of(predictor: Predictor) -> model_file.SavedModel:
    """Return the content of a predictor's model file."""
    return model_file.SavedModel(predictor.model, predictor.params, predictor.about)


def load(path: str | os.PathLike) -> Any:
    """Read a local model file: a Classifier or a Regressor.

    Raises DataError, with the path, if it is not a model or its arrays do not fit its layers.
    """
    name = os.fspath(path)
    try:
        return read_model(files.read, name)
    except DataError as error:
        if "://" not in str(name):
            raise
        raise DataError(f"{error}; given a session of Spark it is read there: nn.load(path, spark)") from None


def read_model(read: Callable[[str, int], bytes | None], path: str, argument: str = "") -> Predictor:
    """Read a model file with `read(path, most bytes)`, which returns None where there is no file.

    Raises DataError with the path, behind the `argument` of the command line, as `load` does.
    """
    try:
        content = read(path, model_file.LARGEST)
        if content is not None:
            return predictor(*model_file.from_bytes(content))
    except IsADirectoryError:
        raise DataError(
            f"{argument}{path}: expected a model file, found a folder; a run's is {path}/model.npz"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{argument}{path}: cannot be read as a model: {reason}") from None
    raise DataError(f"{argument}no such file: {path}")


def _apply(
    model: Sequential,
    params: Params,
    function: Callable[[np.ndarray], np.ndarray],
    inputs: Any,
    last: int | None = None,
) -> np.ndarray:
    """Apply a function to the outputs of the network, or of its layer `last`, for rows, PART at a time.

    Raises ValueError, with the row, where outputs are not finite.
    """
    results, first = [], 0
    for part in _parts(model, inputs):
        with np.errstate(over="ignore", invalid="ignore"):
            outputs = model.forward(params, part, last)
        finite = np.isfinite(outputs).all(axis=tuple(range(1, outputs.ndim)))
        if not finite.all():
            row = first + int(finite.argmin())
            raise ValueError(
                f"row {row}: its values are too large for this model, whose outputs are not finite"
            )
        results.append(function(outputs))
        first += len(part)
    return np.concatenate(results)


def _parts(model: Sequential, inputs: Any) -> Iterator[np.ndarray]:
    """Yield rows in parts of PART rows, checked and packed as in blocks."""
    packed = pack_for(model.encoder, inputs)
    if packed is not None:
        yield from (packed[start : start + PART] for start in range(0, max(len(packed), 1), PART))
        return
    rows, width = as_numbers(inputs), model.columns
    if rows.size == width != math.prod(rows.shape[1:]):
        raise ValueError(
            f"expected rows (n, {width}), got one row of shape {rows.shape}; put it into a list: [row]"
        )
    for start in range(0, max(len(rows), 1), PART):
        part = rows[start : start + PART]
        check_values(part, start, model.encoder.fills)
        yield pack_rows(model.encoder, part)
