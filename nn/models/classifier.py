"""A trained classifier: a network with its parameters, to predict with and to save."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.core import files
from nn.core.errors import DataError
from nn.data.arrays import as_numbers, check_values
from nn.models import model_file
from nn.models.sequential import Params, Sequential


@dataclass(frozen=True)
class Classifier:
    """Predict classes of raw inputs (n, ...), which are scaled here as in training.

    Raises ValueError for rows of another width and for values that are not finite or not within float32.
    """

    model: Sequential
    params: Params
    about: dict[str, Any] = field(default_factory=dict)  # how it was trained, from the file

    @property
    def classes(self) -> int:
        """The number of classes k."""
        return self.model.classes

    def predict(self, inputs: Any) -> np.ndarray:
        """Return the most probable class of each row, (n,) int64."""
        return np.concatenate([self.model.predict(self.params, part) for part in self._parts(inputs)])

    def predict_proba(self, inputs: Any) -> np.ndarray:
        """Return the class probabilities of each row, (n, k); each row sums to 1."""
        return np.concatenate([self.model.predict_proba(self.params, part) for part in self._parts(inputs)])

    def save(self, path: str | os.PathLike) -> None:
        """Write a model file atomically; `nn.load` reads it."""
        model_file.save(path, self.model, self.params, self.about)

    def _parts(self, inputs: Any) -> Iterator[np.ndarray]:
        """Yield inputs in parts of PART rows, checked."""
        rows = as_numbers(inputs)
        width = math.prod(self.model.input_shape)
        if rows.size == width != math.prod(rows.shape[1:]):
            raise ValueError(
                f"expected rows (n, {width}), got one row of shape {rows.shape}; put it into a list: [row]"
            )
        for start in range(0, max(len(rows), 1), PART):
            part = rows[start : start + PART]
            check_values(part, start)
            yield part


PART = 1024  # rows at a time: the outputs of the layers of a convolutional network are large


def load(path: str | os.PathLike) -> Classifier:
    """Read a model file. Raises DataError, with the path, if it is not a model or its arrays do not fit its layers."""
    try:
        return Classifier(*model_file.from_bytes(files.read(path, model_file.LARGEST)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{os.fspath(path)}: cannot be read as a model: {reason}") from None
