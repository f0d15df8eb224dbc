"""The outputs of a network as pyspark.ml has them: raw predictions, probabilities, the index of the class, its label.

prediction = the first class with the largest p_j, or with thresholds t the first with the largest p_j / t_j, where
p_j / 0 is infinite and 0 / 0 never wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn.data.decoding import TargetScale
from nn.models.classifier import PART
from nn.models.losses import BinaryCrossEntropy
from nn.models.prediction_columns import DOUBLE, STRING, OutputColumn, OutputTable
from nn.models.scorer import Scorer
from nn.models.sequential import Sequential

RAW, PROBABILITY, PREDICTION, LABEL = OUTPUTS = ("raw", "probability", "prediction", "label")
VECTORS = (RAW, PROBABILITY)


@dataclass(frozen=True)
class StageTable(OutputTable):
    """The outputs that a stage of pyspark.ml adds to a row; `thresholds` are one per class, or None."""

    outputs: tuple[str, ...] = ()
    thresholds: tuple[float, ...] | None = None

    @property
    def columns(self) -> tuple[OutputColumn, ...]:
        """Return the columns in their order."""
        types = dict.fromkeys(VECTORS, f"array<{DOUBLE}>") | {PREDICTION: DOUBLE, LABEL: STRING}
        return tuple(OutputColumn(name, types[name]) for name in self.outputs)

    def values(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Return the columns, (n,) or (n, k) each, for outputs (n, k) of the last layer."""
        return [self._value(name, outputs) for name in self.outputs]

    def _value(self, name: str, outputs: np.ndarray) -> np.ndarray:
        model = self.model
        if isinstance(model.decoder, TargetScale):
            return model.decoder.decode(model.loss.predict(outputs))
        if name == RAW:
            return raw_of(model, outputs)
        if name == PROBABILITY:
            return probabilities_of(model, outputs)
        if self.thresholds is None:
            numbers = model.loss.predict(outputs)
        else:
            numbers = over_thresholds(probabilities_of(model, outputs), self.thresholds)
        if name == PREDICTION:
            return numbers.astype(np.float64)
        return np.array(model.decoder.names(model.classes), object)[numbers]


class OutputScorer(Scorer):
    """A model file and which outputs it gives. It is sent to executors, where it loads the model when first used."""

    def __init__(self, content: bytes, outputs: Sequence[str], thresholds: Sequence[float] | None = None):
        self.outputs = tuple(outputs)
        self.thresholds = None if thresholds is None else tuple(thresholds)
        super().__init__(content)

    @property
    def table(self) -> StageTable:
        """Return the columns of outputs."""
        return StageTable(self.predictor.model, self.outputs, self.thresholds)

    def arrays(self, arguments: Sequence[Any], rows: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the outputs, (n,) or (n, k) each, and which rows the model can predict, (n,) bool.

        The outputs of other rows stand for nothing. `arguments` are those of Scorer.predict.
        """
        table, params, packed = self.table, self.predictor.params, self.packed(arguments, rows)
        parts = [table.arrays(params, packed[start : start + PART]) for start in range(0, max(rows, 1), PART)]
        columns = [np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)]
        return columns, np.concatenate([usable for _, usable in parts])


def raw_of(model: Sequential, outputs: np.ndarray) -> np.ndarray:
    """Return the raw predictions (n, k) float64: logits, of one logit z the pair (-z, z)."""
    raw = outputs.astype(np.float64)
    return np.concatenate([-raw, raw], axis=1) if isinstance(model.loss, BinaryCrossEntropy) else raw


def probabilities_of(model: Sequential, outputs: np.ndarray) -> np.ndarray:
    """Return the probabilities of the classes (n, k) float64, computed in float64."""
    return model.loss.probabilities(outputs.astype(np.float64))


def over_thresholds(probabilities: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Return the class of each row (n,) int64 by the rule of MLlib's ProbabilisticClassificationModel."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = probabilities / np.asarray(thresholds, np.float64)
    return np.where(np.isnan(scaled), -np.inf, scaled).argmax(axis=1)
