"""Apply a saved model to columns as they come into a user-defined function: a table, arrays, vectors or numbers.

A process loads a model once, whatever number of functions and batches use it: a model is known by the hash of its file.
Workers outlive a job, so that a process keeps the last few models alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.data.tables import is_missing, pack_for, pack_rows
from nn.models import model_file
from nn.models.classifier import PART, Predictor, predictor
from nn.models.prediction_columns import OutputTable, PredictionTable

PREDICTION, PROBABILITIES, ALL = RETURNS = ("prediction", "probabilities", "all")
MODELS = 8  # that a process keeps
_loaded: dict[str, Predictor] = {}  # by the hash of the model file, in the order of loading


def _side_by_side(columns: Sequence[Any]) -> np.ndarray:
    """Return columns (n,) as the columns of an array (n, c), each value as it is."""
    arrays = [np.asarray(column) for column in columns]
    are_numbers = all(array.dtype.kind in "biuf" for array in arrays)
    return np.stack(arrays if are_numbers else [array.astype(object) for array in arrays], axis=1)


class Scorer:
    """A model file and what it returns of each row. It is sent to executors, where it loads the model when first used.

    Raises ValueError for content that is no model, for another word than those of RETURNS, and for probabilities of a
    regression.
    """

    def __init__(self, content: bytes, returns: str = PREDICTION):
        if returns not in RETURNS:
            raise ValueError(f"returns: expected one of {', '.join(RETURNS)}, found {returns!r}")
        self.content, self.returns = content, returns
        self.digest = hashlib.sha256(content).hexdigest()
        self.type = self.table.columns[0].type  # of the prediction

    @property
    def predictor(self) -> Predictor:
        """Return the model, loaded once per process."""
        found = _loaded.get(self.digest)
        if found is None:
            if hashlib.sha256(self.content).hexdigest() != self.digest:
                raise ValueError("the model was damaged on its way to this process")
            found = predictor(*model_file.from_bytes(self.content))
            while len(_loaded) >= MODELS:
                _loaded.pop(next(iter(_loaded)), None)
            _loaded[self.digest] = found
        return found

    @property
    def table(self) -> OutputTable:
        """Return the columns of predictions."""
        return PredictionTable(self.predictor.model, probabilities=self.returns != PREDICTION)

    def predict(self, arguments: Sequence[Any], rows: int) -> list[list[Any]]:
        """Return the columns of predictions for the arguments of a function, each a list of n values.

        One argument is a table, an array (n, d) of inputs or one column of numbers (n,); several are columns (n,).
        None in rows that the model cannot predict. Raises ValueError for rows of another width.
        """
        table, params = self.table, self.predictor.params
        packed = self.packed(arguments, rows)
        found: list[list[Any]] = [[] for _ in table.columns]
        for start in range(0, rows, PART):
            for cells, part in zip(found, table.cells(params, packed[start : start + PART]), strict=True):
                cells += part
        return found

    def packed(self, arguments: Sequence[Any], rows: int) -> np.ndarray:
        """Return rows of a block (n, ...). An infinite value stays, so that its row has no prediction."""
        model = self.predictor.model
        inputs = arguments[0] if len(arguments) == 1 else _side_by_side(arguments)
        if (
            rows
            and isinstance(inputs, np.ndarray)
            and inputs.ndim == 1
            and all(map(is_missing, inputs.tolist()))
        ):
            inputs = np.full((rows, model.columns), np.nan)  # rows of which none has a value, of any type
        packed = pack_for(model.encoder, inputs, finite=False)
        if packed is None:
            values = np.asarray(inputs)
            if values.dtype.kind not in "biuf":
                values = values.astype(np.float64)
            values = values.reshape(rows, -1 if rows else model.columns)
            if values.shape[1] != model.columns:
                raise ValueError(f"expected {model.columns:,} numbers per row, found {values.shape[1]:,}")
            packed = pack_rows(model.encoder, values)
        return packed

    def values(self, arguments: Sequence[Any], rows: int) -> list[Any]:
        """Return the value of each row: a prediction, a list of probabilities, or a pair of both; None for bad rows."""
        found = self.predict(arguments, rows)
        if self.returns == PREDICTION:
            return found[0]
        probabilities = [None if row[0] is None else list(row) for row in zip(*found[1:], strict=True)]
        if self.returns == PROBABILITIES:
            return probabilities
        return [
            None if row is None else (label, row) for label, row in zip(found[0], probabilities, strict=True)
        ]
