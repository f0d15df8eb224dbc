"""The outputs of a network as pyspark.ml has them: raw predictions, probabilities, the index of the class, its label.

prediction = the first class with the largest p_j, or with thresholds t the first with the largest p_j / t_j, where
p_j / 0 is infinite and 0 / 0 never wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.models.losses import BinaryCrossEntropy
from nn.models.prediction_columns import usable_rows
from nn.models.scorer import Scorer
from nn.models.sequential import Sequential

RAW, PROBABILITY, PREDICTION, LABEL = OUTPUTS = ("raw", "probability", "prediction", "label")
PART = 1024  # rows at a time


class OutputScorer(Scorer):
    """A model file and which outputs it gives. It is sent to executors, where it loads the model when first used."""

    def __init__(self, content: bytes, outputs: Sequence[str], thresholds: Sequence[float] | None = None):
        super().__init__(content)
        self.outputs, self.thresholds = tuple(outputs), thresholds

    def arrays(self, arguments: Sequence[Any], rows: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return the outputs, (n,) or (n, k) each, and which rows the model can predict, (n,) bool.

        The outputs of other rows are zeros. `arguments` are those of Scorer.predict.
        """
        model, params = self.predictor.model, self.predictor.params
        packed = self._packed(arguments, rows)
        usable = usable_rows(model, packed)
        found: list[dict[str, np.ndarray]] = []
        for start in range(0, rows, PART):
            part = packed[start : start + PART]
            good = usable[start : start + PART]
            if good.all():
                outputs = model.forward(params, part)
            else:
                outputs = np.zeros((len(part), model.output_shapes()[-1][0]), np.float32)
                if good.any():
                    outputs[good] = model.forward(params, part[good])
            found.append({name: self._output(model, name, outputs) for name in self.outputs})
        if not found:
            return {}, usable
        return {name: np.concatenate([part[name] for part in found]) for name in self.outputs}, usable

    def _output(self, model: Sequential, name: str, outputs: np.ndarray) -> np.ndarray:
        if model.loss.is_regression:
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
        return np.array(model.decoder.names(model.classes), object)[numbers]  # type: ignore[union-attr]


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
